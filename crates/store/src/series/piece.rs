//! What one series was over one chunk, as bytes. Pure.
//!
//! First come runs of scrapes at which it was not there, was unknown, or was known; then columns of what is known. A piece of a chunk that
//! was taken together has a column each for means, least, most, and how many were known and unknown.

use super::bytes::{Broken, Rest, put};
use super::numbers;
use super::sum::{Known, Sum};

/// What a series was at one scrape.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// It was no part of the scrape.
    Absent,
    /// It was asked for, and is not known.
    Unknown,
    /// It was this.
    Known(f64),
}

/// Bytes of readings, one for each scrape of a chunk.
pub(super) fn write_readings(readings: &[Reading]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_runs(
        &mut bytes,
        readings.iter().map(|reading| match reading {
            Reading::Absent => State::Absent,
            Reading::Unknown => State::Unknown,
            Reading::Known(_) => State::Known,
        }),
    );
    let known: Vec<f64> = readings
        .iter()
        .filter_map(|reading| match reading {
            Reading::Known(value) => Some(*value),
            Reading::Absent | Reading::Unknown => None,
        })
        .collect();
    bytes.extend(numbers::write(&known));
    bytes
}

/// The `count` readings of a piece.
pub(super) fn read_readings(bytes: &[u8], count: usize) -> Result<Vec<Reading>, Broken> {
    let mut rest = Rest(bytes);
    let runs = read_runs(&mut rest, count)?;
    let mut known = numbers::read(rest.0, known_of(&runs))?.into_iter();
    let mut readings = Vec::with_capacity(count);
    for (state, length) in runs {
        match state {
            State::Absent => readings.extend(std::iter::repeat_n(Reading::Absent, length)),
            State::Unknown => readings.extend(std::iter::repeat_n(Reading::Unknown, length)),
            State::Known => readings.extend(known.by_ref().take(length).map(Reading::Known)),
        }
    }
    Ok(readings)
}

/// Bytes of what the intervals of a chunk come to; an interval in which the series was not there has none.
pub(super) fn write_sums(sums: &[Option<Sum>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_runs(
        &mut bytes,
        sums.iter().map(|sum| match sum {
            None => State::Absent,
            Some(Sum { known: None, .. }) => State::Unknown,
            Some(Sum { known: Some(_), .. }) => State::Known,
        }),
    );
    let there = || sums.iter().flatten();
    let known = || there().filter_map(|sum| sum.known);
    let columns: [Vec<f64>; 5] = [
        known().map(|known| known.mean).collect(),
        known().map(|known| known.least).collect(),
        known().map(|known| known.most).collect(),
        known().map(|known| known.count as f64).collect(),
        there().map(|sum| sum.unknown as f64).collect(),
    ];
    for column in &columns {
        let column = numbers::write(column);
        put(&mut bytes, column.len() as u64);
        bytes.extend(column);
    }
    bytes
}

/// What the `count` intervals of a piece come to.
pub(super) fn read_sums(bytes: &[u8], count: usize) -> Result<Vec<Option<Sum>>, Broken> {
    let mut rest = Rest(bytes);
    let runs = read_runs(&mut rest, count)?;
    let known = known_of(&runs);
    let there = runs.iter().filter(|(state, _)| *state != State::Absent).map(|(_, length)| length).sum();
    let mut column = |count| {
        let length = rest.number_up_to(bytes.len())?;
        numbers::read(rest.take(length)?, count)
    };
    let (means, least, most) = (column(known)?, column(known)?, column(known)?);
    let (counts, unknown) = (whole(column(known)?)?, whole(column(there)?)?);
    rest.end()?;
    if counts.contains(&0) {
        return Err(Broken("what is known was never known"));
    }
    let mut known = (0..known).map(|at| Known { mean: means[at], least: least[at], most: most[at], count: counts[at] });
    let mut unknown = unknown.into_iter();
    let mut sums = Vec::with_capacity(count);
    for state in runs.into_iter().flat_map(|(state, length)| std::iter::repeat_n(state, length)) {
        sums.push(match state {
            State::Absent => None,
            State::Unknown => Some(Sum { known: None, unknown: unknown.next().unwrap_or(0) }),
            State::Known => Some(Sum { known: known.next(), unknown: unknown.next().unwrap_or(0) }),
        });
    }
    Ok(sums)
}

/// Counts, which are whole and not negative.
fn whole(column: Vec<f64>) -> Result<Vec<u64>, Broken> {
    let is_whole =
        |number: &f64| (0.0..=9e15).contains(number) && number.to_bits() == (*number as u64 as f64).to_bits();
    if column.iter().all(is_whole) {
        Ok(column.into_iter().map(|number| number as u64).collect())
    } else {
        Err(Broken("a count is no whole number"))
    }
}

/// What a series was, without its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Absent,
    Unknown,
    Known,
}

/// Each run is a number: four times its length, and its state.
fn write_runs(bytes: &mut Vec<u8>, states: impl Iterator<Item = State>) {
    let mut runs: Vec<(State, u64)> = Vec::new();
    for state in states {
        match runs.last_mut() {
            Some((last, length)) if *last == state => *length += 1,
            _ => runs.push((state, 1)),
        }
    }
    put(bytes, runs.len() as u64);
    for (state, length) in runs {
        put(bytes, length << 2 | state as u64);
    }
}

/// Runs that are `count` scrapes long together.
fn read_runs(rest: &mut Rest<'_>, count: usize) -> Result<Vec<(State, usize)>, Broken> {
    let number = rest.number_up_to(count)?;
    let (mut runs, mut left) = (Vec::with_capacity(number), count);
    for _ in 0..number {
        let run = rest.number_up_to(left << 2 | 3)?;
        let state =
            [State::Absent, State::Unknown, State::Known].get(run & 3).ok_or(Broken("a run is of an unknown kind"))?;
        if run >> 2 == 0 {
            return Err(Broken("a run has no length"));
        }
        left -= run >> 2;
        runs.push((*state, run >> 2));
    }
    if left > 0 { Err(Broken("its runs are shorter than its chunk")) } else { Ok(runs) }
}

fn known_of(runs: &[(State, usize)]) -> usize {
    runs.iter().filter(|(state, _)| *state == State::Known).map(|(_, length)| length).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading() -> impl Strategy<Value = Reading> {
        prop_oneof![
            Just(Reading::Absent),
            Just(Reading::Unknown),
            any::<u64>().prop_map(|bits| Reading::Known(f64::from_bits(bits))),
            (0..100_i32).prop_map(|value| Reading::Known(value.into())),
        ]
    }

    /// Equal in every bit, those of a NaN too.
    fn bits(readings: &[Reading]) -> Vec<Option<Option<u64>>> {
        let bits = |reading: &Reading| match reading {
            Reading::Absent => None,
            Reading::Unknown => Some(None),
            Reading::Known(value) => Some(Some(value.to_bits())),
        };
        readings.iter().map(bits).collect()
    }

    fn sum() -> impl Strategy<Value = Option<Sum>> {
        let known = (any::<f64>(), any::<f64>(), any::<f64>(), 1..1_000_u64)
            .prop_map(|(mean, least, most, count)| Known { mean, least, most, count });
        prop::option::of((prop::option::of(known), 1..9_u64).prop_map(|(known, unknown)| Sum { known, unknown }))
    }

    proptest! {
        #[test]
        fn readings_come_back(readings in prop::collection::vec(reading(), 0..300)) {
            let bytes = write_readings(&readings);
            prop_assert_eq!(bits(&read_readings(&bytes, readings.len()).unwrap()), bits(&readings));
            prop_assert!(read_readings(&bytes, readings.len() + 1).is_err());
        }

        #[test]
        fn sums_come_back(sums in prop::collection::vec(sum(), 0..300)) {
            let bytes = write_sums(&sums);
            prop_assert_eq!(read_sums(&bytes, sums.len()).unwrap(), sums);
        }

        #[test]
        fn damage_is_no_panic(readings in prop::collection::vec(reading(), 1..300), at: prop::sample::Index, flip in 1..=255_u8) {
            let mut bytes = write_readings(&readings);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            let _read = read_readings(&bytes, readings.len());
            let _read = read_sums(&bytes, readings.len());
            prop_assert!(read_readings(&bytes[..at], readings.len()).is_err());
        }
    }

    #[test]
    fn a_day_that_never_changes_takes_a_dozen_bytes() {
        assert!(write_readings(&[Reading::Known(3.5); 1_024]).len() <= 12);
        assert!(write_readings(&[Reading::Unknown; 1_024]).len() <= 3);
    }
}

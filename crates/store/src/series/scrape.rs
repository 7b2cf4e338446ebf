//! One scrape as bytes, as it lies in a head. Pure.
//!
//! First the slots of its series, which are the same from scrape to scrape; then a bit for each value that is known; then those values.

use super::bytes::{Broken, Rest, put};
use super::piece::Reading;
use super::{SCRAPE_VALUES_MAX, SERIES_MAX};

/// Where the values of a batch of scrapes belong.
pub(super) struct Layout {
    /// Slot, and place among the values; slots rise.
    slots: Vec<(u16, usize)>,
    /// The slots as bytes.
    head: Vec<u8>,
}

impl Layout {
    /// `slots` has the slot of each value, each once.
    pub(super) fn new(slots: &[u16]) -> Self {
        let mut slots: Vec<(u16, usize)> = slots.iter().copied().zip(0..).collect();
        slots.sort_unstable();
        let mut head = Vec::new();
        put(&mut head, slots.len() as u64);
        let mut before = 0;
        for (slot, _) in &slots {
            put(&mut head, u64::from(slot - before));
            before = *slot;
        }
        Self { slots, head }
    }

    /// A scrape's values, in the order of their slots.
    pub(super) fn readings<'v>(&'v self, values: &'v [Option<f64>]) -> impl Iterator<Item = (u16, Reading)> + 'v {
        self.slots.iter().map(|(slot, place)| (*slot, values[*place].map_or(Reading::Unknown, Reading::Known)))
    }

    /// A scrape as bytes.
    pub(super) fn write(&self, values: &[Option<f64>]) -> Vec<u8> {
        let ordered = || self.slots.iter().map(|(_, place)| values[*place]);
        let mut bytes = Vec::with_capacity(self.head.len() + values.len().div_ceil(8) + 8 * values.len());
        bytes.extend(&self.head);
        let mut bits = vec![0; values.len().div_ceil(8)];
        for (at, _) in ordered().enumerate().filter(|(_, value)| value.is_some()) {
            bits[at / 8] |= 1_u8 << (at % 8);
        }
        bytes.extend(bits);
        ordered().flatten().for_each(|value| bytes.extend(value.to_bits().to_le_bytes()));
        bytes
    }
}

/// The readings of a scrape that [`Layout::write`] wrote, in the order of their slots.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(u16, Reading)>, Broken> {
    let mut rest = Rest(bytes);
    let count = rest.number_up_to(SCRAPE_VALUES_MAX.min(bytes.len()))?;
    let mut readings = Vec::with_capacity(count);
    let mut slot = 0;
    for _ in 0..count {
        let step = rest.number_up_to(SERIES_MAX - slot)?;
        if step == 0 {
            return Err(Broken("a series is in a scrape twice"));
        }
        slot += step;
        readings.push((slot as u16, Reading::Unknown));
    }
    let known = rest.take(count.div_ceil(8))?;
    for (at, (_, reading)) in readings.iter_mut().enumerate() {
        if known[at / 8] >> (at % 8) & 1 == 1 {
            *reading = Reading::Known(f64::from_bits(u64::from_le_bytes(rest.array()?)));
        }
    }
    rest.end()?;
    Ok(readings)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_scrape_comes_back(
            values in prop::collection::btree_map(1..=u16::MAX, prop::option::of(any::<i32>()), 0..100),
            at: prop::sample::Index,
            flip in 1..=255_u8,
        ) {
            let values: Vec<(u16, Option<f64>)> = values.into_iter().map(|(slot, value)| (slot, value.map(f64::from))).collect();
            let expected: Vec<(u16, Reading)> =
                values.iter().map(|(slot, value)| (*slot, value.map_or(Reading::Unknown, Reading::Known))).collect();
            // However the caller orders them.
            let backwards: Vec<(u16, Option<f64>)> = values.into_iter().rev().collect();
            let layout = Layout::new(&backwards.iter().map(|(slot, _)| *slot).collect::<Vec<_>>());
            let mut bytes = layout.write(&backwards.iter().map(|(_, value)| *value).collect::<Vec<_>>());
            prop_assert_eq!(read(&bytes).unwrap(), expected);
            let at = at.index(bytes.len());
            prop_assert!(read(&bytes[..at]).is_err());
            bytes[at] ^= flip;
            let _read = read(&bytes);
        }
    }
}

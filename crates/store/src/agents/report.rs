//! A report of an agent as bytes, compressed. Pure.
//!
//! What is measured is told as the bits that it is: JSON would round. Whoever reads trusts nothing that is told of lengths.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use fleet::finding::Finding;
use fleet::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::series::bytes::{Broken, Rest, put};
use crate::series::{SCRAPE_VALUES_MAX, Scrape, Scrapes, Series, refusal};

/// The version of what follows it.
const VERSION: u8 = 1;
/// The most bytes of a report, compressed: ten seconds of a node with 256 ranks take some 200,000.
pub const REPORT_BYTES_MAX: usize = 1 << 20;
/// The most bytes that it comes to.
pub const REPORT_INFLATED_MAX: usize = 16 << 20;
/// The most values in it, known and unknown.
const REPORT_VALUES_MAX: usize = 1 << 20;
/// The most findings that are open on one node.
pub const OPEN_MAX: usize = 1_000;

/// What an agent hands in: what is wrong now, and what was measured since the report before.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentReport {
    /// When it was made, by the agent's clock.
    pub at: Timestamp,
    /// When the agent was started: what is usual it learns anew then.
    pub started: Timestamp,
    /// All that is wrong now, or was until a while ago: what was not heard is made good by what comes next.
    pub open: Vec<Wrong>,
    /// What was measured since the report before. A source without a name is the node.
    pub scrapes: Vec<Scrapes>,
}

/// Something that is wrong on a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wrong {
    /// What.
    pub finding: Finding,
    /// When it was opened, by the agent's clock.
    pub opened: Timestamp,
    /// When it was last found.
    pub seen: Timestamp,
    /// When it was over, of what was wrong until a while ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
}

/// Why bytes are no report that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(pub String);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Broken> for Unfit {
    fn from(Broken(why): Broken) -> Self {
        Self(why.to_owned())
    }
}

/// What is not numbers.
#[derive(Serialize, Deserialize)]
struct Head {
    at: Timestamp,
    started: Timestamp,
    open: Vec<Wrong>,
}

impl AgentReport {
    /// As bytes.
    ///
    /// # Errors
    /// If it is larger than what is taken.
    pub fn write(self) -> Result<Vec<u8>, Unfit> {
        let Self { at, started, mut open, scrapes } = self;
        open.truncate(OPEN_MAX);
        let head = serde_json::to_vec(&Head { at, started, open }).map_err(|error| Unfit(error.to_string()))?;
        let mut plain = Vec::new();
        put_bytes(&mut plain, &head);
        put(&mut plain, scrapes.len() as u64);
        scrapes.iter().for_each(|batch| put_batch(&mut plain, batch));
        if plain.len() > REPORT_INFLATED_MAX {
            return Err(Unfit(format!("a report has more than {} MiB", REPORT_INFLATED_MAX >> 20)));
        }
        let mut encoder = ZlibEncoder::new(vec![VERSION], Compression::fast());
        let written = encoder.write_all(&plain).and_then(|()| encoder.finish());
        let bytes = written.map_err(|error| Unfit(error.to_string()))?;
        if bytes.len() > REPORT_BYTES_MAX {
            return Err(Unfit(format!("a report has more than {} MiB, compressed", REPORT_BYTES_MAX >> 20)));
        }
        Ok(bytes)
    }

    /// What [`AgentReport::write`] wrote, and how many bytes it came to.
    ///
    /// # Errors
    /// If the bytes are something else, or more than what is taken.
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), Unfit> {
        let (version, packed) = bytes.split_first().ok_or(Broken("it is empty"))?;
        if *version != VERSION {
            return Err(Unfit(format!("it is of version {version}, and {VERSION} is known here")));
        }
        let mut plain = Vec::new();
        let most = REPORT_INFLATED_MAX as u64 + 1;
        let inflated = ZlibDecoder::new(packed).take(most).read_to_end(&mut plain);
        inflated.map_err(|_| Broken("it cannot be unpacked"))?;
        if plain.len() > REPORT_INFLATED_MAX {
            return Err(Unfit(format!("it has more than {} MiB", REPORT_INFLATED_MAX >> 20)));
        }
        Ok((read_inflated_report(&plain)?, plain.len()))
    }
}

/// A report that is no longer compressed. For fuzzing.
#[doc(hidden)]
pub fn read_inflated_report(plain: &[u8]) -> Result<AgentReport, Unfit> {
    let mut rest = Rest(plain);
    let Head { at, started, open } =
        serde_json::from_slice(take_bytes(&mut rest)?).map_err(|error| Unfit(error.to_string()))?;
    if open.len() > OPEN_MAX {
        return Err(Unfit(format!("it has more than {OPEN_MAX} findings")));
    }
    let batches = rest.number_up_to(plain.len())?;
    let mut room = REPORT_VALUES_MAX;
    let scrapes = (0..batches).map(|_| take_batch(&mut rest, &mut room)).collect::<Result<Vec<_>, _>>()?;
    rest.end()?;
    Ok(AgentReport { at, started, open, scrapes })
}

fn put_bytes(bytes: &mut Vec<u8>, part: &[u8]) {
    put(bytes, part.len() as u64);
    bytes.extend(part);
}

fn take_bytes<'b>(rest: &mut Rest<'b>) -> Result<&'b [u8], Broken> {
    let length = rest.number_up_to(rest.0.len())?;
    rest.take(length)
}

fn take_text(rest: &mut Rest<'_>) -> Result<String, Broken> {
    str::from_utf8(take_bytes(rest)?).map(str::to_owned).map_err(|_| Broken("a name is no text"))
}

/// Names, moments, then column by column which values are known, and those: what changes little lies together.
fn put_batch(bytes: &mut Vec<u8>, Scrapes { source, series, scrapes }: &Scrapes) {
    put_bytes(bytes, source.as_bytes());
    put(bytes, series.len() as u64);
    for Series { name, labels, unit } in series {
        put_bytes(bytes, name.as_bytes());
        put_bytes(bytes, unit.as_bytes());
        put(bytes, labels.len() as u64);
        for (label, value) in labels {
            put_bytes(bytes, label.as_bytes());
            put_bytes(bytes, value.as_bytes());
        }
    }
    put(bytes, scrapes.len() as u64);
    scrapes.iter().for_each(|scrape| bytes.extend(scrape.at.0.to_le_bytes()));
    for place in 0..series.len() {
        let column = || scrapes.iter().map(|scrape| scrape.values.get(place).copied().flatten());
        let mut known = vec![0_u8; scrapes.len().div_ceil(8)];
        for (at, _) in column().enumerate().filter(|(_, value)| value.is_some()) {
            known[at / 8] |= 1 << (at % 8);
        }
        bytes.extend(known);
        column().flatten().for_each(|value| bytes.extend(value.to_bits().to_le_bytes()));
    }
}

fn take_batch(rest: &mut Rest<'_>, room: &mut usize) -> Result<Scrapes, Unfit> {
    let source = take_text(rest)?;
    let count = rest.number_up_to(SCRAPE_VALUES_MAX.min(rest.0.len()))?;
    let series = (0..count).map(|_| take_series(rest)).collect::<Result<Vec<_>, _>>()?;
    let count = rest.number_up_to(rest.0.len() / 8)?;
    // A value that is not known is a bit there, and sixteen bytes here.
    *room = room
        .checked_sub(series.len().saturating_mul(count))
        .ok_or_else(|| Unfit(format!("it has more than {REPORT_VALUES_MAX} values")))?;
    let moments = (0..count).map(|_| rest.array().map(|at| Timestamp(i64::from_le_bytes(at))));
    let moments = moments.collect::<Result<Vec<_>, _>>()?;
    let mut scrapes: Vec<Scrape> =
        moments.into_iter().map(|at| Scrape { at, values: Vec::with_capacity(series.len()) }).collect();
    for _ in &series {
        let known = rest.take(count.div_ceil(8))?;
        for (at, scrape) in scrapes.iter_mut().enumerate() {
            let value = (known[at / 8] >> (at % 8) & 1 == 1).then(|| rest.array().map(f64::from_le_bytes));
            scrape.values.push(value.transpose()?);
        }
    }
    // The node has no name in its own report; whoever takes it gives it one.
    let named = if source.is_empty() { "node".to_owned() } else { source.clone() };
    let batch = Scrapes { source: named, series, scrapes };
    refusal(&batch).map_or(Ok(Scrapes { source, ..batch }), |why| Err(Unfit(why)))
}

fn take_series(rest: &mut Rest<'_>) -> Result<Series, Broken> {
    let (name, unit) = (take_text(rest)?, take_text(rest)?);
    let count = rest.number_up_to(rest.0.len())?;
    let mut labels = BTreeMap::new();
    for _ in 0..count {
        labels.insert(take_text(rest)?, take_text(rest)?);
    }
    Ok(Series { name, labels, unit })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn report(values: Vec<Vec<Option<u64>>>) -> AgentReport {
        let wide = values.iter().map(Vec::len).min().unwrap_or(0);
        let series = (0..wide).map(|place| Series {
            name: "pressure".into(),
            labels: BTreeMap::from([("device".to_owned(), place.to_string())]),
            unit: "s".into(),
        });
        let scrapes = values.into_iter().enumerate().map(|(at, values)| Scrape {
            at: Timestamp(at as i64 * 1_000 - 5),
            values: values.into_iter().take(wide).map(|bits| bits.map(f64::from_bits)).collect(),
        });
        let batch = Scrapes { source: String::new(), series: series.collect(), scrapes: scrapes.collect() };
        let other = Scrapes { source: "job/a".into(), series: vec![Series::named("x")], scrapes: Vec::new() };
        let wrong =
            Wrong { finding: Finding::new("hang", "It hangs"), opened: Timestamp(3), seen: Timestamp(4), closed: None };
        AgentReport { at: Timestamp(9), started: Timestamp(1), open: vec![wrong], scrapes: vec![batch, other] }
    }

    /// Bits, since a NaN is not itself.
    fn bits(report: &AgentReport) -> Vec<Option<u64>> {
        let scrapes = report.scrapes.iter().flat_map(|batch| &batch.scrapes);
        scrapes.flat_map(|scrape| &scrape.values).map(|value| value.map(f64::to_bits)).collect()
    }

    proptest! {
        #[test]
        fn a_report_comes_back_to_the_bit_and_damage_is_told(
            values in prop::collection::vec(prop::collection::vec(prop::option::of(any::<u64>()), 3..5), 0..20),
            at: prop::sample::Index,
            flip in 1..=255_u8,
        ) {
            let report = report(values);
            let mut bytes = report.clone().write().unwrap();
            let (read, _) = AgentReport::read(&bytes).unwrap();
            prop_assert_eq!(bits(&read), bits(&report));
            prop_assert_eq!((read.at, read.started, &read.open), (report.at, report.started, &report.open));
            let names = |report: &AgentReport| -> Vec<(String, Vec<Series>)> {
                report.scrapes.iter().map(|batch| (batch.source.clone(), batch.series.clone())).collect()
            };
            prop_assert_eq!(names(&read), names(&report));
            let at = at.index(bytes.len());
            prop_assert!(AgentReport::read(&bytes[..at]).is_err());
            bytes[at] ^= flip;
            let _read = AgentReport::read(&bytes);
        }

        #[test]
        fn anything_behind_the_compression_is_survived(plain in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut encoder = ZlibEncoder::new(vec![VERSION], Compression::fast());
            encoder.write_all(&plain).unwrap();
            let _read = AgentReport::read(&encoder.finish().unwrap());
        }
    }

    #[test]
    fn what_comes_to_too_much_is_refused_before_it_is_there() {
        let mut encoder = ZlibEncoder::new(vec![VERSION], Compression::best());
        (0..300).for_each(|_| encoder.write_all(&vec![0; 1 << 20]).unwrap());
        let bytes = encoder.finish().unwrap();
        assert!(bytes.len() < REPORT_BYTES_MAX);
        assert_eq!(AgentReport::read(&bytes), Err(Unfit("it has more than 16 MiB".into())));
        assert_eq!(AgentReport::read(&[9, 1]), Err(Unfit("it is of version 9, and 1 is known here".into())));
        assert_eq!(AgentReport::read(&[]), Err(Unfit("it is empty".into())));
    }

    #[test]
    fn ten_seconds_of_a_node_take_little() {
        let values = |second: u64| (0..120).map(|place| Some(((second * place) as f64 * 0.37).to_bits())).collect();
        let bytes = report((0..10).map(values).collect()).write().unwrap();
        assert!(bytes.len() < 9_000, "{}", bytes.len());
    }
}

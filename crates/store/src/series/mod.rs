//! Series: what was measured again and again, for as long as the rules say.
//!
//! A source is what is measured together: one scrape has one moment, and a value of each of its series. New scrapes go to the source's head,
//! row by row; a full head becomes a chunk, whose moments and values are compressed column by column. Old chunks are taken together to
//! what they come to in every minute, and later let go ([`Store::keep_series`](crate::Store::keep_series)), but for those that a finding has
//! pinned. What is unknown stays unknown, and nothing is rounded. docs/SERIES.md tells of the format.
//!
//! `bytes`, `numbers`, `piece`, `bundle`, `scrape`, `sum` and `gathered` are pure. Start reading at `append`, then `values`.

mod append;
mod bundle;
pub(crate) mod bytes;
mod check;
mod chunks;
mod gathered;
mod intervals;
mod latest;
mod names;
mod numbers;
mod piece;
mod pieces;
mod pins;
mod retain;
mod rules;
mod scrape;
mod sum;
mod take_together;
mod values;

use std::collections::BTreeMap;

use fleet::time::Timestamp;

pub(crate) use append::{append_all, refusal};
pub(crate) use check::check;
pub use intervals::{Interval, IntervalLine, IntervalQuery};
pub use latest::Latest;
pub use names::{SeriesQuery, StoredSeries};
pub use piece::Reading;
pub use pins::Pin;
pub(crate) use pins::hold;
pub use retain::Retained;
pub use rules::{SERIES_RULES, SeriesRule, SeriesRules};
pub use values::{Line, Point, ValueQuery};

/// How many scrapes a chunk holds at most. Twice as many would take a tenth less room, and a head twice as large.
pub const CHUNK_SCRAPES: usize = 1_024;

/// How many series a source has at most, those that ended but are still kept too.
pub const SERIES_MAX: usize = 65_535;

/// How many values one scrape has at most.
pub const SCRAPE_VALUES_MAX: usize = 16_384;

/// How many values a head holds at most, where its scrapes are wide: 16 MiB.
const HEAD_VALUES_MAX: usize = 1 << 21;

/// How long a name is at most, and a label and its value together, in bytes.
const NAME_BYTES_MAX: usize = 1_024;

/// How many labels a series has at most.
const LABELS_MAX: usize = 32;

/// No moment is further from 1970 than this, in milliseconds: up to here, every one is a float too.
const MOMENT_MAX: i64 = 1 << 53;

/// What tells a series from the others of its source.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// What is measured: `cpu_pressure_some_share`.
    pub name: String,
    /// Of what, where the source has several: `device` is `0`.
    pub labels: BTreeMap<String, String>,
    /// In what: `bytes`, `s`; empty for shares and plain counts.
    pub unit: String,
}

impl Series {
    /// A series without labels or unit.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// What a source said at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrape {
    /// When.
    pub at: Timestamp,
    /// The value of each series, in the order of [`Scrapes::series`]; absent: it was asked for, and is not known. Every bit of it is kept.
    pub values: Vec<Option<f64>>,
}

/// Scrapes of one source, all with the same series.
#[derive(Clone, Debug, PartialEq)]
pub struct Scrapes {
    /// Which source: a node's agent, a loader.
    pub source: String,
    /// Its series, each once. Those that are not named here are absent, not unknown.
    pub series: Vec<Series>,
    /// What it said, in the order in which it was said.
    pub scrapes: Vec<Scrape>,
}

/// Reads bytes as everything that a file of series holds, for `count` scrapes; how many of its readers take them for theirs. For fuzzing: files
/// are read with a checksum before.
#[doc(hidden)]
#[must_use]
pub fn read_as_anything(bytes: &[u8], count: usize) -> usize {
    let taken = [
        piece::read_readings(bytes, count).is_ok(),
        piece::read_sums(bytes, count).is_ok(),
        pieces::read_moments(bytes, count).is_ok(),
        bundle::Pieces::of(1, bytes).find(u16::MAX).is_ok(),
        scrape::read(bytes).is_ok(),
    ];
    taken.into_iter().filter(|taken| *taken).count()
}

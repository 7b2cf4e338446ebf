//! What both commands need to read data: which files, how, and a line that tells how far it is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::feed::dataset::{DatasetError, Format, Tokens};
use ::feed::memory::Fetching;
use ::feed::progress::{Moment, Progress, Stage};
use ::feed::source::Location;
use ::feed::source::remote::Buckets;
use ::feed::spec::TokenType;
use clap::{Args, ValueEnum};
use fleet::money::grouped;
use fleet::quantity::{Bytes, Millis};

use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::progress::Line;

/// How to read files that do not say it themselves.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// Read the files as plain numbers, or as Megatron's .bin files; so many tokens make a sample
    #[arg(long, value_name = "LENGTH", value_parser = clap::value_parser!(u32).range(1..))]
    tokens: Option<u32>,
    /// How each token is stored
    #[arg(long, value_enum, default_value_t = Stored::Uint16, value_name = "TYPE", requires = "tokens")]
    token_type: Stored,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stored {
    Uint16,
    Uint32,
    Int32,
    Int64,
}

impl Reading {
    /// How files are to be read.
    pub(super) fn format(&self) -> Format {
        let token = match self.token_type {
            Stored::Uint16 => TokenType::UInt16,
            Stored::Uint32 => TokenType::UInt32,
            Stored::Int32 => TokenType::Int32,
            Stored::Int64 => TokenType::Int64,
        };
        self.tokens.map_or(Format::ByName, |length| {
            let length = length as usize;
            Format::Tokens(Tokens { length, stride: length, token })
        })
    }
}

/// Of this much memory, a quarter may hold what comes from a store of objects.
const FETCHING_BYTES: usize = 1 << 30;

/// The files that names name, on this machine or in a store. Stores are told what the environment tells them.
pub(super) fn find(names: &[String]) -> Outcome<Vec<Location>> {
    let buckets = Buckets::new(BTreeMap::new(), Fetching::of(FETCHING_BYTES), None);
    ::feed::source::find(names, &buckets).map_err(|error| Failure::input(error.to_string()))
}

/// Why data cannot be used.
pub(super) fn unusable(error: &DatasetError) -> Failure {
    match error {
        DatasetError::Unknown { .. } => Failure::input(format!("{error}, as with --tokens LENGTH here")),
        error => Failure::input(error.to_string()),
    }
}

/// Shows how far work over data is.
pub(super) fn line(progress: &Arc<Progress>, global: Global) -> Line {
    let progress = Arc::clone(progress);
    let began = Mutex::new((Stage::Opening, Instant::now()));
    Line::show(global, move || {
        let moment = progress.now();
        let mut began = began.lock().unwrap_or_else(PoisonError::into_inner);
        if began.0 != moment.stage {
            *began = (moment.stage, Instant::now());
        }
        words(&moment, began.1.elapsed())
    })
}

/// How far it is, after so much time in its stage.
fn words(moment: &Moment, elapsed: Duration) -> String {
    let Moment { stage, done, total, bytes } = *moment;
    let (doing, what) = match stage {
        Stage::Opening => ("opening", "files"),
        Stage::Surveying => ("looking at", "samples"),
        Stage::Checking => ("checking", "samples"),
        Stage::Writing => ("writing", "samples"),
    };
    let mut text = format!("{doing} {} of {} {what}", count(done), count(total));
    let seconds = elapsed.as_secs_f64();
    if seconds < 1.0 || done == 0 {
        return text;
    }
    if bytes > 0 {
        text.push_str(&format!(", {}/s", Bytes((bytes as f64 / seconds) as u64)));
    }
    let left = seconds / done as f64 * total.saturating_sub(done) as f64;
    text.push_str(&format!(", {} left", Millis((left.ceil() as i64).saturating_mul(1_000))));
    text
}

/// A number as people read it.
pub(super) fn count(number: u64) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_rate_and_time_left() {
        let moment = |stage, done, bytes| Moment { stage, done, total: 4_000, bytes };
        for (moment, seconds, expected) in [
            (moment(Stage::Opening, 0, 0), 9, "opening 0 of 4,000 files"),
            (moment(Stage::Surveying, 1_000, 0), 10, "looking at 1,000 of 4,000 samples, 30s left"),
            (moment(Stage::Checking, 3_000, 10 << 20), 5, "checking 3,000 of 4,000 samples, 2 MiB/s, 2s left"),
            (moment(Stage::Writing, 4_000, 5 << 30), 5, "writing 4,000 of 4,000 samples, 1 GiB/s, 0s left"),
        ] {
            assert_eq!(words(&moment, Duration::from_secs(seconds)), expected);
        }
    }
}

//! What is wrong with a dataset: all of it counted, and so much of it kept.

use std::collections::BTreeMap;

use serde::Serialize;

/// So many problems are kept; all are counted. Those that come first in the data stay, whichever thread found them when.
pub const PROBLEMS_KEPT_MAX: usize = 100;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A file cannot be read at all.
    File,
    /// A sample cannot be read.
    Sample,
    /// An image does not decode.
    Image,
    /// What is called JSON is none.
    Json,
    /// What is called text is no UTF-8.
    Text,
    /// A sample lacks a field that most have.
    MissingField,
    /// A sample has a field twice; the first is read.
    RepeatedField,
    /// A sample is called as one before it.
    RepeatedName,
}

impl std::fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            ProblemKind::File => "files that cannot be read",
            ProblemKind::Sample => "samples that cannot be read",
            ProblemKind::Image => "images that do not decode",
            ProblemKind::Json => "JSON that is none",
            ProblemKind::Text => "text that is no UTF-8",
            ProblemKind::MissingField => "fields that are missing",
            ProblemKind::RepeatedField => "fields that stand twice in a sample",
            ProblemKind::RepeatedName => "samples named as one before",
        })
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of thing.
    pub kind: ProblemKind,
    /// In which file or folder.
    pub file: String,
    /// In which sample of it.
    pub sample: Option<String>,
    /// In which of its fields.
    pub field: Option<String>,
    /// What is wrong, as a clause.
    pub reason: String,
}

/// Where a problem lies, so that the first are kept: the file, the sample in it, and the field.
type Place = (usize, u64, ProblemKind, usize);

/// Problems as they are found, in any order.
#[derive(Debug, Default)]
pub(super) struct Found {
    counts: BTreeMap<ProblemKind, u64>,
    kept: BTreeMap<Place, Problem>,
}

/// What is wrong with a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// How much is wrong.
    pub count: u64,
    /// How much of each kind.
    pub kinds: Vec<KindCount>,
    /// The first, at most [`PROBLEMS_KEPT_MAX`].
    pub first: Vec<Problem>,
}

/// So many problems are of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KindCount {
    /// The kind.
    pub kind: ProblemKind,
    /// How many.
    pub count: u64,
}

impl Found {
    /// Takes in a problem, whose words are asked for only where it is kept.
    pub(super) fn add(&mut self, place: Place, problem: impl FnOnce() -> Problem) {
        *self.counts.entry(place.2).or_default() += 1;
        let is_full = self.kept.len() >= PROBLEMS_KEPT_MAX;
        if is_full && self.kept.last_key_value().is_some_and(|(last, _)| *last < place) {
            return;
        }
        self.kept.insert(place, problem());
        if is_full {
            self.kept.pop_last();
        }
    }

    pub(super) fn finish(self) -> Problems {
        let kinds = self.counts.into_iter().map(|(kind, count)| KindCount { kind, count }).collect::<Vec<_>>();
        Problems { count: kinds.iter().map(|kind| kind.count).sum(), kinds, first: self.kept.into_values().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_kept_whenever_they_come() {
        let mut found = Found::default();
        for number in (0..1_000_u64).rev().chain(1_000..2_000) {
            found.add((0, number, ProblemKind::Image, 0), || Problem {
                kind: ProblemKind::Image,
                file: "a".to_owned(),
                sample: Some(number.to_string()),
                field: None,
                reason: String::new(),
            });
        }
        let problems = found.finish();
        assert_eq!((problems.count, problems.first.len()), (2_000, PROBLEMS_KEPT_MAX));
        let names: Vec<u64> =
            problems.first.iter().map(|problem| problem.sample.as_ref().unwrap().parse().unwrap()).collect();
        assert_eq!(names, (0..PROBLEMS_KEPT_MAX as u64).collect::<Vec<_>>());
    }
}

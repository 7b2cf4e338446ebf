//! What is wrong with a dataset: all of it counted, and so much of it kept.

use std::collections::BTreeMap;

use serde::Serialize;

/// So many problems of a kind are kept; all are counted. Those that come first in the data stay, whichever thread found them when.
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
type Place = (usize, u64, usize);

/// Problems as they are found, in any order.
#[derive(Debug, Default)]
pub(super) struct Found(BTreeMap<ProblemKind, OfKind>);

#[derive(Debug, Default)]
struct OfKind {
    count: u64,
    kept: BTreeMap<Place, Problem>,
}

/// What is wrong with a dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// How much is wrong.
    pub count: u64,
    /// How much of each kind.
    pub kinds: Vec<KindCount>,
    /// The first of each kind, at most [`PROBLEMS_KEPT_MAX`].
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
    pub(super) fn add(&mut self, kind: ProblemKind, place: Place, problem: impl FnOnce() -> Problem) {
        let OfKind { count, kept } = self.0.entry(kind).or_default();
        *count += 1;
        if kept.len() < PROBLEMS_KEPT_MAX || kept.last_key_value().is_some_and(|(last, _)| place < *last) {
            kept.insert(place, problem());
        }
        if kept.len() > PROBLEMS_KEPT_MAX {
            kept.pop_last();
        }
    }

    pub(super) fn finish(self) -> Problems {
        let kinds: Vec<KindCount> =
            self.0.iter().map(|(kind, of)| KindCount { kind: *kind, count: of.count }).collect();
        Problems {
            count: kinds.iter().map(|kind| kind.count).sum(),
            kinds,
            first: self.0.into_values().flat_map(|of| of.kept.into_values()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_the_first_are_kept_whenever_they_come() {
        let mut found = Found::default();
        for number in (0..1_000_u64).rev().chain(1_000..2_000) {
            found.add(ProblemKind::Image, (0, number, 0), || Problem {
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

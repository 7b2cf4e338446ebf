//! The first look: which fields samples have, and how large they are. Nothing but what names and sizes need is read.

use std::collections::BTreeMap;

use super::problems::{Found, Problem, ProblemKind};
use super::sizes::Sizes;
use crate::format::folder::CLASS;
use crate::format::{Shard, ShardKind};
use crate::progress::{Progress, Stage};

/// So many fields of a format are told apart. Objects whose members are named by their contents have no end of them.
pub(super) const FIELDS_MAX: usize = 1_000;

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) formats: Vec<FormatTally>,
    pub(super) shards: Vec<ShardTally>,
}

/// What was seen of the shards of one format.
#[derive(Debug)]
pub(super) struct FormatTally {
    pub(super) kind: ShardKind,
    pub(super) fields: Vec<FieldTally>,
    /// Where a name stands among the fields.
    places: BTreeMap<String, usize>,
    /// Fields of samples that came after [`FIELDS_MAX`] others.
    pub(super) fields_untold: u64,
    /// Samples whose fields could be told.
    pub(super) samples: u64,
}

/// What was seen of one field.
#[derive(Debug)]
pub(super) struct FieldTally {
    pub(super) name: String,
    /// The first sample that has it: its shard, and its place there.
    pub(super) first: (usize, u64),
    pub(super) sizes: Sizes,
}

/// What was seen of one shard.
#[derive(Debug)]
pub(super) struct ShardTally {
    /// Its format's place.
    pub(super) format: usize,
    pub(super) bytes: u64,
    /// For each field of the format, how many samples have it.
    pub(super) fields: Vec<u64>,
}

impl FormatTally {
    /// The place of a field, which is made where it is new.
    fn place(&mut self, name: &str, at: (usize, u64)) -> Option<usize> {
        if let Some(place) = self.place_of(name) {
            return Some(place);
        }
        if self.fields.len() >= FIELDS_MAX {
            self.fields_untold += 1;
            return None;
        }
        self.places.insert(name.to_owned(), self.fields.len());
        self.fields.push(FieldTally { name: name.to_owned(), first: at, sizes: Sizes::default() });
        Some(self.fields.len() - 1)
    }

    /// The place of a field that is known.
    pub(super) fn place_of(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}

impl Survey {
    /// Looks at all samples, until it is stopped.
    pub(super) fn take(shards: &[&dyn Shard], found: &mut Found, progress: &Progress) -> Survey {
        progress.begin(Stage::Surveying, shards.iter().map(|shard| shard.samples()).sum());
        let mut survey = Survey::default();
        for (number, shard) in shards.iter().enumerate() {
            survey.shard((number, *shard), found, progress);
        }
        survey
    }

    fn shard(&mut self, (number, shard): (usize, &dyn Shard), found: &mut Found, progress: &Progress) {
        let kind = shard.kind();
        let format = self.formats.iter().position(|tally| tally.kind == kind).unwrap_or_else(|| {
            let (fields, places) = (Vec::new(), BTreeMap::new());
            self.formats.push(FormatTally { kind, fields, places, fields_untold: 0, samples: 0 });
            self.formats.len() - 1
        });
        let mut tally = ShardTally { format, bytes: shard.size(), fields: Vec::new() };
        for sample in 0..shard.samples() {
            if progress.is_stopped() {
                break;
            }
            let bytes = self.formats[format].sample((number, shard), sample, &mut tally.fields, found);
            // No file of a folder is looked at before its samples are.
            tally.bytes += if kind == ShardKind::Folder { bytes } else { 0 };
            progress.add(1, bytes);
        }
        self.shards.push(tally);
    }
}

impl FormatTally {
    /// Looks at a sample; the bytes that its fields take.
    fn sample(
        &mut self,
        (number, shard): (usize, &dyn Shard),
        sample: u64,
        counts: &mut Vec<u64>,
        found: &mut Found,
    ) -> u64 {
        let problem = |kind, field: Option<&str>, reason: String| Problem {
            kind,
            file: shard.name().to_owned(),
            sample: Some(shard.sample_name(sample)),
            field: field.map(str::to_owned),
            reason,
        };
        let fields = match shard.fields(sample) {
            Ok(fields) => fields,
            Err(error) => {
                let kind = ProblemKind::Sample;
                found.add(kind, (number, sample, 0), || problem(kind, None, error.to_string()));
                return 0;
            }
        };
        self.samples += 1;
        let mut bytes = 0;
        for (place_in_sample, field) in fields.iter().enumerate() {
            if fields[..place_in_sample].iter().any(|before| before.name == field.name) {
                let kind = ProblemKind::RepeatedField;
                let reason = || "it stands twice in the sample; the first is read".to_owned();
                found.add(kind, (number, sample, place_in_sample), || problem(kind, Some(&field.name), reason()));
                continue;
            }
            // The class is told by where a file lies.
            bytes += if self.kind == ShardKind::Folder && field.name == CLASS { 0 } else { field.bytes };
            if let Some(place) = self.place(&field.name, (number, sample)) {
                self.fields[place].sizes.add(field.bytes);
                if counts.len() <= place {
                    counts.resize(place + 1, 0);
                }
                counts[place] += 1;
            }
        }
        bytes
    }
}

//! What is inside a dataset: formats, shards, fields, how even the shards are, and, where all of it is read, what is wrong.
//!
//! Nothing is ever changed, and what cannot be read is told of and passed over: one shard that was cut short must not hide what the
//! others hold. Start at [`inspect`]; `survey` looks at names and sizes, `check` reads everything.

mod balance;
mod check;
mod problems;
mod report;
mod sizes;
mod survey;

use std::sync::Arc;

pub use balance::{Balance, Level, RankShare};
pub use problems::{KindCount, PROBLEMS_KEPT_MAX, Problem, ProblemKind, Problems};
pub use report::{Ended, FieldReport, FormatReport, ImagesReport, Inspection, ShardField, ShardReport};
pub use sizes::Spread;

use crate::dataset::{Dataset, DatasetError, Format};
use crate::format::Shard;
use crate::progress::{Progress, Stage};
use crate::source::Location;
use problems::{Found, Problem as Told};
use survey::Survey;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// At the names and sizes of fields.
    Survey,
    /// At every byte: images are decoded.
    Check,
}

/// Looks at files, each of which [`crate::source::find`] has found. Where `progress` is told to stop, what was found so far comes out.
///
/// # Errors
///
/// Where no file can be used at all: why the first cannot.
pub fn inspect(
    files: &[Location],
    format: Format,
    depth: Depth,
    progress: &Progress,
) -> Result<Inspection, DatasetError> {
    let mut found = Found::default();
    let datasets = open(files, format, &mut found, progress)?;
    let shards: Vec<&dyn Shard> = datasets.iter().flat_map(Dataset::shards).collect();
    let survey = Survey::take(&shards, &mut found, progress);
    let checked = match depth {
        Depth::Check if !progress.is_stopped() => Some(check::check(&shards, &survey, &mut found, progress)),
        _ => None,
    };
    let ended = if progress.is_stopped() { Ended::Interrupted } else { Ended::Complete };
    Ok(report::report(&shards, survey, checked, found, ended))
}

/// Opens each file on its own, so that one that cannot be used hides no other.
fn open(
    files: &[Location],
    format: Format,
    found: &mut Found,
    progress: &Progress,
) -> Result<Vec<Dataset>, DatasetError> {
    progress.begin(Stage::Opening, files.len() as u64);
    let mut datasets = Vec::new();
    let mut first_error = None;
    let unpacker = Arc::default();
    for (number, file) in files.iter().enumerate() {
        if progress.is_stopped() {
            break;
        }
        match Dataset::open_with(std::slice::from_ref(file), format, &unpacker) {
            Ok(dataset) => datasets.push(dataset),
            // An index for other readers, beside its shard.
            Err(DatasetError::Empty) if file.extension() == Some("idx") => {}
            Err(error) => {
                let name = file.name();
                found.add(ProblemKind::File, (number, 0, 0), || Told {
                    kind: ProblemKind::File,
                    reason: without_name(&error.to_string(), &name),
                    file: name,
                    sample: None,
                    field: None,
                });
                first_error.get_or_insert(error);
            }
        }
        progress.add(1, 0);
    }
    match first_error {
        Some(error) if datasets.is_empty() => Err(error),
        None if datasets.is_empty() && !progress.is_stopped() => Err(DatasetError::Empty),
        _ => Ok(datasets),
    }
}

/// An error's words without the name of the file that stands in front of them.
fn without_name(words: &str, name: &str) -> String {
    let rest = words.strip_prefix(name).map(|rest| rest.trim_start_matches([':', ',', ' ']));
    rest.unwrap_or(words).to_owned()
}

//! Data in a store of objects: the same samples in the same order as from files, whatever goes wrong on the way.

mod brought;
mod made;
mod requests;
mod samples;

use std::time::Duration;

use feed::loader::Loader;
use feed::pipeline::{Made, Next};
use feed::spec::Spec;
use object_rig::{Behaviour, Behind, Server};
use tempfile::TempDir;

pub(crate) fn open(data: &str, column: &str) -> Result<Loader, String> {
    open_with(data, column, "")
}

/// A loader that is told more.
pub(crate) fn open_with(data: &str, column: &str, more: &str) -> Result<Loader, String> {
    open_as(&spec(data, column, more))
}

/// What a loader is told.
pub(crate) fn spec(data: &str, column: &str, more: &str) -> String {
    format!(
        r#"{{"data": ["{data}"], "columns": [{column}], "batch": 16, "shuffle": "global", "seed": 3, "threads": 3{more}}}"#
    )
}

pub(crate) fn open_as(spec: &str) -> Result<Loader, String> {
    let spec: Spec = serde_json::from_str(spec).expect("the loader is told in its own words");
    Loader::open(&spec).map_err(|error| error.to_string())
}

/// What was said instead of a loader.
pub(crate) fn refused(opened: Result<Loader, String>) -> String {
    opened.err().expect("it is refused")
}

/// Each sample's bytes, of a whole epoch; or what was said of the first that could not be read.
pub(crate) fn epoch(loader: &Loader) -> Result<Vec<Vec<u8>>, String> {
    let mut samples = Vec::new();
    loop {
        match loader.next(Duration::from_secs(60)) {
            Next::EndOfEpoch(_) => return Ok(samples),
            Next::NotYet | Next::NoRoom { .. } => panic!("nothing came for a minute"),
            Next::Batch(batch) => {
                if let Some(error) = batch.failed.first() {
                    return Err(error.to_string());
                }
                for column in batch.columns() {
                    match column.made {
                        Made::Numbers(numbers) => samples
                            .extend(numbers.chunks_exact(numbers.slot_bytes()).take(batch.samples).map(<[u8]>::to_vec)),
                        Made::Bytes(cells) => samples.extend(cells[..batch.samples].iter().map(|cell| cell.to_vec())),
                        Made::Joined { .. } => unreachable!("none was asked for"),
                    }
                }
            }
        }
    }
}

pub(crate) fn start(folder: &TempDir, behaviour: Behaviour) -> Server {
    Server::start(Behind::Folder(folder.path().to_owned()), behaviour).expect("loopback has a free port")
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

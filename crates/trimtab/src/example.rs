//! The built-in example.

use std::fmt::Write;

use connect::import::Report;
use fleet::history::Record;
use replay::history::History;
use sha2::{Digest, Sha256};

use crate::failure::Outcome;
use crate::lab;
use crate::opened::Opened;

/// Opens it.
pub(crate) fn open() -> Outcome<Opened> {
    let mut records = lab::records(lab::SEED);
    let mut hash = Sha256::new();
    for record in &records {
        hash.update(serde_json::to_vec(record).expect("a record has nothing that JSON lacks"));
    }
    let hash = hash.finalize().iter().take(6).fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all that is written to it");
        text
    });
    let Record::Header(header) = records.remove(0) else { unreachable!("the example begins with its header") };
    let history = History::from_records(header, records.into_iter());
    Ok(Opened { history, hash, name: "--example".to_owned(), report: Report::default() })
}

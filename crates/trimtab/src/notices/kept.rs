//! What was told to whom, kept in a file, so that a start tells nothing twice and forgets nothing.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use control::Told;
use fleet::ids::FindingId;
use fleet::notice::Turn;
use fleet::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::told_file;
use crate::failure::{Failure, Outcome};
use crate::installation::write_private;

/// The file's version.
const VERSION: u32 = 1;

/// The file, as all who tell share it.
#[derive(Clone)]
pub(super) struct Kept {
    path: PathBuf,
    all: Arc<Mutex<File>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct File {
    version: u32,
    destinations: BTreeMap<String, Vec<One>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct One {
    id: u64,
    told: String,
    at_ms: i64,
}

const TURNS: [Turn; 3] = [Turn::Opened, Turn::Returned, Turn::Closed];

impl Kept {
    /// Opens it; whoever is told no more is forgotten.
    pub(super) fn open(folder: &Path, names: &[&str]) -> Outcome<Self> {
        let path = told_file(folder);
        let mut file = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => File::default(),
            text => {
                let text = text.map_err(|error| Failure::opening(path.display(), &error))?;
                let broken = |what: &dyn std::fmt::Display| {
                    Failure::outside(format!(
                        "{} is damaged ({what}); remove it, and all that is wrong now is told again",
                        path.display()
                    ))
                };
                let file: File = serde_json::from_str(&text).map_err(|error| broken(&error))?;
                if file.version != VERSION {
                    return Err(broken(&format!("version {} is not known", file.version)));
                }
                file
            }
        };
        file.version = VERSION;
        file.destinations.retain(|name, _| names.contains(&name.as_str()));
        Ok(Self { path, all: Arc::new(Mutex::new(file)) })
    }

    /// What somebody was told.
    pub(super) fn told(&self, name: &str) -> Told {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.destinations.get(name).into_iter().flatten();
        Told::restore(kept.filter_map(|one| {
            let turn = TURNS.into_iter().find(|turn| turn.name() == one.told)?;
            Some((FindingId(one.id), turn, Timestamp(one.at_ms)))
        }))
    }

    /// Keeps what somebody was told.
    pub(super) fn keep(&self, name: &str, told: &Told) -> Result<(), String> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = told.kept().map(|(id, turn, at)| One { id: id.0, told: turn.name().to_owned(), at_ms: at.0 });
        all.destinations.insert(name.to_owned(), kept.collect());
        write_private(&self.path, &serde_json::to_string(&*all).expect("it is plain data"))
            .map_err(|failure| failure.to_string())
    }
}

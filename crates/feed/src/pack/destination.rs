//! The folder that is written. Until all is there, it lies in a hidden folder within; only then is it moved, what makes it look like
//! a dataset last.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::error::PackError;
use super::mds;
use crate::dataset::Dataset;

/// What becomes of a dataset that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It is kept: nothing is written.
    Keep,
    /// It is removed when all of the new one is there, where it has no file but those that packing makes.
    Replace,
}

/// How the name of a folder ends that holds what is unfinished.
const UNFINISHED: &str = ".unfinished";
/// Folders left by runs that were killed are passed over, this many at most.
const TRIES: u32 = 1_000;

/// What a destination held before.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The files of a dataset, which are to go.
    old: Vec<PathBuf>,
    /// What other runs have left, or still write.
    unfinished: Vec<PathBuf>,
}

/// Whether `to` may be written.
pub(super) fn look(to: &Path, existing: Existing, dataset: &Dataset) -> Result<Before, PackError> {
    let refused = |reason: String| PackError::Destination { to: to.to_owned(), reason };
    let mut before = Before::default();
    let entries = match fs::read_dir(to) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(before),
        Err(error) => return Err(PackError::writing(to, error)),
    };
    if let Some(shard) = dataset.shards().find(|shard| lies_in(Path::new(shard.name()), to)) {
        return Err(refused(format!("{} is both read and written; name another folder", shard.name())));
    }
    for entry in entries {
        let path = entry.map_err(|error| PackError::writing(to, error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            if name.ends_with(UNFINISHED) {
                before.unfinished.push(path);
            }
        } else if existing == Existing::Keep {
            return Err(PackError::Occupied { to: to.to_owned(), name: name.into_owned() });
        } else if is_made_by_packing(&name) && path.is_file() {
            before.old.push(path);
        } else {
            return Err(refused(format!("{name} lies in it, which packing has not made: it is not replaced")));
        }
    }
    before.unfinished.sort();
    // What tells of all others goes first.
    before.old.sort_by_key(|path| (!path.ends_with(mds::INDEX), path.clone()));
    Ok(before)
}

fn lies_in(file: &Path, folder: &Path) -> bool {
    matches!((fs::canonicalize(file), fs::canonicalize(folder)), (Ok(file), Ok(folder)) if file.starts_with(&folder))
}

/// Whether a file is called as one that packing makes.
fn is_made_by_packing(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let of_tar = name.strip_prefix("shard-").and_then(|rest| rest.strip_suffix(".tar").or(rest.strip_suffix(".idx")));
    let of_mds = name.strip_prefix("shard.").and_then(|rest| rest.strip_suffix(".mds"));
    name == mds::INDEX || of_tar.or(of_mds).is_some_and(is_number)
}

/// A folder that is being filled. Dropped before it is finished, it leaves what was there before.
pub(super) struct Destination {
    to: PathBuf,
    folder: PathBuf,
    before: Before,
    /// Folders that were not there, the innermost first.
    made: Vec<PathBuf>,
}

impl Destination {
    /// Makes the folder, and in it one for what is unfinished.
    pub(super) fn begin(to: &Path, before: Before) -> Result<Destination, PackError> {
        let failed = |error| PackError::writing(to, error);
        let absent = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let made: Vec<PathBuf> = to.ancestors().take_while(absent).map(Path::to_owned).collect();
        fs::create_dir_all(to).map_err(failed)?;
        for attempt in 0..TRIES {
            let folder = to.join(format!(".{}-{attempt}{UNFINISHED}", std::process::id()));
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Destination { to: to.to_owned(), folder, before, made }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let reason = format!("it holds {TRIES} folders of runs that were killed; remove them");
        Err(PackError::Destination { to: to.to_owned(), reason })
    }

    /// Where files are to be made.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Moves the files, of which the first is what a reader looks for first, or the last is the index; what other runs have left.
    pub(super) fn finish(mut self, files: &[String]) -> Result<Vec<PathBuf>, PackError> {
        for old in &self.before.old {
            fs::remove_file(old).map_err(|error| PackError::writing(old, error))?;
        }
        // From the last to the first, so that a run that is killed meanwhile leaves no shard 0; then the index.
        let (indexes, shards): (Vec<&String>, Vec<&String>) = files.iter().partition(|name| *name == mds::INDEX);
        for name in shards.into_iter().rev().chain(indexes) {
            let path = self.to.join(name);
            fs::rename(self.folder.join(name), &path).map_err(|error| PackError::writing(&path, error))?;
        }
        self.made.clear();
        // The new names must be on the disk too. Not every file system can; the files themselves are safe by then.
        if let Ok(folder) = File::open(&self.to) {
            let _synced = folder.sync_all();
        }
        Ok(std::mem::take(&mut self.before.unfinished))
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        // Nobody is left to be told; what remains has a hidden name that says what it is.
        let _gone = fs::remove_dir_all(&self.folder);
        for folder in &self.made {
            let _gone = fs::remove_dir(folder);
        }
    }
}

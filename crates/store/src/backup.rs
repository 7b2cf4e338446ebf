//! A copy of a file that may be in use.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::connection;
use crate::error::{Fault, StoreError};
use crate::lock::Lock;

/// What becomes of a file that is where the copy should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the copy is refused.
    Keep,
    /// The copy takes its place, once it is whole.
    Replace,
}

/// Copies the store at `path` to `to`, as it is at one moment; whoever writes it meanwhile is not held up. The copy appears when it is whole
/// and on the disk, or not at all. A copy that was cut off by the end of its process leaves a file whose name ends in `.part` and a number.
///
/// # Errors
/// If the store cannot be read, if `to` is there and shall stay or is in use, or if the copy cannot be written.
pub fn backup(path: impl AsRef<Path>, to: impl AsRef<Path>, existing: Existing) -> Result<(), StoreError> {
    let (path, to) = (path.as_ref(), to.as_ref());
    let source = connection::reading(path).map_err(StoreError::at(path))?;
    write(&source, path, to, existing).map_err(StoreError::at(to))
}

fn write(source: &Connection, path: &Path, to: &Path, existing: Existing) -> Result<(), Fault> {
    let there = to.try_exists()?;
    if existing == Existing::Keep && (there || beside(to).iter().any(|path| path.exists())) {
        return Err(Fault::Exists);
    }
    let _lock = if there { Lock::take_if_there(to)? } else { None };
    if there && fs::canonicalize(to)? == fs::canonicalize(path)? {
        return Err(Fault::Unknown {
            what: "sense in a copy that takes its own origin's place; name another file".into(),
        });
    }
    let part = Part::beside(to)?;
    copy(source, &part.path)?;
    File::open(&part.path)?.sync_all()?;
    match existing {
        Existing::Replace => {
            // A write-ahead log that is left beside a file is taken for its own, whichever file it was written for.
            beside(to).iter().filter(|path| path.exists()).try_for_each(fs::remove_file)?;
            fs::rename(&part.path, to)?;
        }
        // A link is refused where the name is taken by now; a rename would replace it.
        Existing::Keep => match fs::hard_link(&part.path, to) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => fs::rename(&part.path, to)?,
            linked => linked?,
        },
    }
    drop(part);
    File::open(folder_of(to))?.sync_all()?;
    Ok(())
}

/// In one step: it sees one moment, and holds up no writer of a file with a write-ahead log.
fn copy(source: &Connection, to: &Path) -> Result<(), Fault> {
    let mut target = Connection::open(to)?;
    {
        let copy = Backup::new(source, &mut target)?;
        match copy.step(-1)? {
            StepResult::Done => {}
            _ => return Err(Fault::Busy),
        }
    }
    target.close().map_err(|(_, error)| Fault::from(error))
}

/// The copy while it is made; what is left of it is removed.
struct Part {
    path: PathBuf,
}

impl Part {
    fn beside(to: &Path) -> Result<Self, Fault> {
        let name = to.file_name().ok_or_else(|| Fault::Unknown { what: "name for the copy".into() })?;
        let part = |number: u32| {
            let mut name = OsString::from(name);
            name.push(format!(".part{}-{number}", std::process::id()));
            folder_of(to).join(name)
        };
        for number in 0..100 {
            match File::create_new(part(number)) {
                Ok(_) => return Ok(Self { path: part(number) }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(Fault::Unknown { what: format!("folder {}", folder_of(to).display()) });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Fault::Exists)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After a success most of them are not there; after an error nothing better can be done.
        let _removed = fs::remove_file(&self.path);
        for path in beside(&self.path) {
            let _removed = fs::remove_file(path);
        }
    }
}

/// What SQLite may keep beside a file.
fn beside(file: &Path) -> [PathBuf; 3] {
    ["-journal", "-wal", "-shm"].map(|suffix| {
        let mut path = OsString::from(file);
        path.push(suffix);
        path.into()
    })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

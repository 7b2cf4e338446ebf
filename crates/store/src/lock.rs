//! One writer for one file.
//!
//! The lock is of a file beside the store's, not of the store's own: SQLite locks that one through fcntl, and whoever closes another
//! descriptor of it in the same process drops those locks (<https://www.sqlite.org/howtocorrupt.html>, 2.2). The system lets go of the lock
//! when its process ends, however it ends; the file stays, and says which process holds it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::Fault;

/// Held while a store is open for writing, or a spool.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Closing it lets go.
    _file: File,
}

impl Lock {
    /// Takes the lock of the store at `store`, if anyone ever took it: whoever works with a store has.
    pub(crate) fn take_if_there(store: &Path) -> Result<Option<Self>, Fault> {
        if path_of(store)?.try_exists()? { Self::take(store).map(Some) } else { Ok(None) }
    }

    /// Takes the lock of the store at `store`, which need not be there yet.
    pub(crate) fn take(store: &Path) -> Result<Self, Fault> {
        let path = path_of(store)?;
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Fault::InUse { process: holder(&mut file) }),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        // Only a courtesy to whoever finds it taken: a disk without room for it must not keep anyone out.
        let _said = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// The lock's path, the same however the store is named: through links, or from another folder.
fn path_of(store: &Path) -> Result<PathBuf, Fault> {
    let real = match fs::canonicalize(store) {
        Ok(real) => real,
        Err(_) => {
            let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            fs::canonicalize(folder)
                .map_err(|_| Fault::Unknown { what: format!("folder {}; make it first", folder.display()) })?
                .join(store.file_name().ok_or(Fault::Missing)?)
        }
    };
    let mut name = OsString::from(real);
    name.push("-lock");
    Ok(name.into())
}

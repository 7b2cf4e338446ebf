//! Files that cannot be read at any place: compressed ones. Each is unpacked once, into a folder of this machine, and
//! read there.
//!
//! What is unpacked lies in the folder of blocks ([`crate::source::cache`]), counts against its limit in steps while it is written, and
//! is named by a digest of where the file is, its version, and how it is unpacked; so no file is taken for another, and an older version
//! of Trimtab's layout for none. Errors and shards have the names of the files that were named, wherever they are read. Start at
//! [`Unpacker`].

mod error;
mod room;
mod stream;

use std::env;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use error::UnpackError;
use room::Room;

use crate::source::cache::Cache;
use crate::source::cache::unpacked::{Unpacked, User};
use crate::source::{File, LocalFile, Location, ReadAt};
use crate::spec::CacheSpec;

/// What is unpacked in another way has another name.
const FORMAT: u32 = 1;
/// What the folder may hold where no folder is told.
const BYTES_MAX: u64 = 64 << 30;
/// What a compressed file holds.
const CONTENT: &str = "content";

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Compressed by gzip; of any number of members.
    Gzip,
    /// Compressed by Zstandard; of any number of frames.
    Zstandard,
}

impl Packing {
    /// What a name says: the packing, and the name of what is in it. A `.tgz` holds a `.tar`.
    pub fn of_name(name: &str) -> Option<(Packing, String)> {
        let (stem, ending) = name.rsplit_once('.')?;
        match ending {
            "gz" => Some((Packing::Gzip, stem.to_owned())),
            "zst" | "zstd" => Some((Packing::Zstandard, stem.to_owned())),
            "tgz" => Some((Packing::Gzip, format!("{stem}.tar"))),
            _ => None,
        }
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Packing::Gzip => "gzip",
            Packing::Zstandard => "Zstandard",
        })
    }
}

/// Unpacks files, and keeps them there as long as it lives.
pub struct Unpacker {
    told: Option<CacheSpec>,
    open: Mutex<Option<Arc<Open>>>,
}

/// A folder that is in use.
struct Open {
    cache: Cache,
    user: User,
}

/// What is said of what a compressed file held.
#[derive(Serialize, Deserialize)]
struct Content {
    bytes: u64,
}

impl Unpacker {
    /// Unpacks to the folder that is told, or to one of the user's own. Nothing is made before something is to be unpacked.
    pub fn new(told: Option<CacheSpec>) -> Unpacker {
        Unpacker { told, open: Mutex::new(None) }
    }

    /// What a compressed file holds; its name is that of the file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or is damaged, or there is no room for it.
    pub fn stream(&self, at: &Location, packing: Packing) -> Result<File, UnpackError> {
        let unpacked: Unpacked<Content> = self.unpacked(at, "stream", |file, room| {
            Ok(Content { bytes: stream::unpack(file, packing, CONTENT, room)? })
        })?;
        let file = open_as(&unpacked.folder.join(CONTENT), &at.name())?;
        assert_eq!(file.size(), unpacked.about.bytes, "it was found whole, and is kept as long as it is used");
        Ok(file)
    }

    /// What there is of a file, unpacked by `unpack` where nobody did before.
    fn unpacked<T: Serialize + DeserializeOwned>(
        &self,
        at: &Location,
        kind: &str,
        unpack: impl FnOnce(&File, &mut Room<'_>) -> Result<T, UnpackError>,
    ) -> Result<Unpacked<T>, UnpackError> {
        let (address, version) = at.version().map_err(UnpackError::Source)?;
        let open = self.open(&address)?;
        let writing = |error| UnpackError::writing(&address, open.cache.folder(), error);
        let name = digest(&[&address, &version, kind, &FORMAT.to_string()]);
        if let Some(found) = open.user.take_up(&name).map_err(writing)? {
            return Ok(found);
        }
        let place = match open.user.write(&name).map_err(writing)? {
            Ok(place) => place,
            Err(found) => return Ok(found),
        };
        let file = at.open().map_err(UnpackError::Source)?;
        let mut room = Room::new(&open.cache, place, at.name());
        let about = unpack(&file, &mut room)?;
        room.finish(about)
    }

    fn open(&self, file: &str) -> Result<Arc<Open>, UnpackError> {
        let mut open = self.open.lock().expect("nobody panics while opening");
        if let Some(open) = &*open {
            return Ok(Arc::clone(open));
        }
        let failed = |folder, error| UnpackError::Folder { file: file.to_owned(), folder, error };
        let (folder, bytes) = match &self.told {
            Some(told) => (PathBuf::from(&told.folder), told.bytes),
            None => (
                own_folder(|name| env::var_os(name).map(PathBuf::from)).map_err(|error| failed(None, error))?,
                BYTES_MAX,
            ),
        };
        let begin = || Ok(Open { cache: Cache::open(&folder, bytes)?, user: User::begin(&folder)? });
        let opened = Arc::new(begin().map_err(|error| failed(Some(folder.clone()), error))?);
        *open = Some(Arc::clone(&opened));
        Ok(opened)
    }
}

impl Default for Unpacker {
    fn default() -> Unpacker {
        Unpacker::new(None)
    }
}

/// The user's own folder, by the XDG Base Directory Specification, which has relative paths ignored.
fn own_folder(variable: impl Fn(&str) -> Option<PathBuf>) -> io::Result<PathBuf> {
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    let none = || io::Error::new(io::ErrorKind::NotFound, "neither XDG_CACHE_HOME nor HOME names one");
    Ok(caches.ok_or_else(none)?.join("trimtab").join("feed"))
}

/// A file that is called otherwise than where it is.
fn open_as(path: &Path, name: &str) -> Result<File, UnpackError> {
    LocalFile::open_as(path, name.to_owned()).map(File::Local).map_err(UnpackError::Source)
}

fn digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_how_files_are_packed() {
        for (name, expected) in [
            ("a.jsonl.gz", Some((Packing::Gzip, "a.jsonl"))),
            ("a.b.txt.zst", Some((Packing::Zstandard, "a.b.txt"))),
            ("a.tgz", Some((Packing::Gzip, "a.tar"))),
            ("a.tar", None),
            ("gz", None),
        ] {
            assert_eq!(Packing::of_name(name), expected.map(|(packing, name)| (packing, name.to_owned())), "{name}");
        }
    }

    #[test]
    fn the_users_own_folder_is_where_the_environment_says() {
        let told = |pairs: &'static [(&str, &str)]| {
            own_folder(|name| pairs.iter().find(|(told, _)| *told == name).map(|(_, path)| PathBuf::from(path)))
        };
        for (pairs, expected) in [
            (&[("XDG_CACHE_HOME", "/fast"), ("HOME", "/home/a")][..], Some("/fast/trimtab/feed")),
            (&[("XDG_CACHE_HOME", "fast"), ("HOME", "/home/a")], Some("/home/a/.cache/trimtab/feed")),
            (&[], None),
        ] {
            assert_eq!(told(pairs).ok(), expected.map(PathBuf::from));
        }
    }
}

//! Files that cannot be read at any place: compressed ones, those whose samples are, and tables. Each is unpacked once, into a folder
//! of this machine, and read there.
//!
//! What is unpacked lies in the folder of blocks ([`crate::source::cache`]), counts against its limit in steps while it is written, and
//! is named by a digest of where the file is, its version, and how it is unpacked; so no file is taken for another, and an older version
//! of Trimtab's layout for none. Errors and shards have the names of the files that were named, wherever they are read. Start at
//! [`Unpacker`].

mod chunk;
mod error;
mod room;
mod stream;
pub(crate) mod table;

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use chunk::Pieces;
pub use error::UnpackError;
use room::Room;
use table::Table;

use crate::format::Extent;
use crate::format::table::TableShard;
use crate::memory::Share;
use crate::source::cache::Cache;
use crate::source::cache::unpacked::{Unpacked, User};
use crate::source::{File, LocalFile, Location, ReadAt, SourceError};
use crate::spec::CacheSpec;

/// What is unpacked in another way has another name.
const FORMAT: u32 = 1;
/// What the folder may hold where no folder is told.
const BYTES_MAX: u64 = 64 << 30;
/// What a compressed file holds.
const CONTENT: &str = "content";
/// What is not on this machine, or lies within a file, as long as it is unpacked.
const SOURCE: &str = "source";
/// Tables that are unpacked at once: of each, a batch of rows is in memory.
const TABLES_MAX: usize = 4;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Compressed.
    Compressed(Compression),
    /// As a table.
    Table(TableFormat),
    /// As a chunk of LitData's whose samples are compressed.
    Chunk,
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// By gzip; of any number of members.
    Gzip,
    /// By Zstandard; of any number of frames.
    Zstandard,
}

/// How a table is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// As Parquet.
    Parquet,
    /// As a file of Arrow's, which Feather (version 2) is another name of, or as a stream.
    Arrow,
}

impl Compression {
    /// What a name says: how a file is compressed, and the name of what is in it. A `.tgz` holds a `.tar`.
    pub fn of_name(name: &str) -> Option<(Compression, String)> {
        let (stem, ending) = name.rsplit_once('.')?;
        match ending {
            "gz" => Some((Compression::Gzip, stem.to_owned())),
            "zst" | "zstd" => Some((Compression::Zstandard, stem.to_owned())),
            "tgz" => Some((Compression::Gzip, format!("{stem}.tar"))),
            _ => None,
        }
    }
}

impl TableFormat {
    /// What the extension of a name says.
    pub fn of_extension(extension: &str) -> Option<TableFormat> {
        match extension {
            "parquet" => Some(TableFormat::Parquet),
            "arrow" | "arrows" | "feather" => Some(TableFormat::Arrow),
            _ => None,
        }
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Packing::Compressed(Compression::Gzip) => "gzip",
            Packing::Compressed(Compression::Zstandard) => "Zstandard",
            Packing::Table(TableFormat::Parquet) => "Parquet",
            Packing::Table(TableFormat::Arrow) => "Arrow",
            Packing::Chunk => "a compressed chunk of LitData's",
        })
    }
}

/// Unpacks files, and keeps them there as long as it lives.
pub struct Unpacker {
    told: Option<CacheSpec>,
    open: Mutex<Option<Arc<Open>>>,
    /// Whoever unpacks a table has one of these.
    tables: Arc<Share>,
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
        Unpacker { told, open: Mutex::new(None), tables: Share::new(TABLES_MAX) }
    }

    /// What a compressed file holds; its name is that of the file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or is damaged, or there is no room for it.
    pub fn stream(&self, at: &Location, compression: Compression) -> Result<File, UnpackError> {
        let unpacked: Unpacked<Content> = self.unpacked(at, "stream", |file, room| {
            Ok(Content { bytes: stream::unpack(file, compression, CONTENT, room)? })
        })?;
        let file = open_as(&unpacked.folder.join(CONTENT), &at.name())?;
        assert_eq!(file.size(), unpacked.about.bytes, "it was found whole, and is kept as long as it is used");
        Ok(file)
    }

    /// The rows of a table; its name is that of the file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or is damaged, or there is no room for it.
    pub fn table(&self, at: &Location, format: TableFormat) -> Result<TableShard, UnpackError> {
        self.rows(at, "table", |file, room| {
            // Its index is at its end, and its columns lie anywhere: a store would be asked for each of their pages.
            let source = Source::whole(at, file, Packing::Table(format), room)?;
            let table = table::unpack(source.file(), format, room)?;
            source.forget(room)?;
            Ok(table)
        })
    }

    /// The rows of a table of Arrow's that lies within a file.
    pub(crate) fn table_within(&self, at: &Location, extent: Extent) -> Result<TableShard, UnpackError> {
        self.rows(at, "table within", |file, room| {
            let source = Source::part(extent, file, Packing::Table(TableFormat::Arrow), room)?;
            let table = table::unpack(source.file(), TableFormat::Arrow, room)?;
            source.forget(room)?;
            Ok(table)
        })
    }

    fn rows(
        &self,
        at: &Location,
        kind: &str,
        unpack: impl FnOnce(&File, &mut Room<'_>) -> Result<Table, UnpackError>,
    ) -> Result<TableShard, UnpackError> {
        let unpacked: Unpacked<Table> = self.unpacked(at, kind, |file, room| {
            let _turn = self.tables.take(1);
            unpack(file, room)
        })?;
        let size = at.size().map_err(UnpackError::Source)?;
        let open = |number| LocalFile::open_as(&unpacked.folder.join(table::shard_name(number)), at.name());
        TableShard::open((at.name(), size), unpacked.about, |number| open(number).map(File::Local))
            .map_err(UnpackError::Source)
    }

    /// What a chunk of LitData's would be without compression; its name is that of the file. None where it is not compressed: chunks of
    /// both kinds may lie in one folder.
    pub(crate) fn chunk(&self, at: &Location, pieces: Pieces) -> Result<Option<File>, UnpackError> {
        if pieces == Pieces::Frames && !chunk::is_framed(&at.open().map_err(UnpackError::Source)?)? {
            return Ok(None);
        }
        let unpacked: Unpacked<Content> = self.unpacked(at, pieces.name(), |file, room| {
            let source = Source::whole(at, file, Packing::Chunk, room)?;
            let bytes = chunk::unpack(source.file(), pieces, CONTENT, room)?;
            source.forget(room)?;
            Ok(Content { bytes })
        })?;
        open_as(&unpacked.folder.join(CONTENT), &at.name()).map(Some)
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

/// A file that is unpacked from any place, and so on this machine.
struct Source {
    file: fs::File,
    /// Bytes of it, where it was copied here for the time being.
    copied: Option<u64>,
}

impl Source {
    /// All of a file, where it is; one in a store is copied.
    fn whole(at: &Location, file: &File, packing: Packing, room: &mut Room<'_>) -> Result<Source, UnpackError> {
        match at {
            Location::Path(path) => {
                let file = fs::File::open(path).map_err(|error| failed(at.name(), error))?;
                Ok(Source { file, copied: None })
            }
            Location::Object(_) => Source::part(Extent { offset: 0, bytes: file.size() }, file, packing, room),
        }
    }

    /// A part of a file, copied.
    fn part(extent: Extent, file: &File, packing: Packing, room: &mut Room<'_>) -> Result<Source, UnpackError> {
        let bytes = stream::copy_part(file, extent, packing, SOURCE, room)?;
        let file = fs::File::open(room.path(SOURCE)).map_err(|error| room.failed(error))?;
        Ok(Source { file, copied: Some(bytes) })
    }

    fn file(&self) -> &fs::File {
        &self.file
    }

    /// What was copied is of no more use.
    fn forget(self, room: &mut Room<'_>) -> Result<(), UnpackError> {
        if let Some(bytes) = self.copied {
            fs::remove_file(room.path(SOURCE)).map_err(|error| room.failed(error))?;
            room.free(bytes);
        }
        Ok(())
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

fn failed(name: String, error: io::Error) -> UnpackError {
    UnpackError::Source(SourceError { name, offset: None, error })
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
            ("a.jsonl.gz", Some((Compression::Gzip, "a.jsonl"))),
            ("a.b.txt.zst", Some((Compression::Zstandard, "a.b.txt"))),
            ("a.tgz", Some((Compression::Gzip, "a.tar"))),
            ("a.tar", None),
            ("gz", None),
        ] {
            assert_eq!(
                Compression::of_name(name),
                expected.map(|(compression, name)| (compression, name.to_owned())),
                "{name}"
            );
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

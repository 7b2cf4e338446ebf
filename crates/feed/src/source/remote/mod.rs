//! Objects in stores: S3, Google's, Azure's, and any server that speaks HTTP.
//!
//! A [`Fetcher`] keeps requests under way. What will be read soon is asked for ahead ([`ask()`]) and lies there as pieces until those
//! that wanted it let go; what is read without having been asked for is fetched then. So whoever reads needs to know of nothing.

mod ahead;
mod ask;
mod bucket;
mod direct;
mod fetch;
mod fetched;
mod kept;
mod merge;
mod piece;
mod wakes;
mod wire;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use object_store::ObjectMeta;
use object_store::path::Path;

pub(super) use ahead::ReadAhead;
pub use ask::{Ticket, ask};
pub use bucket::{Bucket, Buckets};
use fetch::REQUEST_BYTES_MAX;
pub use fetch::{Counts, Fetcher};
pub use piece::Part;

use super::SourceError;
use crate::format::Extent;
use kept::Kept;
use piece::Piece;

/// Where an object is.
#[derive(Clone)]
pub struct Object {
    pub(super) bucket: Arc<Bucket>,
    pub(super) path: Path,
    /// Where it was told already.
    pub(super) size: Option<u64>,
    /// What its store, or an index, calls this version of it.
    pub(super) version: Option<String>,
    /// All of it, where it was read when it was looked for.
    pub(super) whole: Option<Arc<[u8]>>,
}

impl Object {
    pub(super) fn name(&self) -> String {
        self.bucket.name(&self.path)
    }

    /// The path of what it lies in.
    pub(super) fn folder(&self) -> Path {
        self.path.parent().unwrap_or_default()
    }

    pub(super) fn size(&self) -> Result<u64, SourceError> {
        Ok(self.told()?.size.unwrap_or(0))
    }

    /// The same, with what the store tells of it.
    pub(super) fn told(&self) -> Result<Object, SourceError> {
        if self.size.is_some() { Ok(self.clone()) } else { self.bucket.head(&self.path) }
    }

    pub(super) fn open(&self) -> Result<Arc<RemoteFile>, SourceError> {
        let Object { size: Some(size), version, .. } = self.told()? else {
            unreachable!("what a store tells of an object has its size");
        };
        let name = self.name();
        let kept = self.bucket.cache().map(|cache| Kept::new(cache, &name, size, version.as_deref()));
        Ok(Arc::new(RemoteFile {
            name,
            bucket: Arc::clone(&self.bucket),
            path: self.path.clone(),
            size,
            version: OnceLock::new(),
            pieces: Mutex::default(),
            kept,
        }))
    }

    pub(super) fn read(&self, bytes_max: u64) -> Result<Vec<u8>, SourceError> {
        match &self.whole {
            Some(whole) => Ok(whole.to_vec()),
            None => self.bucket.whole(&self.path, bytes_max),
        }
    }
}

/// An object that is read in ranges.
pub struct RemoteFile {
    name: String,
    bucket: Arc<Bucket>,
    path: Path,
    size: u64,
    /// What the store called this version of it, the first time.
    version: OnceLock<Option<String>>,
    /// Those that are here or on their way, by where they begin.
    pieces: Mutex<BTreeMap<u64, Weak<Piece>>>,
    /// Its blocks on this machine, where any are kept.
    kept: Option<Kept>,
}

/// A part of an object that will be read.
#[derive(Clone, Debug)]
pub struct Want {
    /// The object.
    pub file: Arc<RemoteFile>,
    /// Which part.
    pub extent: Extent,
}

impl RemoteFile {
    fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    fn path(&self) -> &Path {
        &self.path
    }

    /// Its blocks on this machine.
    fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// Whether what a store sent is of the object that was opened.
    fn check(&self, meta: &ObjectMeta) -> Result<(), String> {
        if meta.size != self.size {
            return Err(format!(
                "it has {} bytes, and had {} when it was opened: it was replaced",
                meta.size, self.size
            ));
        }
        let version = self.version.get_or_init(|| meta.e_tag.clone());
        if *version != meta.e_tag {
            return Err("it is another version than when it was opened: it was replaced".to_owned());
        }
        Ok(())
    }

    fn failed(&self, offset: u64, error: &object_store::Error, tries: u32) -> SourceError {
        let error = told(error);
        let error = match tries {
            0 | 1 => error,
            tries => io::Error::new(error.kind(), format!("{error} (tried {tries} times)")),
        };
        SourceError { name: self.name.clone(), offset: Some(offset), error }
    }

    /// A piece that has all of an extent, or will have.
    fn covering(&self, extent: Extent) -> Option<Arc<Piece>> {
        let end = extent.offset + extent.bytes;
        self.piece_at(extent.offset).filter(|piece| piece.extent.offset + piece.extent.bytes >= end)
    }

    /// The bytes of an extent, where one piece has them all and they need not be copied.
    pub(super) fn part(&self, extent: Extent) -> Option<Part> {
        self.covering(extent)?.part(extent)
    }

    /// A piece that has a byte, or will have.
    fn piece_at(&self, offset: u64) -> Option<Arc<Piece>> {
        let pieces = self.lock();
        let piece = pieces.range(..=offset).next_back()?.1.upgrade();
        // Let go of after the lock, since a piece that is dropped takes it.
        drop(pieces);
        piece.filter(|piece| piece.extent.offset + piece.extent.bytes > offset && !piece.is_failed())
    }

    /// Where the next piece begins.
    fn next_piece(&self, offset: u64) -> Option<u64> {
        self.lock().range(offset + 1..).next().map(|(start, _)| *start)
    }

    fn keep(&self, piece: &Arc<Piece>) {
        self.lock().insert(piece.extent.offset, Arc::downgrade(piece));
    }

    /// A piece that began there is gone.
    fn forget(&self, offset: u64) {
        let mut pieces = self.lock();
        if pieces.get(&offset).is_some_and(|piece| piece.strong_count() == 0) {
            pieces.remove(&offset);
        }
    }

    /// Asks for an extent before all else.
    fn ask(self: &Arc<Self>, extent: Extent) -> Arc<Piece> {
        let fetcher = self.bucket.fetcher();
        let piece = Piece::new(self, extent, fetcher.room().try_take(extent.bytes as usize));
        fetcher.get_first(&piece);
        piece
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Weak<Piece>>> {
        self.pieces.lock().expect("nobody panics while holding the pieces")
    }
}

impl RemoteFile {
    /// Fills `bytes` from `offset` on: from pieces that are here or on their way, and what lies in none is fetched.
    pub(super) fn read_at(self: &Arc<Self>, offset: u64, bytes: &mut [u8]) -> Result<(), SourceError> {
        let end = offset + bytes.len() as u64;
        if end > self.size {
            let error = io::Error::from(io::ErrorKind::UnexpectedEof);
            return Err(SourceError { name: self.name.clone(), offset: Some(offset), error });
        }
        let mut at = offset;
        while at < end {
            let rest = &mut bytes[(at - offset) as usize..];
            if let Some(piece) = self.piece_at(at) {
                at += piece.copy(at, rest)? as u64;
                continue;
            }
            if let Some(count) = self.kept.as_ref().and_then(|kept| kept.read(at, rest)) {
                at += count as u64;
                continue;
            }
            let until = self.next_piece(at).map_or(end, |next| next.min(end));
            let missing = Extent { offset: at, bytes: (until - at).min(REQUEST_BYTES_MAX) };
            let whole = self.kept.as_ref().map_or(missing, |kept| kept.blocks_around(missing));
            at += self.ask(whole).copy(at, rest)? as u64;
        }
        Ok(())
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

impl fmt::Debug for RemoteFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteFile").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}

/// What a store's error means, without addresses that may hold signatures.
fn told(error: &object_store::Error) -> io::Error {
    use object_store::Error as E;
    match error {
        E::NotFound { .. } => io::Error::new(io::ErrorKind::NotFound, "the store has no such object"),
        E::PermissionDenied { .. } => {
            io::Error::new(io::ErrorKind::PermissionDenied, "the store does not let these credentials read it")
        }
        E::Unauthenticated { .. } => io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the store wants credentials: by the environment, or by storage_options",
        ),
        E::NotSupported { .. } => io::Error::new(
            io::ErrorKind::Unsupported,
            "the server sends whole files only, and parts of them are read: have them served by one that knows ranges",
        ),
        error => {
            let mut inmost: &dyn Error = error;
            while let Some(source) = inmost.source() {
                inmost = source;
            }
            io::Error::other(inmost.to_string())
        }
    }
}

//! What an agent keeps while the server that it reports to cannot be reached: a folder of segments, each a file that is only appended to.
//!
//! A record has its number, its checksum, and how many before it were lost. What is taken is let go segment by segment, and so is the oldest
//! where there is no room: it is bounded, whatever happens outside. A process that is killed leaves a whole record or the beginning of one;
//! that beginning is dropped at the next start, and nothing else. What cannot be written, since the disk is full, waits in memory, which is
//! bounded too. Numbers rise for good: a start begins at the clock's milliseconds, so that what was numbered and lost with a process is never
//! numbered again. `frame` is pure. Start reading at [`Spool::append`], then [`Spool::batch`].

mod frame;
mod held;
mod segment;
mod write;

use std::collections::VecDeque;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use fleet::quantity::Bytes;
use fleet::time::Timestamp;

use crate::error::Fault;
use crate::lock::Lock;
pub use frame::{Frame, Frames, RECORD_BYTES_MAX};
use held::Held;
use segment::Segment;

/// The least that a spool may be bound to.
pub const SPOOL_MIN: Bytes = Bytes(1 << 20);
/// Names of its files, beside segments.
const IDENTITY: &str = "identity";
/// A spool has about so many segments when it is full: so large a part of it is let go at once.
const SEGMENTS: u64 = 16;
/// No segment is larger than this, but for one record.
const SEGMENT_BYTES_MAX: u64 = 4 << 20;

/// A folder of records that wait to be taken.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    identity: String,
    most: u64,
    /// The oldest first; the last is appended to, once anything was.
    segments: VecDeque<Segment>,
    /// Whether the last is this process's own.
    appends: bool,
    held: Held,
    next: u64,
    /// Lost since the last record was made.
    lost: u64,
    /// Lost since the start.
    lost_in_all: u64,
    trouble: Option<io::ErrorKind>,
    _lock: Lock,
}

/// What waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// So many records.
    pub records: u64,
    /// So many bytes of files.
    pub bytes: u64,
    /// So many were lost since the start, for want of room, or since they could not be read.
    pub lost: u64,
}

/// Records, one after the other, as they are handed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Their frames.
    pub bytes: Vec<u8>,
    /// The number of the last.
    pub last: Option<u64>,
}

/// A batch that is being filled.
#[derive(Debug, Default)]
struct Filling {
    bytes_max: usize,
    batch: Batch,
    is_full: bool,
    /// So many records since the last that was added cannot be read: the next says so.
    unread: u64,
    /// So many at the very front cannot be read, and were passed over for good.
    passed: u64,
}

impl Filling {
    /// Whether so many bytes more are too many.
    fn refuses(&mut self, bytes: u64) -> bool {
        self.is_full = self.batch.last.is_some() && self.batch.bytes.len() as u64 + bytes > self.bytes_max as u64;
        self.is_full
    }

    fn add(&mut self, frame: Frame<'_>) {
        let lost = frame.lost + std::mem::take(&mut self.unread);
        Frame { lost, ..frame }.write(&mut self.batch.bytes);
        self.batch.last = Some(frame.number);
    }
}

impl Spool {
    /// Opens a folder, and makes it where there is none; `most` is the bound of all its files together. What is said of what was found there
    /// is for people: a last record that was cut off by a crash.
    ///
    /// # Errors
    /// If it cannot be read, or another process uses it.
    pub fn open(folder: &Path, most: Bytes, now: Timestamp) -> Result<(Self, Vec<String>), Fault> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let lock = Lock::take(&folder.join("spool"))?;
        let mut names: Vec<PathBuf> = fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .filter(|path| {
                path.as_ref().map_or(true, |path| path.extension().is_some_and(|is| is == segment::EXTENSION))
            })
            .collect::<io::Result<_>>()?;
        names.sort_unstable();
        let (mut segments, mut notices, mut last) = (VecDeque::new(), Vec::new(), 0);
        for path in names {
            let (segment, notice) = Segment::found(path)?;
            notices.extend(notice);
            last = last.max(segment.last);
            if segment.records == 0 {
                segment.remove()?;
            } else {
                segments.push_back(segment);
            }
        }
        let next = (last + 1).max(now.0.unsigned_abs());
        let spool = Self {
            folder: folder.to_owned(),
            identity: identity(folder)?,
            most: most.max(SPOOL_MIN).0,
            segments,
            appends: false,
            held: Held::default(),
            next,
            lost: 0,
            lost_in_all: 0,
            trouble: None,
            _lock: lock,
        };
        Ok((spool, notices))
    }

    /// What tells it from every other spool, in letters.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// What waits.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let records: u64 = self.segments.iter().map(|segment| segment.records).sum();
        Waiting { records: records + self.held.records(), bytes: self.bytes(), lost: self.lost_in_all }
    }

    /// Why records cannot be written, while that is so.
    #[must_use]
    pub fn trouble(&self) -> Option<io::ErrorKind> {
        self.trouble
    }

    /// The oldest records that wait, in order: so many bytes at most, but one at least where any waits. What cannot be read any more is counted
    /// as lost, and passed over.
    ///
    /// # Errors
    /// If a file cannot be read at all.
    pub fn batch(&mut self, bytes_max: usize) -> io::Result<Batch> {
        let mut filling = Filling { bytes_max, ..Filling::default() };
        for segment in &mut self.segments {
            segment.read(&mut filling)?;
            if filling.is_full {
                break;
            }
        }
        if !filling.is_full {
            self.held.read(&mut filling);
        }
        // It is passed over by now: the next record that is made says so.
        self.lost += filling.passed;
        self.lost_in_all += filling.passed;
        Ok(filling.batch)
    }

    /// All up to this number is taken: it is let go. Whoever is told of a higher number than was ever given out here goes on above it.
    ///
    /// # Errors
    /// If a file cannot be read or removed.
    pub fn acknowledge(&mut self, number: u64) -> io::Result<()> {
        self.next = self.next.max(number.saturating_add(1));
        self.held.acknowledge(number);
        loop {
            let is_own = self.appends && self.segments.len() == 1;
            let Some(oldest) = self.segments.front_mut() else { return Ok(()) };
            oldest.acknowledge(number)?;
            if oldest.records > 0 || is_own {
                return Ok(());
            }
            oldest.remove()?;
            self.segments.pop_front();
        }
    }

    fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
}

/// What tells a spool from others: kept beside it. Where it cannot be kept it is another after the next start, and numbers rise all the same.
fn identity(folder: &Path) -> Result<String, Fault> {
    let path = folder.join(IDENTITY);
    let good = |text: &str| text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(known) = fs::read_to_string(&path).ok().filter(|text| good(text)) {
        return Ok(known);
    }
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Fault::Io { error: io::Error::other(error.to_string()) })?;
    let identity: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let _kept = fs::write(path, &identity);
    Ok(identity)
}

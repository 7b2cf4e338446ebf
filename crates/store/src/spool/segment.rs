//! A segment: a file of records that is only appended to, and let go as a whole.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::Filling;
use super::frame::{Frame, HEAD_BYTES, Head};

/// What names of segments end with. They begin with the number of their first record, so that names are in order.
pub(super) const EXTENSION: &str = "spool";
/// What a segment begins with: whose it is, and its version.
pub(super) const MAGIC: &[u8; 8] = b"trimspl\x01";

/// A segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// How much of it holds records; beyond that is what a crash left.
    pub(super) bytes: u64,
    /// What waits in it begins here.
    from: u64,
    /// So many records wait in it.
    pub(super) records: u64,
    /// So many records they say were lost before them.
    pub(super) lost: u64,
    /// The number of its last record; 0 where it has none.
    pub(super) last: u64,
}

impl Segment {
    /// One that is new, and has nothing but its beginning.
    pub(super) fn new(path: PathBuf) -> Self {
        let bytes = MAGIC.len() as u64;
        Self { path, bytes, from: bytes, records: 0, lost: 0, last: 0 }
    }

    /// One that was found; and what is to be said of it. Heads of records are looked at, and not what they hold.
    pub(super) fn found(path: PathBuf) -> io::Result<(Self, Option<String>)> {
        let file = File::open(&path)?;
        let length = file.metadata()?.len();
        let mut segment = Self::new(path);
        let mut magic = [0; MAGIC.len()];
        let known = length >= segment.bytes && file.read_exact_at(&mut magic, 0).is_ok() && magic == *MAGIC;
        if !known {
            segment.bytes = length;
            segment.from = length;
            let notice = format!(
                "{} is no segment of a spool, or its beginning is cut off; it is let go",
                segment.path.display()
            );
            return Ok((segment, (length > 0).then_some(notice)));
        }
        while let Some(head) = head(&file, segment.bytes)?.filter(|head| segment.bytes + head.whole() <= length) {
            segment.add(&head);
        }
        let beyond = length - segment.bytes;
        let notice = format!(
            "the last {beyond} bytes of {} are a record that was cut off; it is dropped, and the {} before it are kept",
            segment.path.display(),
            segment.records
        );
        Ok((segment, (beyond > 0).then_some(notice)))
    }

    /// A record was appended.
    pub(super) fn add(&mut self, head: &Head) {
        self.bytes += head.whole();
        self.records += 1;
        self.lost += head.lost;
        self.last = self.last.max(head.number);
    }

    /// Adds what waits in it to a batch, as far as there is room.
    pub(super) fn read(&mut self, filling: &mut Filling) -> io::Result<()> {
        if self.records == 0 {
            return Ok(());
        }
        let file = File::open(&self.path)?;
        let mut at = self.from;
        let mut body = Vec::new();
        while at < self.bytes {
            let Some(head) = head(&file, at)? else { break };
            if filling.refuses(head.whole()) {
                break;
            }
            body.resize(head.length as usize, 0);
            file.read_exact_at(&mut body, at + HEAD_BYTES as u64)?;
            if crc32fast::hash(&body) == head.crc {
                filling.add(Frame { number: head.number, lost: head.lost, body: &body });
            } else if filling.batch.last.is_none() {
                self.pass(&head);
                filling.passed += head.lost + 1;
            } else {
                filling.unread += head.lost + 1;
            }
            at += head.whole();
        }
        Ok(())
    }

    /// All up to this number is taken.
    pub(super) fn acknowledge(&mut self, number: u64) -> io::Result<()> {
        if self.records == 0 {
            return Ok(());
        }
        let file = File::open(&self.path)?;
        while self.from < self.bytes {
            match head(&file, self.from)? {
                Some(head) if head.number <= number => self.pass(&head),
                Some(_) => break,
                None => {
                    // It decayed since it was opened.
                    (self.from, self.records) = (self.bytes, 0);
                }
            }
        }
        Ok(())
    }

    pub(super) fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn pass(&mut self, head: &Head) {
        self.from += head.whole();
        self.records = self.records.saturating_sub(1);
        self.lost = self.lost.saturating_sub(head.lost);
    }
}

/// The head at a place; nothing where there is none.
fn head(file: &File, at: u64) -> io::Result<Option<Head>> {
    let mut bytes = [0; HEAD_BYTES];
    match file.read_exact_at(&mut bytes, at) {
        Ok(()) => Ok(Head::read(&bytes).ok()),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

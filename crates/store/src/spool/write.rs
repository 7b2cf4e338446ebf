//! Records appended, and what gives way for them.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use super::frame::{Frame, HEAD_BYTES, Head, RECORD_BYTES_MAX};
use super::held::Record;
use super::segment::{EXTENSION, MAGIC, Segment};
use super::{SEGMENT_BYTES_MAX, SEGMENTS, Spool};

impl Spool {
    /// Appends a record, and gives its number. It is on its way to the disk, and survives this process; where it cannot be written it waits in
    /// memory ([`Spool::trouble`]). Where its bound is reached, or memory is full too, the oldest records give way, and the next says how many
    /// those were.
    pub fn append(&mut self, body: Vec<u8>) -> u64 {
        let number = self.next;
        self.next += 1;
        if body.len() > RECORD_BYTES_MAX {
            self.lose(1);
            return number;
        }
        // By way of memory, always: what waits there already is older.
        self.held.push(Record { number, lost: std::mem::take(&mut self.lost), body });
        let mut written = self.write_held();
        // Whoever fills a disk may empty it again: only then does what was written before give way.
        if self.held.is_over() && written.as_ref().is_err_and(is_full) && self.drop_oldest().unwrap_or(false) {
            written = self.write_held();
        }
        self.trouble = written.err().map(|error| error.kind());
        self.lost_in_all += self.held.trim();
        number
    }

    /// One that could not be made is lost: the next says so.
    pub fn lose(&mut self, records: u64) {
        self.lost += records;
        self.lost_in_all += records;
    }

    fn write_held(&mut self) -> io::Result<()> {
        while let Some(record) = self.held.pop() {
            if let Err(error) = self.write(&record) {
                self.held.put_back(record);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Makes room within the bound, then writes.
    fn write(&mut self, record: &Record) -> io::Result<()> {
        let whole = (HEAD_BYTES + record.body.len()) as u64;
        while self.bytes() + whole > self.most && self.drop_oldest()? {}
        self.write_once(record)
    }

    fn write_once(&mut self, record: &Record) -> io::Result<()> {
        let whole = (HEAD_BYTES + record.body.len()) as u64;
        let segment_max = (self.most / SEGMENTS).min(SEGMENT_BYTES_MAX);
        let fits = |segment: &Segment| segment.records == 0 || segment.bytes + whole <= segment_max;
        if !self.appends || !self.segments.back().is_some_and(fits) {
            self.begin(record.number)?;
        }
        // What was lost before it is said by the first that is written.
        let frame = Frame { lost: record.lost + self.lost, ..record.frame() };
        let mut bytes = Vec::with_capacity(whole as usize);
        frame.write(&mut bytes);
        let segment = self.segments.back_mut().expect("one was begun");
        let mut file = OpenOptions::new().append(true).open(&segment.path)?;
        if let Err(error) = file.write_all(&bytes) {
            // Nothing of it stays; and where that cannot be done either, nothing more is appended to this file.
            self.appends = file.set_len(segment.bytes).is_ok();
            return Err(error);
        }
        segment.add(&Head { length: record.body.len() as u32, number: frame.number, lost: frame.lost, crc: 0 });
        self.lost = 0;
        Ok(())
    }

    /// Begins a segment.
    fn begin(&mut self, number: u64) -> io::Result<()> {
        let path = self.folder.join(format!("{number:020}.{EXTENSION}"));
        let mut options = OpenOptions::new();
        let made = options.write(true).create(true).truncate(true).mode(0o600).open(&path);
        let segment = Segment::new(path);
        if let Err(error) = made.and_then(|mut file| file.write_all(MAGIC)) {
            // It is in nobody's way: a file without a beginning is let go at the next start.
            let _gone = segment.remove();
            return Err(error);
        }
        self.segments.push_back(segment);
        self.appends = true;
        Ok(())
    }

    /// Lets go of the oldest segment, and counts what waited in it; whether there was one that could go.
    fn drop_oldest(&mut self) -> io::Result<bool> {
        let Some(oldest) = self.segments.front() else { return Ok(false) };
        // One that would not make room stays, and so does what is in it.
        let is_own = self.appends && self.segments.len() == 1;
        if is_own && oldest.records == 0 {
            return Ok(false);
        }
        oldest.remove()?;
        let (records, lost) = (oldest.records, oldest.lost);
        self.segments.pop_front();
        self.appends &= !is_own;
        self.lose(records);
        // Those were counted when they were lost.
        self.lost += lost;
        Ok(true)
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

//! LitData's chunks whose samples are compressed within them: written as they would be without, a count, where each sample begins and the
//! last ends (32 bits each), and the samples. The layouts are those of the library's `framed_zstd.py`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use super::room::Room;
use super::{Packing, UnpackError};
use crate::source::{File as Packed, ReadAt};

/// What is compressed at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pieces {
    /// Some samples together, behind a table that tells where they lie.
    Frames,
    /// Each sample.
    Samples,
}

impl Pieces {
    /// What tells one from the other where they lie unpacked.
    pub(super) fn name(self) -> &'static str {
        match self {
            Pieces::Frames => "chunk of frames",
            Pieces::Samples => "chunk of samples",
        }
    }
}

/// What a chunk of frames begins with; its version, flags, samples, samples of a frame, and frames follow.
const MAGIC: &[u8; 8] = b"LDFZ01\0\0";
const HEAD: u64 = 24;
/// A frame in the table: its first sample, how many it has, where it begins (64 bits), its bytes, and those that it had before.
const ENTRY: u64 = 24;
/// What is read, and what is written, at once.
const BUFFER: usize = 64 << 10;

/// Whether a chunk is made of frames.
pub(super) fn is_framed(file: &Packed) -> Result<bool, UnpackError> {
    let mut magic = [0; 8];
    if file.size() < magic.len() as u64 {
        return Ok(false);
    }
    file.read_at(0, &mut magic).map_err(UnpackError::Source)?;
    Ok(magic == *MAGIC)
}

/// Writes a chunk without compression to a file in `room`; with how many bytes that is.
pub(super) fn unpack(source: &File, pieces: Pieces, to: &str, room: &mut Room<'_>) -> Result<u64, UnpackError> {
    let size = source.metadata().map_err(|error| UnpackError::reading(room.file(), Packing::Chunk, error))?.len();
    let chunk = Chunk { source, size, file: room.file().to_owned() };
    match pieces {
        Pieces::Frames => chunk.unpack_frames(to, room),
        Pieces::Samples => chunk.unpack_samples(to, room),
    }
}

/// A chunk that is unpacked.
struct Chunk<'a> {
    source: &'a File,
    size: u64,
    /// What it is called.
    file: String,
}

/// A chunk that is written.
struct Written {
    /// Where each sample begins, and the last ends.
    offsets: BufWriter<File>,
    samples: BufWriter<File>,
    /// Bytes so far.
    end: u64,
}

impl Chunk<'_> {
    fn unpack_frames(&self, to: &str, room: &mut Room<'_>) -> Result<u64, UnpackError> {
        let head: [u8; HEAD as usize] = self.bytes(0)?;
        let [version, _, count, _, frames] = [8, 10, 12, 16, 20].map(|at| word(&head, at));
        if head[..8] != *MAGIC || version & 0xffff != 1 {
            return Err(self.damaged("it is no chunk of frames, or of another version than 1"));
        }
        let table = HEAD + 4 * (u64::from(count) + 1);
        let table_end = table + ENTRY * u64::from(frames);
        if count == 0 || table_end > self.size {
            return Err(self.cut());
        }
        let mut written = self.begin(count, to, room)?;
        let begin = written.end;
        let mut logical = BufReader::with_capacity(BUFFER, Part { file: self.source, at: HEAD, left: table - HEAD });
        let mut before = 0;
        for number in 0..=count {
            let mut offset = [0; 4];
            logical.read_exact(&mut offset).map_err(|error| self.failed(error))?;
            let offset = u32::from_le_bytes(offset);
            if offset < before || (number == 0 && offset > 0) {
                return Err(self.damaged("a sample of it ends before it begins"));
            }
            before = offset;
            self.tell(&mut written, begin + u64::from(offset), room)?;
        }
        let mut next = 0;
        for frame in 0..u64::from(frames) {
            let entry: [u8; ENTRY as usize] = self.bytes(table + ENTRY * frame)?;
            let [first, samples, from, from_high, packed, bytes] = [0, 4, 8, 12, 16, 20].map(|at| word(&entry, at));
            let from = u64::from(from_high) << 32 | u64::from(from);
            let is_next = first == next && samples > 0 && samples <= count - next;
            let lies_behind = from >= table_end && from.checked_add(packed.into()).is_some_and(|end| end <= self.size);
            if !is_next || !lies_behind {
                return Err(self.damaged(format!("frame {frame} of it is not where its table says")));
            }
            next += samples;
            let ends = [first, next].map(|sample| self.bytes(HEAD + 4 * u64::from(sample)).map(u32::from_le_bytes));
            let [start, end] = ends;
            if end? - start? != bytes {
                return Err(self.damaged(format!("frame {frame} of it has not the bytes of its samples")));
            }
            let inflated = self.inflate((from, packed.into()), Some(bytes.into()), &mut written, room)?;
            if inflated != u64::from(bytes) {
                return Err(self.damaged(format!("frame {frame} of it has {inflated} bytes, and {bytes} were told")));
            }
        }
        if next != count {
            return Err(self.damaged(format!("its frames have {next} samples, and {count} were told")));
        }
        self.finish(written, room)
    }

    fn unpack_samples(&self, to: &str, room: &mut Room<'_>) -> Result<u64, UnpackError> {
        let count = u32::from_le_bytes(self.bytes(0)?);
        let head = 4 * (u64::from(count) + 2);
        if count == 0 || head > self.size {
            return Err(self.cut());
        }
        let mut written = self.begin(count, to, room)?;
        let mut offsets = BufReader::with_capacity(BUFFER, Part { file: self.source, at: 4, left: head - 4 });
        let mut next = || {
            let mut offset = [0; 4];
            offsets.read_exact(&mut offset).map_err(|error| self.failed(error))?;
            Ok::<u64, UnpackError>(u32::from_le_bytes(offset).into())
        };
        let mut begin = next()?;
        let end = written.end;
        self.tell(&mut written, end, room)?;
        for _ in 0..count {
            let end = next()?;
            if begin < head || end < begin || end > self.size {
                return Err(self.damaged("a sample of it ends before it begins, or past the file"));
            }
            self.inflate((begin, end - begin), None, &mut written, room)?;
            let end_written = written.end;
            self.tell(&mut written, end_written, room)?;
            begin = end;
        }
        self.finish(written, room)
    }

    /// Begins to write a chunk of so many samples.
    fn begin(&self, count: u32, to: &str, room: &mut Room<'_>) -> Result<Written, UnpackError> {
        let head = 4 * (u64::from(count) + 2);
        room.take(head)?;
        let mut offsets = BufWriter::with_capacity(BUFFER, room.create(to)?);
        offsets.write_all(&count.to_le_bytes()).map_err(|error| room.failed(error))?;
        let samples = OpenOptions::new().write(true).open(room.path(to)).map_err(|error| room.failed(error))?;
        let mut samples = BufWriter::with_capacity(BUFFER, samples);
        samples.seek(SeekFrom::Start(head)).map_err(|error| room.failed(error))?;
        Ok(Written { offsets, samples, end: head })
    }

    /// Writes where a sample begins.
    fn tell(&self, written: &mut Written, offset: u64, room: &Room<'_>) -> Result<(), UnpackError> {
        let offset = u32::try_from(offset).map_err(|_| self.damaged("it would have more than 4 GiB unpacked"))?;
        written.offsets.write_all(&offset.to_le_bytes()).map_err(|error| room.failed(error))
    }

    fn finish(&self, mut written: Written, room: &Room<'_>) -> Result<u64, UnpackError> {
        let flushed = written.offsets.flush().and_then(|()| written.samples.flush());
        flushed.map_err(|error| room.failed(error))?;
        Ok(written.end)
    }

    /// Writes what a piece is decompressed, of no more bytes than told; with how many that is.
    fn inflate(
        &self,
        (at, left): (u64, u64),
        most: Option<u64>,
        written: &mut Written,
        room: &mut Room<'_>,
    ) -> Result<u64, UnpackError> {
        let packed = BufReader::with_capacity(BUFFER, Part { file: self.source, at, left });
        // What asks for a window of more than 128 MiB is refused by the library.
        let mut decoder = zstd::Decoder::with_buffer(packed).map_err(|error| self.failed(error))?;
        let mut buffer = vec![0; BUFFER];
        let mut total = 0;
        loop {
            let bytes = decoder.read(&mut buffer).map_err(|error| self.failed(error))?;
            if bytes == 0 {
                return Ok(total);
            }
            total += bytes as u64;
            if most.is_some_and(|most| total > most) {
                return Err(self.damaged("a frame of it has more bytes than its table says"));
            }
            room.take(bytes as u64)?;
            written.samples.write_all(&buffer[..bytes]).map_err(|error| room.failed(error))?;
            written.end += bytes as u64;
        }
    }

    /// Bytes at a place.
    fn bytes<const BYTES: usize>(&self, at: u64) -> Result<[u8; BYTES], UnpackError> {
        let mut bytes = [0; BYTES];
        self.source.read_exact_at(&mut bytes, at).map_err(|error| self.failed(error))?;
        Ok(bytes)
    }

    fn failed(&self, error: io::Error) -> UnpackError {
        UnpackError::reading(&self.file, Packing::Chunk, error)
    }

    fn damaged(&self, problem: impl Into<String>) -> UnpackError {
        UnpackError::damaged(&self.file, Packing::Chunk, problem)
    }

    fn cut(&self) -> UnpackError {
        self.damaged("it ends too early: it was cut")
    }
}

/// The number of 32 bits at a place.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

/// A part of a file, from front to back.
struct Part<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = bytes.len().min(self.left as usize);
        let count = self.file.read_at(&mut bytes[..most], self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

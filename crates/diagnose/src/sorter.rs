//! Records put in order, more of them than memory holds.
//!
//! So many are held as [`HELD`] says; then they are sorted and written to scratch space that the caller gives, as a run. Runs are merged
//! when they become many, and all at once at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// So many records are held in memory.
pub const HELD: usize = 1 << 15;

/// So many runs are merged at once.
const RUNS: usize = 64;

/// So many bytes of each run are read at a time.
const CHUNK: usize = 8 << 10;

/// Space for runs, such as a file without a name.
pub trait Scratch: Read + Write + Seek {}

impl<T: Read + Write + Seek> Scratch for T {}

/// Gives new scratch space.
pub type Space<'a> = dyn FnMut() -> io::Result<Box<dyn Scratch>> + 'a;

/// Records of N numbers, in the order of the first, the second, and so on.
pub struct Sorter<const N: usize> {
    held: Vec<[u64; N]>,
    /// Runs, the longest first.
    runs: Vec<Run>,
}

struct Run {
    space: Box<dyn Scratch>,
    /// How many times its records were merged.
    level: u32,
}

impl<const N: usize> Default for Sorter<N> {
    fn default() -> Self {
        Self { held: Vec::new(), runs: Vec::new() }
    }
}

impl<const N: usize> Sorter<N> {
    /// Takes a record.
    ///
    /// # Errors
    /// What the scratch space answers.
    pub fn push(&mut self, record: [u64; N], space: &mut Space<'_>) -> io::Result<()> {
        if self.held.len() == HELD {
            self.spill(space)?;
        }
        self.held.push(record);
        Ok(())
    }

    /// Hands all records out in their order.
    ///
    /// # Errors
    /// What the scratch space or `each` answers.
    pub fn drain(mut self, each: &mut dyn FnMut([u64; N]) -> io::Result<()>) -> io::Result<()> {
        self.held.sort_unstable();
        if self.runs.is_empty() {
            return self.held.into_iter().try_for_each(each);
        }
        let mut merge = Merge::new(self.runs)?;
        let mut held = self.held.into_iter().peekable();
        while let Some(record) = merge.peek() {
            match held.next_if(|held| *held <= record) {
                Some(held) => each(held)?,
                None => {
                    merge.advance()?;
                    each(record)?;
                }
            }
        }
        held.try_for_each(each)
    }

    fn spill(&mut self, space: &mut Space<'_>) -> io::Result<()> {
        self.held.sort_unstable();
        let mut run = Writer::<N>::new(space()?);
        for record in self.held.drain(..) {
            run.write(record)?;
        }
        self.runs.push(run.finish(0)?);
        // As many of one level become one of the next, so that no record is written more than a few times.
        while let Some(level) = self.full() {
            let from = self.runs.len() - RUNS;
            let mut merge = Merge::<N>::new(self.runs.split_off(from))?;
            let mut merged = Writer::new(space()?);
            while let Some(record) = merge.peek() {
                merge.advance()?;
                merged.write(record)?;
            }
            self.runs.push(merged.finish(level + 1)?);
        }
        Ok(())
    }

    /// The level of which the last runs are as many as are merged at once.
    fn full(&self) -> Option<u32> {
        let last = self.runs.last()?.level;
        let same = self.runs.iter().rev().take_while(|run| run.level == last).count();
        (same >= RUNS).then_some(last)
    }
}

struct Writer<const N: usize> {
    space: Box<dyn Scratch>,
    buffer: Vec<u8>,
}

impl<const N: usize> Writer<N> {
    fn new(space: Box<dyn Scratch>) -> Self {
        Self { space, buffer: Vec::with_capacity(CHUNK) }
    }

    fn write(&mut self, record: [u64; N]) -> io::Result<()> {
        for number in record {
            self.buffer.extend_from_slice(&number.to_le_bytes());
        }
        if self.buffer.len() >= CHUNK {
            self.space.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn finish(mut self, level: u32) -> io::Result<Run> {
        self.space.write_all(&self.buffer)?;
        self.space.seek(SeekFrom::Start(0))?;
        Ok(Run { space: self.space, level })
    }
}

/// Several runs, read as one.
struct Merge<const N: usize> {
    readers: Vec<Reader>,
    heap: BinaryHeap<Reverse<([u64; N], usize)>>,
}

struct Reader {
    space: Box<dyn Scratch>,
    buffer: Vec<u8>,
    at: usize,
}

impl<const N: usize> Merge<N> {
    fn new(runs: Vec<Run>) -> io::Result<Self> {
        let readers = runs.into_iter().map(|run| Reader { space: run.space, buffer: Vec::new(), at: 0 }).collect();
        let mut merge = Self { readers, heap: BinaryHeap::new() };
        for at in 0..merge.readers.len() {
            merge.refill(at)?;
        }
        Ok(merge)
    }

    fn refill(&mut self, at: usize) -> io::Result<()> {
        if let Some(record) = self.readers[at].next()? {
            self.heap.push(Reverse((record, at)));
        }
        Ok(())
    }

    fn peek(&self) -> Option<[u64; N]> {
        self.heap.peek().map(|Reverse((record, _))| *record)
    }

    fn advance(&mut self) -> io::Result<()> {
        match self.heap.pop() {
            Some(Reverse((_, at))) => self.refill(at),
            None => Ok(()),
        }
    }
}

impl Reader {
    fn next<const N: usize>(&mut self) -> io::Result<Option<[u64; N]>> {
        let length = 8 * N;
        if self.buffer.len() - self.at < length {
            self.buffer.drain(..self.at);
            self.at = 0;
            (&mut self.space).take(CHUNK as u64).read_to_end(&mut self.buffer)?;
        }
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let bytes = self.buffer.get(self.at..self.at + length).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.at += length;
        let mut record = [0; N];
        for (number, bytes) in record.iter_mut().zip(bytes.chunks_exact(8)) {
            *number = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        }
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn check(count: u64) {
        let mut spaces = 0_u64;
        let mut space = || -> io::Result<Box<dyn Scratch>> {
            spaces += 1;
            Ok(Box::new(Cursor::new(Vec::new())))
        };
        let mut sorter = Sorter::<2>::default();
        let number = |at: u64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        for at in 0..count {
            sorter.push([number(at), at], &mut space).unwrap();
        }
        let mut expected: Vec<[u64; 2]> = (0..count).map(|at| [number(at), at]).collect();
        expected.sort_unstable();
        let mut sorted = Vec::new();
        sorter
            .drain(&mut |record| {
                sorted.push(record);
                Ok(())
            })
            .unwrap();
        assert!(sorted == expected, "{count} records");
        // One space for each run that was spilled, and one for what was merged before the end.
        let spilled = count.saturating_sub(1) / HELD as u64;
        assert_eq!(spaces, spilled + spilled / RUNS as u64);
    }

    #[test]
    fn any_number_comes_out_in_order() {
        for count in [0, 1, 1_000, HELD as u64, HELD as u64 + 1, 5 * HELD as u64 + 7] {
            check(count);
        }
    }

    #[test]
    fn many_runs_are_merged_before_the_end() {
        check((RUNS as u64 + 3) * HELD as u64 + 11);
    }

    #[test]
    fn a_full_disk_is_told() {
        let mut space = || -> io::Result<Box<dyn Scratch>> { Err(io::ErrorKind::StorageFull.into()) };
        let mut sorter = Sorter::<1>::default();
        let failed = (0..=HELD as u64).find_map(|at| sorter.push([at], &mut space).err());
        assert_eq!(failed.map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
    }
}

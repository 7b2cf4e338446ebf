//! Records that could not be written, in memory: a full disk must not keep the reports that tell of it from whoever can be reached. Pure.

use std::collections::VecDeque;

use super::Filling;
use super::frame::{Frame, HEAD_BYTES};

/// So many records are held.
const RECORDS_MAX: usize = 64;
/// And so many bytes of them.
const BYTES_MAX: usize = 1 << 20;

/// Records that could not be written, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Held(VecDeque<Record>);

/// One of them.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) number: u64,
    pub(super) lost: u64,
    pub(super) body: Vec<u8>,
}

impl Record {
    pub(super) fn frame(&self) -> Frame<'_> {
        Frame { number: self.number, lost: self.lost, body: &self.body }
    }
}

impl Held {
    pub(super) fn records(&self) -> u64 {
        self.0.len() as u64
    }

    /// Takes one more, behind all others.
    pub(super) fn push(&mut self, record: Record) {
        self.0.push_back(record);
    }

    /// The oldest, out of here.
    pub(super) fn pop(&mut self) -> Option<Record> {
        self.0.pop_front()
    }

    /// It could not go elsewhere: it is the oldest again.
    pub(super) fn put_back(&mut self, record: Record) {
        self.0.push_front(record);
    }

    /// Whether there are more than may be.
    pub(super) fn is_over(&self) -> bool {
        self.0.len() > RECORDS_MAX || (self.0.len() > 1 && self.bytes() > BYTES_MAX)
    }

    /// Lets the oldest go until there are no more than may be; the one after them says so. How many those are.
    pub(super) fn trim(&mut self) -> u64 {
        let mut gone = 0;
        while self.is_over() {
            let Some(oldest) = self.0.pop_front() else { break };
            gone += 1;
            if let Some(after) = self.0.front_mut() {
                after.lost += oldest.lost + 1;
            }
        }
        gone
    }

    pub(super) fn read(&self, filling: &mut Filling) {
        for record in &self.0 {
            if filling.refuses((HEAD_BYTES + record.body.len()) as u64) {
                return;
            }
            filling.add(record.frame());
        }
    }

    pub(super) fn acknowledge(&mut self, number: u64) {
        while self.0.front().is_some_and(|record| record.number <= number) {
            self.0.pop_front();
        }
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|record| record.body.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_and_the_next_says_so() {
        let mut held = Held::default();
        for number in 0..RECORDS_MAX as u64 + 3 {
            held.push(Record { number, lost: u64::from(number == 1), body: vec![0; 9] });
        }
        assert_eq!(held.trim(), 3);
        let first = held.pop().unwrap();
        assert_eq!((first.number, first.lost, held.records()), (3, 4, RECORDS_MAX as u64 - 1));
        held.put_back(first);
        held.push(Record { number: 99, lost: 0, body: vec![0; BYTES_MAX + 1] });
        assert_eq!((held.trim(), held.records()), (RECORDS_MAX as u64, 1), "one stays, however large");
    }
}

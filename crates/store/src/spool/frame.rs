//! A record as bytes, in a segment and on its way. Pure.
//!
//! Length, number, how many before it were lost, the checksum of what follows, and one of all these: so that a record that decayed can be passed
//! over, and one that was cut off is told from one that decayed.

use crate::series::bytes::{Broken, Rest};

/// The most bytes of a record.
pub const RECORD_BYTES_MAX: usize = crate::agents::REPORT_BYTES_MAX;
/// Bytes before what a record holds.
pub(super) const HEAD_BYTES: usize = 28;

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'b> {
    /// Its number: they rise.
    pub number: u64,
    /// So many before it were lost, since the one ahead of it.
    pub lost: u64,
    /// What it holds.
    pub body: &'b [u8],
}

/// What is before a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: u32,
    pub(super) number: u64,
    pub(super) lost: u64,
    pub(super) crc: u32,
}

impl Head {
    pub(super) fn read(bytes: &[u8; HEAD_BYTES]) -> Result<Self, Broken> {
        let mut rest = Rest(bytes);
        let head = Self {
            length: u32::from_le_bytes(rest.array()?),
            number: u64::from_le_bytes(rest.array()?),
            lost: u64::from_le_bytes(rest.array()?),
            crc: u32::from_le_bytes(rest.array()?),
        };
        if crc32fast::hash(&bytes[..HEAD_BYTES - 4]) != u32::from_le_bytes(rest.array()?) {
            return Err(Broken("the head of a record is damaged"));
        }
        if head.length as usize > RECORD_BYTES_MAX {
            return Err(Broken("a record is longer than it can be"));
        }
        // As it is stored.
        if i64::try_from(head.number).is_err() || i64::try_from(head.lost).is_err() {
            return Err(Broken("a number is larger than it can be"));
        }
        Ok(head)
    }

    /// How many bytes the record has in all.
    pub(super) fn whole(&self) -> u64 {
        HEAD_BYTES as u64 + u64::from(self.length)
    }
}

impl Frame<'_> {
    /// Appends it.
    pub fn write(&self, bytes: &mut Vec<u8>) {
        let from = bytes.len();
        bytes.extend((self.body.len() as u32).to_le_bytes());
        bytes.extend(self.number.to_le_bytes());
        bytes.extend(self.lost.to_le_bytes());
        bytes.extend(crc32fast::hash(self.body).to_le_bytes());
        let crc = crc32fast::hash(&bytes[from..]);
        bytes.extend(crc.to_le_bytes());
        bytes.extend(self.body);
    }
}

/// Records, one after the other. After an error there are no more.
#[derive(Clone, Debug)]
pub struct Frames<'b> {
    rest: &'b [u8],
    before: Option<u64>,
}

impl<'b> Frames<'b> {
    /// Of bytes that were handed in.
    #[must_use]
    pub fn of(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, before: None }
    }

    fn read(&mut self) -> Result<Frame<'b>, Broken> {
        let mut rest = Rest(std::mem::take(&mut self.rest));
        let head = Head::read(&rest.array()?)?;
        let body = rest.take(head.length as usize)?;
        if crc32fast::hash(body) != head.crc {
            return Err(Broken("a record is damaged"));
        }
        if self.before.is_some_and(|before| head.number <= before) {
            return Err(Broken("the numbers of records do not rise"));
        }
        self.before = Some(head.number);
        self.rest = rest.0;
        Ok(Frame { number: head.number, lost: head.lost, body })
    }
}

impl<'b> Iterator for Frames<'b> {
    type Item = Result<Frame<'b>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.read().map_err(|Broken(why)| why))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_come_back_and_damage_ends_them(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..6),
            at: prop::sample::Index,
            flip in 1..=255_u8,
        ) {
            let mut bytes = Vec::new();
            let frames: Vec<Frame<'_>> =
                (7..).zip(&bodies).map(|(number, body)| Frame { number, lost: number % 3, body }).collect();
            frames.iter().for_each(|frame| frame.write(&mut bytes));
            let read: Result<Vec<_>, _> = Frames::of(&bytes).collect();
            prop_assert_eq!(read.unwrap(), frames.clone());
            let at = at.index(bytes.len());
            let cut: Vec<_> = Frames::of(&bytes[..at]).collect();
            prop_assert!(cut.iter().filter(|frame| frame.is_ok()).count() < frames.len());
            bytes[at] ^= flip;
            let whole = Frames::of(&bytes).take_while(Result::is_ok).count();
            prop_assert!(whole < frames.len(), "one byte is wrong");
        }
    }
}

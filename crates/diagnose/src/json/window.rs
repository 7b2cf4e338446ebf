//! The part of an input that is being looked at.

use std::io::{self, BufRead};

use super::{Error, TEXT_MAX};

/// So much is held at first; it grows for a text that is longer, up to [`WINDOW_MAX`].
const WINDOW: usize = 256 << 10;

/// The longest text, its quotation marks and every byte of it escaped, and what is left before it.
const WINDOW_MAX: usize = 4 * TEXT_MAX;

/// Bytes that were read and not yet passed over.
pub(super) struct Window<R> {
    input: R,
    bytes: Vec<u8>,
    at: usize,
    filled: usize,
    /// Bytes before the window.
    passed: u64,
}

impl<R: BufRead> Window<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, bytes: vec![0; WINDOW], at: 0, filled: 0, passed: 0 }
    }

    /// The place of the next byte in the input.
    pub(super) fn offset(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// What is there.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.at..self.filled]
    }

    /// What was passed over last.
    pub(super) fn behind(&self, length: usize) -> &[u8] {
        &self.bytes[self.at - length..self.at]
    }

    /// Passes bytes over; there are so many.
    pub(super) fn pass(&mut self, count: usize) {
        debug_assert!(self.at + count <= self.filled, "only what is there is passed over");
        self.at += count;
    }

    /// Reads more behind what is there; false at the end of the input.
    pub(super) fn more(&mut self) -> Result<bool, Error> {
        self.bytes.copy_within(self.at..self.filled, 0);
        self.passed += self.at as u64;
        self.filled -= self.at;
        self.at = 0;
        if self.filled == self.bytes.len() {
            if self.bytes.len() >= WINDOW_MAX {
                return Err(Error::Long { at: self.passed });
            }
            self.bytes.resize(2 * self.bytes.len(), 0);
        }
        loop {
            match self.input.read(&mut self.bytes[self.filled..]) {
                Ok(count) => {
                    self.filled += count;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

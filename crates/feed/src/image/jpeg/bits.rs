//! Bits of an entropy-coded segment, most significant first.
//!
//! The segment was freed of its stuffing before (`segments`), so that eight bytes are taken in at once, without looking at
//! them. Past its end come zeros, and whoever decodes asks [`Bits::overran`] at the end of each row.

/// What one symbol takes at the most: a code of 16 bits and 15 bits of value.
pub(super) const SYMBOL_BITS_MAX: u32 = 31;

pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte that is not in the buffer yet; past the end, it counts on.
    next: usize,
    /// The next `count` bits at its top. What lies below them is right too, and is taken in again.
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Bits<'a> {
        Bits { bytes, next: 0, buffer: 0, count: 0 }
    }

    /// Sees to it that a symbol is there as a whole.
    #[inline(always)]
    pub(super) fn fill(&mut self) {
        if self.count > SYMBOL_BITS_MAX {
            return;
        }
        let word = match self.bytes.get(self.next..self.next + 8) {
            Some(eight) => u64::from_be_bytes(eight.try_into().expect("the slice has eight bytes")),
            None => self.last_word(),
        };
        self.buffer |= word >> self.count;
        self.next += ((63 - self.count) >> 3) as usize;
        self.count |= 56;
    }

    /// The last bytes, and zeros behind them.
    #[cold]
    fn last_word(&self) -> u64 {
        let mut word = [0; 8];
        if let Some(rest) = self.bytes.get(self.next..) {
            word[..rest.len()].copy_from_slice(rest);
        }
        u64::from_be_bytes(word)
    }

    /// The next `count` bits, 1 to 32, without taking them. `fill` comes before.
    #[inline(always)]
    pub(super) fn peek(&self, count: u32) -> usize {
        (self.buffer >> (64 - count)) as usize
    }

    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.buffer <<= count;
        self.count -= count;
    }

    /// `count` bits, 0 to 16, as a number.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> i32 {
        // In two steps: a shift by 64 is none.
        let bits = (self.buffer >> 1 >> (63 - count)) as i32;
        self.skip(count);
        bits
    }

    /// The value of `size` bits, 0 to 15, as the standard extends it: with a leading 0 it is negative (F.2.2.1, EXTEND).
    #[inline(always)]
    pub(super) fn value(&mut self, size: u32) -> i32 {
        let bits = self.take(size);
        extended(bits, size)
    }

    /// Whether more bits were taken than there were.
    pub(super) fn overran(&self) -> bool {
        self.next * 8 - self.count as usize > self.bytes.len() * 8
    }
}

/// Figure F.12: a value of `size` bits whose first bit is 0 stands for a negative number.
#[inline(always)]
pub(super) fn extended(bits: i32, size: u32) -> i32 {
    let half = (1 << size) >> 1;
    if bits < half { bits - (1 << size) + 1 } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_order_across_words() {
        let bytes: Vec<u8> = (0..40).map(|number: u32| (number * 37 + 11) as u8).collect();
        let all: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
        for width in 1..=16 {
            let mut bits = Bits::new(&bytes);
            for expected in all.chunks_exact(width) {
                bits.fill();
                let expected = expected.iter().fold(0, |number, bit| number << 1 | usize::from(*bit));
                assert_eq!(bits.peek(width as u32), expected);
                assert_eq!(bits.take(width as u32) as usize, expected);
            }
            assert!(!bits.overran());
        }
    }

    #[test]
    fn past_the_end_come_zeros_and_it_is_known() {
        let mut bits = Bits::new(&[0xff, 0xff]);
        bits.fill();
        bits.skip(16);
        assert!(!bits.overran());
        bits.fill();
        assert_eq!(bits.take(16), 0);
        assert!(bits.overran());
        for _ in 0..100 {
            bits.fill();
            bits.skip(31);
        }
        assert!(bits.overran());
    }

    #[test]
    fn values_are_extended_as_the_standard_has_it() {
        for (bits, size, value) in
            [(0, 0, 0), (0, 1, -1), (1, 1, 1), (0, 2, -3), (1, 2, -2), (2, 2, 2), (3, 2, 3), (0, 8, -255)]
        {
            assert_eq!(extended(bits, size), value, "{bits} of {size} bits");
        }
    }
}

//! Huffman tables, laid out for looking up a code together with the value that follows it.
//!
//! Most codes are short, and so are the values behind them: both fit in [`LOOKUP_BITS`] bits, and one look tells the value, the
//! run of zeros before it, and how many bits it took. Where blocks are only passed over ([`AcTable::pass`]), one look takes as
//! many symbols as fit.

use std::sync::OnceLock;

use super::bits::{Bits, extended};
use super::error::JpegError;

/// Bits looked at together. 2 KiB of entries a table; with more bits, tables take longer to build than they save.
const LOOKUP_BITS: u32 = 10;
/// Bits looked at together for a code alone.
const SHORT_BITS: u32 = 9;
/// Bits looked at together in blocks that are passed over.
const PASS_BITS: u32 = 12;
/// The run of an end of block: further than any block reaches.
pub(super) const END_OF_BLOCK_RUN: usize = 64;
/// The longest code (C.2).
const CODE_BITS_MAX: usize = 16;

/// The symbols of a table and how many there are of each length of code, as a DHT segment has them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Codes {
    counts: [u8; CODE_BITS_MAX],
    symbols: Vec<u8>,
}

impl Codes {
    /// Reads them from the front of `bytes`; what comes after them.
    pub(super) fn read(bytes: &[u8]) -> Result<(Codes, &[u8]), JpegError> {
        let truncated = JpegError::Truncated { reading: "a table of Huffman codes" };
        let (counts, rest) = bytes.split_first_chunk::<CODE_BITS_MAX>().ok_or(truncated.clone())?;
        let len: usize = counts.iter().map(|count| usize::from(*count)).sum();
        if len > 256 {
            return Err(JpegError::Corrupt { what: "a Huffman table has more than 256 symbols" });
        }
        let (symbols, rest) = rest.split_at_checked(len).ok_or(truncated)?;
        let codes = Codes { counts: *counts, symbols: symbols.to_vec() };
        // Kraft's inequality: shorter codes must leave room for the longer.
        let mut free: u32 = 1;
        for count in codes.counts {
            free = (free * 2)
                .checked_sub(u32::from(count))
                .ok_or(JpegError::Corrupt { what: "a Huffman table has more codes than bits can tell apart" })?;
        }
        Ok((codes, rest))
    }

    /// Each symbol with its code, moved to the top of 16 bits, and the code's length.
    fn each(&self) -> impl Iterator<Item = (u8, u32, u32)> {
        let mut code = 0;
        let lengths = self.counts.iter().zip(1_u32..).flat_map(|(count, length)| (0..*count).map(move |_| length));
        self.symbols.iter().zip(lengths).map(move |(symbol, length)| {
            let this = code;
            code += 1 << (16 - length);
            (*symbol, this, length)
        })
    }
}

/// Finds a code alone, of any length.
struct Slow {
    /// Symbol and length for each value of the next [`SHORT_BITS`] bits; length 0 where the code is longer.
    short: Box<[(u8, u8); 1 << SHORT_BITS]>,
    /// For each length, the first 16 bits that are past its codes.
    limits: [u32; CODE_BITS_MAX + 1],
    /// For each length, what to add to a code of that length to have its symbol's place.
    offsets: [i32; CODE_BITS_MAX + 1],
    symbols: Vec<u8>,
}

impl Slow {
    fn new(codes: &Codes) -> Slow {
        let (mut limits, mut offsets) = ([0; CODE_BITS_MAX + 1], [0; CODE_BITS_MAX + 1]);
        let mut short = Box::new([(0, 0); 1 << SHORT_BITS]);
        for (symbol, code, length) in codes.each().filter(|(_, _, length)| *length <= SHORT_BITS) {
            short[(code >> (16 - SHORT_BITS)) as usize..][..1 << (SHORT_BITS - length)].fill((symbol, length as u8));
        }
        let (mut code, mut place) = (0_u32, 0_i32);
        for (count, length) in codes.counts.iter().zip(1_usize..) {
            let shift = CODE_BITS_MAX - length;
            offsets[length] = place - (code >> shift) as i32;
            code += u32::from(*count) << shift;
            place += i32::from(*count);
            limits[length] = code;
        }
        Slow { short, limits, offsets, symbols: codes.symbols.clone() }
    }

    /// The next symbol. `fill` comes before.
    #[inline(always)]
    fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8, JpegError> {
        let (symbol, length) = self.short[bits.peek(SHORT_BITS)];
        if length == 0 {
            return self.long(bits);
        }
        bits.skip(u32::from(length));
        Ok(symbol)
    }

    #[cold]
    fn long(&self, bits: &mut Bits<'_>) -> Result<u8, JpegError> {
        let ahead = bits.peek(16) as u32;
        let length = (1..=CODE_BITS_MAX).find(|length| ahead < self.limits[*length]);
        let length = length.ok_or(JpegError::Corrupt { what: "a Huffman code is not in its table" })?;
        bits.skip(length as u32);
        let place = (ahead >> (CODE_BITS_MAX - length)) as i32 + self.offsets[length];
        self.symbols
            .get(place as usize)
            .copied()
            .ok_or(JpegError::Corrupt { what: "a Huffman code is not in its table" })
    }
}

/// What one look finds: the bits it took, the zeros before the value, and the value. Without bits, it is not all there.
#[derive(Clone, Copy, Default)]
struct Found {
    value: i16,
    run: u8,
    bits: u8,
}

/// A table for the differences of DC coefficients.
pub(super) struct DcTable {
    lookup: Box<[Found; 1 << LOOKUP_BITS]>,
    slow: Slow,
}

impl DcTable {
    pub(super) fn new(codes: &Codes) -> Result<DcTable, JpegError> {
        if codes.symbols.iter().any(|size| *size > 15) {
            return Err(JpegError::Corrupt { what: "a DC table has a size above 15 bits" });
        }
        Ok(DcTable { lookup: lookup(codes, |symbol| (0, u32::from(symbol))), slow: Slow::new(codes) })
    }

    /// The next difference.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut Bits<'_>) -> Result<i32, JpegError> {
        bits.fill();
        let found = self.lookup[bits.peek(LOOKUP_BITS)];
        if found.bits != 0 {
            bits.skip(u32::from(found.bits));
            return Ok(i32::from(found.value));
        }
        let size = self.slow.symbol(bits)?;
        Ok(bits.value(u32::from(size)))
    }
}

/// A table for AC coefficients.
pub(super) struct AcTable {
    lookup: Box<[Found; 1 << LOOKUP_BITS]>,
    pass: OnceLock<Box<[Passed; 1 << PASS_BITS]>>,
    slow: Slow,
}

impl AcTable {
    pub(super) fn new(codes: &Codes) -> AcTable {
        AcTable { lookup: lookup(codes, run_and_size), pass: OnceLock::new(), slow: Slow::new(codes) }
    }

    /// The next coefficient of a sequential scan: the zeros before it and its value.
    #[inline(always)]
    pub(super) fn coefficient(&self, bits: &mut Bits<'_>) -> Result<(usize, i32), JpegError> {
        bits.fill();
        let found = self.lookup[bits.peek(LOOKUP_BITS)];
        if found.bits != 0 {
            bits.skip(u32::from(found.bits));
            return Ok((usize::from(found.run), i32::from(found.value)));
        }
        self.long(bits)
    }

    #[inline(never)]
    fn long(&self, bits: &mut Bits<'_>) -> Result<(usize, i32), JpegError> {
        let (run, size) = run_and_size(self.slow.symbol(bits)?);
        Ok((run, bits.value(size)))
    }

    /// The next symbol as it stands, for progressive scans.
    #[inline(always)]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8, JpegError> {
        bits.fill();
        self.slow.symbol(bits)
    }

    /// Passes over the AC coefficients of a block.
    #[inline(always)]
    pub(super) fn pass(&self, bits: &mut Bits<'_>) -> Result<(), JpegError> {
        let pass = self.pass.get_or_init(|| pass_table(&self.lookup));
        let mut index = 1;
        loop {
            bits.fill();
            let passed = pass[bits.peek(PASS_BITS)];
            let next = index + usize::from(passed.coefficients);
            if next < 64 && passed.bits != 0 {
                bits.skip(u32::from(passed.bits));
                index = next;
                if passed.ends {
                    return Ok(());
                }
                continue;
            }
            // The block may end within what was found: one symbol at a time.
            let (run, _) = self.coefficient(bits)?;
            index += run + 1;
            if index > 63 {
                return if index == 64 || run == END_OF_BLOCK_RUN { Ok(()) } else { Err(PAST_THE_BLOCK) };
            }
        }
    }
}

/// The error for a run that leads out of its block.
pub(super) const PAST_THE_BLOCK: JpegError = JpegError::Corrupt { what: "a block has more than 64 coefficients" };

/// F.1.2.2.1: the high half of a symbol is the run of zeros, the low half the size of the value. 00 ends the block, F0 is a run
/// of sixteen zeros (fifteen, and a value that is zero).
fn run_and_size(symbol: u8) -> (usize, u32) {
    match symbol {
        0x00 => (END_OF_BLOCK_RUN, 0),
        _ => (usize::from(symbol >> 4), u32::from(symbol & 15)),
    }
}

/// What follows any [`LOOKUP_BITS`] bits, where code and value fit in them.
fn lookup(codes: &Codes, meaning: impl Fn(u8) -> (usize, u32)) -> Box<[Found; 1 << LOOKUP_BITS]> {
    let mut table = vec![Found::default(); 1 << LOOKUP_BITS].into_boxed_slice();
    for (symbol, code, length) in codes.each() {
        let (run, size) = meaning(symbol);
        if length + size > LOOKUP_BITS {
            continue;
        }
        let first = (code >> (16 - LOOKUP_BITS)) as usize;
        // Bits behind the value.
        let free = LOOKUP_BITS - length - size;
        for value in 0..1_usize << size {
            let found =
                Found { value: extended(value as i32, size) as i16, run: run as u8, bits: (length + size) as u8 };
            table[first + (value << free)..][..1 << free].fill(found);
        }
    }
    table.try_into().unwrap_or_else(|_| unreachable!("the table has one entry for each value of the bits"))
}

/// As many symbols as some bits hold: how many bits they take, how many coefficients, and whether the last ends the block.
#[derive(Clone, Copy, Default)]
struct Passed {
    bits: u8,
    coefficients: u8,
    ends: bool,
}

fn pass_table(lookup: &[Found; 1 << LOOKUP_BITS]) -> Box<[Passed; 1 << PASS_BITS]> {
    let mut table = vec![Passed::default(); 1 << PASS_BITS].into_boxed_slice();
    for (ahead, passed) in table.iter_mut().enumerate() {
        loop {
            // What is known of the bits that follow, at the top of PASS_BITS.
            let rest = (ahead << passed.bits) & ((1 << PASS_BITS) - 1);
            let found = lookup[rest >> (PASS_BITS - LOOKUP_BITS)];
            let bits = passed.bits + found.bits;
            if found.bits == 0 || u32::from(bits) > PASS_BITS {
                break;
            }
            passed.bits = bits;
            if usize::from(found.run) == END_OF_BLOCK_RUN {
                passed.ends = true;
                break;
            }
            passed.coefficients += found.run + 1;
        }
    }
    table.try_into().unwrap_or_else(|_| unreachable!("the table has one entry for each value of the bits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five symbols of 1, 2, 4, 12 and 16 bits.
    fn codes() -> Codes {
        let mut segment = [0; 16].to_vec();
        for length in [1, 2, 4, 12, 16] {
            segment[length - 1] = 1;
        }
        segment.extend([0x01, 0x00, 0x72, 0xf0, 0x05]);
        let (codes, rest) = Codes::read(&segment).expect("they are well formed");
        assert!(rest.is_empty());
        codes
    }

    /// The bits of a text of zeros and ones.
    fn packed(text: &str) -> Vec<u8> {
        let digits: Vec<char> = text.chars().filter(|digit| *digit != ' ').collect();
        digits
            .chunks(8)
            .map(|eight| eight.iter().enumerate().map(|(bit, digit)| u8::from(*digit == '1') << (7 - bit)).sum())
            .collect()
    }

    #[test]
    fn codes_of_all_lengths_are_found_with_their_values() {
        let table = AcTable::new(&codes());
        let bytes = packed("0 1  1100 01  110100000000  1101000000010000 10110  10");
        let mut bits = Bits::new(&bytes);
        let found: Vec<(usize, i32)> =
            (0..5).map(|_| table.coefficient(&mut bits).expect("each is in the table")).collect();
        assert_eq!(found, [(0, 1), (7, -2), (15, 0), (0, 22), (END_OF_BLOCK_RUN, 0)]);
        assert!(table.coefficient(&mut Bits::new(&[0xff; 4])).is_err(), "a code that no symbol has");
    }

    #[test]
    fn a_block_that_is_passed_over_ends_where_its_last_symbol_does() {
        let table = AcTable::new(&codes());
        // An end at once, after one, after seven runs of seven zeros and their values, after 63 values without an end.
        for (block, symbols) in [("10", 0), ("0110", 0), ("1100110", 7), ("01", 63)] {
            let text = match symbols {
                0 => block.to_owned(),
                7 => format!("{}10", "110011".repeat(7)),
                _ => block.repeat(63),
            };
            let bytes = packed(&format!("{text}110101"));
            let mut bits = Bits::new(&bytes);
            table.pass(&mut bits).expect("the block is well formed");
            bits.fill();
            assert_eq!(bits.take(6), 0b11_0101, "after {text}");
        }
        assert_eq!(table.pass(&mut Bits::new(&packed(&"110011".repeat(9)))), Err(PAST_THE_BLOCK));
    }

    #[test]
    fn tables_that_cannot_be_are_refused() {
        let mut three_of_one_bit = vec![0; 16];
        three_of_one_bit[0] = 3;
        three_of_one_bit.extend([1, 2, 3]);
        assert!(matches!(Codes::read(&three_of_one_bit), Err(JpegError::Corrupt { .. })));
        assert!(matches!(Codes::read(&[255; 400]), Err(JpegError::Corrupt { .. })));
        assert!(matches!(Codes::read(&[1; 10]), Err(JpegError::Truncated { .. })));
        assert!(matches!(Codes::read(&[1; 16]), Err(JpegError::Truncated { .. })));
    }
}

//! A column of numbers, compressed bit for bit. Pure.
//!
//! What machines count is whole, or has a few decimals: such columns are compressed as whole numbers times a power of ten, which takes less
//! than as floats (0.72 bytes a sample instead of 0.76 for what changed in /proc in 1,024 s, measured 2026-11-30); the rest are
//! compressed as floats. `pco` chooses the mode, and of numbers and their differences the shorter is kept. Its other way, to look
//! for repetitions, costs several times the time, and finds them where a benchmark repeats what was recorded.

use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec};

use super::bytes::{Broken, Rest};

/// All numbers are this one.
const CONSTANT: u8 = 0;
/// Eight bytes each.
const RAW: u8 = 1;
/// Compressed as they are.
const FLOATS: u8 = 2;
/// Compressed as whole numbers; this tag for those without decimals, the next for those with one, and so on.
const WHOLE: u8 = 3;

/// Powers of ten by which numbers may become whole.
const TENS: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

/// The largest whole number up to which every one is a float.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// How hard `pco` tries, of 12: its own choice.
const LEVEL: usize = 8;

/// How many numbers a column has at most.
pub(super) const COUNT_MAX: usize = 1 << 16;

/// A column as bytes. It comes back from [`read`] with every bit, those of a NaN and the sign of a zero too.
pub(super) fn write(values: &[f64]) -> Vec<u8> {
    let Some(first) = values.first() else { return Vec::new() };
    debug_assert!(values.len() <= COUNT_MAX, "a column is bounded");
    if values.iter().all(|value| value.to_bits() == first.to_bits()) {
        return tagged(CONSTANT, &first.to_bits().to_le_bytes());
    }
    let packed = match whole(values) {
        Some((decimals, whole)) => pack(&whole).map(|packed| tagged(WHOLE + decimals, &packed)),
        None => pack(values).map(|packed| tagged(FLOATS, &packed)),
    };
    // Read again before anyone lets go of what it was made of: what does not come back, or is longer, is kept as it is.
    packed.filter(|packed| packed.len() <= 8 * values.len() && is_same(packed, values)).unwrap_or_else(|| raw(values))
}

/// The `count` numbers of a column.
pub(super) fn read(bytes: &[u8], count: usize) -> Result<Vec<f64>, Broken> {
    if count == 0 {
        Rest(bytes).end()?;
        return Ok(Vec::new());
    }
    if count > COUNT_MAX {
        return Err(Broken("a column is longer than it can be"));
    }
    let mut rest = Rest(bytes);
    let [tag] = rest.array()?;
    match tag {
        CONSTANT => {
            let bits = u64::from_le_bytes(rest.array()?);
            rest.end()?;
            Ok(vec![f64::from_bits(bits); count])
        }
        RAW => {
            let numbers = rest.take(8 * count)?;
            rest.end()?;
            let (numbers, _) = numbers.as_chunks::<8>();
            Ok(numbers.iter().map(|bytes| f64::from_bits(u64::from_le_bytes(*bytes))).collect())
        }
        FLOATS => unpack(rest.0, count),
        _ => {
            let tens = TENS.get(usize::from(tag - WHOLE)).ok_or(Broken("a column is of an unknown kind"))?;
            let whole = unpack::<i64>(rest.0, count)?;
            Ok(whole.into_iter().map(|number| number as f64 / tens).collect())
        }
    }
}

fn tagged(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag], bytes].concat()
}

fn raw(values: &[f64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + 8 * values.len());
    bytes.push(RAW);
    values.iter().for_each(|value| bytes.extend(value.to_bits().to_le_bytes()));
    bytes
}

fn is_same(bytes: &[u8], values: &[f64]) -> bool {
    let same = |read: Vec<f64>| read.iter().map(|value| value.to_bits()).eq(values.iter().map(|value| value.to_bits()));
    read(bytes, values.len()).is_ok_and(same)
}

/// The values as whole numbers, with the least number of decimals that leaves none of them over.
fn whole(values: &[f64]) -> Option<(u8, Vec<i64>)> {
    (0..).zip(TENS).find_map(|(decimals, tens)| {
        let whole = |value: &f64| {
            let number = (value * tens).round();
            let is_exact = number.abs() <= WHOLE_MAX && ((number as i64) as f64 / tens).to_bits() == value.to_bits();
            is_exact.then_some(number as i64)
        };
        values.iter().map(whole).collect::<Option<Vec<i64>>>().map(|whole| (decimals, whole))
    })
}

/// The shorter of what `pco` makes of numbers and of their differences; nothing where it makes neither.
fn pack<T: Number>(numbers: &[T]) -> Option<Vec<u8>> {
    let by = |delta: DeltaSpec| pack_by(numbers, delta).ok();
    let (plain, differences) = (by(DeltaSpec::NoOp), by(DeltaSpec::TryConsecutive(1)));
    [plain, differences].into_iter().flatten().min_by_key(Vec::len)
}

fn pack_by<T: Number>(numbers: &[T], delta: DeltaSpec) -> pco::errors::PcoResult<Vec<u8>> {
    let config = ChunkConfig::default().with_compression_level(LEVEL).with_delta_spec(delta);
    let file = FileCompressor::default();
    let mut chunk = file.chunk_compressor(numbers, &config)?;
    let mut bytes = Vec::with_capacity(chunk.meta_size_hint() + 2 * numbers.len());
    file.write_header(&mut bytes)?;
    chunk.write_meta(&mut bytes)?;
    // One page: columns are far below the size at which `pco` makes a second.
    chunk.write_page(0, &mut bytes)?;
    Ok(bytes)
}

fn unpack<T: Number + Default>(bytes: &[u8], count: usize) -> Result<Vec<T>, Broken> {
    let unpack = || -> pco::errors::PcoResult<Option<Vec<T>>> {
        let (file, rest) = FileDecompressor::new(bytes)?;
        let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest)?;
        let mut page = chunk.page_decompressor(rest, count)?;
        let mut numbers = vec![T::default(); count];
        let progress = page.read(&mut numbers)?;
        let is_whole = progress.finished && progress.n_processed == count && page.into_src().is_empty();
        Ok(is_whole.then_some(numbers))
    };
    match unpack() {
        Ok(Some(numbers)) => Ok(numbers),
        Ok(None) => Err(Broken("a column has another length than it says")),
        Err(_) => Err(Broken("a column cannot be unpacked")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(values: &[f64], bytes_max: usize) {
        let bytes = write(values);
        assert!(is_same(&bytes, values), "{values:?}");
        assert!(bytes.len() <= bytes_max, "{} bytes for {} numbers", bytes.len(), values.len());
    }

    #[test]
    fn what_machines_count_takes_little() {
        let mut state = 1_u64;
        let mut noise = |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % most
        };
        check(&[], 0);
        check(&[7.25; 1_024], 9);
        let counter: Vec<f64> = (0..1_024).map(|second| (second * 1_000 + noise(256)) as f64).collect();
        check(&counter, 1_024 * 3 / 2);
        let percent: Vec<f64> = (0..1_024).map(|_| noise(10_000) as f64 / 100.0).collect();
        check(&percent, 1_024 * 2);
        let seconds: Vec<f64> =
            (0..1_024).map(|second| (3_018_540_500 + second * 100 + noise(8)) as f64 / 100.0).collect();
        check(&seconds, 1_024);
    }

    #[test]
    fn a_zero_keeps_its_sign_and_a_nan_its_bits() {
        let nan = f64::from_bits(0x7ff8_dead_beef_0001);
        check(&[0.0, -0.0, nan, -nan, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE / 2.0, 0.1 + 0.2], 80);
        check(&[1.0, -0.0], 80);
        check(&[WHOLE_MAX, WHOLE_MAX + 2.0, -WHOLE_MAX], 80);
    }

    proptest! {
        #[test]
        fn any_bits_come_back(bits in prop::collection::vec(any::<u64>(), 0..600)) {
            let values: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
            check(&values, 8 * values.len() + 1);
        }

        #[test]
        fn decimals_come_back(whole in prop::collection::vec(-10_000_000_i64..10_000_000, 1..600), decimals in 0..7_usize) {
            let values: Vec<f64> = whole.into_iter().map(|number| number as f64 / TENS[decimals]).collect();
            check(&values, 8 * values.len() + 1);
        }

        #[test]
        fn damage_is_no_panic(values in prop::collection::vec(0..1_000_i32, 2..600), at: prop::sample::Index, bits in 1..=255_u8) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let mut bytes = write(&values);
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
            let _read = read(&bytes, values.len());
            prop_assert!(read(&bytes[..at], values.len()).is_err());
        }
    }
}

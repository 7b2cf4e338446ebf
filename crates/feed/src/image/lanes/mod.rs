//! Eight numbers worked on at once.
//!
//! The processor's vectors are behind a token that can be had only where they were found, so that their instructions may be used
//! wherever the token is. Both ways of working compute the same, to the bit.

mod anywhere;
#[cfg(target_arch = "x86_64")]
mod avx2;

pub(super) use anywhere::Anywhere;
#[cfg(target_arch = "x86_64")]
pub(super) use avx2::{Avx2, Avx512};

/// Defines a function that calls another with the best lanes that this processor has, compiled for each kind of them.
macro_rules! with_lanes {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? = $of:path) => {
        $(#[$attribute])*
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            {
                use $crate::image::lanes::{Avx2, Avx512};

                #[target_feature(enable = "avx2,bmi1,bmi2,avx512vl,avx512vnni")]
                fn newer(lanes: Avx512, $($argument: $type),*) $(-> $result)? {
                    $of(lanes, $($argument),*)
                }

                #[target_feature(enable = "avx2,bmi1,bmi2")]
                fn older(lanes: Avx2, $($argument: $type),*) $(-> $result)? {
                    $of(lanes, $($argument),*)
                }

                if let Some(lanes) = Avx512::find() {
                    // SAFETY: the token proves that the processor has what the function was compiled for.
                    #[expect(unsafe_code, reason = "a function for newer processors may be called where they are found")]
                    return unsafe { newer(lanes, $($argument),*) };
                }
                if let Some(lanes) = Avx2::find() {
                    // SAFETY: as above.
                    #[expect(unsafe_code, reason = "a function for newer processors may be called where they are found")]
                    return unsafe { older(lanes, $($argument),*) };
                }
            }
            $of($crate::image::lanes::Anywhere, $($argument),*)
        }
    };
}

pub(super) use with_lanes;

/// Numbers in a vector.
pub(super) const LANES: usize = 8;

/// A way to work on eight numbers at once. Whatever takes one is inlined into a function that is compiled for it.
pub(super) trait Lanes: Copy {
    /// Eight floating-point numbers.
    type Floats: Copy;
    /// Eight whole numbers of 32 bits.
    type Whole: Copy;
    /// Eight pairs of whole numbers of 16 bits.
    type Pairs: Copy;
    /// Eight pairs of bytes.
    type Bytes: Copy;

    fn floats(self, each: f32) -> Self::Floats;
    fn store(self, floats: Self::Floats, to: &mut [f32; LANES]);
    /// Stores past the caches, where that can be. [`Lanes::settle`] comes after the last.
    fn store_past(self, floats: Self::Floats, to: &mut [f32; LANES]);
    /// Sees to it that others see what was stored past the caches.
    fn settle(self);
    /// Has bytes fetched that will be looked at soon.
    fn fetch(self, bytes: &[u8]);
    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn multiply(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// Moved into `low` to `high`.
    fn clamp(self, a: Self::Floats, low: Self::Floats, high: Self::Floats) -> Self::Floats;

    fn whole(self, each: i32) -> Self::Whole;
    fn load_whole(self, from: &[i32; LANES]) -> Self::Whole;
    fn add_whole(self, a: Self::Whole, b: Self::Whole) -> Self::Whole;
    fn subtract_whole(self, a: Self::Whole, b: Self::Whole) -> Self::Whole;
    fn multiply_whole(self, a: Self::Whole, constant: i32) -> Self::Whole;
    fn add_constant(self, a: Self::Whole, constant: i32) -> Self::Whole;
    /// Divides by a power of two, down.
    fn shift_down(self, a: Self::Whole, bits: u32) -> Self::Whole;
    /// Rows as columns.
    fn turn_whole(self, rows: [Self::Whole; LANES]) -> [Self::Whole; LANES];
    fn to_floats(self, a: Self::Whole) -> Self::Floats;
    /// Moved into 0 to 255, each two columns as pairs.
    fn to_byte_pairs(self, columns: [Self::Whole; LANES]) -> [[u8; 2 * LANES]; LANES / 2];
    /// Eight columns of eight numbers as four rows of eight pairs: of those in rows 0 and 1 of each column, then 2 and 3, and on.
    /// What does not fit in 16 bits is moved to the end of what does.
    fn turn_to_pairs(self, columns: [Self::Whole; LANES]) -> [Self::Pairs; LANES / 2];

    fn load_pairs(self, from: &[i16; 2 * LANES]) -> Self::Pairs;
    fn store_pairs(self, pairs: Self::Pairs, to: &mut [i16; 2 * LANES]);
    fn widen_pairs(self, from: &[u8; 2 * LANES]) -> Self::Pairs;
    /// Adds the weighted sum of each pair.
    fn add_weighed(self, sum: Self::Whole, pairs: Self::Pairs, weights: [i16; 2]) -> Self::Whole;

    /// Sixteen numbers of 16 bits, whatever their pairs are: two times eight behind each other.
    fn join(self, first: &[i16; LANES], second: &[i16; LANES]) -> Self::Pairs;
    fn split(self, a: Self::Pairs) -> [[i16; LANES]; 2];
    /// The numbers of the first eight and the second eight as pairs.
    fn pair_up(self, a: Self::Pairs) -> [i16; 2 * LANES];
    fn short(self, each: i16) -> Self::Pairs;
    fn add_short(self, a: Self::Pairs, b: Self::Pairs) -> Self::Pairs;
    fn subtract_short(self, a: Self::Pairs, b: Self::Pairs) -> Self::Pairs;
    fn multiply_short(self, a: Self::Pairs, b: Self::Pairs) -> Self::Pairs;
    /// The upper half of the product.
    fn multiply_upper(self, a: Self::Pairs, b: Self::Pairs) -> Self::Pairs;
    fn clamp_short(self, a: Self::Pairs, low: Self::Pairs, high: Self::Pairs) -> Self::Pairs;
    fn mask_short(self, a: Self::Pairs, mask: Self::Pairs) -> Self::Pairs;
    /// The sum of the squares of each pair.
    fn square_pairs(self, a: Self::Pairs) -> Self::Whole;
    fn sum_whole(self, a: Self::Whole) -> i32;

    fn load_bytes(self, from: &[u8; 2 * LANES]) -> Self::Bytes;
    /// The bytes at some places, as numbers of 16 bits.
    fn pick(self, from: &[u8; 2 * LANES], places: &[u8; 2 * LANES]) -> Self::Pairs;
    fn lesser(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    fn greater(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    fn least(self, a: Self::Bytes) -> u8;
    fn greatest(self, a: Self::Bytes) -> u8;
}

/// A group of numbers that lie behind each other, to be written.
#[inline(always)]
pub(super) fn group_mut<T, const N: usize>(numbers: &mut [T], at: usize) -> &mut [T; N] {
    numbers[at..].first_chunk_mut().expect("groups are whole")
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_ways_give_the_same(
            whole in prop::array::uniform8(prop::array::uniform8(-70_000_i32..70_000)),
            bytes in prop::array::uniform16(any::<u8>()),
            other in prop::array::uniform16(any::<u8>()),
            weights in prop::array::uniform2(-16_384_i16..=16_384),
        ) {
            if let Some(avx2) = Avx2::find() {
                agree_with_plain(avx2, whole, bytes, other, weights)?;
            }
            if let Some(avx512) = Avx512::find() {
                agree_with_plain(avx512, whole, bytes, other, weights)?;
            }
        }
    }

    fn agree_with_plain<L: Lanes>(
        avx2: L,
        whole: [[i32; 8]; 8],
        bytes: [u8; 16],
        other: [u8; 16],
        weights: [i16; 2],
    ) -> Result<(), TestCaseError> {
        let plain = Anywhere;
        let loaded = whole.map(|row| avx2.load_whole(&row));
        prop_assert_eq!(avx2.to_byte_pairs(loaded), plain.to_byte_pairs(whole));
        let stored = |pairs| {
            let mut numbers = [0; 16];
            avx2.store_pairs(pairs, &mut numbers);
            numbers
        };
        let expected = plain.turn_to_pairs(whole).map(|pairs| pairs.as_flattened().to_vec());
        prop_assert_eq!(avx2.turn_to_pairs(loaded).map(|pairs| stored(pairs).to_vec()), expected);
        let [a, b] = [bytes, other].map(|bytes| bytes.map(|byte| (i16::from(byte) - 100) * 60));
        let joined = |lanes: [i16; 16]| (lanes.first_chunk::<8>().copied(), lanes.last_chunk::<8>().copied());
        let (Some(a1), Some(a2)) = joined(a) else { unreachable!() };
        let (Some(b1), Some(b2)) = joined(b) else { unreachable!() };
        let (va, vb) = (avx2.join(&a1, &a2), avx2.join(&b1, &b2));
        let (pa, pb) = (plain.join(&a1, &a2), plain.join(&b1, &b2));
        prop_assert_eq!(avx2.split(va), plain.split(pa));
        prop_assert_eq!(avx2.pair_up(va), plain.pair_up(pa));
        for (avx, plain) in [
            (avx2.add_short(va, vb), plain.add_short(pa, pb)),
            (avx2.subtract_short(va, vb), plain.subtract_short(pa, pb)),
            (avx2.multiply_short(va, vb), plain.multiply_short(pa, pb)),
            (avx2.multiply_upper(va, vb), plain.multiply_upper(pa, pb)),
            (avx2.mask_short(va, vb), plain.mask_short(pa, pb)),
            (avx2.clamp_short(va, avx2.short(-300), vb), plain.clamp_short(pa, plain.short(-300), pb)),
            (avx2.pick(&bytes, &other.map(|byte| byte % 16)), plain.pick(&bytes, &other.map(|byte| byte % 16))),
        ] {
            prop_assert_eq!(stored(avx).to_vec(), plain.as_flattened().to_vec());
        }
        prop_assert_eq!(avx2.sum_whole(avx2.square_pairs(va)), plain.sum_whole(plain.square_pairs(pa)));
        let (one, two) = (avx2.load_bytes(&bytes), avx2.load_bytes(&other));
        prop_assert_eq!(avx2.least(avx2.lesser(one, two)), plain.least(plain.lesser(bytes, other)));
        prop_assert_eq!(avx2.greatest(avx2.greater(one, two)), plain.greatest(plain.greater(bytes, other)));
        let weighed = avx2.add_weighed(avx2.whole(7), avx2.widen_pairs(&bytes), weights);
        let mut floats = [0.0; 8];
        avx2.store(avx2.to_floats(weighed), &mut floats);
        let expected = plain.to_floats(plain.add_weighed(plain.whole(7), plain.widen_pairs(&bytes), weights));
        prop_assert_eq!(floats.map(f32::to_bits), expected.map(f32::to_bits));
        Ok(())
    }
}

//! Eight numbers worked on at once.
//!
//! The processor's vectors are behind a token that can be had only where they were found, so that their instructions may be used
//! wherever the token is. Both ways of working compute the same, to the bit.

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
    /// The weighted sum of each pair.
    fn weigh_pairs(self, pairs: Self::Pairs, weights: [i16; 2]) -> Self::Whole;

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

/// Any processor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anywhere;

impl Lanes for Anywhere {
    type Floats = [f32; LANES];
    type Whole = [i32; LANES];
    type Pairs = [[i16; 2]; LANES];
    type Bytes = [u8; 2 * LANES];

    #[inline(always)]
    fn floats(self, each: f32) -> [f32; LANES] {
        [each; LANES]
    }

    #[inline(always)]
    fn store(self, floats: [f32; LANES], to: &mut [f32; LANES]) {
        *to = floats;
    }

    #[inline(always)]
    fn store_past(self, floats: [f32; LANES], to: &mut [f32; LANES]) {
        *to = floats;
    }

    #[inline(always)]
    fn settle(self) {}

    #[inline(always)]
    fn fetch(self, _bytes: &[u8]) {}

    #[inline(always)]
    fn add(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn multiply(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        std::array::from_fn(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    fn clamp(self, a: [f32; LANES], low: [f32; LANES], high: [f32; LANES]) -> [f32; LANES] {
        std::array::from_fn(|lane| a[lane].max(low[lane]).min(high[lane]))
    }

    #[inline(always)]
    fn whole(self, each: i32) -> [i32; LANES] {
        [each; LANES]
    }

    #[inline(always)]
    fn load_whole(self, from: &[i32; LANES]) -> [i32; LANES] {
        *from
    }

    #[inline(always)]
    fn add_whole(self, a: [i32; LANES], b: [i32; LANES]) -> [i32; LANES] {
        std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]))
    }

    #[inline(always)]
    fn subtract_whole(self, a: [i32; LANES], b: [i32; LANES]) -> [i32; LANES] {
        std::array::from_fn(|lane| a[lane].wrapping_sub(b[lane]))
    }

    #[inline(always)]
    fn multiply_whole(self, a: [i32; LANES], constant: i32) -> [i32; LANES] {
        a.map(|number| number.wrapping_mul(constant))
    }

    #[inline(always)]
    fn add_constant(self, a: [i32; LANES], constant: i32) -> [i32; LANES] {
        a.map(|number| number.wrapping_add(constant))
    }

    #[inline(always)]
    fn shift_down(self, a: [i32; LANES], bits: u32) -> [i32; LANES] {
        a.map(|number| number >> bits)
    }

    #[inline(always)]
    fn turn_whole(self, rows: [[i32; LANES]; LANES]) -> [[i32; LANES]; LANES] {
        std::array::from_fn(|column| std::array::from_fn(|row| rows[row][column]))
    }

    #[inline(always)]
    fn to_floats(self, a: [i32; LANES]) -> [f32; LANES] {
        a.map(|number| number as f32)
    }

    #[inline(always)]
    fn to_byte_pairs(self, columns: [[i32; LANES]; LANES]) -> [[u8; 2 * LANES]; LANES / 2] {
        std::array::from_fn(|pair| {
            std::array::from_fn(|byte| columns[2 * pair + byte % 2][byte / 2].clamp(0, 255) as u8)
        })
    }

    #[inline(always)]
    fn turn_to_pairs(self, columns: [[i32; LANES]; LANES]) -> [[[i16; 2]; LANES]; LANES / 2] {
        let fit = |number: i32| number.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        std::array::from_fn(|pair| columns.map(|column| [fit(column[2 * pair]), fit(column[2 * pair + 1])]))
    }

    #[inline(always)]
    fn load_pairs(self, from: &[i16; 2 * LANES]) -> [[i16; 2]; LANES] {
        std::array::from_fn(|pair| [from[2 * pair], from[2 * pair + 1]])
    }

    #[inline(always)]
    fn store_pairs(self, pairs: [[i16; 2]; LANES], to: &mut [i16; 2 * LANES]) {
        to.as_chunks_mut::<2>().0.copy_from_slice(&pairs);
    }

    #[inline(always)]
    fn widen_pairs(self, from: &[u8; 2 * LANES]) -> [[i16; 2]; LANES] {
        std::array::from_fn(|pair| [i16::from(from[2 * pair]), i16::from(from[2 * pair + 1])])
    }

    #[inline(always)]
    fn weigh_pairs(self, pairs: [[i16; 2]; LANES], weights: [i16; 2]) -> [i32; LANES] {
        pairs.map(|[a, b]| i32::from(a) * i32::from(weights[0]) + i32::from(b) * i32::from(weights[1]))
    }

    #[inline(always)]
    fn join(self, first: &[i16; LANES], second: &[i16; LANES]) -> [[i16; 2]; LANES] {
        let mut joined = [[0; 2]; LANES];
        let (low, high) = joined.as_flattened_mut().split_at_mut(LANES);
        low.copy_from_slice(first);
        high.copy_from_slice(second);
        joined
    }

    #[inline(always)]
    fn split(self, a: [[i16; 2]; LANES]) -> [[i16; LANES]; 2] {
        let numbers = a.as_flattened();
        std::array::from_fn(|half| std::array::from_fn(|lane| numbers[half * LANES + lane]))
    }

    #[inline(always)]
    fn pair_up(self, a: [[i16; 2]; LANES]) -> [i16; 2 * LANES] {
        let numbers = a.as_flattened();
        std::array::from_fn(|place| numbers[place % 2 * LANES + place / 2])
    }

    #[inline(always)]
    fn short(self, each: i16) -> [[i16; 2]; LANES] {
        [[each; 2]; LANES]
    }

    #[inline(always)]
    fn add_short(self, a: [[i16; 2]; LANES], b: [[i16; 2]; LANES]) -> [[i16; 2]; LANES] {
        each_short(a, b, i16::wrapping_add)
    }

    #[inline(always)]
    fn subtract_short(self, a: [[i16; 2]; LANES], b: [[i16; 2]; LANES]) -> [[i16; 2]; LANES] {
        each_short(a, b, i16::wrapping_sub)
    }

    #[inline(always)]
    fn multiply_short(self, a: [[i16; 2]; LANES], b: [[i16; 2]; LANES]) -> [[i16; 2]; LANES] {
        each_short(a, b, i16::wrapping_mul)
    }

    #[inline(always)]
    fn multiply_upper(self, a: [[i16; 2]; LANES], b: [[i16; 2]; LANES]) -> [[i16; 2]; LANES] {
        each_short(a, b, |a, b| ((i32::from(a) * i32::from(b)) >> 16) as i16)
    }

    #[inline(always)]
    fn clamp_short(self, a: [[i16; 2]; LANES], low: [[i16; 2]; LANES], high: [[i16; 2]; LANES]) -> [[i16; 2]; LANES] {
        each_short(each_short(a, low, i16::max), high, i16::min)
    }

    #[inline(always)]
    fn mask_short(self, a: [[i16; 2]; LANES], mask: [[i16; 2]; LANES]) -> [[i16; 2]; LANES] {
        each_short(a, mask, |a, b| a & b)
    }

    #[inline(always)]
    fn square_pairs(self, a: [[i16; 2]; LANES]) -> [i32; LANES] {
        a.map(|[a, b]| i32::from(a) * i32::from(a) + i32::from(b) * i32::from(b))
    }

    #[inline(always)]
    fn sum_whole(self, a: [i32; LANES]) -> i32 {
        a.iter().sum()
    }

    #[inline(always)]
    fn load_bytes(self, from: &[u8; 2 * LANES]) -> [u8; 2 * LANES] {
        *from
    }

    #[inline(always)]
    fn pick(self, from: &[u8; 2 * LANES], places: &[u8; 2 * LANES]) -> [[i16; 2]; LANES] {
        std::array::from_fn(|pair| {
            [from[usize::from(places[2 * pair])], from[usize::from(places[2 * pair + 1])]].map(i16::from)
        })
    }

    #[inline(always)]
    fn lesser(self, a: [u8; 2 * LANES], b: [u8; 2 * LANES]) -> [u8; 2 * LANES] {
        std::array::from_fn(|lane| a[lane].min(b[lane]))
    }

    #[inline(always)]
    fn greater(self, a: [u8; 2 * LANES], b: [u8; 2 * LANES]) -> [u8; 2 * LANES] {
        std::array::from_fn(|lane| a[lane].max(b[lane]))
    }

    #[inline(always)]
    fn least(self, a: [u8; 2 * LANES]) -> u8 {
        a.into_iter().fold(255, u8::min)
    }

    #[inline(always)]
    fn greatest(self, a: [u8; 2 * LANES]) -> u8 {
        a.into_iter().fold(0, u8::max)
    }
}

#[inline(always)]
fn each_short(a: [[i16; 2]; LANES], b: [[i16; 2]; LANES], of: impl Fn(i16, i16) -> i16) -> [[i16; 2]; LANES] {
    std::array::from_fn(|pair| [of(a[pair][0], b[pair][0]), of(a[pair][1], b[pair][1])])
}

#[cfg(target_arch = "x86_64")]
pub(super) use avx2::Avx2;

#[cfg(target_arch = "x86_64")]
mod avx2 {
    #![expect(unsafe_code, reason = "vector instructions may be used where they were found, which the token proves")]

    #[allow(
        clippy::wildcard_imports,
        reason = "the names are the processor's, thirty of them; in tests the lint is off"
    )]
    use std::arch::x86_64::*;

    use super::{LANES, Lanes};

    /// Proof that the processor has AVX2.
    #[derive(Clone, Copy, Debug)]
    pub(in crate::image) struct Avx2(());

    impl Avx2 {
        /// Looks for it, and for the bit instructions that every processor with it has.
        #[inline]
        pub(in crate::image) fn find() -> Option<Avx2> {
            let found = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2");
            found.then_some(Avx2(()))
        }
    }

    // SAFETY, for every block below: the token proves AVX2; loads and stores go through references to as many bytes as they move.
    impl Lanes for Avx2 {
        type Floats = __m256;
        type Whole = __m256i;
        type Pairs = __m256i;
        type Bytes = __m128i;

        #[inline(always)]
        fn floats(self, each: f32) -> __m256 {
            unsafe { _mm256_set1_ps(each) }
        }

        #[inline(always)]
        fn store(self, floats: __m256, to: &mut [f32; LANES]) {
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), floats) }
        }

        #[inline(always)]
        fn store_past(self, floats: __m256, to: &mut [f32; LANES]) {
            let start = to.as_mut_ptr();
            if start.addr().is_multiple_of(size_of::<__m256>()) {
                unsafe { _mm256_stream_ps(start, floats) }
            } else {
                unsafe { _mm256_storeu_ps(start, floats) }
            }
        }

        #[inline(always)]
        fn settle(self) {
            unsafe { _mm_sfence() }
        }

        #[inline(always)]
        fn fetch(self, bytes: &[u8]) {
            for line in bytes.chunks(64) {
                unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
            }
        }

        #[inline(always)]
        fn add(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_add_ps(a, b) }
        }

        #[inline(always)]
        fn multiply(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_mul_ps(a, b) }
        }

        #[inline(always)]
        fn clamp(self, a: __m256, low: __m256, high: __m256) -> __m256 {
            unsafe { _mm256_min_ps(_mm256_max_ps(a, low), high) }
        }

        #[inline(always)]
        fn whole(self, each: i32) -> __m256i {
            unsafe { _mm256_set1_epi32(each) }
        }

        #[inline(always)]
        fn load_whole(self, from: &[i32; LANES]) -> __m256i {
            unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
        }

        #[inline(always)]
        fn add_whole(self, a: __m256i, b: __m256i) -> __m256i {
            unsafe { _mm256_add_epi32(a, b) }
        }

        #[inline(always)]
        fn subtract_whole(self, a: __m256i, b: __m256i) -> __m256i {
            unsafe { _mm256_sub_epi32(a, b) }
        }

        #[inline(always)]
        fn multiply_whole(self, a: __m256i, constant: i32) -> __m256i {
            unsafe { _mm256_mullo_epi32(a, _mm256_set1_epi32(constant)) }
        }

        #[inline(always)]
        fn add_constant(self, a: __m256i, constant: i32) -> __m256i {
            unsafe { _mm256_add_epi32(a, _mm256_set1_epi32(constant)) }
        }

        #[inline(always)]
        fn shift_down(self, a: __m256i, bits: u32) -> __m256i {
            unsafe { _mm256_sra_epi32(a, _mm_cvtsi32_si128(bits as i32)) }
        }

        /// Pairs, then pairs of pairs, then halves change places.
        #[inline(always)]
        fn turn_whole(self, rows: [__m256i; LANES]) -> [__m256i; LANES] {
            unsafe {
                let mut pairs = rows;
                for index in 0..4 {
                    pairs[2 * index] = _mm256_unpacklo_epi32(rows[2 * index], rows[2 * index + 1]);
                    pairs[2 * index + 1] = _mm256_unpackhi_epi32(rows[2 * index], rows[2 * index + 1]);
                }
                let mut fours = pairs;
                for half in 0..2 {
                    let [a, b, c, d] = [pairs[4 * half], pairs[4 * half + 1], pairs[4 * half + 2], pairs[4 * half + 3]];
                    fours[4 * half] = _mm256_unpacklo_epi64(a, c);
                    fours[4 * half + 1] = _mm256_unpackhi_epi64(a, c);
                    fours[4 * half + 2] = _mm256_unpacklo_epi64(b, d);
                    fours[4 * half + 3] = _mm256_unpackhi_epi64(b, d);
                }
                let mut columns = fours;
                for index in 0..4 {
                    columns[index] = _mm256_permute2x128_si256::<0x20>(fours[index], fours[index + 4]);
                    columns[index + 4] = _mm256_permute2x128_si256::<0x31>(fours[index], fours[index + 4]);
                }
                columns
            }
        }

        #[inline(always)]
        fn to_floats(self, a: __m256i) -> __m256 {
            unsafe { _mm256_cvtepi32_ps(a) }
        }

        /// Four columns at a time: packed, each half holds four rows of all four; shuffled, pairs lie beside each other.
        #[inline(always)]
        fn to_byte_pairs(self, columns: [__m256i; LANES]) -> [[u8; 2 * LANES]; LANES / 2] {
            unsafe {
                let beside =
                    _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15));
                let mut pairs = [[0; 2 * LANES]; LANES / 2];
                for half in 0..2 {
                    let first = _mm256_packs_epi32(columns[4 * half], columns[4 * half + 1]);
                    let second = _mm256_packs_epi32(columns[4 * half + 2], columns[4 * half + 3]);
                    let bytes = _mm256_shuffle_epi8(_mm256_packus_epi16(first, second), beside);
                    let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(bytes);
                    let (low, high) = (_mm256_castsi256_si128(bytes), _mm256_extracti128_si256::<1>(bytes));
                    _mm_storeu_si128(pairs[2 * half].as_mut_ptr().cast(), low);
                    _mm_storeu_si128(pairs[2 * half + 1].as_mut_ptr().cast(), high);
                }
                pairs
            }
        }

        /// Packed, each half of a vector holds two pairs of one column and two of the next; then as in `turn_whole`.
        #[inline(always)]
        fn turn_to_pairs(self, columns: [__m256i; LANES]) -> [__m256i; LANES / 2] {
            unsafe {
                // a: columns 0 and 1, low half rows 0 to 3, high half rows 4 to 7; and so on.
                let a = _mm256_packs_epi32(columns[0], columns[1]);
                let b = _mm256_packs_epi32(columns[2], columns[3]);
                let c = _mm256_packs_epi32(columns[4], columns[5]);
                let d = _mm256_packs_epi32(columns[6], columns[7]);
                // Even pairs and odd pairs of each half, for columns 0 to 3 and 4 to 7.
                let even = |one: __m256i, other: __m256i| {
                    _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(
                        _mm256_castsi256_ps(one),
                        _mm256_castsi256_ps(other),
                    ))
                };
                let odd = |one: __m256i, other: __m256i| {
                    _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(
                        _mm256_castsi256_ps(one),
                        _mm256_castsi256_ps(other),
                    ))
                };
                let (even_low, even_high) = (even(a, b), even(c, d));
                let (odd_low, odd_high) = (odd(a, b), odd(c, d));
                [
                    _mm256_permute2x128_si256::<0x20>(even_low, even_high),
                    _mm256_permute2x128_si256::<0x20>(odd_low, odd_high),
                    _mm256_permute2x128_si256::<0x31>(even_low, even_high),
                    _mm256_permute2x128_si256::<0x31>(odd_low, odd_high),
                ]
            }
        }

        #[inline(always)]
        fn load_pairs(self, from: &[i16; 2 * LANES]) -> __m256i {
            unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
        }

        #[inline(always)]
        fn store_pairs(self, pairs: __m256i, to: &mut [i16; 2 * LANES]) {
            unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), pairs) }
        }

        #[inline(always)]
        fn widen_pairs(self, from: &[u8; 2 * LANES]) -> __m256i {
            unsafe { _mm256_cvtepu8_epi16(_mm_loadu_si128(from.as_ptr().cast())) }
        }

        #[inline(always)]
        fn weigh_pairs(self, pairs: __m256i, weights: [i16; 2]) -> __m256i {
            let both = u32::from(weights[0] as u16) | u32::from(weights[1] as u16) << 16;
            unsafe { _mm256_madd_epi16(pairs, _mm256_set1_epi32(both as i32)) }
        }

        #[inline(always)]
        fn pick(self, from: &[u8; 2 * LANES], places: &[u8; 2 * LANES]) -> __m256i {
            unsafe { _mm256_cvtepu8_epi16(_mm_shuffle_epi8(self.load_bytes(from), self.load_bytes(places))) }
        }

        #[inline(always)]
        fn join(self, first: &[i16; LANES], second: &[i16; LANES]) -> __m256i {
            unsafe {
                let first = _mm_loadu_si128(first.as_ptr().cast());
                _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(first), _mm_loadu_si128(second.as_ptr().cast()))
            }
        }

        #[inline(always)]
        fn split(self, a: __m256i) -> [[i16; LANES]; 2] {
            let mut halves = [[0; LANES]; 2];
            unsafe { _mm256_storeu_si256(halves.as_mut_ptr().cast(), a) }
            halves
        }

        #[inline(always)]
        fn pair_up(self, a: __m256i) -> [i16; 2 * LANES] {
            let mut pairs = [0; 2 * LANES];
            unsafe {
                let (first, second) = (_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a));
                let (low, high) = (_mm_unpacklo_epi16(first, second), _mm_unpackhi_epi16(first, second));
                let both = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high);
                self.store_pairs(both, &mut pairs);
            }
            pairs
        }

        #[inline(always)]
        fn short(self, each: i16) -> __m256i {
            unsafe { _mm256_set1_epi16(each) }
        }

        #[inline(always)]
        fn add_short(self, a: __m256i, b: __m256i) -> __m256i {
            unsafe { _mm256_add_epi16(a, b) }
        }

        #[inline(always)]
        fn subtract_short(self, a: __m256i, b: __m256i) -> __m256i {
            unsafe { _mm256_sub_epi16(a, b) }
        }

        #[inline(always)]
        fn multiply_short(self, a: __m256i, b: __m256i) -> __m256i {
            unsafe { _mm256_mullo_epi16(a, b) }
        }

        #[inline(always)]
        fn multiply_upper(self, a: __m256i, b: __m256i) -> __m256i {
            unsafe { _mm256_mulhi_epi16(a, b) }
        }

        #[inline(always)]
        fn clamp_short(self, a: __m256i, low: __m256i, high: __m256i) -> __m256i {
            unsafe { _mm256_min_epi16(_mm256_max_epi16(a, low), high) }
        }

        #[inline(always)]
        fn mask_short(self, a: __m256i, mask: __m256i) -> __m256i {
            unsafe { _mm256_and_si256(a, mask) }
        }

        #[inline(always)]
        fn square_pairs(self, a: __m256i) -> __m256i {
            unsafe { _mm256_madd_epi16(a, a) }
        }

        #[inline(always)]
        fn sum_whole(self, a: __m256i) -> i32 {
            unsafe {
                let sum = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a));
                let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b01_00_11_10>(sum));
                _mm_cvtsi128_si32(_mm_add_epi32(sum, _mm_shuffle_epi32::<0b10_11_00_01>(sum)))
            }
        }

        #[inline(always)]
        fn load_bytes(self, from: &[u8; 2 * LANES]) -> __m128i {
            unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
        }

        #[inline(always)]
        fn lesser(self, a: __m128i, b: __m128i) -> __m128i {
            unsafe { _mm_min_epu8(a, b) }
        }

        #[inline(always)]
        fn greater(self, a: __m128i, b: __m128i) -> __m128i {
            unsafe { _mm_max_epu8(a, b) }
        }

        /// Of each two neighbours the lesser, then the least of eight.
        #[inline(always)]
        fn least(self, a: __m128i) -> u8 {
            unsafe {
                let lesser = _mm_min_epu8(a, _mm_srli_epi16::<8>(a));
                _mm_cvtsi128_si32(_mm_minpos_epu16(lesser)) as u8
            }
        }

        #[inline(always)]
        fn greatest(self, a: __m128i) -> u8 {
            unsafe { 255 - self.least(_mm_xor_si128(a, _mm_set1_epi8(-1))) }
        }
    }
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
            let Some(avx2) = Avx2::find() else { return Ok(()) };
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
                prop_assert_eq!(stored(avx).as_slice(), plain.as_flattened());
            }
            prop_assert_eq!(avx2.sum_whole(avx2.square_pairs(va)), plain.sum_whole(plain.square_pairs(pa)));
            let (one, two) = (avx2.load_bytes(&bytes), avx2.load_bytes(&other));
            prop_assert_eq!(avx2.least(avx2.lesser(one, two)), plain.least(plain.lesser(bytes, other)));
            prop_assert_eq!(avx2.greatest(avx2.greater(one, two)), plain.greatest(plain.greater(bytes, other)));
            let weighed = avx2.weigh_pairs(avx2.widen_pairs(&bytes), weights);
            let mut floats = [0.0; 8];
            avx2.store(avx2.to_floats(weighed), &mut floats);
            prop_assert_eq!(floats, plain.to_floats(plain.weigh_pairs(plain.widen_pairs(&bytes), weights)));
        }
    }
}

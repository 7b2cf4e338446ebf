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
    /// Eight whole numbers.
    type Whole: Copy;

    fn floats(self, each: f32) -> Self::Floats;
    fn load(self, from: &[f32; LANES]) -> Self::Floats;
    fn store(self, floats: Self::Floats, to: &mut [f32; LANES]);
    fn load_bytes(self, bytes: &[u8; LANES]) -> Self::Floats;
    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn multiply(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn clamp(self, a: Self::Floats, low: f32, high: f32) -> Self::Floats;
    /// Whether any number is below `low` or above `high`.
    fn any_outside(self, a: Self::Floats, low: f32, high: f32) -> bool;
    /// Rows as columns.
    fn turn(self, rows: [Self::Floats; LANES]) -> [Self::Floats; LANES];

    fn load_whole(self, from: &[i32; LANES]) -> Self::Whole;
    fn add_whole(self, a: Self::Whole, b: Self::Whole) -> Self::Whole;
    fn subtract_whole(self, a: Self::Whole, b: Self::Whole) -> Self::Whole;
    fn multiply_whole(self, a: Self::Whole, constant: i32) -> Self::Whole;
    fn add_constant(self, a: Self::Whole, constant: i32) -> Self::Whole;
    /// Divides by a power of two, down.
    fn shift_down(self, a: Self::Whole, bits: u32) -> Self::Whole;
    fn turn_whole(self, rows: [Self::Whole; LANES]) -> [Self::Whole; LANES];
    /// Moved into 0 to 255.
    fn to_bytes(self, a: Self::Whole) -> [u8; LANES];
}

/// A group of numbers that lie behind each other.
#[inline(always)]
pub(super) fn group<T>(numbers: &[T], at: usize) -> &[T; LANES] {
    numbers[at..].first_chunk().expect("groups are whole")
}

/// The same, to be written.
#[inline(always)]
pub(super) fn group_mut<T>(numbers: &mut [T], at: usize) -> &mut [T; LANES] {
    numbers[at..].first_chunk_mut().expect("groups are whole")
}

/// Any processor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anywhere;

impl Lanes for Anywhere {
    type Floats = [f32; LANES];
    type Whole = [i32; LANES];

    #[inline(always)]
    fn floats(self, each: f32) -> [f32; LANES] {
        [each; LANES]
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> [f32; LANES] {
        *from
    }

    #[inline(always)]
    fn store(self, floats: [f32; LANES], to: &mut [f32; LANES]) {
        *to = floats;
    }

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; LANES]) -> [f32; LANES] {
        bytes.map(f32::from)
    }

    #[inline(always)]
    fn add(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        std::array::from_fn(|lane| a[lane] + b[lane])
    }

    #[inline(always)]
    fn multiply(self, a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
        std::array::from_fn(|lane| a[lane] * b[lane])
    }

    #[inline(always)]
    fn clamp(self, a: [f32; LANES], low: f32, high: f32) -> [f32; LANES] {
        a.map(|number| number.clamp(low, high))
    }

    #[inline(always)]
    fn any_outside(self, a: [f32; LANES], low: f32, high: f32) -> bool {
        a.iter().any(|number| *number < low || *number > high)
    }

    #[inline(always)]
    fn turn(self, rows: [[f32; LANES]; LANES]) -> [[f32; LANES]; LANES] {
        std::array::from_fn(|column| std::array::from_fn(|row| rows[row][column]))
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
    fn to_bytes(self, a: [i32; LANES]) -> [u8; LANES] {
        a.map(|number| number.clamp(0, 255) as u8)
    }
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

        #[inline(always)]
        fn floats(self, each: f32) -> __m256 {
            unsafe { _mm256_set1_ps(each) }
        }

        #[inline(always)]
        fn load(self, from: &[f32; LANES]) -> __m256 {
            unsafe { _mm256_loadu_ps(from.as_ptr()) }
        }

        #[inline(always)]
        fn store(self, floats: __m256, to: &mut [f32; LANES]) {
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), floats) }
        }

        #[inline(always)]
        fn load_bytes(self, bytes: &[u8; LANES]) -> __m256 {
            unsafe { _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes.as_ptr().cast()))) }
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
        fn clamp(self, a: __m256, low: f32, high: f32) -> __m256 {
            unsafe { _mm256_min_ps(_mm256_max_ps(a, _mm256_set1_ps(low)), _mm256_set1_ps(high)) }
        }

        #[inline(always)]
        fn any_outside(self, a: __m256, low: f32, high: f32) -> bool {
            unsafe {
                let below = _mm256_cmp_ps::<_CMP_LT_OQ>(a, _mm256_set1_ps(low));
                let above = _mm256_cmp_ps::<_CMP_GT_OQ>(a, _mm256_set1_ps(high));
                _mm256_movemask_ps(_mm256_or_ps(below, above)) != 0
            }
        }

        #[inline(always)]
        fn turn(self, rows: [__m256; LANES]) -> [__m256; LANES] {
            unsafe {
                let mut whole = [_mm256_setzero_si256(); LANES];
                for (place, row) in whole.iter_mut().zip(rows) {
                    *place = _mm256_castps_si256(row);
                }
                let mut columns = rows;
                for (place, column) in columns.iter_mut().zip(self.turn_whole(whole)) {
                    *place = _mm256_castsi256_ps(column);
                }
                columns
            }
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
        fn to_bytes(self, a: __m256i) -> [u8; LANES] {
            unsafe {
                let (low, high) = (_mm256_castsi256_si128(a), _mm256_extracti128_si256::<1>(a));
                let words = _mm_packs_epi32(low, high);
                _mm_cvtsi128_si64(_mm_packus_epi16(words, words)).to_le_bytes()
            }
        }
    }
}

//! With AVX2, which every x86 processor for servers has had since 2015 or so.

#![expect(unsafe_code, reason = "vector instructions may be used where they were found, which the token proves")]

#[allow(
    clippy::wildcard_imports,
    reason = "the names are the processor's, thirty of them; in tests the lint is off"
)]
use std::arch::x86_64::*;

use super::{LANES, Lanes};

/// Proof that the processor has AVX2; and, of the newer kind, that it has AVX-512's instructions for such vectors: twice the registers,
/// and sums of products in one step (Intel since 2019, AMD since 2022).
#[derive(Clone, Copy, Debug)]
pub(in crate::image) struct Vectors<const IS_NEWER: bool>(());

/// Proof of AVX2.
pub(in crate::image) type Avx2 = Vectors<false>;
/// Proof of AVX2 and of AVX-512's vector-length extensions with neural network instructions.
pub(in crate::image) type Avx512 = Vectors<true>;

impl Avx2 {
    /// Looks for it, and for the bit instructions that every processor with it has.
    #[inline]
    pub(in crate::image) fn find() -> Option<Avx2> {
        let found =
            is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2");
        found.then_some(Vectors(()))
    }
}

impl Avx512 {
    /// Looks for it.
    #[inline]
    pub(in crate::image) fn find() -> Option<Avx512> {
        let found = is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512vnni");
        Avx2::find().filter(|_| found).map(|_| Vectors(()))
    }
}

// SAFETY, for every block below: the token proves what it is of; loads and stores go through references to as many bytes as they move.
impl<const IS_NEWER: bool> Lanes for Vectors<IS_NEWER> {
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
    fn add_weighed(self, sum: __m256i, pairs: __m256i, weights: [i16; 2]) -> __m256i {
        let both = u32::from(weights[0] as u16) | u32::from(weights[1] as u16) << 16;
        unsafe {
            let weights = _mm256_set1_epi32(both as i32);
            if IS_NEWER {
                _mm256_dpwssd_epi32(sum, pairs, weights)
            } else {
                _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, weights))
            }
        }
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

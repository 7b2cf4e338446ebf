//! Without the processor's vectors, or with those that the compiler finds by itself.

use super::{LANES, Lanes};

/// Any processor.
#[derive(Clone, Copy, Debug)]
pub(in crate::image) struct Anywhere;

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
    fn add_weighed(self, sum: [i32; LANES], pairs: [[i16; 2]; LANES], weights: [i16; 2]) -> [i32; LANES] {
        std::array::from_fn(|lane| {
            let [a, b] = pairs[lane];
            sum[lane] + i32::from(a) * i32::from(weights[0]) + i32::from(b) * i32::from(weights[1])
        })
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

//! The inverse cosine transform of a block, to the bit as the reference decoder has it.
//!
//! Loeffler, Ligtenberg, Moschytz: "Practical fast 1-D DCT algorithms with 11 multiplications" (ICASSP 1989), in integers of 13
//! bits after the point, first along the columns, then along the rows. Eight of them are worked on at once.

use crate::image::lanes::Lanes;

/// Bits after the point of the constants.
const BITS: u32 = 13;
/// Bits after the point that are kept between the two passes.
const KEPT_BITS: u32 = 2;

/// The samples of a block from its coefficients, which are dequantised, in rows; out come columns, two together: `samples[column / 2][2 * row + column % 2]`.
#[inline(always)]
pub(super) fn inverse<L: Lanes>(lanes: L, coefficients: &[i32; 64]) -> [[u8; 16]; 4] {
    let (rows, _) = coefficients.as_chunks::<8>();
    // Loops, here and below: a closure that is handed to the standard library is not compiled for the vectors.
    let mut vectors = [lanes.load_whole(&rows[0]); 8];
    for (vector, row) in vectors.iter_mut().zip(rows).skip(1) {
        *vector = lanes.load_whole(row);
    }
    let columns_done = one_way(lanes, vectors, BITS - KEPT_BITS, 0);
    // 128 moves samples from around zero to 0 to 255; 8 = 2^3 is the scale of the two passes together.
    let shift = BITS + KEPT_BITS + 3;
    lanes.to_byte_pairs(one_way(lanes, lanes.turn_whole(columns_done), shift, 128 << shift))
}

/// The sample of a block that has nothing but its first coefficient: both passes of [`inverse`], for one number.
#[inline(always)]
pub(super) fn flat(dc: i32) -> u8 {
    let kept = dc.wrapping_mul(1 << KEPT_BITS);
    let shift = KEPT_BITS + 3;
    (kept.wrapping_add(1 << (shift - 1)) >> shift).wrapping_add(128).clamp(0, 255) as u8
}

/// One pass, across the eight vectors; `shift` bits are rounded off, after `more` was added.
#[inline(always)]
fn one_way<L: Lanes>(lanes: L, input: [L::Whole; 8], shift: u32, more: i32) -> [L::Whole; 8] {
    let add = |a, b| lanes.add_whole(a, b);
    let sub = |a, b| lanes.subtract_whole(a, b);
    let mul = |a, constant| lanes.multiply_whole(a, constant);

    // The even part: a rotation, and sums.
    let z1 = mul(add(input[2], input[6]), 4433);
    let t2 = sub(z1, mul(input[6], 15_137));
    let t3 = add(z1, mul(input[2], 6270));
    let round = more.wrapping_add(1 << (shift - 1));
    let t0 = lanes.add_constant(mul(add(input[0], input[4]), 1 << BITS), round);
    let t1 = lanes.add_constant(mul(sub(input[0], input[4]), 1 << BITS), round);
    let even = [add(t0, t3), add(t1, t2), sub(t1, t2), sub(t0, t3)];

    // The odd part (figure 8 of the paper).
    let z1 = mul(add(input[7], input[1]), -7373);
    let z2 = mul(add(input[5], input[3]), -20_995);
    let z3 = add(input[7], input[3]);
    let z4 = add(input[5], input[1]);
    let z5 = mul(add(z3, z4), 9633);
    let z3 = add(mul(z3, -16_069), z5);
    let z4 = add(mul(z4, -3196), z5);
    let odd = [
        add(mul(input[1], 12_299), add(z1, z4)),
        add(mul(input[3], 25_172), add(z2, z3)),
        add(mul(input[5], 16_819), add(z2, z4)),
        add(mul(input[7], 2446), add(z1, z3)),
    ];

    let mut output = input;
    for index in 0..4 {
        output[index] = lanes.shift_down(add(even[index], odd[index]), shift);
        output[7 - index] = lanes.shift_down(sub(even[index], odd[index]), shift);
    }
    output
}

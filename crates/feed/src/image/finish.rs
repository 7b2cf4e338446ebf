//! The last step of a picture that was drawn to be worked on: what lies in floating-point numbers from 0 to 255 becomes what a
//! model is fed.

use super::lanes::{Lanes, with_lanes};

with_lanes! {
    /// Rounds samples to bytes. The output is as long.
    pub fn round(picture: &[f32], output: &mut [u8]) = round_with
}

/// From here on, floating-point numbers of 32 bits are whole numbers, which their last bits count.
const WHOLE: f32 = (1_u32 << 23) as f32;

/// A cast would do the same, but the compiler casts one sample after the other, for the sake of those that do not fit: 155 µs for
/// 224 times 224 pixels, of which this takes a quarter.
#[inline(always)]
fn round_with<L: Lanes>(_lanes: L, picture: &[f32], output: &mut [u8]) {
    assert_eq!(output.len(), picture.len(), "the output is as large as the picture");
    for (byte, sample) in output.iter_mut().zip(picture) {
        let up = sample + 0.5;
        let nearest = up + WHOLE;
        let is_too_far = nearest - WHOLE > up;
        *byte = (nearest.to_bits() as u8).wrapping_sub(u8::from(is_too_far));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn samples_are_rounded_as_a_cast_does(mut samples in prop::collection::vec(0.0_f32..=255.0, 1..100)) {
            // Halves are rounded up, and what is next to them where it belongs.
            for whole in 0..255 {
                let half = whole as f32 + 0.5;
                samples.extend([whole as f32, half.next_down(), half, half.next_up()]);
            }
            samples.push(255.0);
            let mut bytes = vec![0; samples.len()];
            round(&samples, &mut bytes);
            for (byte, sample) in bytes.iter().zip(&samples) {
                prop_assert_eq!(*byte, (sample + 0.5) as u8, "{}", sample);
            }
        }
    }
}

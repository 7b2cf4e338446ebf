//! The last step of a picture that was drawn to be worked on: what lies in floating-point numbers from 0 to 255 becomes what a
//! model is fed.

use super::lanes::{Lanes, with_lanes};
use super::mix::Normalise;

with_lanes! {
    /// Normalises a picture: red, green and blue behind each other. The output is as long.
    pub fn normalise(picture: &[f32], by: &Normalise, output: &mut [f32]) = normalise_with
}

with_lanes! {
    /// Rounds samples to bytes. The output is as long.
    pub fn round(picture: &[f32], output: &mut [u8]) = round_with
}

#[inline(always)]
fn normalise_with<L: Lanes>(_lanes: L, picture: &[f32], by: &Normalise, output: &mut [f32]) {
    assert_eq!(output.len(), picture.len(), "the output is as large as the picture");
    let pixels = picture.len() / 3;
    for channel in 0..3 {
        let (scale, offset) = (by.scale[channel], by.offset[channel]);
        let samples = &picture[channel * pixels..][..pixels];
        for (out, sample) in output[channel * pixels..][..pixels].iter_mut().zip(samples) {
            *out = sample * scale + offset;
        }
    }
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

    #[test]
    fn channels_are_normalised_each_by_its_own() {
        let by = Normalise::new([0.5, 0.0, 1.0], [0.5, 1.0, 0.25]);
        let mut output = [0.0; 6];
        normalise(&[0.0, 255.0, 0.0, 255.0, 0.0, 255.0], &by, &mut output);
        for (found, expected) in output.into_iter().zip([-1.0, 1.0, 0.0, 1.0, -4.0, 0.0]) {
            assert!((found - expected).abs() < 1e-5, "{output:?}");
        }
    }
}

//! Colours that are changed by chance: brightness, contrast, saturation and hue in any order, and pictures without colour.
//!
//! What is done is what torchvision's `ColorJitter` and `RandomGrayscale` do to floating-point tensors: samples are cut off where they
//! leave 0 to 255 after each operation, and never rounded. [`Jitter::draw`] decides, [`apply`] acts. The mean that contrast
//! is about is of the whole picture, so a picture is gone through twice at most, block by block: all operations are done to a
//! block while it lies in the innermost cache. Loops are plain and without closures, which are not compiled for vectors.

use super::lanes::{LANES, Lanes, with_lanes};
use crate::random::Draws;

/// How colours are changed. Each pair is the least and the largest factor, or none where an operation is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Jitter {
    /// What samples are multiplied by.
    pub brightness: Option<(f64, f64)>,
    /// How far samples are from the mean of the gray picture: 1 as they are, 0 not at all.
    pub contrast: Option<(f64, f64)>,
    /// How far samples are from the gray picture: 1 as they are, 0 not at all.
    pub saturation: Option<(f64, f64)>,
    /// How far colours are turned, in shares of their circle.
    pub hue: Option<(f64, f64)>,
    /// The share of pictures to which this is done.
    pub chance: f64,
    /// The share of pictures that are gray in the end, whatever else was done.
    pub gray: f64,
}

/// Something that is done to a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// Multiplies all samples.
    Brightness(f32),
    /// Blends with the mean of the gray picture.
    Contrast(f32),
    /// Blends with the gray picture.
    Saturation(f32),
    /// Turns colours by a share of their circle, from -0.5 to 0.5.
    Hue(f32),
    /// Makes the gray picture.
    Gray,
}

impl Jitter {
    /// Draws what is done to one picture, in this order. As much is drawn whatever comes of it, so that asking for
    /// one operation more does not change the factors of the others.
    pub fn draw(&self, draws: &mut Draws) -> Vec<Operation> {
        let is_jittered = draws.chance(self.chance);
        let mut factor = |range: Option<(f64, f64)>| {
            let fraction = draws.fraction();
            range.map(|(low, high)| (low + (high - low) * fraction) as f32)
        };
        let mut operations = [
            factor(self.brightness).map(Operation::Brightness),
            factor(self.contrast).map(Operation::Contrast),
            factor(self.saturation).map(Operation::Saturation),
            factor(self.hue).map(Operation::Hue),
        ];
        // Each order is as likely (Durstenfeld: "Algorithm 235: Random permutation", CACM 1964).
        for last in (1..operations.len()).rev() {
            operations.swap(last, draws.below(last as u64 + 1) as usize);
        }
        let gray = draws.chance(self.gray).then_some(Operation::Gray);
        operations.into_iter().filter(|_| is_jittered).chain([gray]).flatten().collect()
    }
}

with_lanes! {
    /// Does operations to a picture, one after the other: red, green and blue behind each other, samples from 0 to 255.
    ///
    /// # Panics
    ///
    /// Where contrast is among them twice: no more than one mean is taken.
    pub fn apply(operations: &[Operation], picture: &mut [f32]) = apply_with
}

/// Pixels of a block: 12 KiB, where the innermost cache of any processor has 32.
const BLOCK: usize = 1024;

/// Some pixels.
type Block<'a> = [&'a mut [f32]; 3];

/// The lanes are not used but in what the compiler makes of the loops.
#[inline(always)]
fn apply_with<L: Lanes>(_lanes: L, operations: &[Operation], picture: &mut [f32]) {
    let pixels = picture.len() / 3;
    let (red, rest) = picture.split_at_mut(pixels);
    let (green, blue) = rest.split_at_mut(pixels);
    let is_contrast = |operation: &Operation| matches!(operation, Operation::Contrast(_));
    let contrast = operations.iter().position(is_contrast);
    let (before, after) = operations.split_at(contrast.unwrap_or(0));
    assert!(!after.iter().skip(1).any(is_contrast), "contrast comes once at most");
    let mut sum = 0.0;
    if contrast.is_some() {
        for start in (0..pixels).step_by(BLOCK) {
            let end = pixels.min(start + BLOCK);
            let mut block = [&mut red[start..end], &mut green[start..end], &mut blue[start..end]];
            apply_to_block(before, &mut block, 0.0);
            sum += gray_sum(&block);
        }
    }
    let mean = (sum / pixels as f64) as f32;
    for start in (0..pixels).step_by(BLOCK) {
        let end = pixels.min(start + BLOCK);
        let mut block = [&mut red[start..end], &mut green[start..end], &mut blue[start..end]];
        apply_to_block(after, &mut block, mean);
    }
}

/// Does operations to a block; `mean` is that of the gray picture, of which contrast makes use.
#[inline(always)]
fn apply_to_block(operations: &[Operation], block: &mut Block<'_>, mean: f32) {
    for operation in operations {
        match *operation {
            Operation::Brightness(factor) => blend_with_constant(block, factor, 0.0),
            Operation::Contrast(factor) => blend_with_constant(block, factor, (1.0 - factor) * mean),
            Operation::Saturation(factor) => blend_with_gray(block, factor),
            Operation::Hue(share) => turn(block, 6.0 * share),
            Operation::Gray => blend_with_gray(block, 0.0),
        }
    }
}

/// What is left of a sample that can be shown.
#[inline(always)]
fn cut(sample: f32) -> f32 {
    sample.clamp(0.0, 255.0)
}

/// How bright a colour looks: the weights of ITU-R BT.601 as torchvision has them, whose sum is 0.9999.
#[inline(always)]
fn gray(red: f32, green: f32, blue: f32) -> f32 {
    0.2989 * red + 0.587 * green + 0.114 * blue
}

#[inline(always)]
fn blend_with_constant(block: &mut Block<'_>, factor: f32, constant: f32) {
    for samples in block {
        for sample in samples.iter_mut() {
            *sample = cut(factor * *sample + constant);
        }
    }
}

#[inline(always)]
fn blend_with_gray([reds, greens, blues]: &mut Block<'_>, factor: f32) {
    for ((red, green), blue) in reds.iter_mut().zip(greens.iter_mut()).zip(blues.iter_mut()) {
        let rest = (1.0 - factor) * gray(*red, *green, *blue);
        *red = cut(factor * *red + rest);
        *green = cut(factor * *green + rest);
        *blue = cut(factor * *blue + rest);
    }
}

/// Turns colours on the circle of hues (Smith: "Color gamut transform pairs", SIGGRAPH 1978), whose length is 6 here. Of a colour
/// from its least to its largest sample, the hue alone says how far up each channel is: a trapezoid around the channel's
/// own place on the circle. So saturation and value need not be known.
#[inline(always)]
fn turn([reds, greens, blues]: &mut Block<'_>, angle: f32) {
    for ((red, green), blue) in reds.iter_mut().zip(greens.iter_mut()).zip(blues.iter_mut()) {
        let (r, g, b) = (*red, *green, *blue);
        let most = larger(larger(r, g), b);
        let least = smaller(smaller(r, g), b);
        let chroma = most - least;
        // By the largest: where its own place is, and how far on the way to which neighbour.
        let is_red = r >= most;
        let is_green = g >= most;
        let place = if is_red {
            0.0
        } else if is_green {
            2.0
        } else {
            4.0
        };
        let on = if is_red {
            g - b
        } else if is_green {
            b - r
        } else {
            r - g
        };
        // Of what has no colour, any hue will do that is a number.
        let hue = place + on / if chroma > 0.0 { chroma } else { 1.0 } + angle;
        // -1 to 5, turned by 3 at most, and once around brings that back.
        let hue = if hue < 0.0 { hue + 6.0 } else { hue };
        let hue = if hue > 6.0 { hue - 6.0 } else { hue };
        *red = least + chroma * ((hue - 3.0).abs() - 1.0).clamp(0.0, 1.0);
        *green = least + chroma * (2.0 - (hue - 2.0).abs()).clamp(0.0, 1.0);
        *blue = least + chroma * (2.0 - (hue - 4.0).abs()).clamp(0.0, 1.0);
    }
}

/// One instruction, where `f32::max` takes three for the sake of what is no number.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// See [`larger`].
#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The sum of a block's gray picture. In as many sums as a vector has numbers, so that any processor adds in the same order.
#[inline(always)]
fn gray_sum([reds, greens, blues]: &Block<'_>) -> f64 {
    let (reds, red_rest) = reds.as_chunks::<LANES>();
    let (greens, green_rest) = greens.as_chunks::<LANES>();
    let (blues, blue_rest) = blues.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for ((reds, greens), blues) in reds.iter().zip(greens).zip(blues) {
        for (sum, ((red, green), blue)) in sums.iter_mut().zip(reds.iter().zip(greens).zip(blues)) {
            *sum += gray(*red, *green, *blue);
        }
    }
    let mut all = 0.0;
    for sum in sums {
        all += f64::from(sum);
    }
    for ((red, green), blue) in red_rest.iter().zip(green_rest).zip(blue_rest) {
        all += f64::from(gray(*red, *green, *blue));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::lanes::Anywhere;
    use super::*;

    /// What operations do to pixels of 0 to 1, step by step.
    fn plainly(operations: &[Operation], pixels: &mut [[f64; 3]]) {
        for operation in operations {
            let count = pixels.len() as f64;
            let mean = pixels.iter().map(|pixel| plain_gray(*pixel)).sum::<f64>() / count;
            for pixel in pixels.iter_mut() {
                let blended = |factor: f32, with: f64| {
                    pixel.map(|sample| (f64::from(factor) * sample + (1.0 - f64::from(factor)) * with).clamp(0.0, 1.0))
                };
                *pixel = match *operation {
                    Operation::Brightness(factor) => blended(factor, 0.0),
                    Operation::Contrast(factor) => blended(factor, mean),
                    Operation::Saturation(factor) => blended(factor, plain_gray(*pixel)),
                    Operation::Hue(share) => {
                        let [hue, saturation, value] = to_hsv(*pixel);
                        to_rgb([(hue + f64::from(share)).rem_euclid(1.0), saturation, value])
                    }
                    Operation::Gray => [plain_gray(*pixel); 3],
                };
            }
        }
    }

    fn plain_gray([red, green, blue]: [f64; 3]) -> f64 {
        0.2989 * red + 0.587 * green + 0.114 * blue
    }

    /// By the rules of the hexcone, as Smith gives them.
    fn to_hsv([red, green, blue]: [f64; 3]) -> [f64; 3] {
        let value = red.max(green).max(blue);
        let least = red.min(green).min(blue);
        if value <= least {
            return [0.0, 0.0, value];
        }
        let saturation = (value - least) / value;
        let [r, g, b] = [red, green, blue].map(|sample| (value - sample) / (value - least));
        let hue = if red >= value {
            if green <= least { 5.0 + b } else { 1.0 - g }
        } else if green >= value {
            if blue <= least { 1.0 + r } else { 3.0 - b }
        } else if red <= least {
            3.0 + g
        } else {
            5.0 - r
        };
        [hue / 6.0, saturation, value]
    }

    fn to_rgb([hue, saturation, value]: [f64; 3]) -> [f64; 3] {
        let sector = (6.0 * hue).floor();
        let within = 6.0 * hue - sector;
        let (m, n) = (value * (1.0 - saturation), value * (1.0 - saturation * within));
        let k = value * (1.0 - saturation * (1.0 - within));
        match sector as u32 % 6 {
            0 => [value, k, m],
            1 => [n, value, m],
            2 => [m, value, k],
            3 => [m, n, value],
            4 => [k, m, value],
            _ => [value, m, n],
        }
    }

    /// Red, green and blue behind each other, samples from 0 to 255.
    fn planes(pixels: &[[f64; 3]]) -> Vec<f32> {
        let samples = (0..3).flat_map(|channel| pixels.iter().map(move |pixel| (255.0 * pixel[channel]) as f32));
        samples.collect()
    }

    fn operations() -> impl Strategy<Value = Vec<Operation>> {
        let operation = prop_oneof![
            (0.0_f32..3.0).prop_map(Operation::Brightness),
            (0.0_f32..3.0).prop_map(Operation::Contrast),
            (0.0_f32..3.0).prop_map(Operation::Saturation),
            (-0.5_f32..=0.5).prop_map(Operation::Hue),
            Just(Operation::Gray),
        ];
        // Contrast once at most, as it is drawn.
        prop::collection::vec(operation, 0..6).prop_map(|mut operations| {
            let mut contrasts = 0;
            operations.retain(|operation| {
                contrasts += u32::from(matches!(operation, Operation::Contrast(_)));
                !matches!(operation, Operation::Contrast(_)) || contrasts == 1
            });
            operations
        })
    }

    /// Few levels, so that samples are often the same, or as dark or bright as can be.
    fn pixels() -> impl Strategy<Value = Vec<[f64; 3]>> {
        let levels = |levels: u8| {
            let pixel = prop::array::uniform3((0..=levels).prop_map(move |level| f64::from(level) / f64::from(levels)));
            // More than one block.
            prop_oneof![
                prop::collection::vec(pixel.clone(), 1..40),
                prop::collection::vec(pixel, BLOCK - 10..2 * BLOCK + 50),
            ]
        };
        prop_oneof![levels(3), levels(255)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn operations_do_what_they_do_step_by_step(operations in operations(), mut pixels in pixels()) {
            let mut picture = planes(&pixels);
            let mut anywhere = picture.clone();
            apply(&operations, &mut picture);
            apply_with(Anywhere, &operations, &mut anywhere);
            prop_assert!(picture.iter().zip(&anywhere).all(|(one, other)| one.to_bits() == other.to_bits()));
            plainly(&operations, &mut pixels);
            for (found, expected) in picture.iter().zip(planes(&pixels)) {
                // Five operations that may each treble what was rounded before.
                prop_assert!((found - expected).abs() < 0.01, "{found} for {expected} after {operations:?}");
            }
        }
    }

    #[test]
    fn hues_are_turned_the_whole_way_around() {
        let turned = |colour: [f32; 3], share: f32| {
            let mut picture = colour;
            apply(&[Operation::Hue(share)], &mut picture);
            picture.map(|sample| sample.round() as u8)
        };
        assert_eq!(turned([200.0, 50.0, 50.0], 1.0 / 3.0), [50, 200, 50]);
        assert_eq!(turned([200.0, 50.0, 50.0], -1.0 / 3.0), [50, 50, 200]);
        assert_eq!(turned([50.0, 50.0, 200.0], 0.5), [200, 200, 50]);
        assert_eq!(turned([200.0, 49.0, 50.0], -0.5), [49, 200, 199]);
        assert_eq!(turned([70.0, 70.0, 70.0], 0.2), [70, 70, 70]);
        assert_eq!(turned([0.0, 0.0, 0.0], 0.5), [0, 0, 0]);
    }

    const USUAL: Jitter = Jitter {
        brightness: Some((0.6, 1.4)),
        contrast: Some((0.5, 1.5)),
        saturation: Some((0.0, 2.0)),
        hue: Some((-0.1, 0.1)),
        chance: 1.0,
        gray: 0.0,
    };

    fn drawn(jitter: &Jitter, number: u64) -> Vec<Operation> {
        jitter.draw(&mut Draws::of(&[3, number]))
    }

    #[test]
    fn orders_and_factors_are_as_likely_as_each_other() {
        let mut orders: BTreeMap<String, u32> = BTreeMap::new();
        let mut sums = [0.0; 4];
        for number in 0..4800 {
            let mut order = String::new();
            for operation in drawn(&USUAL, number) {
                // How far on from the least factor to the largest.
                let (name, place, share) = match operation {
                    Operation::Brightness(factor) => ('b', 0, (factor - 0.6) / 0.8),
                    Operation::Contrast(factor) => ('c', 1, factor - 0.5),
                    Operation::Saturation(factor) => ('s', 2, factor / 2.0),
                    Operation::Hue(share) => ('h', 3, (share + 0.1) / 0.2),
                    Operation::Gray => panic!("no picture is to be gray"),
                };
                assert!((-1e-6..=1.0 + 1e-6).contains(&share), "{operation:?}");
                order.push(name);
                sums[place] += f64::from(share);
            }
            *orders.entry(order).or_default() += 1;
        }
        assert_eq!(orders.len(), 24);
        // 200 each, give or take 14; the means' deviation is 0.0042.
        assert!(orders.values().all(|count| (140..260).contains(count)), "{orders:?}");
        assert!(sums.iter().all(|sum| (sum / 4800.0 - 0.5).abs() < 0.02), "{sums:?}");
    }

    #[test]
    fn shares_of_pictures_are_jittered_and_gray() {
        let jitter = Jitter { chance: 0.8, gray: 0.2, ..USUAL };
        let (mut jittered, mut gray, mut both) = (0, 0, 0);
        for number in 0..2000 {
            let operations = drawn(&jitter, number);
            let is_gray = operations.last() == Some(&Operation::Gray);
            assert!(matches!(operations.len() - usize::from(is_gray), 0 | 4), "{operations:?}");
            jittered += u32::from(operations.len() >= 4);
            gray += u32::from(is_gray);
            both += u32::from(operations.len() == 5);
        }
        assert!((1520..1680).contains(&jittered), "{jittered}");
        assert!((320..480).contains(&gray), "{gray}");
        assert!((250..390).contains(&both), "{both}");
    }

    #[test]
    fn one_operation_more_changes_nothing_about_the_others() {
        let fewer = Jitter { contrast: None, chance: 0.7, gray: 0.3, ..USUAL };
        for number in 0..100 {
            let mut expected = drawn(&Jitter { chance: 0.7, gray: 0.3, ..USUAL }, number);
            expected.retain(|operation| !matches!(operation, Operation::Contrast(_)));
            assert_eq!(drawn(&fewer, number), expected);
        }
        assert_eq!(drawn(&Jitter { chance: 1.0, ..Jitter::default() }, 0), []);
    }
}

//! One direction of a resize: for each place of the output, which samples of a plane it is drawn from, and how much of each.
//!
//! Samples are taken in pairs, as planes and what comes halfway have them, and weights are whole numbers that sum to [`ONE`].

use super::jpeg::Plane;
use super::lanes::LANES;

/// Bits of a weight after the point.
pub(super) const WEIGHT_BITS: u32 = 14;
/// What the weights of an output sum to.
pub(super) const ONE: i32 = 1 << WEIGHT_BITS;

/// A stretch of an image and the number of outputs it is drawn to, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The first pixel.
    pub(super) start: usize,
    /// Pixels.
    pub(super) length: usize,
    /// Outputs.
    pub(super) outputs: usize,
    /// Whether the outputs run against the pixels.
    pub(super) mirrored: bool,
}

/// How the samples of a plane stand to the pixels of the image, in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sampling {
    /// Pixels for each sample.
    pub(super) step: usize,
    /// Whether pixels between are drawn from two samples.
    pub(super) smooth: bool,
    /// The image's first sample that the plane holds.
    pub(super) first: usize,
    /// Samples that it holds.
    pub(super) count: usize,
}

impl Sampling {
    /// That of a plane from left to right.
    pub(super) fn across(plane: &Plane) -> Sampling {
        Sampling { step: plane.step_x, smooth: plane.smooth_x, first: plane.first_column, count: plane.columns }
    }

    /// That of a plane from top to bottom.
    pub(super) fn down(plane: &Plane) -> Sampling {
        Sampling { step: plane.step_y, smooth: plane.smooth_y, first: plane.first_row, count: plane.rows }
    }

    /// The samples that pixel `pixel` is drawn from, as places in the plane, with their weights.
    ///
    /// Smoothed, a pixel takes three quarters of the sample that covers it and a quarter of the one that it lies nearer to; at the
    /// image's edge there is none beside, and the one is all (the "triangle filter" of the reference decoder).
    #[inline(always)]
    pub(super) fn of(&self, pixel: usize) -> [(usize, f32); 2] {
        // Most steps are one or two, and dividing takes long.
        let own = if self.step == 2 {
            pixel >> 1
        } else if self.step == 1 {
            pixel
        } else {
            pixel / self.step
        };
        if !self.smooth {
            return [(self.place(own), 1.0), (self.place(own), 0.0)];
        }
        let beside = if pixel.is_multiple_of(2) { own.saturating_sub(1) } else { own + 1 };
        [(self.place(own), 0.75), (self.place(beside), 0.25)]
    }

    /// Where one of the image's samples lies in the plane, or the nearest.
    #[inline(always)]
    fn place(&self, sample: usize) -> usize {
        sample.clamp(self.first, self.first + self.count - 1) - self.first
    }
}

/// For each output, the pixels that it is made of, with their weights, which sum to 1.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    stretch: Option<Stretch>,
    /// The first pixel of each output, and the one behind its last.
    ranges: Vec<(u32, u32)>,
    /// `taps` for each output; those that are not used come last.
    weights: Vec<f32>,
    taps: usize,
}

impl Filter {
    /// The filter that draws `stretch` to its outputs, in the room of what was here.
    ///
    /// It is a triangle as wide as an output is, and at least as wide as a pixel on each side, cut off at the ends of the stretch:
    /// what Pillow and torchvision call antialiased bilinear.
    pub(super) fn draw(&mut self, stretch: Stretch) {
        let scale = stretch.length as f64 / stretch.outputs as f64;
        let reach = scale.max(1.0);
        self.stretch = Some(stretch);
        self.taps = (2.0 * reach).ceil() as usize + 1;
        self.ranges.resize(stretch.outputs, (0, 0));
        self.weights.resize(stretch.outputs * self.taps, 0.0);
        let slope = 1.0 / reach as f32;
        for (index, weights) in self.weights.chunks_exact_mut(self.taps).enumerate() {
            let centre = (index as f64 + 0.5) * scale;
            let from = (centre - reach + 0.5).max(0.0) as usize;
            let to = ((centre + reach + 0.5) as usize).min(stretch.length);
            // How far the centre is from the middle of the first pixel: small, so that 24 bits are plenty.
            let ahead = (centre - 0.5 - from as f64) as f32;
            let weights = &mut weights[..to - from];
            let mut sum = 0.0;
            for (pixel, weight) in weights.iter_mut().enumerate() {
                *weight = (1.0 - (pixel as f32 - ahead).abs() * slope).max(0.0);
                sum += *weight;
            }
            let scale = 1.0 / sum;
            weights.iter_mut().for_each(|weight| *weight *= scale);
            self.ranges[index] = ((stretch.start + from) as u32, (stretch.start + to) as u32);
        }
    }
}

/// For each output, the samples of a plane that it is made of, in pairs, with their weights.
#[derive(Clone, Debug, Default)]
pub(super) struct Axis {
    /// Outputs, not counting those that fill up the last group.
    pub(super) outputs: usize,
    /// The first pair of each output, and how many it takes.
    taken: Vec<(u32, u32)>,
    /// `pairs` for each output; those that it does not take come last.
    weights: Vec<[i16; 2]>,
    pairs: usize,
    /// One output's weights before they are rounded.
    exact: Vec<f32>,
}

impl Axis {
    /// What draws the pixels of `filter`, from samples that stand to them as `sampling` says, in the room of what was here.
    ///
    /// Where the plane has fewer samples than the image has pixels, drawing them out and drawing them together are one weighted sum.
    pub(super) fn draw(&mut self, filter: &Filter, sampling: Sampling) {
        let Some(stretch) = filter.stretch else { return };
        let pairs = |(first, end): (u32, u32)| {
            let [(first_own, _), (first_beside, _)] = sampling.of(first as usize);
            let [(last_own, _), (last_beside, _)] = sampling.of(end as usize - 1);
            (first_own.min(first_beside) / 2, last_own.max(last_beside) / 2 + 1)
        };
        self.pairs = filter.ranges.iter().map(|range| pairs(*range)).map(|(first, end)| end - first).max().unwrap_or(1);
        self.outputs = stretch.outputs;
        let padded = stretch.outputs.next_multiple_of(LANES);
        self.taken.clear();
        self.taken.resize(padded, (0, 0));
        self.weights.resize(padded * self.pairs, [0; 2]);
        self.exact.resize(2 * self.pairs, 0.0);
        for (index, (range, pixels)) in filter.ranges.iter().zip(filter.weights.chunks_exact(filter.taps)).enumerate() {
            let (first_pair, end_pair) = pairs(*range);
            let exact = &mut self.exact[..2 * (end_pair - first_pair)];
            exact.fill(0.0);
            let pixels = &pixels[..(range.1 - range.0) as usize];
            if sampling.step == 1 {
                let place = range.0 as usize - sampling.first - 2 * first_pair;
                exact[place..][..pixels.len()].copy_from_slice(pixels);
            } else {
                for (pixel, weight) in (range.0 as usize..).zip(pixels) {
                    for (place, part) in sampling.of(pixel) {
                        exact[place - 2 * first_pair] += weight * part;
                    }
                }
            }
            let output = if stretch.mirrored { stretch.outputs - 1 - index } else { index };
            self.taken[output] = (first_pair as u32, (end_pair - first_pair) as u32);
            round(exact, self.weights[output * self.pairs..][..end_pair - first_pair].as_flattened_mut());
        }
    }

    /// The first pair of an output, and its weights; none for what fills up the last group.
    #[inline(always)]
    pub(super) fn output(&self, index: usize) -> (usize, &[[i16; 2]]) {
        let (first, count) = self.taken[index];
        (first as usize, &self.weights[index * self.pairs..][..count as usize])
    }

    /// The first pair that any of some outputs takes, and the one behind the last.
    pub(super) fn reach(&self, outputs: std::ops::Range<usize>) -> (usize, usize) {
        let taken = &self.taken[outputs];
        let first = taken.iter().filter(|(_, count)| *count > 0).map(|(first, _)| *first).min().unwrap_or(0);
        let end = taken.iter().map(|(first, count)| first + count).max().unwrap_or(0);
        (first as usize, end as usize)
    }
}

/// Weights as whole numbers that sum to [`ONE`]; the largest takes what rounding leaves.
fn round(exact: &[f32], weights: &mut [i16]) {
    let (mut left, mut largest) = (ONE, (0, 0));
    for (place, (weight, exact)) in weights.iter_mut().zip(exact).enumerate() {
        let whole = (exact * ONE as f32 + 0.5) as i32;
        *weight = whole as i16;
        left -= whole;
        if whole > largest.0 {
            largest = (whole, place);
        }
    }
    weights[largest.1] += left as i16;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_output_is_a_whole_of_samples_that_are_there(
            length in 1_usize..700,
            outputs in 1_usize..300,
            before in 0_usize..200,
            after in 0_usize..40,
            (step, smooth) in prop::sample::select(vec![(1, false), (2, true), (2, false), (4, false)]),
            mirrored: bool,
        ) {
            let stretch = Stretch { start: before, length, outputs, mirrored };
            // As a decoder leaves it: from the unit that holds the first pixel on.
            let first = before.saturating_sub(step) / step / LANES * LANES;
            let count = (before + length + after).div_ceil(step) - first;
            let sampling = Sampling { step, smooth, first, count };
            let mut filter = Filter::default();
            filter.draw(stretch);
            let mut axis = Axis::default();
            axis.draw(&filter, sampling);
            for output in 0..outputs {
                let (start, weights) = axis.output(output);
                let weights = weights.as_flattened();
                prop_assert_eq!(weights.iter().map(|weight| i32::from(*weight)).sum::<i32>(), ONE);
                prop_assert!(weights.iter().all(|weight| *weight >= 0));
                for (place, weight) in (2 * start..).zip(weights) {
                    prop_assert!(*weight == 0 || place < count, "{place} of {count}");
                    prop_assert!(place < count.next_multiple_of(LANES));
                }
            }
        }
    }
}

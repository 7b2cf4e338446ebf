//! One direction of a resize: for each place of the output, which samples of a plane it is drawn from, and how much of each.

use super::jpeg::Plane;
use super::lanes::LANES;

/// For each output, the samples that it is made of, one after the other, with their weights. Weights of an output sum to 1.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    /// Outputs, not counting those that fill up the last group.
    pub outputs: usize,
    /// The first sample of each output.
    starts: Vec<u32>,
    /// `taps` weights for each output.
    weights: Vec<f32>,
    taps: usize,
}

/// A stretch of an image and the number of outputs it is drawn to, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first pixel.
    pub start: usize,
    /// Pixels.
    pub length: usize,
    /// Outputs.
    pub outputs: usize,
    /// Whether the outputs run against the pixels.
    pub mirrored: bool,
}

/// How the samples of a plane stand to the pixels of the image, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Pixels for each sample.
    pub step: usize,
    /// Whether pixels between are drawn from two samples.
    pub smooth: bool,
    /// The image's first sample that the plane holds.
    pub first: usize,
    /// Samples that it holds.
    pub count: usize,
}

impl Sampling {
    /// That of a plane from left to right.
    pub fn across(plane: &Plane) -> Sampling {
        Sampling { step: plane.step_x, smooth: plane.smooth_x, first: plane.first_column, count: plane.columns }
    }

    /// That of a plane from top to bottom.
    pub fn down(plane: &Plane) -> Sampling {
        Sampling { step: plane.step_y, smooth: plane.smooth_y, first: plane.first_row, count: plane.rows }
    }

    /// The samples that pixel `pixel` is drawn from, as places in the plane, with their weights.
    ///
    /// Smoothed, a pixel takes three quarters of the sample that covers it and a quarter of the one that it lies nearer to; at the
    /// image's edge there is none beside, and the one is all (the "triangle filter" of the reference decoder).
    #[inline(always)]
    pub(super) fn of(&self, pixel: usize) -> [(usize, f64); 2] {
        let own = pixel / self.step;
        let last = self.first + self.count - 1;
        let place = |sample: usize| sample.clamp(self.first, last) - self.first;
        if !self.smooth {
            return [(place(own), 1.0), (place(own), 0.0)];
        }
        let beside = if pixel.is_multiple_of(2) { own.saturating_sub(1) } else { own + 1 };
        [(place(own), 0.75), (place(beside), 0.25)]
    }
}

impl Axis {
    /// Draws `stretch` to its outputs, from samples that stand to its pixels as `sampling` says.
    ///
    /// The filter is a triangle as wide as an output is, and at least as wide as a pixel on each side, cut off at the ends of the
    /// stretch: what Pillow and torchvision call antialiased bilinear. Where the plane has fewer samples than the image has
    /// pixels, drawing them out and drawing them together are one weighted sum.
    pub fn new(stretch: Stretch, sampling: Sampling) -> Axis {
        let mut axis = Axis::default();
        axis.draw(stretch, sampling);
        axis
    }

    /// The same, in the room of what was here.
    pub fn draw(&mut self, stretch: Stretch, sampling: Sampling) {
        let padded = stretch.outputs.next_multiple_of(LANES);
        let scale = stretch.length as f64 / stretch.outputs as f64;
        let reach = scale.max(1.0);
        // Pixels that one output may take in, and samples that these may take in.
        let pixels = (2.0 * reach).ceil() as usize + 1;
        self.taps = (pixels / sampling.step + 3).min(sampling.count);
        self.outputs = stretch.outputs;
        self.starts.clear();
        self.starts.resize(padded, 0);
        self.weights.clear();
        self.weights.resize(padded * self.taps, 0.0);
        for index in 0..stretch.outputs {
            let centre = (index as f64 + 0.5) * scale;
            let from = (centre - reach + 0.5).max(0.0) as usize;
            let to = ((centre + reach + 0.5) as usize).min(stretch.length);
            let weight = |pixel: usize| (1.0 - ((pixel as f64 - centre + 0.5) / reach).abs()).max(0.0);
            let sum: f64 = (from..to).map(weight).sum();
            let samples = || {
                (from..to).flat_map(|pixel| {
                    let share = weight(pixel) / sum;
                    sampling.of(stretch.start + pixel).map(|(place, part)| (place, share * part))
                })
            };
            let start = samples().map(|(place, _)| place).min().unwrap_or(0).min(sampling.count - self.taps);
            let output = if stretch.mirrored { stretch.outputs - 1 - index } else { index };
            self.starts[output] = start as u32;
            let weights = &mut self.weights[output * self.taps..][..self.taps];
            for (place, share) in samples() {
                weights[place - start] += share as f32;
            }
        }
    }

    /// Where an output starts, and its weights.
    #[inline(always)]
    pub(super) fn output(&self, index: usize) -> (usize, &[f32]) {
        (self.starts[index] as usize, &self.weights[index * self.taps..][..self.taps])
    }

    /// The first sample that any output takes, and the one behind the last.
    pub(super) fn reach(&self) -> (usize, usize) {
        let starts = &self.starts[..self.outputs];
        let first = starts.iter().min().map_or(0, |start| *start as usize);
        let last = starts.iter().max().map_or(0, |start| *start as usize);
        (first, last + self.taps)
    }
}

//! Red, green and blue from luminance and the two differences of colour, moved and scaled as a model wants them.

use super::jpeg::Colour;
use super::lanes::Lanes;

/// What comes out for each channel: `sample * scale + offset`, the sample from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalise {
    pub(super) scale: [f32; 3],
    pub(super) offset: [f32; 3],
}

impl Normalise {
    /// Samples as they are.
    pub fn none() -> Normalise {
        Normalise { scale: [1.0; 3], offset: [0.0; 3] }
    }

    /// Samples moved to 0 to 1, then less the mean, then divided by the deviation, as torchvision has it.
    pub fn new(mean: [f32; 3], deviation: [f32; 3]) -> Normalise {
        Normalise {
            scale: std::array::from_fn(|channel| 1.0 / (255.0 * deviation[channel])),
            offset: std::array::from_fn(|channel| -mean[channel] / deviation[channel]),
        }
    }
}

/// Red by redness, green by blueness and by redness, blue by blueness (JFIF 1.02, page 3). The differences lie around 128.
pub(super) const RED_OF_REDNESS: f32 = 1.402;
/// See [`RED_OF_REDNESS`].
pub(super) const GREEN_OF_BLUENESS: f32 = -0.344_136;
/// See [`RED_OF_REDNESS`].
pub(super) const GREEN_OF_REDNESS: f32 = -0.714_136;
/// See [`RED_OF_REDNESS`].
pub(super) const BLUE_OF_BLUENESS: f32 = 1.772;

/// What each channel takes of each component. Normalising is part of it, so that it costs nothing.
pub(super) struct Mix<L: Lanes> {
    is_rgb: bool,
    /// Each channel's part of its own component: of luminance, unless components are red, green and blue.
    own: [L::Floats; 3],
    red_of_redness: L::Floats,
    green_of_blueness: L::Floats,
    green_of_redness: L::Floats,
    blue_of_blueness: L::Floats,
    offset: [L::Floats; 3],
    low: [L::Floats; 3],
    high: [L::Floats; 3],
}

impl<L: Lanes> Mix<L> {
    /// For components of a kind, in which a step of a sample is `1 / step`.
    #[inline(always)]
    pub(super) fn new(lanes: L, colour: Colour, normalise: &Normalise, step: f32) -> Mix<L> {
        let Normalise { scale, offset } = normalise;
        // What 128 in both differences adds to each channel.
        let middles = [RED_OF_REDNESS, GREEN_OF_BLUENESS + GREEN_OF_REDNESS, BLUE_OF_BLUENESS];
        let (mut own, mut offsets) = ([lanes.floats(0.0); 3], [lanes.floats(0.0); 3]);
        let (mut low, mut high) = (offsets, offsets);
        for channel in 0..3 {
            own[channel] = lanes.floats(scale[channel] * step);
            let middle = if colour == Colour::YCbCr { 128.0 * middles[channel] * scale[channel] } else { 0.0 };
            offsets[channel] = lanes.floats(offset[channel] - middle);
            let ends = [offset[channel], 255.0 * scale[channel] + offset[channel]];
            low[channel] = lanes.floats(ends[0].min(ends[1]));
            high[channel] = lanes.floats(ends[0].max(ends[1]));
        }
        Mix {
            is_rgb: colour == Colour::Rgb,
            own,
            red_of_redness: lanes.floats(RED_OF_REDNESS * scale[0] * step),
            green_of_blueness: lanes.floats(GREEN_OF_BLUENESS * scale[1] * step),
            green_of_redness: lanes.floats(GREEN_OF_REDNESS * scale[1] * step),
            blue_of_blueness: lanes.floats(BLUE_OF_BLUENESS * scale[2] * step),
            offset: offsets,
            low,
            high,
        }
    }

    /// Three times the same, before normalising.
    #[inline(always)]
    pub(super) fn gray(&self, lanes: L, luminance: L::Whole) -> [L::Floats; 3] {
        let luminance = lanes.to_floats(luminance);
        self.each(lanes, [luminance; 3])
    }

    /// From three components.
    #[inline(always)]
    pub(super) fn colours(&self, lanes: L, first: L::Whole, second: L::Whole, third: L::Whole) -> [L::Floats; 3] {
        let [first, second, third] = [lanes.to_floats(first), lanes.to_floats(second), lanes.to_floats(third)];
        if self.is_rgb {
            return self.each(lanes, [first, second, third]);
        }
        let [red, green, blue] = self.each(lanes, [first; 3]);
        [
            lanes.add(red, lanes.multiply(self.red_of_redness, third)),
            lanes.add(
                green,
                lanes.add(lanes.multiply(self.green_of_blueness, second), lanes.multiply(self.green_of_redness, third)),
            ),
            lanes.add(blue, lanes.multiply(self.blue_of_blueness, second)),
        ]
    }

    #[inline(always)]
    fn each(&self, lanes: L, own: [L::Floats; 3]) -> [L::Floats; 3] {
        let mut channels = own;
        for (channel, sample) in channels.iter_mut().enumerate() {
            *sample = lanes.add(lanes.multiply(self.own[channel], *sample), self.offset[channel]);
        }
        channels
    }

    /// Adds something to one channel, in the components' steps.
    #[inline(always)]
    pub(super) fn add_to(&self, lanes: L, channel: usize, samples: L::Floats, more: L::Whole) -> L::Floats {
        lanes.add(samples, lanes.multiply(self.own[channel], lanes.to_floats(more)))
    }

    /// Moved to what 0 to 255 are when they are normalised.
    #[inline(always)]
    pub(super) fn clamp(&self, lanes: L, channel: usize, samples: L::Floats) -> L::Floats {
        lanes.clamp(samples, self.low[channel], self.high[channel])
    }
}

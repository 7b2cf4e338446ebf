//! From planes to what a model is fed: resized, mirrored, in red, green and blue, normalised.
//!
//! The resize works on luminance and colour as they were coded, and colours are mixed once for each pixel that comes out. First
//! along the rows, on whole vectors of a column, which is how planes lie; each group of eight by eight numbers is then turned, so
//! that the resize along the columns, the colours and what is written run along rows.

use super::axis::{Axis, Sampling, Stretch};
use super::jpeg::{Colour, Plane, Planes, Region};
#[cfg(target_arch = "x86_64")]
use super::lanes::Avx2;
use super::lanes::{Anywhere, LANES, Lanes, group, group_mut};
use super::mix::Mix;
use super::overshoot::Overshoot;

/// What comes out for each channel: `sample * scale + offset`, the sample from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalise {
    scale: [f32; 3],
    offset: [f32; 3],
}

impl Normalise {
    /// Samples moved to 0 to 1, then less the mean, then divided by the deviation, as torchvision has it.
    pub fn new(mean: [f32; 3], deviation: [f32; 3]) -> Normalise {
        Normalise {
            scale: std::array::from_fn(|channel| 1.0 / (255.0 * deviation[channel])),
            offset: std::array::from_fn(|channel| -mean[channel] / deviation[channel]),
        }
    }
}

/// The size of what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// Whether left and right change places.
    pub mirrored: bool,
}

/// Renders one image after the other; its buffers serve the next.
#[derive(Default)]
pub struct Renderer {
    across: [Axis; 3],
    down: [Axis; 3],
    /// Each component resized along the rows.
    halfway: [Vec<f32>; 3],
    /// The first row of each that is there.
    first_rows: [usize; 3],
    overshoot: Overshoot,
}

impl Renderer {
    /// Draws `region` of the image in `planes` to `target`, into `output`: three channels one after the other, each in rows.
    ///
    /// # Panics
    ///
    /// Where `output` is not three times as long as the target has pixels.
    pub fn render(
        &mut self,
        planes: &Planes,
        region: Region,
        target: Target,
        normalise: &Normalise,
        output: &mut [f32],
    ) {
        assert_eq!(output.len(), 3 * target.width * target.height, "the output is three channels of the target");
        for (component, plane) in planes.planes.iter().enumerate() {
            let across =
                Stretch { start: region.left, length: region.width, outputs: target.width, mirrored: target.mirrored };
            let down = Stretch { start: region.top, length: region.height, outputs: target.height, mirrored: false };
            self.across[component].draw(across, Sampling::across(plane));
            self.down[component].draw(down, Sampling::down(plane));
            self.first_rows[component] =
                along_rows(plane, &self.across[component], &self.down[component], &mut self.halfway[component]);
        }
        self.overshoot.any = false;
        // Where luminance has fewer samples than colour, which no encoder writes, nothing is cut off before the end.
        let luminance = &planes.planes[0];
        if planes.colour == Colour::YCbCr && (luminance.step_x, luminance.step_y) == (1, 1) {
            overshoot(self, planes, region);
        }
        along_columns(self, planes.colour, target, normalise, output);
    }
}

/// Resizes a plane along its rows, for the rows that `down` takes; the first of them.
fn along_rows(plane: &Plane, across: &Axis, down: &Axis, halfway: &mut Vec<f32>) -> usize {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = Avx2::find() {
        // SAFETY: the token proves that the processor has what the function was compiled for.
        #[expect(unsafe_code, reason = "a function for newer processors may be called where they are found")]
        return unsafe { along_rows_avx2(lanes, plane, across, down, halfway) };
    }
    along_rows_with(Anywhere, plane, across, down, halfway)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn along_rows_avx2(lanes: Avx2, plane: &Plane, across: &Axis, down: &Axis, halfway: &mut Vec<f32>) -> usize {
    along_rows_with(lanes, plane, across, down, halfway)
}

#[inline(always)]
fn along_rows_with<L: Lanes>(lanes: L, plane: &Plane, across: &Axis, down: &Axis, halfway: &mut Vec<f32>) -> usize {
    let (first, end) = rows(down);
    let width = across.outputs.next_multiple_of(LANES);
    halfway.resize(width * (end - first), 0.0);
    for x in (0..width).step_by(LANES) {
        for y in (first..end).step_by(LANES) {
            let mut tile = [lanes.floats(0.0); LANES];
            for (column, sums) in tile.iter_mut().enumerate() {
                let (start, weights) = across.output(x + column);
                for (sample, weight) in (start..).zip(weights) {
                    let samples = lanes.load_bytes(group(plane.column(sample), y));
                    *sums = lanes.add(*sums, lanes.multiply(lanes.floats(*weight), samples));
                }
            }
            for (row, turned) in lanes.turn(tile).into_iter().enumerate() {
                lanes.store(turned, group_mut(halfway, (y - first + row) * width + x));
            }
        }
    }
    first
}

/// The rows of a plane that an axis takes in, in whole groups: a column is stored in blocks of eight rows.
fn rows(down: &Axis) -> (usize, usize) {
    let (first, end) = down.reach();
    (first / LANES * LANES, end.next_multiple_of(LANES))
}

/// Finds what is cut off from the colours.
fn overshoot(renderer: &mut Renderer, planes: &Planes, region: Region) {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = Avx2::find() {
        // SAFETY: the token proves that the processor has what the function was compiled for.
        #[expect(unsafe_code, reason = "a function for newer processors may be called where they are found")]
        return unsafe { overshoot_avx2(lanes, renderer, planes, region) };
    }
    overshoot_with(Anywhere, renderer, planes, region);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn overshoot_avx2(lanes: Avx2, renderer: &mut Renderer, planes: &Planes, region: Region) {
    overshoot_with(lanes, renderer, planes, region);
}

#[inline(always)]
fn overshoot_with<L: Lanes>(lanes: L, renderer: &mut Renderer, planes: &Planes, region: Region) {
    let rows = rows(&renderer.down[0]);
    renderer.overshoot.find(lanes, planes, region, &renderer.across[0], rows);
}

/// Resizes all components along their columns, mixes the colours, and writes them.
fn along_columns(from: &Renderer, colour: Colour, target: Target, normalise: &Normalise, output: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(lanes) = Avx2::find() {
        // SAFETY: the token proves that the processor has what the function was compiled for.
        #[expect(unsafe_code, reason = "a function for newer processors may be called where they are found")]
        return unsafe { along_columns_avx2(lanes, from, colour, target, normalise, output) };
    }
    along_columns_with(Anywhere, from, colour, target, normalise, output);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn along_columns_avx2(
    lanes: Avx2,
    from: &Renderer,
    colour: Colour,
    target: Target,
    normalise: &Normalise,
    output: &mut [f32],
) {
    along_columns_with(lanes, from, colour, target, normalise, output);
}

#[inline(always)]
fn along_columns_with<L: Lanes>(
    lanes: L,
    from: &Renderer,
    colour: Colour,
    target: Target,
    normalise: &Normalise,
    output: &mut [f32],
) {
    let Target { width, height, .. } = target;
    let padded = width.next_multiple_of(LANES);
    let (red, rest) = output.split_at_mut(width * height);
    let (green, blue) = rest.split_at_mut(width * height);
    let mix = Mix::new(lanes);
    let components = if colour == Colour::Gray { 1 } else { 3 };
    for y in 0..height {
        for x in (0..width).step_by(LANES) {
            // No closures here: they are not compiled for the vectors.
            let mut sums = [lanes.floats(0.0); 3];
            for (component, halfway) in from.halfway.iter().enumerate().take(components) {
                sums[component] = column_sum(lanes, from, component, halfway, y, x, padded);
            }
            let mut rgb = match colour {
                Colour::Gray => [sums[0]; 3],
                Colour::Rgb => sums,
                Colour::YCbCr => mix.colours(lanes, sums[0], sums[1], sums[2]),
            };
            if from.overshoot.any {
                for (sample, halfway) in rgb.iter_mut().zip(&from.overshoot.halfway) {
                    *sample = lanes.add(*sample, column_sum(lanes, from, 0, halfway, y, x, padded));
                }
            }
            let at = y * width + x;
            let count = LANES.min(width - x);
            for (channel, (samples, out)) in rgb.into_iter().zip([&mut *red, &mut *green, &mut *blue]).enumerate() {
                let (scale, offset) = (lanes.floats(normalise.scale[channel]), lanes.floats(normalise.offset[channel]));
                let done = lanes.add(lanes.multiply(lanes.clamp(samples, 0.0, 255.0), scale), offset);
                if count == LANES {
                    lanes.store(done, group_mut(out, at));
                } else {
                    let mut last = [0.0; LANES];
                    lanes.store(done, &mut last);
                    out[at..][..count].copy_from_slice(&last[..count]);
                }
            }
        }
    }
}

/// Eight neighbours in row `y` of the output, of something that lies as one component does.
#[inline(always)]
fn column_sum<L: Lanes>(
    lanes: L,
    from: &Renderer,
    component: usize,
    halfway: &[f32],
    y: usize,
    x: usize,
    width: usize,
) -> L::Floats {
    let (start, weights) = from.down[component].output(y);
    let mut sums = lanes.floats(0.0);
    let mut at = (start - from.first_rows[component]) * width + x;
    for weight in weights {
        let samples = lanes.load(group(halfway, at));
        sums = lanes.add(sums, lanes.multiply(lanes.floats(*weight), samples));
        at += width;
    }
    sums
}

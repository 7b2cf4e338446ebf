//! Colours that cannot be: where luminance and colour add up to more than 255 or less than 0, a decoder cuts off before anything
//! is resized. Resizing luminance and colour apart does not; so what is cut off is found here, pixel by pixel, and resized for
//! itself.
//!
//! Few images have such pixels in more than a few places. Eight pixels are looked at closely only where their luminance and the
//! colour nearest to each reach past the end.

use super::axis::{Axis, Sampling};
use super::jpeg::{Plane, Planes, Region};
use super::lanes::{LANES, Lanes, group};
use super::mix::Mix;

/// What may be cut off without looking: one step of a sample, which leaves the output within 50 dB even if all pixels were so.
const IGNORED: f32 = 1.0;

/// What is cut off from an image's colours, resized along the rows.
#[derive(Default)]
pub(super) struct Overshoot {
    /// Whether there is anything.
    pub(super) any: bool,
    /// For red, green and blue, as [`super::render`] has each component halfway.
    pub(super) halfway: [Vec<f32>; 3],
    /// A column of blueness and of redness, drawn out to the rows of luminance.
    colours: [Vec<f32>; 2],
    users: Users,
}

impl Overshoot {
    /// Finds what is cut off in `region`, for rows `first` to `end` of the luminance's plane, which has a sample for each pixel.
    #[inline(always)]
    pub(super) fn find<L: Lanes>(
        &mut self,
        lanes: L,
        planes: &Planes,
        region: Region,
        across: &Axis,
        (first, end): (usize, usize),
    ) {
        let [luminance, colours @ ..] = &planes.planes[..] else { return };
        let width = across.outputs.next_multiple_of(LANES);
        let left = region.left - luminance.first_column;
        let mix = Mix::new(lanes);
        for column in left..left + region.width {
            self.draw_nearest(luminance, colours, column, (first, end));
            let samples = luminance.column(column);
            for row in (first..end).step_by(LANES) {
                let nearest = self.mixed(lanes, &mix, samples, row, row - first);
                if !is_past(lanes, nearest, IGNORED) {
                    continue;
                }
                if !self.any {
                    self.begin(across, luminance.columns, width * (end - first));
                }
                self.draw_out(luminance, colours, column, row, row - first);
                let drawn = self.mixed(lanes, &mix, samples, row, row - first);
                if is_past(lanes, drawn, 0.0) {
                    self.cut_off(lanes, drawn, column, width, row - first);
                }
            }
        }
    }

    /// Makes room, once something is to be cut off.
    #[cold]
    fn begin(&mut self, across: &Axis, columns: usize, room: usize) {
        self.any = true;
        self.users.of(across, columns);
        for halfway in &mut self.halfway {
            halfway.clear();
            halfway.resize(room, 0.0);
        }
    }

    /// Eight pixels of a column, with the colours that are drawn for it.
    #[inline(always)]
    fn mixed<L: Lanes>(&self, lanes: L, mix: &Mix<L>, column: &[u8], row: usize, at: usize) -> [L::Floats; 3] {
        let luminance = lanes.load_bytes(group(column, row));
        let blueness = lanes.load(group(&self.colours[0], at));
        let redness = lanes.load(group(&self.colours[1], at));
        mix.colours(lanes, luminance, blueness, redness)
    }

    /// Repeats the samples of colour beside a column.
    #[inline(always)]
    fn draw_nearest(&mut self, luminance: &Plane, colours: &[Plane], column: usize, (first, end): (usize, usize)) {
        for (drawn, plane) in self.colours.iter_mut().zip(colours) {
            let samples = plane.column(((luminance.first_column + column) / plane.step_x) - plane.first_column);
            // Planes begin at the same unit.
            let samples = &samples[first / plane.step_y..end.div_ceil(plane.step_y)];
            drawn.resize(samples.len() * plane.step_y, 0.0);
            match plane.step_y {
                1 => drawn.iter_mut().zip(samples).for_each(|(to, from)| *to = f32::from(*from)),
                2 => drawn
                    .as_chunks_mut::<2>()
                    .0
                    .iter_mut()
                    .zip(samples)
                    .for_each(|(to, from)| *to = [f32::from(*from); 2]),
                step => drawn.chunks_exact_mut(step).zip(samples).for_each(|(to, from)| to.fill(f32::from(*from))),
            }
        }
    }

    /// Draws out the colours of eight pixels as the reference decoder does.
    #[inline(always)]
    fn draw_out(&mut self, luminance: &Plane, colours: &[Plane], column: usize, row: usize, at: usize) {
        for (drawn, plane) in self.colours.iter_mut().zip(colours) {
            let (across, down) = (Sampling::across(plane), Sampling::down(plane));
            let [(one, part), (other, rest)] = across.of(luminance.first_column + column);
            let (one, other, part, rest) = (plane.column(one), plane.column(other), part as f32, rest as f32);
            for lane in 0..LANES {
                let [(near, most), (far, least)] = down.of(luminance.first_row + row + lane);
                let near = f32::from(one[near]) * part + f32::from(other[near]) * rest;
                let far = f32::from(one[far]) * part + f32::from(other[far]) * rest;
                drawn[at + lane] = near * most as f32 + far * least as f32;
            }
        }
    }

    /// Adds what is cut off from eight pixels to the outputs that take them in.
    #[inline(always)]
    fn cut_off<L: Lanes>(&mut self, lanes: L, pixels: [L::Floats; 3], column: usize, width: usize, at: usize) {
        for (halfway, sample) in self.halfway.iter_mut().zip(pixels) {
            if !lanes.any_outside(sample, 0.0, 255.0) {
                continue;
            }
            let mut before = [0.0; LANES];
            lanes.store(sample, &mut before);
            for (lane, sample) in before.iter().enumerate() {
                let cut = sample.clamp(0.0, 255.0) - sample;
                if cut == 0.0 {
                    continue;
                }
                let outputs = &mut halfway[(at + lane) * width..][..width];
                for (output, weight) in self.users.column(column) {
                    outputs[*output as usize] += weight * cut;
                }
            }
        }
    }
}

/// Whether any of some samples lies past the end by more than `by`.
#[inline(always)]
fn is_past<L: Lanes>(lanes: L, pixels: [L::Floats; 3], by: f32) -> bool {
    let [red, green, blue] = pixels;
    lanes.any_outside(red, -by, 255.0 + by)
        || lanes.any_outside(green, -by, 255.0 + by)
        || lanes.any_outside(blue, -by, 255.0 + by)
}

/// For each column of a plane, the outputs that take it in, with its weight there.
#[derive(Default)]
struct Users {
    starts: Vec<u32>,
    users: Vec<(u32, f32)>,
}

impl Users {
    fn of(&mut self, across: &Axis, columns: usize) {
        let each = || {
            (0..across.outputs).flat_map(move |output| {
                let (start, weights) = across.output(output);
                (start..)
                    .zip(weights)
                    .filter(|(_, weight)| **weight != 0.0)
                    .map(move |(column, weight)| (column, output, *weight))
            })
        };
        self.starts.clear();
        self.starts.resize(columns + 1, 0);
        each().for_each(|(column, ..)| self.starts[column + 1] += 1);
        for column in 0..columns {
            self.starts[column + 1] += self.starts[column];
        }
        self.users.clear();
        self.users.resize(self.starts[columns] as usize, (0, 0.0));
        let mut next = self.starts.clone();
        for (column, output, weight) in each() {
            self.users[next[column] as usize] = (output as u32, weight);
            next[column] += 1;
        }
    }

    fn column(&self, column: usize) -> &[(u32, f32)] {
        &self.users[self.starts[column] as usize..self.starts[column + 1] as usize]
    }
}

//! What decoding leaves: the samples of each component, where they were asked for.

use super::frame::{BLOCK, Colour, Component, Frame};
use super::scale::{self, Scale};
use crate::image::lanes::Lanes;

/// The size of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
}

/// A rectangle of an image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its first column.
    pub left: usize,
    /// Its first row.
    pub top: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// The samples of one component in the part of the image that was decoded. They lie column by column, two columns together: their
/// samples of each row lie beside each other. The inverse transform leaves them nearly so, and a resize along the rows works on
/// whole vectors of such pairs.
#[derive(Clone, Debug, Default)]
pub struct Plane {
    samples: Vec<u8>,
    /// For each block, one below the other, its least and its greatest sample.
    extremes: Vec<(u8, u8)>,
    /// From one column to the next: rows that are stored, also past the component's end.
    stride: usize,
    /// Pixels of the image for each sample, from left to right.
    pub step_x: usize,
    /// Pixels of the image for each sample, from top to bottom.
    pub step_y: usize,
    /// Whether samples between are drawn from the two beside them, from left to right; else each is repeated.
    pub smooth_x: bool,
    /// The same from top to bottom.
    pub smooth_y: bool,
    /// The component's column that is stored first.
    pub first_column: usize,
    /// The component's row that is stored first.
    pub first_row: usize,
    /// Columns that are stored and belong to the image.
    pub columns: usize,
    /// Rows that are stored and belong to the image.
    pub rows: usize,
}

impl Plane {
    /// Two columns, those of places `2 * index` and `2 * index + 1`, from `first_row` on, row by row. There are at least `rows`, and a
    /// multiple of eight.
    #[inline(always)]
    pub fn pair(&self, index: usize) -> &[u8] {
        &self.samples[2 * index * self.stride..][..2 * self.stride]
    }

    /// The sample at a place.
    #[inline(always)]
    pub fn sample(&self, column: usize, row: usize) -> u8 {
        self.samples[2 * (column / 2 * self.stride + row) + column % 2]
    }

    /// Eight rows of two columns, of which the first is even.
    #[inline(always)]
    pub(in crate::image) fn eight(&self, pair: usize, row: usize) -> &[u8; 2 * BLOCK] {
        self.samples[2 * (pair * self.stride + row)..].first_chunk().expect("rows are stored in whole blocks")
    }

    /// The least and the greatest sample of the block that holds a place.
    #[inline(always)]
    pub(in crate::image) fn extremes(&self, column: usize, row: usize) -> (u8, u8) {
        self.extremes[column / BLOCK * (self.stride / BLOCK) + row / BLOCK]
    }

    /// Rows that are stored: a multiple of eight.
    pub(in crate::image) fn rows_stored(&self) -> usize {
        self.stride
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.samples.capacity() + 2 * self.extremes.capacity()
    }

    /// Puts a block where it belongs, told from the first that is stored.
    #[inline(always)]
    pub(super) fn put<L: Lanes>(
        &mut self,
        lanes: L,
        block_x: usize,
        block_y: usize,
        pairs: &[[u8; 2 * BLOCK]; BLOCK / 2],
    ) {
        let start = block_x * BLOCK * self.stride + 2 * block_y * BLOCK;
        let place = &mut self.samples[start..][..(BLOCK - 2) * self.stride + 2 * BLOCK];
        let mut least = lanes.load_bytes(&pairs[0]);
        let mut greatest = least;
        for (index, pair) in pairs.iter().enumerate() {
            place[2 * index * self.stride..][..2 * BLOCK].copy_from_slice(pair);
            let samples = lanes.load_bytes(pair);
            (least, greatest) = (lanes.lesser(least, samples), lanes.greater(greatest, samples));
        }
        self.extremes[block_x * (self.stride / BLOCK) + block_y] = (lanes.least(least), lanes.greatest(greatest));
    }

    /// Puts the samples of a block that is made smaller where they belong. Their extremes are not noted: nobody looks at them where there
    /// are fewer samples than pixels.
    #[inline(never)]
    pub(super) fn put_smaller(&mut self, scale: Scale, block_x: usize, block_y: usize, coefficients: &[i32; 64]) {
        let count = scale.samples();
        scale::inverse(scale, coefficients, |column, row, sample| {
            let (column, row) = (block_x * count + column, block_y * count + row);
            self.samples[2 * (column / 2 * self.stride + row) + column % 2] = sample;
        });
    }

    /// Takes in a sample for each pixel of a whole image, row by row.
    fn fill(&mut self, size: Size, mut samples: impl Iterator<Item = u8>) {
        let Size { width, height } = size;
        let columns = width.next_multiple_of(BLOCK);
        self.stride = height.next_multiple_of(BLOCK);
        (self.step_x, self.step_y) = (1, 1);
        (self.smooth_x, self.smooth_y) = (false, false);
        (self.first_column, self.first_row) = (0, 0);
        (self.columns, self.rows) = (width, height);
        self.extremes.clear();
        self.samples.clear();
        self.samples.resize(columns * self.stride, 0);
        for row in 0..height {
            for (column, sample) in (0..width).zip(&mut samples) {
                self.samples[2 * (column / 2 * self.stride + row) + column % 2] = sample;
            }
        }
    }

    /// Makes room for the units of `units`.
    fn lay_out(&mut self, frame: &Frame, component: usize, units: &Units, scale: Scale) {
        let component = &frame.components[component];
        let (horizontal_max, vertical_max) = frame.factors_max();
        let (width, height) = frame.samples(component);
        let is_whole = scale == Scale::Whole;
        let scale = scale.of(frame, component);
        let (width, height) = (width.div_ceil(scale.step()), height.div_ceil(scale.step()));
        let (across, down) = Self::stored(component, units, scale);
        self.stride = down;
        self.step_x = horizontal_max / component.horizontal * scale.step();
        self.step_y = vertical_max / component.vertical * scale.step();
        // What the reference decoder does: it smooths steps of two, unless the component is too narrow for it.
        self.smooth_x = is_whole && self.step_x == 2 && self.step_y <= 2 && width > 2;
        self.smooth_y = is_whole && self.step_y == 2 && (self.step_x == 1 || self.smooth_x);
        self.first_column = units.left * component.horizontal * scale.samples();
        self.first_row = units.top * component.vertical * scale.samples();
        self.columns = across.min(width - self.first_column);
        self.rows = self.stride.min(height - self.first_row);
        // Every sample is written when the units are decoded: what lay here does not show.
        self.samples.resize(across * self.stride, 0);
        self.extremes.resize(across / BLOCK * (self.stride / BLOCK), (0, 0));
    }

    /// Columns and rows that are stored of a component: whole blocks of samples, also where blocks of the image are made smaller.
    fn stored(component: &Component, units: &Units, scale: Scale) -> (usize, usize) {
        let (across, down) = (units.right - units.left, units.bottom - units.top);
        let stored = |blocks: usize| (blocks * scale.samples()).next_multiple_of(BLOCK);
        (stored(across * component.horizontal), stored(down * component.vertical))
    }
}

/// A decoded part of an image.
#[derive(Clone, Debug)]
pub struct Planes {
    /// The image's columns.
    pub width: usize,
    /// The image's rows.
    pub height: usize,
    /// What the components stand for.
    pub colour: Colour,
    /// One for each component: one or three.
    pub planes: Vec<Plane>,
    /// For each block of luminance, row by row, whether colours of its pixels are cut off; empty where that is not known.
    pub(in crate::image) cut_off: Vec<bool>,
}

impl Planes {
    /// Nothing decoded yet; its buffers grow with what is.
    pub fn new() -> Planes {
        Planes { width: 0, height: 0, colour: Colour::Gray, planes: Vec::new(), cut_off: Vec::new() }
    }

    /// Bytes of room that they have.
    pub fn bytes(&self) -> usize {
        self.planes.iter().map(Plane::bytes).sum()
    }

    /// Bytes that a copy of them takes.
    pub fn bytes_used(&self) -> usize {
        self.planes.iter().map(|plane| plane.samples.len() + 2 * plane.extremes.len()).sum::<usize>()
            + self.cut_off.len()
    }

    /// Bytes of the planes of a part of an image.
    pub(super) fn bytes_of(frame: &Frame, units: &Units, scale: Scale) -> usize {
        let blocks = |component: &Component| {
            let (across, down) = Plane::stored(component, units, scale.of(frame, component));
            across / BLOCK * (down / BLOCK)
        };
        // A block's samples, and its extremes.
        frame.components.iter().map(blocks).sum::<usize>() * (BLOCK * BLOCK + 2)
    }

    /// Takes in the pixels of a whole image, each of 1 to 4 bytes: gray, gray and opacity, red, green and blue, and these and
    /// opacity. What is opaque or not is left out, as Pillow leaves it out.
    pub(crate) fn fill(&mut self, size: Size, pixels: &[u8], bytes: usize) {
        let Size { width, height } = size;
        let components = if bytes < 3 { 1 } else { 3 };
        (self.width, self.height) = (width, height);
        self.colour = if components == 1 { Colour::Gray } else { Colour::Rgb };
        self.cut_off.clear();
        self.planes.resize_with(components, Plane::default);
        for (component, plane) in self.planes.iter_mut().enumerate() {
            plane.fill(size, pixels[component..].iter().step_by(bytes).copied());
        }
    }

    pub(super) fn lay_out(&mut self, frame: &Frame, colour: Colour, units: &Units, scale: Scale) {
        (self.width, self.height, self.colour) = (frame.width, frame.height, colour);
        self.cut_off.clear();
        self.planes.resize_with(frame.components.len(), Plane::default);
        for (component, plane) in self.planes.iter_mut().enumerate() {
            plane.lay_out(frame, component, units, scale);
        }
    }
}

impl Default for Planes {
    fn default() -> Planes {
        Planes::new()
    }
}

/// The units (MCUs) that hold what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Units {
    pub(super) left: usize,
    pub(super) right: usize,
    pub(super) top: usize,
    pub(super) bottom: usize,
}

impl Units {
    /// Those that `region` needs: also the sample beside its edge, from which components with fewer samples are drawn out.
    pub(super) fn around(frame: &Frame, region: Region) -> Units {
        let (horizontal, vertical) = frame.factors_max();
        let (across, down) = frame.units();
        let (unit_width, unit_height) = (BLOCK * horizontal, BLOCK * vertical);
        let margin = |factor: usize| if factor == 1 { 0 } else { factor };
        Units {
            left: region.left.saturating_sub(margin(horizontal)) / unit_width,
            right: (region.left + region.width + margin(horizontal)).div_ceil(unit_width).min(across),
            top: region.top.saturating_sub(margin(vertical)) / unit_height,
            bottom: (region.top + region.height + margin(vertical)).div_ceil(unit_height).min(down),
        }
    }

    pub(super) fn contain(&self, x: usize, y: usize) -> bool {
        (self.left..self.right).contains(&x) && (self.top..self.bottom).contains(&y)
    }
}

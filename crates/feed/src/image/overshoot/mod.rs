//! Colours that cannot be: where luminance and colour add up to more than 255 or less than 0, a decoder cuts off before anything
//! is resized. Resizing luminance and colour apart does not; so what is cut off is found here, pixel by pixel, and resized as the
//! components are, where there is any.
//!
//! Pixels are looked at in tiles, the blocks of luminance, and a row of tiles is resized before the next is looked at. A tile is
//! looked at closely only where the least and the greatest of its samples could add up to such a colour.

mod bounds;
mod colours;
mod tiles;

use std::ops::Range;

use super::axis::{Axis, WEIGHT_BITS};
use super::jpeg::Planes;
use super::jpeg::Region;
use super::lanes::{LANES, Lanes, group_mut};
use super::render::{HALFWAY_BITS, Halfway, column_sums};
use bounds::{Bounds, Extremes, extremes, usual};
use colours::{Columns, Rows};
use tiles::Tiles;

/// What may be cut off from a tile without being noticed: the mean square, in steps of a sample. Rounding alone leaves 0.2 (55 dB);
/// with this for every tile, which no image has, it would be 50 dB.
const IGNORED: f32 = 0.3;
/// Bits after the point of what is cut off: a smoothed sample of colour is a sum of sixteenths.
const BITS: u32 = 4;
/// Pairs of columns in a tile, which is a block of luminance; its rows are a group.
const TILE_PAIRS: usize = LANES / 2;
/// A vector of eight rows in two columns, one column behind the other.
type Two = [i16; 2 * LANES];

/// What is cut off from an image's colours, resized along the rows.
#[derive(Default)]
pub(super) struct Overshoot {
    /// For each eight rows of the plane and each eight outputs of a row, what `halfway` holds there.
    bands: Vec<Held>,
    /// For each eight rows, whether anything is cut off.
    cut_bands: Vec<bool>,
    first_row: usize,
    groups: usize,
    /// For each output row and eight outputs, whether anything is cut off.
    dirty_outputs: Vec<bool>,
    /// Red, green and blue.
    halfway: [Halfway; 3],
    tiles: Tiles,
    /// From which columns those of luminance are drawn, for each difference of colour.
    columns: [Columns; 2],
    /// For each eight outputs, the first tile they take and the one behind the last.
    reach: Vec<(usize, usize)>,
}

/// What lies in a part of what comes halfway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    /// What was there before.
    Anything,
    /// Zeros.
    Nothing,
    /// What is cut off.
    Cut,
}

impl Overshoot {
    /// Nothing is cut off.
    pub(super) fn clear(&mut self) {
        self.dirty_outputs.clear();
    }

    /// Finds what is cut off in `region`, for rows `first` to `end` of the luminance's plane, which has a sample for each pixel.
    #[inline(always)]
    pub(super) fn find<L: Lanes>(
        &mut self,
        lanes: L,
        planes: &Planes,
        region: Region,
        across: &Axis,
        down: &Axis,
        (first, end): (usize, usize),
    ) {
        let [luminance, blueness, redness] = &planes.planes[..] else { return };
        let left = region.left - luminance.first_column;
        let right = left + region.width;
        let top = region.top - luminance.first_row;
        let bottom = top + region.height;
        self.lay_out(across, left..right, (first, end));
        let [blue_columns, red_columns] = &mut self.columns;
        let pairs = self.tiles.first_pair..right.div_ceil(2);
        blue_columns.lay_out(luminance, blueness, pairs.clone());
        red_columns.lay_out(luminance, redness, pairs);
        let mut any = false;
        for row in (first..end).step_by(LANES) {
            let (blue_rows, red_rows) = (Rows::new(luminance, blueness, row), Rows::new(luminance, redness, row));
            self.tiles.lay_rows(row, top..bottom);
            let mut any_cut = false;
            // What no tile of this row can be past, whatever its colours.
            let usual = usual(&self.columns, [blueness, redness], [&blue_rows, &red_rows]);
            for tile in 0..self.tiles.dirty.len() {
                let pair = self.tiles.first_pair + tile * TILE_PAIRS;
                let pairs = pair..(pair + TILE_PAIRS).min(right.div_ceil(2));
                let [blue_columns, red_columns] = &self.columns;
                let (least, greatest) = luminance.extremes(2 * pair, row);
                if least >= usual.0 && greatest <= usual.1 {
                    continue;
                }
                let bright = Extremes::of((least, greatest));
                let blue = extremes(blueness, &blue_columns.tiles[tile], &blue_rows);
                let red = extremes(redness, &red_columns.tiles[tile], &red_rows);
                let bounds = Bounds::of(blue, red);
                if bounds.are_past(bright) {
                    let [blue, red] = &mut self.tiles.colours;
                    blue.draw(lanes, blueness, &blue_rows, blue_columns.tiles[tile].clone());
                    red.draw(lanes, redness, &red_rows, red_columns.tiles[tile].clone());
                    let is_cut = self.tiles.look_closely(lanes, (luminance, row), &self.columns, &pairs);
                    self.tiles.dirty[tile] = is_cut;
                    any_cut |= is_cut;
                }
            }
            if any_cut {
                self.cut_bands[(row - first) / LANES] = true;
                self.resize(lanes, across, row);
                self.tiles.clean();
                any = true;
            }
        }
        if any {
            self.mark_outputs(down);
        }
    }

    /// Makes room for a region of pairs of columns and rows.
    fn lay_out(&mut self, across: &Axis, columns: Range<usize>, rows: (usize, usize)) {
        self.tiles.lay_out(columns);
        let first_pair = self.tiles.first_pair;
        self.first_row = rows.0;
        self.groups = across.outputs.div_ceil(LANES);
        self.bands.clear();
        self.bands.resize(self.groups * (rows.1 - rows.0) / LANES, Held::Anything);
        self.cut_bands.clear();
        self.cut_bands.resize((rows.1 - rows.0) / LANES, false);
        self.halfway.iter_mut().for_each(|halfway| halfway.lay_out(across.outputs, rows));
        self.reach.clear();
        self.reach.extend((0..self.groups).map(|group| {
            let outputs = group * LANES..((group + 1) * LANES).min(across.outputs);
            let (first, end) = across.reach(outputs);
            ((first - first_pair) / TILE_PAIRS, (end - first_pair).div_ceil(TILE_PAIRS))
        }));
    }

    /// Resizes a row of tiles, for the outputs that take in any that are cut off from.
    #[inline(always)]
    fn resize<L: Lanes>(&mut self, lanes: L, across: &Axis, row: usize) {
        let shift = BITS + WEIGHT_BITS - HALFWAY_BITS;
        for group in 0..self.groups {
            let (first, end) = self.reach[group];
            if !self.tiles.dirty[first..end].iter().any(|dirty| *dirty) {
                continue;
            }
            self.bands[(row - self.first_row) / LANES * self.groups + group] = Held::Cut;
            for (halfway, cut) in self.halfway.iter_mut().zip(&self.tiles.cut) {
                let mut tile = [lanes.whole(0); LANES];
                for (column, done) in tile.iter_mut().enumerate() {
                    let (start, weights) = across.output(group * LANES + column);
                    let mut sums = lanes.whole(1 << (shift - 1));
                    // What fills up the last group takes nothing from nowhere.
                    for (place, weights) in weights.iter().enumerate() {
                        let samples = lanes.load_pairs(&cut[start + place - self.tiles.first_pair]);
                        sums = lanes.add_whole(sums, lanes.weigh_pairs(samples, *weights));
                    }
                    *done = lanes.shift_down(sums, shift);
                }
                let mut at = halfway.place(group * LANES, row);
                for pairs in lanes.turn_to_pairs(tile) {
                    lanes.store_pairs(pairs, group_mut(&mut halfway.numbers, at));
                    at += 2 * halfway.width;
                }
            }
        }
    }

    /// Marks the outputs that take in anything, and clears what they take in beside it.
    fn mark_outputs(&mut self, down: &Axis) {
        self.dirty_outputs.resize(down.outputs * self.groups, false);
        for output in 0..down.outputs {
            let (start, weights) = down.output(output);
            let (first, last) = (2 * start, 2 * (start + weights.len()) - 1);
            let bands = (first - self.first_row) / LANES..=(last - self.first_row) / LANES;
            if !bands.clone().any(|band| self.cut_bands[band]) {
                continue;
            }
            for group in 0..self.groups {
                let is_dirty = bands.clone().any(|band| self.bands[band * self.groups + group] == Held::Cut);
                if !is_dirty {
                    continue;
                }
                self.dirty_outputs[output * self.groups + group] = true;
                for band in bands.clone() {
                    if self.bands[band * self.groups + group] == Held::Anything {
                        self.clear_band(band, group);
                    }
                }
            }
        }
    }

    fn clear_band(&mut self, band: usize, group: usize) {
        self.bands[band * self.groups + group] = Held::Nothing;
        for halfway in &mut self.halfway {
            for row in (0..LANES).step_by(2) {
                let at = halfway.place(group * LANES, self.first_row + band * LANES + row);
                halfway.numbers[at..][..2 * LANES].fill(0);
            }
        }
    }

    /// Whether anything is cut off from eight outputs.
    #[inline(always)]
    pub(super) fn is_in(&self, y: usize, x: usize) -> bool {
        !self.dirty_outputs.is_empty() && self.dirty_outputs[y * self.groups + x / LANES]
    }

    /// What is cut off from eight outputs, in the steps of resized components.
    #[inline(always)]
    pub(super) fn sum<L: Lanes>(&self, lanes: L, down: &Axis, channel: usize, y: usize, x: usize) -> L::Whole {
        let [sum] = column_sums::<L, 1>(lanes, down, &self.halfway[channel], y, x);
        sum
    }
}

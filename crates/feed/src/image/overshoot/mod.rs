//! Colours that cannot be: where luminance and colour add up to more than 255 or less than 0, a decoder cuts off before anything
//! is resized. Resizing luminance and colour apart does not; so what is cut off is found here, pixel by pixel, and resized as the
//! components are, where there is any.
//!
//! Pixels are looked at in tiles, the blocks of luminance, and a row of tiles is resized before the next is looked at. A tile is
//! looked at closely only where the least and the greatest of its samples could add up to such a colour.

mod bounds;
mod colours;
mod marks;
mod tiles;

use std::ops::Range;

use super::axis::{Axis, WEIGHT_BITS};
use super::halfway::{HALFWAY_BITS, Halfway, column_sums};
use super::jpeg::{Colour, Plane, Planes, Region};
use super::lanes::{LANES, Lanes, group_mut};
use bounds::{Bounds, Extremes, extremes, usual};
use colours::{Columns, Rows};
use marks::Marks;
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
    /// For each eight rows of the plane, the outputs that anything is cut off from, and those that were cleared in `halfway`.
    cut: Marks,
    cleared: Marks,
    first_row: usize,
    groups: usize,
    /// For each output row, the outputs that anything is cut off from; empty where nothing is from any.
    dirty_outputs: Marks,
    /// Red, green and blue.
    halfway: [Halfway; 3],
    tiles: Tiles,
    /// From which columns those of luminance are drawn, for each difference of colour.
    columns: [Columns; 2],
    /// For each eight outputs, the first tile they take and the one behind the last.
    reach: Vec<(usize, usize)>,
}

/// A part of an image whose colours can be cut off.
struct Part<'a> {
    luminance: &'a Plane,
    /// Blueness and redness.
    colours: [&'a Plane; 2],
    /// Columns and rows of luminance, told from the first that are stored.
    columns: Range<usize>,
    rows: Range<usize>,
}

impl<'a> Part<'a> {
    /// That part, where there are luminance and colours. Where luminance has fewer samples than the image has pixels, which no
    /// encoder writes, nothing is cut off before the end.
    fn of(planes: &'a Planes, region: Region) -> Option<Part<'a>> {
        let [luminance, blueness, redness] = &planes.planes[..] else { return None };
        if planes.colour != Colour::YCbCr || (luminance.step_x, luminance.step_y) != (1, 1) {
            return None;
        }
        let (left, top) = (region.left - luminance.first_column, region.top - luminance.first_row);
        let (columns, rows) = (left..left + region.width, top..top + region.height);
        Some(Part { luminance, colours: [blueness, redness], columns, rows })
    }
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
        let Some(part) = Part::of(planes, region) else { return };
        self.lay_out(across, part.columns.clone(), (first, end));
        self.lay_out_colours(&part);
        let mut any = false;
        for row in (first..end).step_by(LANES) {
            if self.look_at(lanes, planes, &part, row) {
                self.resize(lanes, across, row);
                self.tiles.clean();
                any = true;
            }
        }
        if any {
            self.mark_outputs(down);
        }
    }

    /// Finds the blocks of luminance from which anything is cut off, in planes of a whole image: for whoever draws it often.
    #[inline(always)]
    pub(super) fn survey<L: Lanes>(&mut self, lanes: L, planes: &mut Planes) {
        planes.cut_off.clear();
        let whole = Region { left: 0, top: 0, width: planes.width, height: planes.height };
        let Some(part) = Part::of(planes, whole) else { return };
        let (blocks, rows) = (part.columns.end.div_ceil(LANES), part.luminance.rows_stored());
        let mut cut_off = vec![false; blocks * (rows / LANES)];
        self.tiles.lay_out(part.columns.clone());
        self.lay_out_colours(&part);
        for row in (0..rows).step_by(LANES) {
            if self.look_at(lanes, planes, &part, row) {
                for (block, is_cut) in self.tiles.dirty.iter().enumerate() {
                    cut_off[row / LANES * blocks + block] = *is_cut;
                }
                self.tiles.clean();
            }
        }
        planes.cut_off = cut_off;
    }

    /// Looks at the tiles of a row; whether anything is cut off from any.
    #[inline(always)]
    fn look_at<L: Lanes>(&mut self, lanes: L, planes: &Planes, part: &Part<'_>, row: usize) -> bool {
        let Part { luminance, colours: [blueness, redness], .. } = *part;
        let (blue_rows, red_rows) = (Rows::new(luminance, blueness, row), Rows::new(luminance, redness, row));
        self.tiles.lay_rows(row, part.rows.clone());
        let known = &planes.cut_off;
        let usual =
            if known.is_empty() { usual(&self.columns, part.colours, [&blue_rows, &red_rows]) } else { (0, 255) };
        // A row of what is known, from this part's first tile on.
        let known_from = row / LANES * planes.width.div_ceil(LANES) + part.columns.start / LANES;
        let mut any = false;
        for tile in 0..self.tiles.dirty.len() {
            let pair = self.tiles.first_pair + tile * TILE_PAIRS;
            let [blue_columns, red_columns] = &self.columns;
            let (blue, red) = (&blue_columns.tiles[tile], &red_columns.tiles[tile]);
            let may_be_cut = if known.is_empty() {
                let bright @ (least, greatest) = luminance.extremes(2 * pair, row);
                let is_usual = least >= usual.0 && greatest <= usual.1;
                !is_usual
                    && Bounds::of(extremes(blueness, blue, &blue_rows), extremes(redness, red, &red_rows))
                        .are_past(Extremes::of(bright))
            } else {
                // From a part of it, no more is cut off than from all.
                known[known_from + tile]
            };
            if may_be_cut {
                let pairs = pair..(pair + TILE_PAIRS).min(part.columns.end.div_ceil(2));
                let [drawn_blue, drawn_red] = &mut self.tiles.colours;
                drawn_blue.draw(lanes, blueness, &blue_rows, blue.clone());
                drawn_red.draw(lanes, redness, &red_rows, red.clone());
                let is_cut = self.tiles.look_closely(lanes, (luminance, row), &self.columns, &pairs);
                self.tiles.dirty[tile] = is_cut;
                any |= is_cut;
            }
        }
        any
    }

    /// Notes from which columns of colour those of luminance are drawn.
    fn lay_out_colours(&mut self, part: &Part<'_>) {
        for (columns, plane) in self.columns.iter_mut().zip(part.colours) {
            columns.lay_out(part.luminance, plane, self.tiles.first_pair..part.columns.end.div_ceil(2));
        }
    }

    /// Makes room for a region of pairs of columns and rows.
    fn lay_out(&mut self, across: &Axis, columns: Range<usize>, rows: (usize, usize)) {
        self.tiles.lay_out(columns);
        let first_pair = self.tiles.first_pair;
        self.first_row = rows.0;
        self.groups = across.outputs.div_ceil(LANES);
        self.cut.lay_out((rows.1 - rows.0) / LANES, self.groups);
        self.cleared.lay_out((rows.1 - rows.0) / LANES, self.groups);
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
            self.cut.set((row - self.first_row) / LANES, group);
            for (halfway, cut) in self.halfway.iter_mut().zip(&self.tiles.cut) {
                let mut tile = [lanes.whole(0); LANES];
                for (column, done) in tile.iter_mut().enumerate() {
                    let (start, weights) = across.output(group * LANES + column);
                    let mut sums = lanes.whole(1 << (shift - 1));
                    // What fills up the last group takes nothing from nowhere.
                    for (place, weights) in weights.iter().enumerate() {
                        let samples = lanes.load_pairs(&cut[start + place - self.tiles.first_pair]);
                        sums = lanes.add_weighed(sums, samples, *weights);
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
        self.dirty_outputs.lay_out(down.outputs, self.groups);
        for output in 0..down.outputs {
            let (start, weights) = down.output(output);
            let (first, last) = (2 * start, 2 * (start + weights.len()) - 1);
            let bands = (first - self.first_row) / LANES..=(last - self.first_row) / LANES;
            for word in 0..self.cut.words() {
                let dirty = bands.clone().fold(0, |dirty, band| dirty | self.cut.word(band, word));
                if dirty == 0 {
                    continue;
                }
                self.dirty_outputs.add(output, word, dirty);
                for band in bands.clone() {
                    let unknown = dirty & !self.cut.word(band, word) & !self.cleared.word(band, word);
                    for place in marks::each(unknown) {
                        self.clear_band(band, word * u64::BITS as usize + place);
                    }
                    self.cleared.add(band, word, unknown);
                }
            }
        }
    }

    /// Clears what comes halfway in eight rows of eight outputs.
    fn clear_band(&mut self, band: usize, group: usize) {
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
        !self.dirty_outputs.is_empty() && self.dirty_outputs.is_set(y, x / LANES)
    }

    /// What is cut off from eight outputs, in the steps of resized components.
    #[inline(always)]
    pub(super) fn sum<L: Lanes>(&self, lanes: L, down: &Axis, channel: usize, y: usize, x: usize) -> L::Whole {
        let [sum] = column_sums::<L, 1>(lanes, down, &self.halfway[channel], y, x);
        sum
    }
}

//! Colours that cannot be: where luminance and colour add up to more than 255 or less than 0, a decoder cuts off before anything
//! is resized. Resizing luminance and colour apart does not; so what is cut off is found here, pixel by pixel, and resized as the
//! components are, where there is any.
//!
//! Pixels are looked at in tiles, the blocks of luminance, and a row of tiles is resized before the next is looked at. A tile is
//! looked at closely only where the least and the greatest of its samples could add up to such a colour.

use std::ops::Range;

use super::axis::{Axis, Sampling, WEIGHT_BITS};
use super::jpeg::{Plane, Planes, Region};
use super::lanes::{LANES, Lanes, group_mut};
use super::mix::{BLUE_OF_BLUENESS, GREEN_OF_BLUENESS, GREEN_OF_REDNESS, RED_OF_REDNESS};
use super::render::{HALFWAY_BITS, Halfway, column_sums};

/// What may be cut off from a tile without being noticed: the mean square, in steps of a sample. Rounding alone leaves 0.2 (55 dB);
/// with this for every tile, which no image has, it would be 50 dB.
const IGNORED: f32 = 0.3;
/// Bits after the point of what is cut off: a smoothed sample of colour is a sum of sixteenths.
const BITS: u32 = 4;
/// Pairs of columns in a tile, which is a block of luminance; its rows are a group.
const TILE_PAIRS: usize = LANES / 2;
/// Samples of colour that a tile may reach in a row, in pairs: as many as it has, and one beside them on each side.
const REACH_PAIRS_MAX: usize = TILE_PAIRS + 2;
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

/// A row of tiles: what is cut off from red, green and blue in each pair of columns, as planes have it.
#[derive(Default)]
struct Tiles {
    cut: [Vec<Two>; 3],
    /// Those with anything.
    dirty: Vec<bool>,
    first_pair: usize,
    /// The columns and rows that are drawn. Beside them, what colours there are hangs on how much of the image was decoded.
    columns: Range<usize>,
    rows: [i16; LANES],
    /// Blueness and redness of the tile that is looked at.
    colours: [Drawn; 2],
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

impl Tiles {
    /// Makes room for some columns of luminance.
    fn lay_out(&mut self, columns: Range<usize>) {
        self.first_pair = columns.start / LANES * TILE_PAIRS;
        let pairs = columns.end.div_ceil(2) - self.first_pair;
        for cut in &mut self.cut {
            // What was there was left clean.
            cut.resize(pairs, [0; 2 * LANES]);
        }
        self.dirty.clear();
        self.dirty.resize(pairs.div_ceil(TILE_PAIRS), false);
        self.columns = columns;
    }

    /// Goes to the tiles that begin in a row, where some rows are drawn.
    fn lay_rows(&mut self, row: usize, drawn: Range<usize>) {
        for (lane, mask) in self.rows.iter_mut().enumerate() {
            *mask = -i16::from(drawn.contains(&(row + lane)));
        }
    }

    /// For the next row.
    fn clean(&mut self) {
        for tile in 0..self.dirty.len() {
            if self.dirty[tile] {
                self.dirty[tile] = false;
                self.clean_tile(tile * TILE_PAIRS..((tile + 1) * TILE_PAIRS).min(self.cut[0].len()));
            }
        }
    }

    fn clean_tile(&mut self, places: Range<usize>) {
        for cut in &mut self.cut {
            cut[places.clone()].fill([0; 2 * LANES]);
        }
    }

    /// Finds what is cut off from each pixel of some pairs of columns, and keeps it if it is as much as to be noticed anywhere;
    /// whether it is.
    #[inline(always)]
    fn look_closely<L: Lanes>(
        &mut self,
        lanes: L,
        (luminance, row): (&Plane, usize),
        [blue_columns, red_columns]: &[Columns; 2],
        pairs: &Range<usize>,
    ) -> bool {
        let (low, high) = (lanes.short(0), lanes.short(255 << BITS));
        let (least, most) = (lanes.short(-ENOUGH), lanes.short(ENOUGH));
        let middle = lanes.short(MIDDLE);
        let part = |part: f32| lanes.short((part * 65_536.0) as i16);
        let red_of_redness = part(RED_OF_REDNESS - 1.0);
        let (green_of_blueness, green_of_redness) = (part(GREEN_OF_BLUENESS), part(1.0 + GREEN_OF_REDNESS));
        let blue_of_blueness = part(BLUE_OF_BLUENESS - 2.0);
        let mut squares = lanes.whole(0);
        let mut cut = [[lanes.short(0); TILE_PAIRS]; 3];
        for (place, pair) in pairs.clone().enumerate() {
            let bright = lanes.pick(luminance.eight(pair, row), &COLUMN_BY_COLUMN);
            let bright = lanes.multiply_short(bright, lanes.short(1 << BITS));
            let [blue, red] = &self.colours;
            let blue = lanes.subtract_short(blue.two(lanes, blue_columns, pair - self.first_pair), middle);
            let red = lanes.subtract_short(red.two(lanes, red_columns, pair - self.first_pair), middle);
            let none = [0; LANES];
            let [is_first, is_second] = [2 * pair, 2 * pair + 1].map(|column| self.columns.contains(&column));
            let mask =
                lanes.join(if is_first { &self.rows } else { &none }, if is_second { &self.rows } else { &none });
            let with_red = lanes.add_short(bright, lanes.add_short(red, lanes.multiply_upper(red, red_of_redness)));
            let of_both = lanes
                .add_short(lanes.multiply_upper(blue, green_of_blueness), lanes.multiply_upper(red, green_of_redness));
            let with_both = lanes.add_short(bright, lanes.subtract_short(of_both, red));
            let twice = lanes.add_short(blue, blue);
            let with_blue =
                lanes.add_short(bright, lanes.add_short(twice, lanes.multiply_upper(blue, blue_of_blueness)));
            let colours = [with_red, with_both, with_blue];
            for channel in 0..3 {
                let colour = colours[channel];
                let past = lanes.subtract_short(lanes.clamp_short(colour, low, high), colour);
                let past = lanes.mask_short(past, mask);
                cut[channel][place] = past;
                let enough = lanes.clamp_short(past, least, most);
                squares = lanes.add_whole(squares, lanes.square_pairs(enough));
            }
        }
        let is_noticed = lanes.sum_whole(squares) > (IGNORED * TILE_SAMPLES * (1 << (2 * BITS)) as f32) as i32;
        if is_noticed {
            for (cut, kept) in cut.iter().zip(&mut self.cut) {
                let first = pairs.start - self.first_pair;
                for (cut, kept) in cut.iter().zip(&mut kept[first..pairs.end - self.first_pair]) {
                    *kept = lanes.pair_up(*cut);
                }
            }
        }
        is_noticed
    }
}

/// From pairs beside each other to one column behind the other.
const COLUMN_BY_COLUMN: [u8; 2 * LANES] = [0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15];
/// Samples of a tile, of all colours.
const TILE_SAMPLES: f32 = (3 * LANES * LANES) as f32;
/// A single sample from which that much is cut off is noticed; what is more is not counted.
const ENOUGH: i16 = 1 << 9;
/// No colour.
const MIDDLE: i16 = 128 << BITS;

/// The least and the greatest of some samples.
#[derive(Clone, Copy)]
struct Extremes {
    least: f32,
    greatest: f32,
}

impl Extremes {
    #[inline(always)]
    fn of((least, greatest): (u8, u8)) -> Extremes {
        Extremes { least: f32::from(least), greatest: f32::from(greatest) }
    }
}

/// Those of the blocks of colour from which a tile is drawn.
#[inline(always)]
fn extremes(plane: &Plane, pairs: &Range<usize>, rows: &Rows) -> Extremes {
    // A block has as many pixels as a tile or more, so that these are all.
    let (left, right) = (2 * pairs.start, 2 * pairs.end - 1);
    let mut both = plane.extremes(left, rows.top);
    for (column, row) in [(left, rows.bottom), (right, rows.top), (right, rows.bottom)] {
        let (least, greatest) = plane.extremes(column, row);
        both = (both.0.min(least), both.1.max(greatest));
    }
    Extremes::of(both)
}

/// Between which luminances no colour of a row of tiles is past the end.
#[inline(always)]
fn usual(columns: &[Columns; 2], planes: [&Plane; 2], rows: [&Rows; 2]) -> (u8, u8) {
    let mut both = [Extremes { least: 0.0, greatest: 0.0 }; 2];
    for (index, both) in both.iter_mut().enumerate() {
        let (first, end) = match &columns[index].tiles[..] {
            [] => return (0, 255),
            [first, .., last] => (first.start, last.end),
            [only] => (only.start, only.end),
        };
        let (mut least, mut greatest) = (255, 0);
        for row in [rows[index].top, rows[index].bottom] {
            for column in (2 * first / LANES * LANES..2 * end).step_by(LANES) {
                let here = planes[index].extremes(column, row);
                (least, greatest) = (here.0.min(least), here.1.max(greatest));
            }
        }
        *both = Extremes::of((least, greatest));
    }
    let (mut low, mut high) = (0.0_f32, 255.0_f32);
    for bound in &Bounds::of(both[0], both[1]).0 {
        (low, high) = (low.max(-bound.least), high.min(255.0 - bound.greatest));
    }
    // Casts cut off at 0 and 255.
    (low.ceil() as u8, high.floor() as u8)
}

/// For red, green and blue, the most that a tile's colour takes from luminance and the most that it adds.
struct Bounds([Extremes; 3]);

impl Bounds {
    #[inline(always)]
    fn of(blue: Extremes, red: Extremes) -> Bounds {
        let blue = Extremes { least: blue.least - 128.0, greatest: blue.greatest - 128.0 };
        let red = Extremes { least: red.least - 128.0, greatest: red.greatest - 128.0 };
        Bounds([
            Extremes { least: RED_OF_REDNESS * red.least, greatest: RED_OF_REDNESS * red.greatest },
            Extremes {
                least: GREEN_OF_BLUENESS * blue.greatest + GREEN_OF_REDNESS * red.greatest,
                greatest: GREEN_OF_BLUENESS * blue.least + GREEN_OF_REDNESS * red.least,
            },
            Extremes { least: BLUE_OF_BLUENESS * blue.least, greatest: BLUE_OF_BLUENESS * blue.greatest },
        ])
    }

    /// Whether more than what is ignored might be cut off, were all luminance as bright or as dark as some is.
    #[inline(always)]
    fn are_past(&self, bright: Extremes) -> bool {
        let mut squares = 0.0;
        for bound in &self.0 {
            let past = (bright.greatest + bound.greatest - 255.0).max(-(bright.least + bound.least)).max(0.0);
            squares += past * past;
        }
        squares > 3.0 * IGNORED
    }
}

/// From which rows of a plane of colour eight rows of luminance are drawn.
struct Rows {
    /// The first of eight that hold them all, and the last of them.
    top: usize,
    bottom: usize,
    /// For eight rows of one column and then of the next, the places of the nearer and the farther samples.
    near: [u8; 2 * LANES],
    far: [u8; 2 * LANES],
    /// What a nearer and a farther sample weigh, in quarters.
    weights: [i16; 2],
}

impl Rows {
    #[inline(always)]
    fn new(luminance: &Plane, plane: &Plane, row: usize) -> Rows {
        let down = Sampling::down(plane);
        let mut from = [[(0, 0.0); 2]; LANES];
        let (mut top, mut bottom) = (plane.rows_stored() - LANES, 0);
        for (lane, from) in from.iter_mut().enumerate() {
            *from = down.of(luminance.first_row + row + lane);
            top = top.min(from[0].0).min(from[1].0);
            bottom = bottom.max(from[0].0).max(from[1].0);
        }
        let weights = if down.smooth { [3, 1] } else { [4, 0] };
        let mut rows = Rows { top, bottom, near: [0; 2 * LANES], far: [0; 2 * LANES], weights };
        for (lane, [(near, _), (far, _)]) in from.into_iter().enumerate() {
            let (near, far) = (2 * (near - top) as u8, 2 * (far - top) as u8);
            (rows.near[lane], rows.near[LANES + lane]) = (near, near + 1);
            (rows.far[lane], rows.far[LANES + lane]) = (far, far + 1);
        }
        rows
    }
}

/// From which columns of a plane of colour those of luminance are drawn.
#[derive(Default)]
struct Columns {
    /// For each tile, the plane's pairs that hold them all.
    tiles: Vec<Range<usize>>,
    /// For two columns each, the nearer and the farther column.
    from: Vec<[(u32, u32); 2]>,
    /// What they weigh, in quarters.
    weights: [i16; 2],
}

impl Columns {
    fn lay_out(&mut self, luminance: &Plane, plane: &Plane, pairs: Range<usize>) {
        let across = Sampling::across(plane);
        self.weights = if across.smooth { [3, 1] } else { [4, 0] };
        self.from.clear();
        self.tiles.clear();
        for pair in pairs {
            let pixel = luminance.first_column + 2 * pair;
            let mut from = [(0, 0); 2];
            for (column, from) in from.iter_mut().enumerate() {
                let [(own, _), (beside, _)] = across.of(pixel + column);
                *from = (own as u32, beside as u32);
            }
            let first = from[0].0.min(from[0].1) as usize / 2;
            let end = from[1].0.max(from[1].1) as usize / 2 + 1;
            if self.from.len().is_multiple_of(TILE_PAIRS) {
                self.tiles.push(first..end);
            } else if let Some(tile) = self.tiles.last_mut() {
                tile.end = end;
            }
            self.from.push(from);
        }
    }
}

/// Samples of colour of a tile, drawn out to its eight rows of luminance, in quarters.
#[derive(Default)]
struct Drawn {
    /// The plane's column that comes first.
    first: usize,
    drawn: [[i16; LANES]; 2 * REACH_PAIRS_MAX],
}

impl Drawn {
    #[inline(always)]
    fn draw<L: Lanes>(&mut self, lanes: L, plane: &Plane, rows: &Rows, pairs: Range<usize>) {
        self.first = 2 * pairs.start;
        for (pair, [one, other]) in pairs.zip(self.drawn.as_chunks_mut().0) {
            let samples = plane.eight(pair, rows.top);
            let near = lanes.multiply_short(lanes.pick(samples, &rows.near), lanes.short(rows.weights[0]));
            let far = lanes.multiply_short(lanes.pick(samples, &rows.far), lanes.short(rows.weights[1]));
            [*one, *other] = lanes.split(lanes.add_short(near, far));
        }
    }

    /// The colours of two columns of luminance, in sixteenths.
    #[inline(always)]
    fn two<L: Lanes>(&self, lanes: L, columns: &Columns, pair: usize) -> L::Pairs {
        let [nearer, farther] = columns.weights;
        let [(own, beside), (next_own, next_beside)] = columns.from[pair];
        let near = lanes.join(self.column(own), self.column(next_own));
        let far = lanes.join(self.column(beside), self.column(next_beside));
        let near = lanes.multiply_short(near, lanes.short(nearer));
        lanes.add_short(near, lanes.multiply_short(far, lanes.short(farther)))
    }

    #[inline(always)]
    fn column(&self, column: u32) -> &[i16; LANES] {
        &self.drawn[column as usize - self.first]
    }
}

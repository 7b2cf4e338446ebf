//! A row of tiles: what is cut off from each of their pixels.

use std::ops::Range;

use super::colours::{Columns, Drawn};
use super::{BITS, IGNORED, TILE_PAIRS, Two};
use crate::image::jpeg::Plane;
use crate::image::lanes::{LANES, Lanes};
use crate::image::mix::{BLUE_OF_BLUENESS, GREEN_OF_BLUENESS, GREEN_OF_REDNESS, RED_OF_REDNESS};

/// A row of tiles: what is cut off from red, green and blue in each pair of columns, as planes have it.
#[derive(Default)]
pub(super) struct Tiles {
    pub(super) cut: [Vec<Two>; 3],
    /// Those with anything.
    pub(super) dirty: Vec<bool>,
    pub(super) first_pair: usize,
    /// The columns and rows that are drawn. Beside them, what colours there are hangs on how much of the image was decoded.
    pub(super) columns: Range<usize>,
    pub(super) rows: [i16; LANES],
    /// Blueness and redness of the tile that is looked at.
    pub(super) colours: [Drawn; 2],
}

impl Tiles {
    /// Makes room for some columns of luminance.
    pub(super) fn lay_out(&mut self, columns: Range<usize>) {
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
    pub(super) fn lay_rows(&mut self, row: usize, drawn: Range<usize>) {
        for (lane, mask) in self.rows.iter_mut().enumerate() {
            *mask = -i16::from(drawn.contains(&(row + lane)));
        }
    }

    /// For the next row.
    pub(super) fn clean(&mut self) {
        for tile in 0..self.dirty.len() {
            if self.dirty[tile] {
                self.dirty[tile] = false;
                self.clean_tile(tile * TILE_PAIRS..((tile + 1) * TILE_PAIRS).min(self.cut[0].len()));
            }
        }
    }

    pub(super) fn clean_tile(&mut self, places: Range<usize>) {
        for cut in &mut self.cut {
            cut[places.clone()].fill([0; 2 * LANES]);
        }
    }

    /// Finds what is cut off from each pixel of some pairs of columns, and keeps it if it is as much as to be noticed anywhere;
    /// whether it is.
    #[inline(always)]
    pub(super) fn look_closely<L: Lanes>(
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

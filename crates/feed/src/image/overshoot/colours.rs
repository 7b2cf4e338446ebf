//! Samples of colour, drawn out to the pixels of luminance as the reference decoder does.

use std::ops::Range;

use super::TILE_PAIRS;
use crate::image::axis::Sampling;
use crate::image::jpeg::Plane;
use crate::image::lanes::{LANES, Lanes};

/// Samples of colour that a tile may reach in a row, in pairs: as many as it has, and one beside them on each side.
const REACH_PAIRS_MAX: usize = TILE_PAIRS + 2;

/// From which rows of a plane of colour eight rows of luminance are drawn.
pub(super) struct Rows {
    /// The first of eight that hold them all, and the last of them.
    pub(super) top: usize,
    pub(super) bottom: usize,
    /// For eight rows of one column and then of the next, the places of the nearer and the farther samples.
    pub(super) near: [u8; 2 * LANES],
    pub(super) far: [u8; 2 * LANES],
    /// What a nearer and a farther sample weigh, in quarters.
    pub(super) weights: [i16; 2],
}

impl Rows {
    #[inline(always)]
    pub(super) fn new(luminance: &Plane, plane: &Plane, row: usize) -> Rows {
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
pub(super) struct Columns {
    /// For each tile, the plane's pairs that hold them all.
    pub(super) tiles: Vec<Range<usize>>,
    /// For two columns each, the nearer and the farther column.
    pub(super) from: Vec<[(u32, u32); 2]>,
    /// What they weigh, in quarters.
    pub(super) weights: [i16; 2],
}

impl Columns {
    pub(super) fn lay_out(&mut self, luminance: &Plane, plane: &Plane, pairs: Range<usize>) {
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
pub(super) struct Drawn {
    /// The plane's column that comes first.
    pub(super) first: usize,
    pub(super) drawn: [[i16; LANES]; 2 * REACH_PAIRS_MAX],
}

impl Drawn {
    #[inline(always)]
    pub(super) fn draw<L: Lanes>(&mut self, lanes: L, plane: &Plane, rows: &Rows, pairs: Range<usize>) {
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
    pub(super) fn two<L: Lanes>(&self, lanes: L, columns: &Columns, pair: usize) -> L::Pairs {
        let [nearer, farther] = columns.weights;
        let [(own, beside), (next_own, next_beside)] = columns.from[pair];
        let near = lanes.join(self.column(own), self.column(next_own));
        let far = lanes.join(self.column(beside), self.column(next_beside));
        let near = lanes.multiply_short(near, lanes.short(nearer));
        lanes.add_short(near, lanes.multiply_short(far, lanes.short(farther)))
    }

    #[inline(always)]
    pub(super) fn column(&self, column: u32) -> &[i16; LANES] {
        &self.drawn[column as usize - self.first]
    }
}

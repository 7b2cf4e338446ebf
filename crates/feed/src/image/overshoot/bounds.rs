//! What the least and the greatest samples of blocks say about the colours of their pixels.

use std::ops::Range;

use super::IGNORED;
use super::colours::{Columns, Rows};
use crate::image::jpeg::Plane;
use crate::image::lanes::LANES;
use crate::image::mix::{BLUE_OF_BLUENESS, GREEN_OF_BLUENESS, GREEN_OF_REDNESS, RED_OF_REDNESS};

/// The least and the greatest of some samples.
#[derive(Clone, Copy)]
pub(super) struct Extremes {
    pub(super) least: f32,
    pub(super) greatest: f32,
}

impl Extremes {
    #[inline(always)]
    pub(super) fn of((least, greatest): (u8, u8)) -> Extremes {
        Extremes { least: f32::from(least), greatest: f32::from(greatest) }
    }
}

/// Those of the blocks of colour from which a tile is drawn.
#[inline(always)]
pub(super) fn extremes(plane: &Plane, pairs: &Range<usize>, rows: &Rows) -> Extremes {
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
pub(super) fn usual(columns: &[Columns; 2], planes: [&Plane; 2], rows: [&Rows; 2]) -> (u8, u8) {
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
pub(super) struct Bounds([Extremes; 3]);

impl Bounds {
    #[inline(always)]
    pub(super) fn of(blue: Extremes, red: Extremes) -> Bounds {
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
    pub(super) fn are_past(&self, bright: Extremes) -> bool {
        let mut squares = 0.0;
        for bound in &self.0 {
            let past = (bright.greatest + bound.greatest - 255.0).max(-(bright.least + bound.least)).max(0.0);
            squares += past * past;
        }
        squares > 3.0 * IGNORED
    }
}

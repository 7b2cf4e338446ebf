//! Half of a resize: along the rows, which leaves numbers that lie along the rows; and what is summed of these along the columns.

use super::axis::{Axis, WEIGHT_BITS};
use super::jpeg::Plane;
use super::lanes::{LANES, Lanes, group_mut};

/// Bits after the point of what comes halfway: 255 and these fill 15 bits.
pub(super) const HALFWAY_BITS: u32 = 7;

/// Something that was resized along the rows.
#[derive(Default)]
pub(super) struct Halfway {
    /// Rows two by two, each two samples of a column beside each other.
    pub(super) numbers: Vec<i16>,
    /// The first pair of the plane's rows that is there.
    pub(super) first_pair: usize,
    /// Samples of a row, in whole groups.
    pub(super) width: usize,
}

impl Halfway {
    /// Makes room for rows `first` to `end`; what lay there stays until it is written.
    pub(super) fn lay_out(&mut self, outputs: usize, (first, end): (usize, usize)) {
        self.width = outputs.next_multiple_of(LANES);
        self.first_pair = first / 2;
        // It only grows: to make it smaller and then larger again would be to write it in between.
        let needed = self.width * (end - first);
        if self.numbers.len() < needed {
            self.numbers.resize(needed, 0);
        }
    }

    /// Where eight outputs of a row of pairs lie.
    #[inline(always)]
    pub(super) fn place(&self, x: usize, row: usize) -> usize {
        (row - 2 * self.first_pair) * self.width + 2 * x
    }
}

/// The rows of a plane that an axis takes in, in whole groups: samples are stored in blocks of eight rows.
pub(super) fn rows(down: &Axis) -> (usize, usize) {
    let (first, end) = down.reach(0..down.outputs);
    (2 * first / LANES * LANES, (2 * end).next_multiple_of(LANES))
}

/// Resizes a plane along its rows, for the rows that `down` takes.
#[inline(always)]
pub(super) fn along_rows<L: Lanes>(lanes: L, plane: &Plane, across: &Axis, down: &Axis, halfway: &mut Halfway) {
    let (first, end) = rows(down);
    halfway.lay_out(across.outputs, (first, end));
    let width = halfway.width;
    for x in (0..width).step_by(LANES) {
        let mut y = first;
        // Four groups of rows at a time, so that a column's weights are taken in once for them.
        while y + 4 * LANES <= end {
            strip::<L, 4>(lanes, plane, across, halfway, x, y);
            y += 4 * LANES;
        }
        while y < end {
            strip::<L, 1>(lanes, plane, across, halfway, x, y);
            y += LANES;
        }
    }
}

/// Eight neighbouring outputs of some groups of rows.
#[inline(always)]
fn strip<L: Lanes, const GROUPS: usize>(
    lanes: L,
    plane: &Plane,
    across: &Axis,
    halfway: &mut Halfway,
    x: usize,
    y: usize,
) {
    let shift = WEIGHT_BITS - HALFWAY_BITS;
    let mut tiles = [[lanes.whole(0); LANES]; GROUPS];
    for column in 0..LANES {
        let (start, weights) = across.output(x + column);
        let mut sums = [lanes.whole(1 << (shift - 1)); GROUPS];
        for (pair, weights) in (start..).zip(weights) {
            let (samples, _) = plane.pair(pair)[2 * y..][..2 * LANES * GROUPS].as_chunks::<{ 2 * LANES }>();
            for (sum, samples) in sums.iter_mut().zip(samples) {
                *sum = lanes.add_weighed(*sum, lanes.widen_pairs(samples), *weights);
            }
        }
        for (tile, sum) in tiles.iter_mut().zip(sums) {
            tile[column] = lanes.shift_down(sum, shift);
        }
    }
    let mut at = halfway.place(x, y);
    for tile in tiles {
        for pairs in lanes.turn_to_pairs(tile) {
            lanes.store_pairs(pairs, group_mut(&mut halfway.numbers, at));
            at += 2 * halfway.width;
        }
    }
}

/// Groups of neighbours in row `y` of the output, of one component; a sample's step is 2 to the bits of both resizes.
#[inline(always)]
pub(super) fn column_sums<L: Lanes, const GROUPS: usize>(
    lanes: L,
    down: &Axis,
    halfway: &Halfway,
    y: usize,
    x: usize,
) -> [L::Whole; GROUPS] {
    let (start, weights) = down.output(y);
    let mut sums = [lanes.whole(0); GROUPS];
    let mut at = halfway.place(x, 2 * start);
    for weights in weights {
        let (samples, _) = halfway.numbers[at..][..2 * LANES * GROUPS].as_chunks::<{ 2 * LANES }>();
        for (sum, samples) in sums.iter_mut().zip(samples) {
            *sum = lanes.add_weighed(*sum, lanes.load_pairs(samples), *weights);
        }
        at += 2 * halfway.width;
    }
    sums
}

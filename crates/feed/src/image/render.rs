//! From planes to what a model is fed: resized, mirrored, in red, green and blue, normalised.
//!
//! The resize works on luminance and colour as they were coded, and colours are mixed once for each pixel that comes out. First
//! along the rows, on vectors of neighbours in a column, which is how planes lie; what comes halfway lies along the rows, so that
//! the resize along the columns, the colours and what is written do too. Both resizes multiply whole numbers in pairs: one
//! instruction for sixteen products. What is lost by rounding is below a hundredth of a step of a sample.

use super::axis::{Axis, Filter, Sampling, Stretch, WEIGHT_BITS};
use super::jpeg::{Colour, Plane, Planes, Region};
use super::lanes::{LANES, Lanes, group_mut, with_lanes};
use super::mix::Mix;
use super::overshoot::Overshoot;

/// Bits after the point of what comes halfway: 255 and these fill 15 bits.
pub(super) const HALFWAY_BITS: u32 = 7;

/// What comes out for each channel: `sample * scale + offset`, the sample from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalise {
    pub(super) scale: [f32; 3],
    pub(super) offset: [f32; 3],
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
    filters: [Filter; 2],
    components: [Component; 3],
    overshoot: Overshoot,
}

/// One component on its way.
#[derive(Default)]
struct Component {
    across: Axis,
    down: Axis,
    /// How its samples stand to the pixels, both ways.
    samplings: [Sampling; 2],
    halfway: Halfway,
}

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
    pub(super) fn place(&self, x: usize, row: usize) -> usize {
        (row - 2 * self.first_pair) * self.width + 2 * x
    }
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
        render(self, planes, region, target, normalise, output);
    }

    /// Notes in the planes of a whole image what is found anew each time otherwise. It changes nothing about what is drawn.
    pub fn survey(&mut self, planes: &mut Planes) {
        survey(self, planes);
    }
}

with_lanes! {
    fn survey(renderer: &mut Renderer, planes: &mut Planes) = survey_with
}

#[inline(always)]
fn survey_with<L: Lanes>(lanes: L, renderer: &mut Renderer, planes: &mut Planes) {
    renderer.overshoot.survey(lanes, planes);
}

with_lanes! {
    fn render(
        renderer: &mut Renderer,
        planes: &Planes,
        region: Region,
        target: Target,
        normalise: &Normalise,
        output: &mut [f32],
    ) = render_with
}

#[inline(always)]
fn render_with<L: Lanes>(
    lanes: L,
    renderer: &mut Renderer,
    planes: &Planes,
    region: Region,
    target: Target,
    normalise: &Normalise,
    output: &mut [f32],
) {
    let Target { width, height, mirrored } = target;
    fetch(lanes, planes, region);
    renderer.filters[0].draw(Stretch { start: region.left, length: region.width, outputs: width, mirrored });
    renderer.filters[1].draw(Stretch { start: region.top, length: region.height, outputs: height, mirrored: false });
    for (index, plane) in planes.planes.iter().enumerate() {
        draw_axes(&renderer.filters, &mut renderer.components, index, plane);
        let component = &mut renderer.components[index];
        along_rows(lanes, plane, &component.across, &component.down, &mut component.halfway);
    }
    renderer.overshoot.clear();
    let component = &renderer.components[0];
    let rows = rows(&component.down);
    renderer.overshoot.find(lanes, planes, region, &component.across, &component.down, rows);
    along_columns(lanes, renderer, planes.colour, target, normalise, output);
}

/// Has the samples fetched that a region is drawn from: they may have been kept for long.
#[inline(always)]
fn fetch<L: Lanes>(lanes: L, planes: &Planes, region: Region) {
    for plane in &planes.planes {
        let first = region.left / plane.step_x - plane.first_column;
        let end = ((region.left + region.width).div_ceil(plane.step_x) - plane.first_column).min(plane.columns);
        let top = region.top / plane.step_y - plane.first_row;
        let bottom = ((region.top + region.height).div_ceil(plane.step_y) - plane.first_row).min(plane.rows);
        for pair in first / 2..end.div_ceil(2) {
            lanes.fetch(&plane.pair(pair)[2 * top..2 * bottom]);
        }
    }
}

/// Draws the axes of one component; they are copied where the one before it is sampled alike.
fn draw_axes(filters: &[Filter; 2], components: &mut [Component; 3], index: usize, plane: &Plane) {
    let samplings = [Sampling::across(plane), Sampling::down(plane)];
    let (before, component) = components.split_at_mut(index);
    let component = &mut component[0];
    component.samplings = samplings;
    match before.last() {
        Some(before) if before.samplings == samplings => {
            component.across.clone_from(&before.across);
            component.down.clone_from(&before.down);
        }
        _ => {
            component.across.draw(&filters[0], samplings[0]);
            component.down.draw(&filters[1], samplings[1]);
        }
    }
}

/// The rows of a plane that an axis takes in, in whole groups: samples are stored in blocks of eight rows.
fn rows(down: &Axis) -> (usize, usize) {
    let (first, end) = down.reach(0..down.outputs);
    (2 * first / LANES * LANES, (2 * end).next_multiple_of(LANES))
}

/// Resizes a plane along its rows, for the rows that `down` takes.
#[inline(always)]
fn along_rows<L: Lanes>(lanes: L, plane: &Plane, across: &Axis, down: &Axis, halfway: &mut Halfway) {
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

/// Resizes all components along their columns, mixes the colours, and writes them.
#[inline(always)]
fn along_columns<L: Lanes>(
    lanes: L,
    from: &Renderer,
    colour: Colour,
    target: Target,
    normalise: &Normalise,
    output: &mut [f32],
) {
    let Target { width, height, .. } = target;
    let (red, rest) = output.split_at_mut(width * height);
    let (green, blue) = rest.split_at_mut(width * height);
    let mix = Mix::new(lanes, colour, normalise, 1.0 / (1_u32 << (WEIGHT_BITS + HALFWAY_BITS)) as f32);
    for y in 0..height {
        let rows = [&mut red[y * width..][..width], &mut green[y * width..][..width], &mut blue[y * width..][..width]];
        let mut row = Row { from, mix: &mix, colour, y, rows };
        let mut x = 0;
        while x + 4 * LANES <= width {
            row.draw::<4>(lanes, x);
            x += 4 * LANES;
        }
        while x < width {
            row.draw::<1>(lanes, x);
            x += LANES;
        }
    }
    lanes.settle();
}

/// A row of the output being drawn.
struct Row<'a, L: Lanes> {
    from: &'a Renderer,
    mix: &'a Mix<L>,
    colour: Colour,
    y: usize,
    /// Red, green and blue.
    rows: [&'a mut [f32]; 3],
}

impl<L: Lanes> Row<'_, L> {
    /// Draws some groups of neighbours.
    #[inline(always)]
    fn draw<const GROUPS: usize>(&mut self, lanes: L, x: usize) {
        let Row { from, mix, y, .. } = *self;
        let [first, second, third] = &from.components;
        let luminance = column_sums::<L, GROUPS>(lanes, &first.down, &first.halfway, y, x);
        let mut rgb = [[lanes.floats(0.0); 3]; GROUPS];
        // No closures here: they are not compiled for the vectors.
        if self.colour == Colour::Gray {
            for group in 0..GROUPS {
                rgb[group] = mix.gray(lanes, luminance[group]);
            }
        } else {
            let blueness = column_sums::<L, GROUPS>(lanes, &second.down, &second.halfway, y, x);
            let redness = column_sums::<L, GROUPS>(lanes, &third.down, &third.halfway, y, x);
            for group in 0..GROUPS {
                rgb[group] = mix.colours(lanes, luminance[group], blueness[group], redness[group]);
            }
        }
        for (group, channels) in rgb.into_iter().enumerate() {
            let x = x + group * LANES;
            let is_cut = from.overshoot.is_in(y, x);
            for (channel, mut samples) in channels.into_iter().enumerate() {
                if is_cut {
                    let cut = from.overshoot.sum(lanes, &first.down, channel, y, x);
                    samples = mix.add_to(lanes, channel, samples, cut);
                }
                let done = mix.clamp(lanes, channel, samples);
                let row = &mut *self.rows[channel];
                if let Some(out) = row.get_mut(x..x + LANES).and_then(<[f32]>::first_chunk_mut) {
                    lanes.store_past(done, out);
                } else {
                    let mut last = [0.0; LANES];
                    lanes.store(done, &mut last);
                    let count = row.len() - x;
                    row[x..].copy_from_slice(&last[..count]);
                }
            }
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
    let mut at = 2 * ((start - halfway.first_pair) * halfway.width + x);
    for weights in weights {
        let (samples, _) = halfway.numbers[at..][..2 * LANES * GROUPS].as_chunks::<{ 2 * LANES }>();
        for (sum, samples) in sums.iter_mut().zip(samples) {
            *sum = lanes.add_weighed(*sum, lanes.load_pairs(samples), *weights);
        }
        at += 2 * halfway.width;
    }
    sums
}

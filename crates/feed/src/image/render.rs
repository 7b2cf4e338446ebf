//! From planes to what a model is fed: resized, mirrored, in red, green and blue, normalised.
//!
//! The resize works on luminance and colour as they were coded, and colours are mixed once for each pixel that comes out. First
//! along the rows, on vectors of neighbours in a column, which is how planes lie; what comes halfway lies along the rows, so that
//! the resize along the columns, the colours and what is written do too. Both resizes multiply whole numbers in pairs: one
//! instruction for sixteen products. What is lost by rounding is below a hundredth of a step of a sample.

use std::time::{Duration, Instant};

use super::axis::{Axis, Filter, Sampling, Stretch, WEIGHT_BITS};
use super::halfway::{HALFWAY_BITS, Halfway, along_rows, column_sums, rows};
use super::jpeg::{Colour, Plane, Planes, Region};
use super::lanes::{LANES, Lanes, with_lanes};
use super::mix::{Mix, Normalise};
use super::overshoot::Overshoot;

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
    /// What was spent on finding, in images that were not surveyed, what is cut off.
    finding: Duration,
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

    /// What was spent so far on what a survey would have spared.
    pub fn finding(&self) -> Duration {
        self.finding
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
    let start = planes.cut_off.is_empty().then(Instant::now);
    renderer.overshoot.find(lanes, planes, region, &component.across, &component.down, rows);
    renderer.finding += start.map_or(Duration::ZERO, |start| start.elapsed());
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

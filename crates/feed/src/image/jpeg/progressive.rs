//! Images that come in several scans: progressive ones, and sequential ones with a scan for each component. All coefficients are
//! read first, then those blocks are transformed that are asked for.

use super::bits::Bits;
use super::error::JpegError;
use super::frame::{BLOCK, Coding, Component, Frame, Scan};
use super::huffman::{AcTable, DcTable, PAST_THE_BLOCK};
use super::idct;
use super::planes::{Planes, Units};
use super::scale::Scale;
use super::segments::Segments;
use super::sequential::ZIGZAG;
use crate::image::lanes::{Lanes, with_lanes};

/// The coefficients of one component, block by block in rows, each block in the order of the code.
#[derive(Default)]
struct Blocks {
    coefficients: Vec<[i16; 64]>,
    /// Blocks in a row: whole units.
    across: usize,
    /// Blocks that belong to the image, which is what a scan of this component alone holds (A.2.2).
    own_across: usize,
    own_down: usize,
}

/// The coefficients of an image; the buffers are used again.
#[derive(Default)]
pub(super) struct Coefficients {
    components: Vec<Blocks>,
}

/// The tables that a scan may use, by number.
pub(super) struct ScanTables<'a> {
    pub(super) dc: [Option<&'a DcTable>; 4],
    pub(super) ac: [Option<&'a AcTable>; 4],
}

impl Coefficients {
    /// Bytes of the coefficients of an image.
    pub(super) fn bytes_of(frame: &Frame) -> usize {
        let (across, down) = frame.units();
        let blocks = |component: &Component| across * component.horizontal * down * component.vertical;
        frame.components.iter().map(blocks).sum::<usize>() * size_of::<[i16; 64]>()
    }

    pub(super) fn clear(&mut self, frame: &Frame) {
        let (units_across, units_down) = frame.units();
        self.components.resize_with(frame.components.len(), Blocks::default);
        for (blocks, component) in self.components.iter_mut().zip(&frame.components) {
            let (width, height) = frame.samples(component);
            blocks.across = units_across * component.horizontal;
            (blocks.own_across, blocks.own_down) = (width.div_ceil(BLOCK), height.div_ceil(BLOCK));
            blocks.coefficients.clear();
            blocks.coefficients.resize(blocks.across * units_down * component.vertical, [0; 64]);
        }
    }

    /// Reads one scan.
    pub(super) fn read(
        &mut self,
        frame: &Frame,
        scan: &Scan,
        tables: &ScanTables<'_>,
        segments: &Segments,
        restart_interval: usize,
    ) -> Result<(), JpegError> {
        let step = Step::of(frame, scan)?;
        let (across, down) = match &scan.components[..] {
            [only] => (self.components[only.component].own_across, self.components[only.component].own_down),
            _ => frame.units(),
        };
        let interval = if restart_interval == 0 { across * down } else { restart_interval };
        for segment in 0..(across * down).div_ceil(interval) {
            let mut bits = Bits::new(segments.get(segment));
            let mut state = State::default();
            let range = segment * interval..(across * down).min((segment + 1) * interval);
            let mut done = Ok(());
            for unit in range {
                done =
                    self.read_unit(frame, scan, tables, &step, &mut bits, &mut state, (unit % across, unit / across));
                if done.is_err() || bits.overran() {
                    break;
                }
            }
            if bits.overran() {
                return Err(JpegError::Truncated { reading: "its pixels" });
            }
            done?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the inner step of one loop, which alone calls it")]
    fn read_unit(
        &mut self,
        frame: &Frame,
        scan: &Scan,
        tables: &ScanTables<'_>,
        step: &Step,
        bits: &mut Bits<'_>,
        state: &mut State,
        (x, y): (usize, usize),
    ) -> Result<(), JpegError> {
        let alone = scan.components.len() == 1;
        for (index, part) in scan.components.iter().enumerate() {
            let component = &frame.components[part.component];
            let (horizontal, vertical) = if alone { (1, 1) } else { (component.horizontal, component.vertical) };
            let dc = || tables.dc[part.dc].ok_or(NO_TABLE);
            let ac = || tables.ac[part.ac].ok_or(NO_TABLE);
            let blocks = &mut self.components[part.component];
            for row in 0..vertical {
                for column in 0..horizontal {
                    let place = (y * vertical + row) * blocks.across + x * horizontal + column;
                    let block = &mut blocks.coefficients[place];
                    let prediction = &mut state.predictions[index];
                    match step {
                        Step::Whole => whole(bits, dc()?, ac()?, prediction, block)?,
                        Step::DcFirst { low } => {
                            *prediction = dc()?.difference(bits)?.wrapping_add(*prediction);
                            block[0] = (*prediction << low) as i16;
                        }
                        Step::DcMore { low } => {
                            bits.fill();
                            block[0] |= (bits.take(1) << low) as i16;
                        }
                        Step::AcFirst { first, last, low } => {
                            ac_first(bits, ac()?, &mut state.ends, block, *first, *last, *low)?;
                        }
                        Step::AcMore { first, last, low } => {
                            ac_more(bits, ac()?, &mut state.ends, block, *first, *last, *low)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Transforms the blocks that are asked for into planes that were laid out for them.
    pub(super) fn transform(
        &self,
        frame: &Frame,
        quantisation: &[&[u16; 64]],
        looked_at: (&Units, Scale),
        planes: &mut Planes,
    ) {
        transform(self, frame, quantisation, looked_at, planes);
    }

    #[inline(always)]
    fn transform_with<L: Lanes>(
        &self,
        lanes: L,
        frame: &Frame,
        quantisation: &[&[u16; 64]],
        (units, scale): (&Units, Scale),
        planes: &mut Planes,
    ) {
        for (index, component) in frame.components.iter().enumerate() {
            let blocks = &self.components[index];
            let scale = scale.of(frame, component);
            let (left, right) = (units.left * component.horizontal, units.right * component.horizontal);
            let (top, bottom) = (units.top * component.vertical, units.bottom * component.vertical);
            for y in top..bottom {
                for x in left..right {
                    let mut block = [0; 64];
                    let coded = &blocks.coefficients[y * blocks.across + x];
                    for (place, (value, quantum)) in ZIGZAG.iter().zip(coded.iter().zip(quantisation[index])) {
                        block[usize::from(*place)] = i32::from(*value) * i32::from(*quantum);
                    }
                    let plane = &mut planes.planes[index];
                    if scale == Scale::Whole {
                        plane.put(lanes, x - left, y - top, &idct::inverse(lanes, &block));
                    } else {
                        plane.put_smaller(scale, x - left, y - top, &block);
                    }
                }
            }
        }
    }
}

with_lanes! {
    fn transform(
        coefficients: &Coefficients,
        frame: &Frame,
        quantisation: &[&[u16; 64]],
        looked_at: (&Units, Scale),
        planes: &mut Planes,
    ) = transform_with
}

#[inline(always)]
fn transform_with<L: Lanes>(
    lanes: L,
    coefficients: &Coefficients,
    frame: &Frame,
    quantisation: &[&[u16; 64]],
    looked_at: (&Units, Scale),
    planes: &mut Planes,
) {
    coefficients.transform_with(lanes, frame, quantisation, looked_at, planes);
}

const NO_TABLE: JpegError = JpegError::Corrupt { what: "a scan uses a Huffman table that was not told" };

/// What a scan does to each block (G.1.2).
enum Step {
    /// A sequential scan: everything at once.
    Whole,
    DcFirst {
        low: u32,
    },
    DcMore {
        low: u32,
    },
    AcFirst {
        first: usize,
        last: usize,
        low: u32,
    },
    AcMore {
        first: usize,
        last: usize,
        low: u32,
    },
}

impl Step {
    fn of(frame: &Frame, scan: &Scan) -> Result<Step, JpegError> {
        if frame.coding == Coding::Sequential {
            return Ok(Step::Whole);
        }
        let corrupt = Err(JpegError::Corrupt { what: "a progressive scan names coefficients or bits that cannot be" });
        let Scan { first, last, high, low, .. } = *scan;
        if low > 13 || high > 13 || last > 63 || first > last || (high != 0 && high != low + 1) {
            return corrupt;
        }
        match (first, high) {
            (0, _) if last != 0 => corrupt,
            (0, 0) => Ok(Step::DcFirst { low }),
            (0, _) => Ok(Step::DcMore { low }),
            _ if scan.components.len() != 1 => corrupt,
            (_, 0) => Ok(Step::AcFirst { first, last, low }),
            _ => Ok(Step::AcMore { first, last, low }),
        }
    }
}

/// What is carried from block to block until a restart.
#[derive(Default)]
struct State {
    predictions: [i32; 4],
    /// Blocks to come that have no more coefficients in this scan (EOBRUN).
    ends: u32,
}

fn whole(
    bits: &mut Bits<'_>,
    dc: &DcTable,
    ac: &AcTable,
    prediction: &mut i32,
    block: &mut [i16; 64],
) -> Result<(), JpegError> {
    *prediction = dc.difference(bits)?.wrapping_add(*prediction);
    block[0] = *prediction as i16;
    let mut index = 1;
    while index < 64 {
        let (run, value) = ac.coefficient(bits)?;
        index += run;
        if index > 63 {
            return if run == super::huffman::END_OF_BLOCK_RUN { Ok(()) } else { Err(PAST_THE_BLOCK) };
        }
        block[index] = value as i16;
        index += 1;
    }
    Ok(())
}

/// G.1.2.2: coefficients told for the first time, but for their `low` lowest bits.
fn ac_first(
    bits: &mut Bits<'_>,
    table: &AcTable,
    ends: &mut u32,
    block: &mut [i16; 64],
    first: usize,
    last: usize,
    low: u32,
) -> Result<(), JpegError> {
    if *ends > 0 {
        *ends -= 1;
        return Ok(());
    }
    let mut index = first;
    while index <= last {
        let symbol = table.symbol(bits)?;
        let (run, size) = (symbol >> 4, u32::from(symbol & 15));
        if size == 0 && run < 15 {
            *ends = (1 << run) - 1 + bits.take(u32::from(run)) as u32;
            return Ok(());
        }
        index += usize::from(run);
        if index > last {
            return Err(PAST_THE_BLOCK);
        }
        block[index] = (bits.value(size) << low) as i16;
        index += 1;
    }
    Ok(())
}

/// G.1.2.3: one more bit of coefficients that are known, and those that become known with this bit.
fn ac_more(
    bits: &mut Bits<'_>,
    table: &AcTable,
    ends: &mut u32,
    block: &mut [i16; 64],
    first: usize,
    last: usize,
    low: u32,
) -> Result<(), JpegError> {
    let bit = 1_i16 << low;
    let mut index = first;
    if *ends == 0 {
        while index <= last {
            let symbol = table.symbol(bits)?;
            let (mut run, size) = (usize::from(symbol >> 4), symbol & 15);
            let new = match size {
                0 if run < 15 => {
                    *ends = (1 << run) + bits.take(run as u32) as u32;
                    break;
                }
                0 => 0,
                1 => {
                    if bits.take(1) == 1 {
                        bit
                    } else {
                        -bit
                    }
                }
                _ => {
                    return Err(JpegError::Corrupt {
                        what: "a refining scan tells a new coefficient of more than one bit",
                    });
                }
            };
            // Passes over `run` coefficients that are zero still, refining those that are not.
            loop {
                if index > last {
                    return if new == 0 { Ok(()) } else { Err(PAST_THE_BLOCK) };
                }
                if block[index] != 0 {
                    refine(bits, &mut block[index], bit);
                } else if run == 0 {
                    block[index] = new;
                    index += 1;
                    break;
                } else {
                    run -= 1;
                }
                index += 1;
            }
        }
    }
    if *ends > 0 {
        for coefficient in block.iter_mut().take(last + 1).skip(index).filter(|coefficient| **coefficient != 0) {
            refine(bits, coefficient, bit);
        }
        *ends -= 1;
    }
    Ok(())
}

fn refine(bits: &mut Bits<'_>, coefficient: &mut i16, bit: i16) {
    bits.fill();
    if bits.take(1) == 1 && *coefficient & bit == 0 {
        *coefficient = coefficient.wrapping_add(if *coefficient > 0 { bit } else { -bit });
    }
}

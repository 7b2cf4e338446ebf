//! Sequential images whose components come together in one scan, which is what most are: each block goes straight from bits to
//! samples, and blocks outside what is asked for are passed over.

use super::bits::Bits;
use super::error::JpegError;
use super::frame::{Frame, Scan};
use super::huffman::{AcTable, DcTable, END_OF_BLOCK_RUN, PAST_THE_BLOCK};
use super::idct;
use super::planes::{Planes, Units};
use super::scale::Scale;
use super::segments::Segments;
use crate::image::lanes::{Lanes, with_lanes};

/// The place of each coefficient in rows of eight, in the order in which they are coded (figure A.6).
pub(super) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// What one component is decoded with.
pub(super) struct Coder<'a> {
    pub(super) dc: &'a DcTable,
    pub(super) ac: &'a AcTable,
    /// In the order of the code.
    pub(super) quantisation: &'a [u16; 64],
    pub(super) horizontal: usize,
    pub(super) vertical: usize,
    pub(super) scale: Scale,
}

/// Everything about a scan that decoding it needs.
pub(super) struct Job<'a> {
    pub(super) frame: &'a Frame,
    pub(super) scan: &'a Scan,
    pub(super) coders: &'a [Coder<'a>],
    pub(super) segments: &'a Segments,
    pub(super) restart_interval: usize,
    pub(super) units: Units,
}

with_lanes! {
    /// Decodes the units that are asked for into planes that were laid out for them.
    pub(super) fn decode(job: &Job<'_>, planes: &mut Planes) -> Result<(), JpegError> = decode_with
}

#[inline(always)]
fn decode_with<L: Lanes>(lanes: L, job: &Job<'_>, planes: &mut Planes) -> Result<(), JpegError> {
    let (across, down) = job.frame.units();
    let units = &job.units;
    let interval = if job.restart_interval == 0 { across * down } else { job.restart_interval };
    let first_wanted = units.top * across + units.left;
    let end = (units.bottom - 1) * across + units.right;
    // Behind a restart marker nothing depends on what was before it.
    for segment in first_wanted / interval..end.div_ceil(interval) {
        let mut bits = Bits::new(job.segments.get(segment));
        let range = segment * interval..end.min((segment + 1) * interval);
        let done = decode_segment(lanes, job, planes, &mut bits, range);
        if bits.overran() {
            return Err(JpegError::Truncated { reading: "its pixels" });
        }
        done?;
    }
    Ok(())
}

#[inline(always)]
fn decode_segment<L: Lanes>(
    lanes: L,
    job: &Job<'_>,
    planes: &mut Planes,
    bits: &mut Bits<'_>,
    range: std::ops::Range<usize>,
) -> Result<(), JpegError> {
    let (across, _) = job.frame.units();
    let mut predictions = [0; 4];
    let mut block = [0; 64];
    let (mut x, mut y) = (range.start % across, range.start / across);
    for _ in range {
        if job.units.contain(x, y) {
            let (unit_x, unit_y) = (x - job.units.left, y - job.units.top);
            for (index, coder) in job.coders.iter().enumerate() {
                let plane = &mut planes.planes[job.scan.components[index].component];
                for row in 0..coder.vertical {
                    for column in 0..coder.horizontal {
                        let last = read_block(bits, coder, &mut predictions[index], &mut block)?;
                        let (x, y) = (unit_x * coder.horizontal + column, unit_y * coder.vertical + row);
                        if coder.scale == Scale::Whole {
                            let samples =
                                if last == 0 { [[idct::flat(block[0]); 16]; 4] } else { idct::inverse(lanes, &block) };
                            plane.put(lanes, x, y, &samples);
                        } else {
                            plane.put_smaller(coder.scale, x, y, &block);
                        }
                        block = [0; 64];
                    }
                }
            }
        } else {
            for (index, coder) in job.coders.iter().enumerate() {
                for _ in 0..coder.vertical * coder.horizontal {
                    predictions[index] = coder.dc.difference(bits)?.wrapping_add(predictions[index]);
                    coder.ac.pass(bits)?;
                }
            }
        }
        x += 1;
        if x == across {
            (x, y) = (0, y + 1);
        }
    }
    Ok(())
}

/// Reads the coefficients of a block that is all zeros, dequantised; the number of the last that was coded.
#[inline(always)]
fn read_block(
    bits: &mut Bits<'_>,
    coder: &Coder<'_>,
    prediction: &mut i32,
    block: &mut [i32; 64],
) -> Result<usize, JpegError> {
    *prediction = coder.dc.difference(bits)?.wrapping_add(*prediction);
    block[0] = prediction.wrapping_mul(i32::from(coder.quantisation[0]));
    let (mut index, mut last) = (1, 0);
    while index < 64 {
        let (run, value) = coder.ac.coefficient(bits)?;
        index += run;
        if index > 63 {
            return if run == END_OF_BLOCK_RUN { Ok(last) } else { Err(PAST_THE_BLOCK) };
        }
        block[usize::from(ZIGZAG[index])] = value * i32::from(coder.quantisation[index]);
        last = index;
        index += 1;
    }
    Ok(last)
}

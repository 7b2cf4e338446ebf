//! From a file to planes.

use std::sync::Arc;

use super::error::JpegError;
use super::frame::{Coding, Frame, Marker, Scan, Tables};
use super::huffman::{AcTable, DcTable};
use super::known::Known;
use super::planes::{Planes, Size, Units};
use super::progressive::{Coefficients, ScanTables};
use super::scale::{Look, Scale};
use super::segments::Segments;
use super::sequential::{self, Coder, Job};

/// Decodes one image after the other; its buffers and tables serve the next.
pub struct Decoder {
    pixels_max: u64,
    known: Known,
    segments: Segments,
    coefficients: Coefficients,
}

/// The size of the image in `file`.
///
/// # Errors
///
/// Where the headers cannot be read, or the image is of a kind that is not decoded.
pub fn size(file: &[u8]) -> Result<Size, JpegError> {
    let (_, frame, _) = headers(file)?;
    Ok(Size { width: frame.width, height: frame.height })
}

impl Decoder {
    /// A decoder that refuses images of more than `pixels_max` pixels before it makes room for them.
    pub fn new(pixels_max: u64) -> Decoder {
        Decoder {
            pixels_max,
            known: Known::default(),
            segments: Segments::default(),
            coefficients: Coefficients::default(),
        }
    }

    /// Decodes what is looked at of the image in `file`, which is chosen when the image's size is known, in `room` bytes; that size.
    ///
    /// # Errors
    ///
    /// Where the file is no JPEG, ends early, contradicts the standard, is of a kind that is not decoded, or takes more room. The planes
    /// then hold nothing of use.
    ///
    /// # Panics
    ///
    /// Where the region is empty or reaches out of the image.
    pub fn decode<L: Into<Look>>(
        &mut self,
        file: &[u8],
        look: impl FnOnce(Size) -> L,
        room: usize,
        planes: &mut Planes,
    ) -> Result<Size, JpegError> {
        let (mut tables, frame, mut at) = headers(file)?;
        let (width, height) = (frame.width, frame.height);
        if (width * height) as u64 > self.pixels_max {
            let (width, height) = (width as u32, height as u32);
            return Err(JpegError::TooLarge { width, height, pixels_max: self.pixels_max });
        }
        let colour = tables.colour(&frame)?;
        let Look { region, scale } = look(Size { width, height }).into();
        assert!(region.width > 0 && region.height > 0, "a region is not empty");
        assert!(
            region.left + region.width <= width && region.top + region.height <= height,
            "a region lies in its image"
        );
        let units = Units::around(&frame, region);
        let (scan, data) = first_scan(file, &mut tables, &mut at, &frame)?;
        let is_at_once = frame.coding == Coding::Sequential && scan.components.len() == frame.components.len();
        // The scan's data lie in segments of their own, without what they are stuffed with.
        let bytes = file.len()
            + Planes::bytes_of(&frame, &units, scale)
            + if is_at_once { 0 } else { Coefficients::bytes_of(&frame) };
        if bytes > room {
            return Err(JpegError::NoRoom { bytes });
        }
        planes.lay_out(&frame, colour, &units, scale);
        if is_at_once {
            self.segments.read(file, data);
            self.decode_at_once(&frame, &scan, &tables, (units, scale), planes)?;
        } else {
            self.decode_scans(file, &frame, (scan, data), &mut tables, (units, scale), planes)?;
        }
        Ok(Size { width, height })
    }

    fn decode_at_once(
        &mut self,
        frame: &Frame,
        scan: &Scan,
        tables: &Tables,
        (units, scale): (Units, Scale),
        planes: &mut Planes,
    ) -> Result<(), JpegError> {
        let missing = JpegError::Corrupt { what: "a scan uses a table that was not told" };
        let mut laid_out: Vec<(Arc<DcTable>, Arc<AcTable>)> = Vec::with_capacity(scan.components.len());
        for part in &scan.components {
            let dc = tables.dc[part.dc].as_ref().ok_or(missing.clone())?;
            let ac = tables.ac[part.ac].as_ref().ok_or(missing.clone())?;
            laid_out.push((self.known.dc(dc)?, self.known.ac(ac)?));
        }
        let mut coders = Vec::with_capacity(scan.components.len());
        for (part, (dc, ac)) in scan.components.iter().zip(&laid_out) {
            let component = &frame.components[part.component];
            coders.push(Coder {
                dc,
                ac,
                quantisation: tables.quantisation[component.quantisation].as_ref().ok_or(missing.clone())?,
                horizontal: component.horizontal,
                vertical: component.vertical,
                scale: scale.of(frame, component),
            });
        }
        let job = Job {
            frame,
            scan,
            coders: &coders,
            segments: &self.segments,
            restart_interval: tables.restart_interval,
            units,
        };
        sequential::decode(&job, planes)
    }

    fn decode_scans(
        &mut self,
        file: &[u8],
        frame: &Frame,
        first: (Scan, usize),
        tables: &mut Tables,
        (units, scale): (Units, Scale),
        planes: &mut Planes,
    ) -> Result<(), JpegError> {
        self.coefficients.clear(frame);
        // Tables of the quantisation are those that hold when a component's first scan comes; all scans of a file share them.
        let quantisation = tables.quantisation;
        let mut next = Some(first);
        let mut scans = 0_u32;
        while let Some((scan, data)) = next {
            scans += 1;
            if scans > SCANS_MAX {
                return Err(JpegError::Corrupt { what: "it has more scans than any encoder writes" });
            }
            let mut at = self.segments.read(file, data);
            self.read_scan(frame, &scan, tables)?;
            next = match tables.read(file, &mut at) {
                Ok(Marker::Scan(scan, data)) => Some((scan.resolve(frame)?, data)),
                Ok(Marker::End) => None,
                Ok(Marker::Frame(_)) => return Err(JpegError::Corrupt { what: "it has a second frame" }),
                Err(error) => return Err(error),
            };
        }
        let mut used = Vec::with_capacity(frame.components.len());
        for component in &frame.components {
            let table = quantisation[component.quantisation].as_ref();
            used.push(
                table.ok_or(JpegError::Corrupt { what: "a component uses a quantisation table that was not told" })?,
            );
        }
        self.coefficients.transform(frame, &used, (&units, scale), planes);
        Ok(())
    }

    fn read_scan(&mut self, frame: &Frame, scan: &Scan, tables: &Tables) -> Result<(), JpegError> {
        let mut dc: [Option<Arc<DcTable>>; 4] = [const { None }; 4];
        let mut ac: [Option<Arc<AcTable>>; 4] = [const { None }; 4];
        for part in &scan.components {
            if let Some(codes) = &tables.dc[part.dc] {
                dc[part.dc] = Some(self.known.dc(codes)?);
            }
            if let Some(codes) = &tables.ac[part.ac] {
                ac[part.ac] = Some(self.known.ac(codes)?);
            }
        }
        let tables_of_scan = ScanTables {
            dc: std::array::from_fn(|number| dc[number].as_deref()),
            ac: std::array::from_fn(|number| ac[number].as_deref()),
        };
        self.coefficients.read(frame, scan, &tables_of_scan, &self.segments, tables.restart_interval)
    }
}

/// The most scans of one image. Encoders write about ten; each costs a pass over the coefficients, and takes a few bytes.
const SCANS_MAX: u32 = 500;

/// Reads up to the frame header: tables so far, the frame, and where to read on.
fn headers(file: &[u8]) -> Result<(Tables, Frame, usize), JpegError> {
    if !file.starts_with(&[0xff, 0xd8]) {
        return Err(JpegError::NotJpeg);
    }
    let mut tables = Tables::default();
    let mut at = 2;
    match tables.read(file, &mut at)? {
        Marker::Frame(frame) => check_factors(&frame).map(|()| (tables, frame, at)),
        Marker::Scan(..) => Err(JpegError::Corrupt { what: "a scan comes before its frame" }),
        Marker::End => Err(JpegError::Corrupt { what: "it has no frame" }),
    }
}

/// Whether each component's samples are a whole part of the most.
fn check_factors(frame: &Frame) -> Result<(), JpegError> {
    let (horizontal, vertical) = frame.factors_max();
    let whole = frame
        .components
        .iter()
        .all(|component| horizontal % component.horizontal == 0 && vertical % component.vertical == 0);
    if whole {
        Ok(())
    } else {
        Err(JpegError::Unsupported { what: "a JPEG whose components are sampled in fractions of each other" })
    }
}

fn first_scan(file: &[u8], tables: &mut Tables, at: &mut usize, frame: &Frame) -> Result<(Scan, usize), JpegError> {
    match tables.read(file, at)? {
        Marker::Scan(scan, data) => Ok((scan.resolve(frame)?, data)),
        Marker::Frame(_) => Err(JpegError::Corrupt { what: "it has a second frame" }),
        Marker::End => Err(JpegError::Corrupt { what: "it has no scan" }),
    }
}

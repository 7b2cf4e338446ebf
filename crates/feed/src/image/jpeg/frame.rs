//! What a JPEG says of itself before its pixels: size, components, tables.

use super::error::JpegError;
use super::huffman::Codes;

/// The size of a block, in samples either way.
pub(super) const BLOCK: usize = 8;

/// How the components make up a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// One component: luminance.
    Gray,
    /// Luminance and two differences of colour (JFIF).
    YCbCr,
    /// Red, green and blue as they are.
    Rgb,
}

/// One component of the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Its samples in each unit (MCU), from left to right and from top to bottom, in blocks.
    pub(super) horizontal: usize,
    pub(super) vertical: usize,
    pub(super) quantisation: usize,
}

/// How the coefficients are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Sequential,
    Progressive,
}

/// The frame header (B.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) coding: Coding,
    pub(super) components: Vec<Component>,
}

impl Frame {
    /// The largest sampling factors.
    pub(super) fn factors_max(&self) -> (usize, usize) {
        let of = |factor: fn(&Component) -> usize| self.components.iter().map(factor).max().unwrap_or(1);
        (of(|component| component.horizontal), of(|component| component.vertical))
    }

    /// How many units (MCUs) the image has, from left to right and from top to bottom.
    pub(super) fn units(&self) -> (usize, usize) {
        let (horizontal, vertical) = self.factors_max();
        (self.width.div_ceil(BLOCK * horizontal), self.height.div_ceil(BLOCK * vertical))
    }

    /// The samples of a component, from left to right and from top to bottom (A.1.1).
    pub(super) fn samples(&self, component: &Component) -> (usize, usize) {
        let (horizontal, vertical) = self.factors_max();
        (
            (self.width * component.horizontal).div_ceil(horizontal),
            (self.height * component.vertical).div_ceil(vertical),
        )
    }
}

/// One component's part in a scan: its place in the frame, and its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ScanComponent {
    pub(super) component: usize,
    pub(super) dc: usize,
    pub(super) ac: usize,
}

/// A scan header (B.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) components: Vec<ScanComponent>,
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) high: u32,
    pub(super) low: u32,
}

/// Tables and settings that hold until they are replaced.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) quantisation: [Option<[u16; 64]>; 4],
    pub(super) dc: [Option<Codes>; 4],
    pub(super) ac: [Option<Codes>; 4],
    pub(super) restart_interval: usize,
    /// The transform that an Adobe segment names.
    adobe: Option<u8>,
    jfif: bool,
}

/// What the next marker brings.
pub(super) enum Marker {
    Frame(Frame),
    /// A scan header, and where its data start.
    Scan(Scan, usize),
    End,
}

impl Tables {
    /// Reads markers from `*at` on, until one that is not about tables; `*at` is then behind it.
    pub(super) fn read(&mut self, file: &[u8], at: &mut usize) -> Result<Marker, JpegError> {
        loop {
            let marker = next_marker(file, at)?;
            // Markers without a segment (B.1.1.3): TEM, restarts, a second start.
            match marker {
                0xd9 => return Ok(Marker::End),
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let segment = segment(file, at)?;
            match marker {
                0xc0..=0xc2 => return frame(segment, marker).map(Marker::Frame),
                0xc3 | 0xc5..=0xc7 | 0xcb | 0xcd..=0xcf => {
                    return Err(JpegError::Unsupported { what: "a lossless or hierarchical JPEG" });
                }
                0xc9 | 0xca => return Err(JpegError::Unsupported { what: "a JPEG with arithmetic coding" }),
                0xc4 => self.huffman(segment)?,
                0xdb => self.quantisation(segment)?,
                0xdd => match segment {
                    [high, low, ..] => self.restart_interval = usize::from(u16::from_be_bytes([*high, *low])),
                    _ => return Err(JpegError::Corrupt { what: "the segment of the restart interval is too short" }),
                },
                0xda => return Ok(Marker::Scan(scan(segment)?, *at)),
                0xdc => {
                    return Err(JpegError::Unsupported { what: "a JPEG whose height is told after its first scan" });
                }
                0xe0 => self.jfif |= segment.starts_with(b"JFIF\0"),
                0xee if segment.starts_with(b"Adobe") => self.adobe = segment.get(11).copied().or(self.adobe),
                _ => {}
            }
        }
    }

    /// How the components of `frame` make up a colour, as other readers guess it: by an Adobe segment, else a JFIF one, else the
    /// components' names.
    pub(super) fn colour(&self, frame: &Frame) -> Result<Colour, JpegError> {
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        match (ids.len(), self.adobe) {
            (1, _) => Ok(Colour::Gray),
            (3, _) if self.jfif => Ok(Colour::YCbCr),
            (3, Some(0)) => Ok(Colour::Rgb),
            (3, Some(_)) => Ok(Colour::YCbCr),
            (3, None) if ids == *b"RGB" => Ok(Colour::Rgb),
            (3, None) => Ok(Colour::YCbCr),
            (4, _) => Err(JpegError::Unsupported { what: "a JPEG in CMYK" }),
            _ => Err(JpegError::Unsupported { what: "a JPEG with two components" }),
        }
    }

    fn huffman(&mut self, mut segment: &[u8]) -> Result<(), JpegError> {
        while let Some((target, rest)) = segment.split_first() {
            let (codes, rest) = Codes::read(rest)?;
            let tables = match target >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(JpegError::Corrupt { what: "a Huffman table is of no known class" }),
            };
            let slot = tables.get_mut(usize::from(target & 15));
            *slot.ok_or(JpegError::Corrupt { what: "a Huffman table has a number above 3" })? = Some(codes);
            segment = rest;
        }
        Ok(())
    }

    fn quantisation(&mut self, mut segment: &[u8]) -> Result<(), JpegError> {
        while let Some((target, rest)) = segment.split_first() {
            let wide = match target >> 4 {
                0 => 1,
                1 => 2,
                _ => return Err(JpegError::Corrupt { what: "a quantisation table is of no known precision" }),
            };
            let (values, rest) =
                rest.split_at_checked(64 * wide).ok_or(JpegError::Truncated { reading: "a quantisation table" })?;
            let mut table = [0; 64];
            for (place, value) in table.iter_mut().zip(values.chunks_exact(wide)) {
                *place = value.iter().fold(0, |number, byte| number << 8 | u16::from(*byte));
            }
            let slot = self.quantisation.get_mut(usize::from(target & 15));
            *slot.ok_or(JpegError::Corrupt { what: "a quantisation table has a number above 3" })? = Some(table);
            segment = rest;
        }
        Ok(())
    }
}

/// Goes behind the next marker.
fn next_marker(file: &[u8], at: &mut usize) -> Result<u8, JpegError> {
    let reading = "its headers";
    // Other readers pass over bytes between segments, too.
    let found = file.get(*at..).and_then(|rest| memchr::memchr(0xff, rest)).ok_or(JpegError::Truncated { reading })?;
    *at += found;
    while file.get(*at) == Some(&0xff) {
        *at += 1;
    }
    let marker = *file.get(*at).ok_or(JpegError::Truncated { reading })?;
    *at += 1;
    if marker == 0 { next_marker_after_stuffing(file, at) } else { Ok(marker) }
}

/// FF 00 is no marker.
fn next_marker_after_stuffing(file: &[u8], at: &mut usize) -> Result<u8, JpegError> {
    loop {
        let rest = file.get(*at..).unwrap_or_default();
        let found = memchr::memchr(0xff, rest).ok_or(JpegError::Truncated { reading: "its headers" })?;
        *at += found + 1;
        match file.get(*at) {
            Some(0x00 | 0xff) => {}
            Some(marker) => {
                *at += 1;
                return Ok(*marker);
            }
            None => return Err(JpegError::Truncated { reading: "its headers" }),
        }
    }
}

/// The segment that starts at `*at` with its length, which is then behind it.
fn segment<'a>(file: &'a [u8], at: &mut usize) -> Result<&'a [u8], JpegError> {
    let truncated = JpegError::Truncated { reading: "its headers" };
    let rest = file.get(*at..).ok_or(truncated.clone())?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or(truncated.clone())?;
    let length = usize::from(u16::from_be_bytes(*length));
    let length = length.checked_sub(2).ok_or(JpegError::Corrupt { what: "a segment is shorter than its length" })?;
    *at += 2 + length;
    rest.get(..length).ok_or(truncated)
}

fn frame(segment: &[u8], marker: u8) -> Result<Frame, JpegError> {
    let corrupt = |what| Err(JpegError::Corrupt { what });
    let [precision, h1, h0, w1, w0, count, components @ ..] = segment else {
        return corrupt("the frame header is too short");
    };
    match precision {
        8 => {}
        12 => return Err(JpegError::Unsupported { what: "a JPEG with 12 bits a sample" }),
        _ => return Err(JpegError::Unsupported { what: "a JPEG with other than 8 bits a sample" }),
    }
    let height = usize::from(u16::from_be_bytes([*h1, *h0]));
    let width = usize::from(u16::from_be_bytes([*w1, *w0]));
    if width == 0 {
        return corrupt("the image has no columns");
    }
    if height == 0 {
        return Err(JpegError::Unsupported { what: "a JPEG whose height is told after its first scan" });
    }
    if !(1..=4).contains(count) || components.len() < 3 * usize::from(*count) {
        return corrupt("the frame header has another number of components than it says");
    }
    let mut found: Vec<Component> = Vec::new();
    for bytes in components.chunks_exact(3).take(usize::from(*count)) {
        let component = Component {
            id: bytes[0],
            horizontal: usize::from(bytes[1] >> 4),
            vertical: usize::from(bytes[1] & 15),
            quantisation: usize::from(bytes[2]),
        };
        if !(1..=4).contains(&component.horizontal)
            || !(1..=4).contains(&component.vertical)
            || component.quantisation > 3
        {
            return corrupt("a component has a sampling factor or a table that cannot be");
        }
        if found.iter().any(|other| other.id == component.id) {
            return corrupt("two components have one name");
        }
        found.push(component);
    }
    if let [only] = &mut found[..] {
        // A.2.2: the blocks of a lone component are not interleaved, whatever its factors say.
        (only.horizontal, only.vertical) = (1, 1);
    }
    let coding = if marker == 0xc2 { Coding::Progressive } else { Coding::Sequential };
    Ok(Frame { width, height, coding, components: found })
}

/// The scan's components are named here by their place among `ids`, which [`Scan::resolve`] makes their place in the frame.
fn scan(segment: &[u8]) -> Result<Scan, JpegError> {
    let corrupt = JpegError::Corrupt { what: "a scan header has another length than it says" };
    let (count, rest) = segment.split_first().ok_or(corrupt.clone())?;
    let count = usize::from(*count);
    if !(1..=4).contains(&count) || rest.len() < 2 * count + 3 {
        return Err(corrupt);
    }
    let (components, rest) = rest.split_at(2 * count);
    let components = components
        .chunks_exact(2)
        .map(|bytes| ScanComponent {
            component: usize::from(bytes[0]),
            dc: usize::from(bytes[1] >> 4),
            ac: usize::from(bytes[1] & 15),
        })
        .collect();
    Ok(Scan {
        components,
        first: usize::from(rest[0]),
        last: usize::from(rest[1]),
        high: u32::from(rest[2] >> 4),
        low: u32::from(rest[2] & 15),
    })
}

impl Scan {
    /// Puts the places of components for their names.
    pub(super) fn resolve(mut self, frame: &Frame) -> Result<Scan, JpegError> {
        let mut seen = Vec::new();
        for part in &mut self.components {
            let place = frame.components.iter().position(|component| usize::from(component.id) == part.component);
            part.component =
                place.ok_or(JpegError::Corrupt { what: "a scan has a component that the frame has not" })?;
            if seen.contains(&part.component) || part.dc > 3 || part.ac > 3 {
                return Err(JpegError::Corrupt { what: "a scan has a component twice, or a table that cannot be" });
            }
            seen.push(part.component);
        }
        Ok(self)
    }
}

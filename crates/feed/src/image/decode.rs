//! From the bytes of a file of any kind to planes. JPEGs are decoded where they are looked at; other kinds whole.

use std::fmt;
use std::io::Cursor;

use super::jpeg::{self, JpegError, Look, Planes, Size};

/// Why an image cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// A JPEG is not what it should be.
    Jpeg(JpegError),
    /// Another image is not.
    Other {
        /// Its kind.
        kind: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// It takes more memory to decode than there is room for.
    NoRoom {
        /// Bytes that it takes.
        bytes: usize,
    },
    /// It would take more room than is allowed.
    TooLarge {
        /// Pixels from left to right.
        width: u64,
        /// Pixels from top to bottom.
        height: u64,
        /// How many there may be.
        pixels_max: u64,
    },
    /// What it is cannot be told.
    Unknown,
}

/// Decodes one image after the other; its buffers and tables serve the next.
pub struct Decoder {
    jpeg: jpeg::Decoder,
    pixels_max: u64,
    /// Bytes of pixels, where they come together.
    pixels: Vec<u8>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageKind {
    /// A JPEG.
    Jpeg,
    /// A PNG.
    Png,
    /// WebP.
    WebP,
}

impl ImageKind {
    /// What a file's first bytes say that it is; none where it is no image that is decoded.
    pub fn of(file: &[u8]) -> Option<ImageKind> {
        match file {
            [0xff, 0xd8, ..] => Some(ImageKind::Jpeg),
            [0x89, b'P', b'N', b'G', ..] => Some(ImageKind::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(ImageKind::WebP),
            _ => None,
        }
    }
}

/// The size of the image in `file`.
///
/// # Errors
///
/// Where its headers cannot be read.
pub fn size(file: &[u8]) -> Result<Size, ImageError> {
    match ImageKind::of(file).ok_or(ImageError::Unknown)? {
        ImageKind::Jpeg => jpeg::size(file).map_err(ImageError::Jpeg),
        ImageKind::Png => {
            let reader = png::Decoder::new(Cursor::new(file)).read_info().map_err(of_png)?;
            let info = reader.info();
            Ok(Size { width: info.width as usize, height: info.height as usize })
        }
        ImageKind::WebP => {
            let (width, height) = image_webp::WebPDecoder::new(Cursor::new(file)).map_err(of_webp)?.dimensions();
            Ok(Size { width: width as usize, height: height as usize })
        }
    }
}

impl Decoder {
    /// A decoder that refuses images of more than `pixels_max` pixels before it makes room for them.
    pub fn new(pixels_max: u64) -> Decoder {
        Decoder { jpeg: jpeg::Decoder::new(pixels_max), pixels_max, pixels: Vec::new() }
    }

    /// Decodes at least what is looked at of the image in `file`, which is chosen when the image's size is known, in `room` bytes; that size.
    /// Only a JPEG is decoded smaller than it is.
    ///
    /// # Errors
    ///
    /// Where the file is of no kind that is decoded, not what it should be, or takes more room. The planes then hold nothing of use.
    pub fn decode<L: Into<Look>>(
        &mut self,
        file: &[u8],
        look: impl FnOnce(Size) -> L,
        room: usize,
        planes: &mut Planes,
    ) -> Result<Size, ImageError> {
        match ImageKind::of(file).ok_or(ImageError::Unknown)? {
            ImageKind::Jpeg => self.jpeg.decode(file, look, room, planes).map_err(|error| match error {
                JpegError::NoRoom { bytes } => ImageError::NoRoom { bytes },
                JpegError::TooLarge { width, height, pixels_max } => {
                    ImageError::TooLarge { width: width.into(), height: height.into(), pixels_max }
                }
                error => ImageError::Jpeg(error),
            }),
            ImageKind::Png => self.decode_png(file, room, planes),
            ImageKind::WebP => self.decode_webp(file, room, planes),
        }
    }

    fn decode_png(&mut self, file: &[u8], room: usize, planes: &mut Planes) -> Result<Size, ImageError> {
        let mut decoder = png::Decoder::new(Cursor::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(of_png)?;
        let (width, height) = (reader.info().width, reader.info().height);
        let size = self.allowed(width, height)?;
        let bytes = reader.output_buffer_size().ok_or_else(|| self.too_large(width, height))?;
        within(room, size, bytes, 0)?;
        self.pixels.resize(bytes, 0);
        let frame = reader.next_frame(&mut self.pixels).map_err(of_png)?;
        planes.fill(size, &self.pixels[..frame.buffer_size()], frame.color_type.samples());
        Ok(size)
    }

    fn decode_webp(&mut self, file: &[u8], room: usize, planes: &mut Planes) -> Result<Size, ImageError> {
        let mut decoder = image_webp::WebPDecoder::new(Cursor::new(file)).map_err(of_webp)?;
        let (width, height) = decoder.dimensions();
        let size = self.allowed(width, height)?;
        let bytes = decoder.output_buffer_size().ok_or_else(|| self.too_large(width, height))?;
        // What is coded without loss is decoded with its opacity first.
        within(room, size, bytes, 4)?;
        self.pixels.resize(bytes, 0);
        decoder.read_image(&mut self.pixels).map_err(of_webp)?;
        planes.fill(size, &self.pixels, if decoder.has_alpha() { 4 } else { 3 });
        Ok(size)
    }

    fn allowed(&self, width: u32, height: u32) -> Result<Size, ImageError> {
        if u64::from(width) * u64::from(height) > self.pixels_max {
            return Err(self.too_large(width, height));
        }
        Ok(Size { width: width as usize, height: height as usize })
    }

    fn too_large(&self, width: u32, height: u32) -> ImageError {
        ImageError::TooLarge { width: width.into(), height: height.into(), pixels_max: self.pixels_max }
    }
}

/// Whether there is room for pixels of so many bytes, their planes, and what the decoder holds of each pixel beside them.
fn within(room: usize, size: Size, pixels: usize, held_each: usize) -> Result<(), ImageError> {
    let bytes = pixels + size.width.next_multiple_of(8) * size.height.next_multiple_of(8) * (3 + held_each);
    if bytes > room { Err(ImageError::NoRoom { bytes }) } else { Ok(()) }
}

fn of_png(error: png::DecodingError) -> ImageError {
    ImageError::Other { kind: "PNG", problem: error.to_string() }
}

fn of_webp(error: image_webp::DecodingError) -> ImageError {
    ImageError::Other { kind: "WebP", problem: error.to_string() }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageError::Jpeg(error) => error.fmt(f),
            ImageError::Other { kind, problem } => write!(f, "the {kind} cannot be decoded: {problem}"),
            ImageError::NoRoom { bytes } => write!(f, "to decode it takes {bytes} bytes, for which there is no room"),
            ImageError::TooLarge { width, height, pixels_max } => {
                write!(f, "the image claims {width} x {height} pixels; at most {pixels_max} are allowed")
            }
            ImageError::Unknown => write!(f, "it is no JPEG, PNG or WebP"),
        }
    }
}

impl std::error::Error for ImageError {}

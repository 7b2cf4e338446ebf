//! What can be wrong with a JPEG.

use std::fmt;

/// Why an image was not decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JpegError {
    /// It does not start as a JPEG does.
    NotJpeg,
    /// The file ends before the image does.
    Truncated {
        /// What was being read.
        reading: &'static str,
    },
    /// Something in it contradicts the standard.
    Corrupt {
        /// What, as a clause.
        what: &'static str,
    },
    /// A kind of JPEG that is not decoded.
    Unsupported {
        /// Which, as a noun.
        what: &'static str,
    },
    /// It takes more memory to decode than there is room for.
    NoRoom {
        /// Bytes that it takes.
        bytes: usize,
    },
    /// More pixels than the reader allows.
    TooLarge {
        /// Pixels from left to right.
        width: u32,
        /// Pixels from top to bottom.
        height: u32,
        /// The most pixels that are allowed.
        pixels_max: u64,
    },
}

impl fmt::Display for JpegError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JpegError::NotJpeg => write!(f, "it is no JPEG: it does not start with the bytes FF D8"),
            JpegError::Truncated { reading } => write!(f, "the JPEG ends within {reading}"),
            JpegError::Corrupt { what } => write!(f, "the JPEG is corrupt: {what}"),
            JpegError::Unsupported { what } => {
                write!(f, "{what} is not supported; convert it to a baseline or progressive JPEG of 8 bits")
            }
            JpegError::NoRoom { bytes } => {
                write!(f, "to decode the JPEG takes {bytes} bytes, for which there is no room")
            }
            JpegError::TooLarge { width, height, pixels_max } => {
                write!(f, "the JPEG claims {width} x {height} pixels; at most {pixels_max} are allowed")
            }
        }
    }
}

impl std::error::Error for JpegError {}

//! JPEG, decoded only where it is looked at.
//!
//! A training step looks at a random part of an image. So blocks outside of it are passed over with as many symbols at a time as a
//! table holds, and decoding stops behind the last that is needed. The samples are those of the reference decoder, to the bit;
//! they are left as planes of luminance and colour, for a resize has less to do there than in red, green and blue.
//!
//! Section numbers are those of ITU-T T.81. Start reading at `decode`, then `sequential`.

mod bits;
mod decode;
mod error;
mod frame;
mod huffman;
mod idct;
mod known;
mod planes;
mod progressive;
mod scale;
mod segments;
mod sequential;

pub use decode::{Decoder, size};
pub use error::JpegError;
pub use frame::Colour;
pub use planes::{Plane, Planes, Region, Size};
pub use scale::{Look, Scale};

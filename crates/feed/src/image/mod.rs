//! Images: from the bytes of a file to the numbers that a model is fed.

mod axis;
pub mod crop;
mod decode;
pub mod finish;
mod halfway;
pub mod jitter;
pub mod jpeg;

mod lanes;
mod mix;
mod overshoot;
mod render;

pub use decode::{Decoder, ImageError, ImageKind, size};
pub use mix::Normalise;
pub use render::{Renderer, Target};

//! What is done to samples: one column of the batch after the other is made from a field of the sample.

mod asking;
mod columns;
mod darkroom;
mod decoded;
mod desk;
mod photograph;
mod sequences;
mod tokens;

pub use asking::Asking;
pub use columns::{Column, Columns, Kind};
pub use desk::Rooms;
pub use photograph::{Photograph, Pixels};

//! Opening what is read and writing what is kept.
//!
//! Inputs may be plain, gzip or Zstandard (told by their first bytes, never by their name) or `-` for standard input, and are
//! read as a stream. Outputs appear whole or not at all: they are written beside their place, put on the disk and then renamed.
//! Must never hold a file in memory, nor leave half of one behind.

mod input;
mod output;

pub use input::{Input, Progress};
pub use output::{Output, remove_unfinished};

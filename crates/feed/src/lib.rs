//! Training data, read, shuffled, decoded and delivered fast enough that accelerators never wait.

pub mod buffer;
mod cores;
pub mod dataset;
pub mod format;
pub mod image;
pub mod inspect;
pub mod loader;
pub mod memory;
pub mod meter;
pub mod order;
pub mod pack;
pub mod pipeline;
pub mod progress;
pub mod random;
pub mod sequence;
pub mod serve;
pub mod source;
pub mod spec;
pub mod state;
pub mod tune;
pub mod unpack;
pub mod work;

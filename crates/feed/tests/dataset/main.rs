//! Datasets as a whole: what is told of them, and how they are written anew.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

mod fields;
mod inspected;
mod litdata;
mod made;
mod packed;
mod tables;
mod unpacked;

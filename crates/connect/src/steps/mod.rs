//! What training processes of this machine tell of their steps, on a socket of the file system (docs/STEPS.md).
//!
//! [`parse`] turns a line into a value, without a socket; [`Listener`] takes connections and lines, each bounded, and never writes.

mod listen;
pub mod parse;

pub use listen::{CLIENTS_MAX, Client, Heard, Listener, default_path};

//! For tests and benchmarks only: `trimtab up` on loopback, a client for it, and a storm of kills.
//!
//! It drives the program from outside, as a person or a script would: by its arguments, its API and signals. It knows nothing of the
//! crates the program is made of, so that what it finds is what users meet. Start at [`Installation`]; [`storm`] kills it.

mod client;
mod installation;
mod leftover;
pub mod nvml;
mod random;
pub mod storm;

pub use client::{Answer, Client, Request};
pub use installation::Installation;
pub use random::Random;

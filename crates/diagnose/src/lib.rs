//! Signals in, findings out: what a workload waits for, the evidence, and what it would be worth to change that.
//!
//! Pure: no IO, no threads, no clock. Readers take a [`std::io::BufRead`] and keep bounded memory; what they cannot read is
//! told and left out. Start at [`pipeline`], the traces of pipeline-parallel training.

pub mod compare;
pub mod devices;
pub mod drawing;
pub mod fitness;
pub mod hang;
pub mod json;
pub mod kineto;
pub mod live;
mod median;
mod pci;
pub mod pickle;
pub mod pipeline;
pub mod recognise;
mod rows;
pub mod sorter;
pub mod steps;
pub mod xid;

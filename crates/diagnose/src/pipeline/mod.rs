//! Traces of pipeline-parallel training: what each worker did when, and what its stragglers cost.
//!
//! [`read()`] takes a table of operations, [`Trace`] lays them out, [`Dependencies`] says what waits for what, [`Simulation`] lives
//! the steps again with other lengths, and [`whatif()`] compares: as recorded, with everything as usual, and with one part or
//! another mended. Nothing here reads anything but the table.

mod cause;
mod chrome;
mod depend;
mod evened;
mod finding;
mod lengths;
mod link;
mod operation;
mod read;
mod simulate;
#[cfg(test)]
mod tests;
mod timeline;
mod trace;
mod whatif;

pub use cause::{CORRELATED, Cause, STRAGGLES, Share};
pub use chrome::{Chosen, EVENTS_MAX, chosen, write_chrome};
pub use depend::Dependencies;
pub use evened::{Evened, EvenedKind, evened};
pub use finding::findings;
pub use operation::{Kind, Operation, Work};
pub use read::{OPERATIONS_MAX, Read, is_header, read};
pub use simulate::{Lived, Simulation};
pub use timeline::{Lane, Life, Span, Timeline};
pub use trace::{Lack, Slot, Trace};
pub use whatif::{Part, WhatIf, Worker, whatif};

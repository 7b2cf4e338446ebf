//! Memory that a loader may use: one limit, divided before anything is made.
//!
//! Whatever grows with the data has a part of its own, so that none can starve another: batches, from when they are opened until the
//! consumer lets go of them; what is fetched and not yet used; what each thread works in; and one place for the few samples that need
//! more, which take turns. Start at [`Budget`].

mod available;
mod budget;
mod share;

pub use available::available;
pub use budget::{Budget, Demand, Fetching, TooSmall};
pub use share::{Held, Share};

//! Times of steps, worker by worker: who is slower than its peers, and when.
//!
//! [`read()`] takes a table with a row for each worker and step, [`episodes`] finds who was slow when, [`findings`] says it.

mod episode;
mod finding;
mod read;

pub use episode::{Episode, OPENS, WINDOW, episodes};
pub use finding::findings;
pub use read::{Read, Steps, TIMES_MAX, is_header, read};

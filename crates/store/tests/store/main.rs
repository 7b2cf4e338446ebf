//! The store as those who use it see it: a module for each concern.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

mod agents;
mod copies;
mod damage;
mod exported;
mod findings;
mod kept;
mod kill;
mod model;
mod records;
mod refusals;
mod room;
mod round_trip;
mod series;
mod spool;
mod story;

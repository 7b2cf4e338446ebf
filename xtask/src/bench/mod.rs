//! `cargo xtask bench <name>`: what Trimtab must reach, measured.
//!
//! A benchmark measures the workspace's own crates, so it lives behind the feature `bench` and runs in a second, optimised
//! build; the plain xtask only starts that. Benchmarks are never tests: figures that depend on the machine are printed
//! here, as a table or as lines of JSON, and kept under docs/bench with the machine they were taken on.
//!
//! A benchmark is a folder here and a line in [`registry::ALL`]; each of its bars is a file in that folder and a line in its
//! `BARS`. A bar asks its [`session::Session`] for data, and gives it a [`row::Row`] for each case. Start at `command`.

#[cfg(feature = "bench")]
mod command;
#[cfg(feature = "bench")]
mod diagnose;
#[cfg(feature = "bench")]
mod feed;
#[cfg(feature = "bench")]
mod live;
#[cfg(feature = "bench")]
mod machine;
#[cfg(feature = "bench")]
mod oracle;
#[cfg(feature = "bench")]
mod philly;
#[cfg(feature = "bench")]
mod program;
#[cfg(feature = "bench")]
mod registry;
#[cfg(not(feature = "bench"))]
mod relaunch;
#[cfg(feature = "bench")]
mod row;
#[cfg(feature = "bench")]
mod saved;
#[cfg(feature = "bench")]
mod session;
#[cfg(feature = "bench")]
mod speed;

#[cfg(feature = "bench")]
pub(crate) use command::run;
#[cfg(not(feature = "bench"))]
pub(crate) use relaunch::run;

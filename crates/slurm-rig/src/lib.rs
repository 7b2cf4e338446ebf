//! A whole Slurm cluster on this machine's loopback, for tests and benchmarks: munge, MariaDB, slurmdbd, slurmctld and a
//! slurmd for each fake 8-GPU node, all from the distribution's packages, all in one temporary folder.
//!
//! It starts what it needs, and stops that and nothing else, by process id. Nothing listens outside loopback. Programs are
//! run with argument vectors; no text of a caller reaches a shell. It must never be used outside tests and benchmarks.
//!
//! Start at [`unavailable`] (what is missing, if anything), then [`Cluster::start`], then [`scenario`].

mod cluster;
mod config;
mod daemon;
mod job;
mod programs;
pub mod scenario;

pub use cluster::{Cluster, Run};
pub use config::Layout;
pub use job::{After, Job, Work};
pub use programs::{Unavailable, unavailable};

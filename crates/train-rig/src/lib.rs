//! For tests and benchmarks only: a small data-parallel trainer on loopback, and faults from outside it.
//!
//! A [`Run`] is real where a cause can lie: a process for each rank, sample files that are read and prepared, copies, matrix products,
//! a ring all-reduce over TCP, passes over weights, checkpoints on the disk. Only the device is a clock, for which the host waits as it
//! waits for a GPU; so a healthy run of four ranks leaves most of two cores idle. A [`Fault`] is done to it by the kernel wherever
//! that can be: control groups, signals, the page cache, a queue on the link. What it is to cost is asked for as a slowdown, and worked
//! out from the run's own healthy pace.
//!
//! Ranks tell their steps on the socket of `TRIMTAB_STEPS` as any trainer would, and write them down themselves besides: that is
//! the truth. Trimtab's other crates are not used here. Start at [`Run::start`]; what is healthy is in [`Shape::draw`].

#![cfg(target_os = "linux")]

mod cgroup;
mod control;
mod crew;
mod fault;
mod ground;
pub mod hog;
mod network;
mod pace;
mod phase;
mod plan;
mod random;
pub mod rank;
mod run;
mod samples;
mod shape;
pub mod trial;
mod truth;

pub use fault::{Fault, Injected, Kind};
pub use pace::{Pace, Processor, RankPace};
pub use phase::Phase;
pub use plan::Limit;
pub use run::{Run, Start, now_us, program};
pub use shape::{Benign, Loss, Shape, Storage, Writers};
pub use truth::{Step, Truth};

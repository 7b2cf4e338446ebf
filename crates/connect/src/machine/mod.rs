//! This machine: what it has, how busy it is, and the processes that Trimtab runs on it.
//!
//! The only code that reads `/proc` and `/sys`, and the only code that starts, stops and kills processes. It decides nothing:
//! what runs where is decided by whoever calls. Text of the kernel is parsed by pure functions over strings; the folder that
//! stands for `/` is an argument. Start at [`Runner`], whose module tells how a run outlives the control plane.

pub mod cgroup;
mod discover;
mod error;
pub mod health;
mod kernel_log;
mod logs;
mod order;
mod procfs;
mod runner;
mod runs;
mod signals;
mod usage;
mod visible;
mod watcher;

pub use discover::{Accelerator, Discovered, NumaNode, Nvml, Reading, Sample, Sampler, discover, host_name};
pub use error::Error;
pub use kernel_log::{KernelLog, Position};
pub use logs::Logs;
pub use order::{Launch, job_of};
pub use runner::{AsRoot, Options, Runner, Settled};
pub use signals::{PROCESSES_MAX, Signals};
pub use visible::{Vendor, Visible};
pub use watcher::watch;

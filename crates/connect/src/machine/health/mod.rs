//! Whether this machine is fit to run anything: a self-test of some seconds, before a job or after one died.
//!
//! Each probe measures one thing and says what it found; it decides nothing. Some things are wrong by themselves (a link with half of its
//! lanes, a device that is on the bus and does not answer); others only beside what the same machine measured when it was well, which the
//! caller keeps (`diagnose::fitness` holds one against the other). Everything is read without root but the kernel log, where the system keeps
//! that from other users. Start at [`probe`]; [`ask()`] has a process of its own do it, which may hang where a device or a disk does.

mod ask;
mod devices;
mod disk;
mod links;
mod log;
mod memory;
mod network;

use std::path::Path;

use fleet::health::{Depth, Measured};

pub use ask::{Asked, ask};
pub use log::read as kernel_log;

use super::Nvml;

/// Looks at everything that a test of this depth measures. `root` stands for `/`; `folder` is on the disk that is looked at; `progress` hears
/// what is looked at now. Devices come last: a driver may hang, and then the rest was told.
pub fn probe(depth: Depth, root: &Path, folder: &Path, progress: &mut dyn FnMut(&str)) -> Vec<Measured> {
    let mut found = Vec::new();
    progress("links");
    found.extend(links::probe(root));
    progress("network");
    found.extend(network::probe(root));
    progress("memory");
    found.extend(memory::probe(root, depth));
    progress("disk");
    found.extend(disk::probe(folder, depth));
    progress("devices");
    found.extend(devices::probe(root, &Nvml::open()));
    found
}

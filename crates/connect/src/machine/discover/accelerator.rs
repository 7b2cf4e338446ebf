//! An accelerator of this machine.

use std::path::PathBuf;

use fleet::quantity::Bytes;

use crate::machine::visible::Vendor;

/// An accelerator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accelerator {
    /// Who made it.
    pub vendor: Vendor,
    /// Its model.
    pub model: Option<String>,
    /// Its memory.
    pub memory: Option<Bytes>,
    /// What its vendor's libraries call it: an identifier where there is one, else its index.
    pub visible_name: String,
    /// Its place on the PCI bus.
    pub bus: Option<String>,
    /// The folder in which its driver tells of it, for those read from there.
    pub folder: Option<PathBuf>,
}

/// How an accelerator is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// How much of the last moment it worked, in thousandths.
    pub busy_milli: Option<u64>,
    /// Its memory in use.
    pub memory_used: Option<Bytes>,
}

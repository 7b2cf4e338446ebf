//! Measurements: a signal, what it is of, and what came out at a moment.

use std::fmt;
use std::sync::Arc;

use crate::signal::Signal;
use crate::time::Timestamp;

/// What a measurement is of. Names are shared: a scrape a second names the same disks again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// The node as a whole.
    Node,
    /// A device of it, by index.
    Device(u32),
    /// An accelerator that only a program beside us tells of, by the name that it gets there: `tpu-4`, `neuroncore-0`.
    Accelerator(Arc<str>),
    /// A disk.
    Disk(Arc<str>),
    /// An interface to a network.
    Interface(Arc<str>),
    /// A port of an RDMA adapter.
    Port(Arc<str>),
    /// A control group, by the name that whoever watches it gave it.
    Group(Arc<str>),
    /// A process, by its number.
    Process(u32),
}

/// One measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What was measured.
    pub signal: &'static Signal,
    /// Of what.
    pub of: Thing,
    /// What came out; absent: it was asked for, and is not known.
    pub value: Option<f64>,
}

/// All that was measured of a node at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scrape {
    /// When.
    pub at: Timestamp,
    /// What came out.
    pub values: Vec<Measured>,
}

impl Scrape {
    /// Adds a measurement.
    pub fn add(&mut self, signal: &'static Signal, of: &Thing, value: Option<f64>) {
        self.values.push(Measured { signal, of: of.clone(), value: value.filter(|value| value.is_finite()) });
    }
}

impl Thing {
    /// What kind of thing it is, in a word; nothing for the node.
    #[must_use]
    pub fn kind(&self) -> Option<&'static str> {
        Some(match self {
            Self::Node => return None,
            Self::Device(_) | Self::Accelerator(_) => "device",
            Self::Disk(_) => "disk",
            Self::Interface(_) => "interface",
            Self::Port(_) => "port",
            Self::Group(_) => "group",
            Self::Process(_) => "process",
        })
    }
}

/// Its name alone; nothing for the node.
impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => Ok(()),
            Self::Device(number) | Self::Process(number) => number.fmt(f),
            Self::Accelerator(name)
            | Self::Disk(name)
            | Self::Interface(name)
            | Self::Port(name)
            | Self::Group(name) => f.pad(name),
        }
    }
}

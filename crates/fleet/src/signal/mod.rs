//! Every signal that Trimtab measures: its name, its unit, where it comes from, what unknown looks like there, and what it costs.
//!
//! A signal is a static: collectors write its values, rules read them, and both name it by the same word of this module, so that a
//! misspelt signal does not compile. docs/SIGNALS.md is made from [`SOURCES`]. A new signal is a static and an entry in its source.
//!
//! Names follow Prometheus: the unit last, in base units, and `_total` for what only ever grows.

use std::fmt;

pub mod amd;
pub mod exporter;
pub mod group;
pub mod host;
pub mod memory;
pub mod network;
pub mod nvidia;
pub mod process;
pub mod step;
pub mod storage;

/// A measurement that can be made.
#[derive(Debug)]
pub struct Signal {
    /// Its name, the unit last.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What its values do.
    pub kind: Kind,
    /// What it is, in words.
    pub about: &'static str,
}

/// Where signals come from, and what that costs.
#[derive(Debug)]
pub struct Source {
    /// What is read.
    pub name: &'static str,
    /// What it tells of: a node, each of its disks, each process.
    pub of: &'static str,
    /// How a value that is not known looks there. It is never shown as zero.
    pub unknown: &'static str,
    /// What one reading costs.
    pub cost: &'static str,
    /// Its signals.
    pub signals: &'static [&'static Signal],
}

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Part of a whole, from 0 to 1.
    Ratio,
    /// Watts.
    Watts,
    /// Joules.
    Joules,
    /// Degrees Celsius.
    Celsius,
    /// Cycles a second.
    Hertz,
    /// How many.
    Count,
    /// Yes (1) or no (0).
    Flag,
}

/// What the values of a signal do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// They go up and down.
    Gauge,
    /// They only grow, until whoever counts begins anew.
    Counter,
}

/// Every source, in the order of the table.
pub static SOURCES: &[&Source] = &[
    &host::STAT,
    &host::LOAD,
    &host::PRESSURE,
    &memory::MEMINFO,
    &memory::VMSTAT,
    &storage::DISKS,
    &network::INTERFACES,
    &network::TCP,
    &network::RDMA,
    &group::CPU,
    &group::MEMORY,
    &process::PROCESS,
    &process::IO,
    &step::CLOCK,
    &nvidia::NVML,
    &nvidia::GPM,
    &exporter::DEVICES,
];

/// Sources that tell signals of those above, of other things.
pub static AGAIN: &[&Source] = &[&amd::SYSFS];

/// The signal with this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Signal> {
    all().find(|signal| signal.name == name)
}

/// Every signal, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Signal> {
    SOURCES.iter().flat_map(|source| source.signals.iter().copied())
}

impl Signal {
    /// One whose values go up and down.
    #[must_use]
    pub const fn gauge(name: &'static str, unit: Unit, about: &'static str) -> Self {
        Self { name, unit, kind: Kind::Gauge, about }
    }

    /// One whose values only grow.
    #[must_use]
    pub const fn counter(name: &'static str, unit: Unit, about: &'static str) -> Self {
        Self { name, unit, kind: Kind::Counter, about }
    }
}

/// A signal is what its name says; there is one of each name.
impl PartialEq for Signal {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.name == other.name
    }
}

impl Eq for Signal {}

impl PartialOrd for Signal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Signal {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if std::ptr::eq(self, other) { std::cmp::Ordering::Equal } else { self.name.cmp(other.name) }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Seconds => "seconds",
            Self::Bytes => "bytes",
            Self::Ratio => "part of one",
            Self::Watts => "watts",
            Self::Joules => "joules",
            Self::Celsius => "°C",
            Self::Hertz => "hertz",
            Self::Count => "number",
            Self::Flag => "0 or 1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_end_as_their_unit_and_kind_say() {
        let mut seen = Vec::new();
        for signal in all() {
            let name = signal.name;
            assert!(!seen.contains(&name), "{name} is there twice");
            seen.push(name);
            assert_eq!(name.ends_with("_total"), signal.kind == Kind::Counter, "{name}");
            let base = name.strip_suffix("_total").unwrap_or(name);
            let suffix = match signal.unit {
                Unit::Seconds => "_seconds",
                Unit::Bytes => "_bytes",
                Unit::Ratio => "_ratio",
                Unit::Watts => "_watts",
                Unit::Joules => "_joules",
                Unit::Celsius => "_celsius",
                Unit::Hertz => "_hertz",
                Unit::Count | Unit::Flag => "",
            };
            assert!(base.ends_with(suffix), "{name} is in {}", signal.unit);
            assert_eq!(named(name), Some(signal));
        }
        assert_eq!(named("nothing"), None);
        assert!(AGAIN.iter().flat_map(|source| source.signals).all(|signal| seen.contains(&signal.name)));
    }
}

//! Names of what runs on a device, each kept once, and the kind of work that a name stands for.

use std::collections::BTreeMap;

use serde::Serialize;

/// All names together are at most so long, in bytes.
const BYTES_MAX: usize = 16 << 20;

/// What device time goes into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Work {
    /// Computing.
    Computation,
    /// Collectives, sends and receives of NCCL.
    Communication,
    /// Copies and memsets.
    Memory,
    /// Synchronisation, and the like.
    Other,
}

impl Work {
    /// By the rules of HolisticTraceAnalysis 0.5.0 (`get_kernel_type`), so that figures can be compared: `nccl...Kernel` at the
    /// beginning is communication; `Memcpy`, `Memset` or `dma` there is memory; of the rest, what has `Memcpy` or `Sync` anywhere
    /// is neither, and all else computes.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if name.strip_prefix("nccl").is_some_and(|rest| rest.contains("Kernel")) {
            Self::Communication
        } else if ["Memcpy", "Memset", "dma"].iter().any(|begin| name.starts_with(begin)) {
            Self::Memory
        } else if name.contains("Memcpy") || name.contains("Sync") {
            Self::Other
        } else {
            Self::Computation
        }
    }
}

/// Names by number.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: BTreeMap<Box<str>, u32>,
    names: Vec<(Box<str>, Work)>,
    bytes: usize,
}

impl Names {
    /// The number of a name. Where names take too much room, all further ones are one.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        if self.bytes + name.len() > BYTES_MAX && name != FURTHER {
            return self.number(FURTHER);
        }
        self.bytes += name.len();
        let number = self.names.len() as u32;
        self.numbers.insert(name.into(), number);
        self.names.push((name.into(), Work::of(name)));
        number
    }

    pub(super) fn name(&self, number: u32) -> &str {
        &self.names[number as usize].0
    }

    pub(super) fn work(&self, number: u32) -> Work {
        self.names[number as usize].1
    }
}

const FURTHER: &str = "(further names)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_kinds_of_work() {
        for (name, expected) in [
            ("ncclKernel_AllReduce_RING_LL_Sum_float(ncclWorkElem)", Work::Communication),
            ("ncclDevKernel_SendRecv(x)", Work::Communication),
            ("Memcpy HtoD (Pinned -> Device)", Work::Memory),
            ("Memset (Device)", Work::Memory),
            ("Context Sync", Work::Other),
            ("void at::native::vectorized_elementwise_kernel<4>", Work::Computation),
            ("nccl:all_reduce", Work::Computation),
        ] {
            assert_eq!(Work::of(name), expected, "{name}");
        }
    }

    #[test]
    fn names_have_numbers_and_bounds() {
        let mut names = Names::default();
        let long = "x".repeat(BYTES_MAX / 2);
        let first = names.number(&long);
        assert_eq!(names.number(&long), first);
        let second = names.number(&format!("y{long}"));
        let third = names.number(&format!("z{long}"));
        assert_eq!((second, names.name(second)), (third, FURTHER));
        assert_eq!(names.names.len(), 2);
    }
}

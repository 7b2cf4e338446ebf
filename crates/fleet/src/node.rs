//! Machines and the accelerators in them.

use serde::{Deserialize, Serialize};

use crate::ids::{ModelId, PoolId};
use crate::quantity::{Bytes, MilliCpu, MilliDevice};

/// What a machine offers. The engine never looks inside a device: a device is a thousand thousandths of one model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// The pools it belongs to, in ascending order; a machine may be in several Slurm partitions.
    pub pools: Vec<PoolId>,
    /// Cores.
    pub cpu: MilliCpu,
    /// Memory.
    pub memory: Bytes,
    /// How many accelerators, all of one model.
    pub devices: u32,
    /// Their model; absent where there are none or the source did not say.
    pub model: Option<ModelId>,
}

impl Node {
    /// The most accelerators a machine can have here: a placement names them in a set of 64 bits.
    pub const DEVICES_MAX: u32 = 64;

    /// All it has, as an amount that can be asked for.
    #[must_use]
    pub fn capacity(&self) -> Resources {
        Resources { cpu: self.cpu, memory: self.memory, devices: MilliDevice::whole(u64::from(self.devices)) }
    }
}

/// An amount of everything that is handed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Resources {
    /// Cores.
    #[serde(default, rename = "cpu_milli", skip_serializing_if = "is_zero")]
    pub cpu: MilliCpu,
    /// Memory.
    #[serde(default, rename = "memory_bytes", skip_serializing_if = "is_zero")]
    pub memory: Bytes,
    /// Accelerators. As a request: whole devices, or a share of one device below a thousand.
    #[serde(default, rename = "devices_milli", skip_serializing_if = "is_zero")]
    pub devices: MilliDevice,
}

impl Resources {
    /// Nothing.
    pub const ZERO: Self = Self { cpu: MilliCpu::ZERO, memory: Bytes::ZERO, devices: MilliDevice::ZERO };

    /// So many whole devices and nothing else.
    #[must_use]
    pub const fn devices(count: u64) -> Self {
        Self { cpu: MilliCpu::ZERO, memory: Bytes::ZERO, devices: MilliDevice::whole(count) }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { cpu: self.cpu + other.cpu, memory: self.memory + other.memory, devices: self.devices + other.devices }
    }

    /// The amount `count` times.
    #[must_use]
    pub fn times(self, count: u32) -> Self {
        Self { cpu: self.cpu.times(count), memory: self.memory.times(count), devices: self.devices.times(count) }
    }

    /// How many times this fits into what is free; without end where nothing is asked for.
    #[must_use]
    pub fn times_within(self, free: Self) -> u64 {
        let by = |free: u64, asked: u64| free.checked_div(asked).unwrap_or(u64::MAX);
        by(free.cpu.0, self.cpu.0).min(by(free.memory.0, self.memory.0)).min(by(free.devices.0, self.devices.0))
    }

    /// Whether each part is at most the other's.
    #[must_use]
    pub fn within(self, other: Self) -> bool {
        self.cpu <= other.cpu && self.memory <= other.memory && self.devices <= other.devices
    }
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

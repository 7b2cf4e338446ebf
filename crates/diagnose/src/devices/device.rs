//! One device at one moment, as its vendor's tool tells it. What the tool does not tell is nothing, and never zero.

use serde::Serialize;

/// A device.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Device {
    /// Where it is: its place on the PCI bus, or what the tool calls it.
    pub name: String,
    /// Its model.
    pub model: Option<String>,
    /// The share of the last second or so in which anything ran on it, in percent. Busy is not working: it says nothing of how much.
    pub busy_percent: Option<f64>,
    /// The share of time in which its multiprocessors were active, in percent.
    pub working_percent: Option<f64>,
    /// Memory, in bytes.
    pub memory_bytes: Option<f64>,
    /// Memory that is used, in bytes.
    pub memory_used_bytes: Option<f64>,
    /// Processes that have it open.
    pub processes: Option<u64>,
    /// Power, in watts.
    pub power_watts: Option<f64>,
    /// The limit that is set.
    pub power_limit_watts: Option<f64>,
    /// The limit that it comes with.
    pub power_default_limit_watts: Option<f64>,
    /// Its temperature, in °C.
    pub temperature_c: Option<f64>,
    /// The temperature from which it slows down.
    pub slowdown_c: Option<f64>,
    /// The clock of its multiprocessors, in MHz.
    pub clock_mhz: Option<f64>,
    /// The highest that it has.
    pub clock_max_mhz: Option<f64>,
    /// What holds its clocks down.
    pub held_down: HeldDown,
    /// Lanes of its PCIe link.
    pub link_width: Option<u64>,
    /// Lanes that it could have.
    pub link_width_max: Option<u64>,
    /// The generation of its link; it falls while the device is idle.
    pub link_generation: Option<u64>,
    /// The highest that device and host both have.
    pub link_generation_max: Option<u64>,
    /// Packets that were sent again on that link.
    pub replays: Option<u64>,
    /// Memory errors that could not be corrected, since the driver was loaded.
    pub uncorrected: Option<u64>,
    /// Those that were.
    pub corrected: Option<u64>,
    /// Rows of memory.
    pub rows: Rows,
    /// What the device asks for, where it says.
    pub recovery: Option<Recovery>,
}

/// What holds clocks down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HeldDown {
    /// The power limit.
    pub power_cap: Option<bool>,
    /// An external signal, such as of a power supply that is overloaded.
    pub power_brake: Option<bool>,
    /// Heat: by the driver, or by the hardware.
    pub thermal: Option<bool>,
    /// The hardware, for whatever reason.
    pub hardware: Option<bool>,
}

/// Rows of memory that were replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// For errors that could not be corrected.
    pub remapped: Option<u64>,
    /// One waits for the next reset.
    pub pending: Option<bool>,
    /// One could not be: there is none to replace it by.
    pub failed: Option<bool>,
}

/// What a device asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// Nothing.
    Nothing,
    /// A reset.
    Reset,
    /// A reset once its work is drained.
    DrainAndReset,
    /// A restart of the machine.
    Reboot,
}

//! What exporters of devices tell beside what this machine tells of itself.

use super::Unit::{Count, Flag};
use super::{Signal, Source};

/// Exporters: programs beside us that tell of devices.
pub static DEVICES: Source = Source {
    name: "exporters of devices (--exporter)",
    of: "each device that they tell of",
    unknown: "the exporter does not tell it, or did not answer for 15 s",
    cost: "a request each five seconds for each exporter, in a thread of its own",
    signals: &[&ROWS_REMAPPED, &ROWS_PENDING, &ROWS_FAILED, &LAST_XID],
};

/// Rows of memory that were replaced.
pub static ROWS_REMAPPED: Signal = Signal::gauge(
    "device_memory_rows_remapped",
    Count,
    "rows of memory that were replaced for errors that could not be corrected",
);
/// Whether one waits to be.
pub static ROWS_PENDING: Signal =
    Signal::gauge("device_memory_row_pending", Flag, "whether a row of memory waits to be replaced");
/// Whether one could not be.
pub static ROWS_FAILED: Signal =
    Signal::gauge("device_memory_row_failed", Flag, "whether a row of memory could not be replaced");
/// The last Xid.
pub static LAST_XID: Signal =
    Signal::gauge("device_last_xid", Count, "code of the last Xid error of the device; zero: none so far");

//! Memory of a Linux machine.

use super::Unit::{Bytes, Count};
use super::{Signal, Source};

/// `/proc/meminfo` (proc_meminfo(5)).
pub static MEMINFO: Source = Source {
    name: "/proc/meminfo",
    of: "the node",
    unknown: "a line that an older kernel does not print",
    cost: "one read",
    signals: &[&TOTAL, &AVAILABLE, &CACHED, &DIRTY, &WRITEBACK, &SWAP_TOTAL, &SWAP_FREE],
};

/// All memory.
pub static TOTAL: Signal = Signal::gauge("memory_total_bytes", Bytes, "memory that the kernel can give out");
/// What programs could have.
pub static AVAILABLE: Signal = Signal::gauge(
    "memory_available_bytes",
    Bytes,
    "memory that programs could have without swapping, as the kernel estimates it",
);
/// Files kept in memory.
pub static CACHED: Signal =
    Signal::gauge("memory_cached_bytes", Bytes, "files that are kept in memory: the page cache");
/// What waits to be written.
pub static DIRTY: Signal = Signal::gauge("memory_dirty_bytes", Bytes, "file pages that wait to be written to a disk");
/// What is being written.
pub static WRITEBACK: Signal =
    Signal::gauge("memory_writeback_bytes", Bytes, "file pages that are being written to a disk");
/// Swap space.
pub static SWAP_TOTAL: Signal = Signal::gauge("swap_total_bytes", Bytes, "swap space");
/// Swap space that is free.
pub static SWAP_FREE: Signal = Signal::gauge("swap_free_bytes", Bytes, "swap space that is free");

/// `/proc/vmstat`.
pub static VMSTAT: Source = Source {
    name: "/proc/vmstat",
    of: "the node",
    unknown: "a line that an older kernel does not print",
    cost: "one read",
    signals: &[&MAJOR_FAULTS, &SWAPPED_IN, &SWAPPED_OUT, &REFAULTS, &OUT_OF_MEMORY],
};

/// Pages that a disk had to be asked for.
pub static MAJOR_FAULTS: Signal =
    Signal::counter("major_faults_total", Count, "pages that were touched and had to be read from a disk");
/// Pages that came back from swap.
pub static SWAPPED_IN: Signal = Signal::counter("swapped_in_pages_total", Count, "pages that came back from swap");
/// Pages that went to swap.
pub static SWAPPED_OUT: Signal = Signal::counter("swapped_out_pages_total", Count, "pages that went to swap");
/// Pages of files that were dropped and wanted again.
pub static REFAULTS: Signal =
    Signal::counter("file_refaults_total", Count, "pages of files that were dropped from memory and soon wanted again");
/// Processes that were killed for want of memory.
pub static OUT_OF_MEMORY: Signal =
    Signal::counter("out_of_memory_kills_total", Count, "processes that the kernel killed for want of memory");

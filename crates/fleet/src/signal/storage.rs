//! Disks of a Linux machine.

use super::Unit::{Bytes, Count, Seconds};
use super::{Signal, Source};

/// `/proc/diskstats` (Documentation/admin-guide/iostats.rst), partitions and what is empty left out.
pub static DISKS: Source = Source {
    name: "/proc/diskstats",
    of: "each disk",
    unknown: "the disk is not listed: it is gone",
    cost: "one read, its length grows with disks and partitions",
    signals: &[&READ, &WRITTEN, &READS, &WRITES, &READ_TIME, &WRITE_TIME, &BUSY, &QUEUED],
};

/// Bytes read.
pub static READ: Signal = Signal::counter("disk_read_bytes_total", Bytes, "bytes read from the disk");
/// Bytes written.
pub static WRITTEN: Signal = Signal::counter("disk_written_bytes_total", Bytes, "bytes written to the disk");
/// Reads that ended.
pub static READS: Signal = Signal::counter("disk_reads_total", Count, "reads that the disk completed");
/// Writes that ended.
pub static WRITES: Signal = Signal::counter("disk_writes_total", Count, "writes that the disk completed");
/// Time of reads, added up.
pub static READ_TIME: Signal =
    Signal::counter("disk_read_time_seconds_total", Seconds, "time that reads took, added up over reads");
/// Time of writes, added up.
pub static WRITE_TIME: Signal =
    Signal::counter("disk_write_time_seconds_total", Seconds, "time that writes took, added up over writes");
/// Time with anything under way.
pub static BUSY: Signal =
    Signal::counter("disk_busy_seconds_total", Seconds, "time in which the disk had something to do");
/// What is under way.
pub static QUEUED: Signal = Signal::gauge("disk_queued", Count, "reads and writes that are under way");

//! Control groups: what a group of processes used, and what it was kept from.

use super::Unit::{Bytes, Count, Seconds};
use super::{Signal, Source};

/// The controller of processors: `cpu.stat` of either version.
pub static CPU: Source = Source {
    name: "cpu.stat of a control group (and cpuacct.usage, cpu.cfs_quota_us in version 1)",
    of: "each control group that is watched",
    unknown: "the controller is not there, or its files are out of reach",
    cost: "one to three short reads",
    signals: &[&CPU_USED, &CPU_PERIODS, &CPU_THROTTLED_PERIODS, &CPU_THROTTLED, &CPU_QUOTA],
};

/// Time on processors.
pub static CPU_USED: Signal =
    Signal::counter("group_cpu_seconds_total", Seconds, "time of the group's processes on processors");
/// Periods in which the quota was in force.
pub static CPU_PERIODS: Signal = Signal::counter(
    "group_cpu_periods_total",
    Count,
    "periods in which the group had something to run under its quota",
);
/// Periods in which the quota ran out.
pub static CPU_THROTTLED_PERIODS: Signal =
    Signal::counter("group_cpu_throttled_periods_total", Count, "periods in which the quota ran out");
/// Time without quota.
pub static CPU_THROTTLED: Signal = Signal::counter(
    "group_cpu_throttled_seconds_total",
    Seconds,
    "time in which the group was held since its quota had run out, added up over processors",
);
/// The quota.
pub static CPU_QUOTA: Signal =
    Signal::gauge("group_cpu_quota_cores", Count, "processors that the group may use at most");

/// The controller of memory.
pub static MEMORY: Source = Source {
    name: "memory.current, memory.max, memory.events, memory.stat, memory.pressure of a control group (or their names in version 1)",
    of: "each control group that is watched",
    unknown: "the controller is not there; no limit; version 1 does not count time lost",
    cost: "three to five short reads",
    signals: &[
        &MEMORY_USED,
        &MEMORY_LIMIT,
        &MEMORY_HITS,
        &MEMORY_KILLS,
        &MEMORY_REFAULTS,
        &MEMORY_MAJOR_FAULTS,
        &MEMORY_STALLED,
    ],
};

/// Memory in use.
pub static MEMORY_USED: Signal =
    Signal::gauge("group_memory_used_bytes", Bytes, "memory of the group, the pages of files that it keeps among it");
/// The limit.
pub static MEMORY_LIMIT: Signal =
    Signal::gauge("group_memory_limit_bytes", Bytes, "memory that the group may use at most");
/// Times that the limit was met.
pub static MEMORY_HITS: Signal = Signal::counter(
    "group_memory_limit_hits_total",
    Count,
    "times that the group met its limit, and pages were taken back from it",
);
/// Processes killed at the limit.
pub static MEMORY_KILLS: Signal =
    Signal::counter("group_memory_kills_total", Count, "processes of the group killed for want of memory");
/// Pages of files dropped and wanted again.
pub static MEMORY_REFAULTS: Signal = Signal::counter(
    "group_file_refaults_total",
    Count,
    "pages of the group's files that were dropped and soon wanted again",
);
/// Pages that a disk had to be asked for.
pub static MEMORY_MAJOR_FAULTS: Signal = Signal::counter(
    "group_major_faults_total",
    Count,
    "pages that the group touched and that had to be read from a disk",
);
/// Time lost to memory.
pub static MEMORY_STALLED: Signal = Signal::counter(
    "group_pressure_memory_some_seconds_total",
    Seconds,
    "time in which at least one of the group's threads waited for memory",
);

//! Processes whose steps are told: the ranks of jobs, each with the processes that it began (its tree: workers that load data).

use super::Unit::{Bytes, Count, Ratio, Seconds};
use super::{Signal, Source};

/// `/proc/<pid>/stat`, `/proc/<pid>/task/*/{stat,schedstat}`.
pub static PROCESS: Source = Source {
    name: "/proc/<pid>/{stat,task/*/stat,task/*/schedstat}",
    of: "each process that tells its steps, with the processes that it began",
    unknown: "the process is gone, or of another user; no schedstat in a kernel built without it",
    cost: "two short reads a thread, 256 threads at most",
    signals: &[
        &CPU_USED,
        &OWN_CPU_USED,
        &RUN_DELAY,
        &MAJOR_FAULTS,
        &RESIDENT,
        &THREADS,
        &STOPPED,
        &WAITING_DISK,
        &DISK_DELAY,
        &HELPER_BUSY,
        &HELPERS_WAITING_DISK,
        &CPUS_ALLOWED,
    ],
};

/// Time on processors.
pub static CPU_USED: Signal =
    Signal::counter("process_cpu_seconds_total", Seconds, "time of the process and its tree on processors");
/// Time of its own threads on processors.
pub static OWN_CPU_USED: Signal = Signal::counter(
    "process_own_cpu_seconds_total",
    Seconds,
    "time of the threads of the process itself on processors, without the processes that it began",
);
/// Time in which it could have run.
pub static RUN_DELAY: Signal = Signal::counter(
    "process_run_delay_seconds_total",
    Seconds,
    "time in which threads could have run and had no processor, added up over threads",
);
/// Pages that a disk had to be asked for.
pub static MAJOR_FAULTS: Signal =
    Signal::counter("process_major_faults_total", Count, "pages that were touched and had to be read from a disk");
/// Memory in use.
pub static RESIDENT: Signal =
    Signal::gauge("process_resident_bytes", Bytes, "memory of the process and its tree that is present");
/// Threads.
pub static THREADS: Signal = Signal::gauge("process_threads", Count, "threads of the process and its tree");
/// Whether it is stopped.
pub static STOPPED: Signal = Signal::gauge(
    "process_stopped_ratio",
    Ratio,
    "part of looks in which the process was stopped by a signal or a debugger",
);
/// Whether it waits for a disk.
pub static WAITING_DISK: Signal =
    Signal::gauge("process_waiting_disk_ratio", Ratio, "part of looks in which the main thread waited for a disk");
/// Time that it waited for disks.
pub static DISK_DELAY: Signal = Signal::counter(
    "process_disk_delay_seconds_total",
    Seconds,
    "time that the process and its tree waited for disks; counted only where kernel.task_delayacct is on",
);
/// How busy the busiest helper is.
pub static HELPER_BUSY: Signal = Signal::gauge(
    "process_helper_busy_ratio",
    Ratio,
    "how much of the time the busiest thread but the main one was on a processor",
);
/// How many helpers wait for a disk.
pub static HELPERS_WAITING_DISK: Signal =
    Signal::gauge("process_helpers_waiting_disk", Count, "threads but the main one that wait for a disk");
/// On how many processors it may run.
pub static CPUS_ALLOWED: Signal =
    Signal::gauge("process_cpus_allowed", Count, "processors on which the process may run");

/// `/proc/<pid>/io`.
pub static IO: Source = Source {
    name: "/proc/<pid>/io",
    of: "each process that tells its steps, with the processes that it began",
    unknown: "the process is of another user, and this one is not root",
    cost: "one short read a process",
    signals: &[&READ, &READ_DISK, &WRITTEN_DISK],
};

/// Bytes read, from wherever.
pub static READ: Signal =
    Signal::counter("process_read_bytes_total", Bytes, "bytes that it read, from disks, memory or elsewhere");
/// Bytes that came from disks.
pub static READ_DISK: Signal = Signal::counter("process_disk_read_bytes_total", Bytes, "bytes that a disk read for it");
/// Bytes that went to disks.
pub static WRITTEN_DISK: Signal =
    Signal::counter("process_disk_written_bytes_total", Bytes, "bytes that it had written to a disk");

//! What a Linux machine tells of itself as a whole: processors, load, and time lost to waiting (pressure).

use super::Unit::{Count, Seconds};
use super::{Signal, Source};

/// `/proc/stat` (proc_stat(5)).
pub static STAT: Source = Source {
    name: "/proc/stat",
    of: "the node",
    unknown: "a field that an older kernel does not print",
    cost: "one read, its length grows with processors and interrupts",
    signals: &[
        &CPU_USER,
        &CPU_SYSTEM,
        &CPU_IDLE,
        &CPU_IOWAIT,
        &CPU_IRQ,
        &CPU_STEAL,
        &CPUS,
        &SWITCHES,
        &RUNNING,
        &BLOCKED,
    ],
};

/// Time in programs, niced ones and guests among them.
pub static CPU_USER: Signal = Signal::counter("cpu_user_seconds_total", Seconds, "time of all processors in programs");
/// Time in the kernel.
pub static CPU_SYSTEM: Signal =
    Signal::counter("cpu_system_seconds_total", Seconds, "time of all processors in the kernel");
/// Time in which nothing ran.
pub static CPU_IDLE: Signal =
    Signal::counter("cpu_idle_seconds_total", Seconds, "time in which processors had nothing to do");
/// Time in which nothing ran while a disk was waited for.
pub static CPU_IOWAIT: Signal = Signal::counter(
    "cpu_iowait_seconds_total",
    Seconds,
    "time in which processors were idle while something waited for a disk",
);
/// Time in interrupts, soft ones among them.
pub static CPU_IRQ: Signal = Signal::counter("cpu_irq_seconds_total", Seconds, "time of all processors in interrupts");
/// Time that the machine below gave to others.
pub static CPU_STEAL: Signal = Signal::counter(
    "cpu_steal_seconds_total",
    Seconds,
    "time that a virtual machine wanted and the machine below it gave to others",
);
/// How many processors are there.
pub static CPUS: Signal = Signal::gauge("cpus", Count, "processors that are switched on");
/// Changes from one thread to another.
pub static SWITCHES: Signal = Signal::counter("context_switches_total", Count, "changes from one thread to another");
/// Threads that run or could.
pub static RUNNING: Signal = Signal::gauge("threads_runnable", Count, "threads that run, or could at once");
/// Threads that wait for a disk.
pub static BLOCKED: Signal = Signal::gauge("threads_blocked", Count, "threads that wait for a disk");

/// `/proc/loadavg` (proc_loadavg(5)).
pub static LOAD: Source = Source {
    name: "/proc/loadavg",
    of: "the node",
    unknown: "the file is absent",
    cost: "one short read",
    signals: &[&LOAD_1M],
};

/// The load of the last minute.
pub static LOAD_1M: Signal = Signal::gauge(
    "load_1m",
    Count,
    "threads that run, could run, or wait for a disk: mean of the last minute, decaying",
);

/// `/proc/pressure` (Documentation/accounting/psi.rst).
pub static PRESSURE: Source = Source {
    name: "/proc/pressure/{cpu,memory,io}",
    of: "the node",
    unknown: "the folder is absent: the kernel was built without pressure stall information, or started with psi=0",
    cost: "three short reads",
    signals: &[&CPU_SOME, &MEMORY_SOME, &MEMORY_FULL, &IO_SOME, &IO_FULL],
};

/// Somebody waited for a processor.
pub static CPU_SOME: Signal = Signal::counter(
    "pressure_cpu_some_seconds_total",
    Seconds,
    "time in which at least one thread waited for a processor",
);
/// Somebody waited for memory.
pub static MEMORY_SOME: Signal = Signal::counter(
    "pressure_memory_some_seconds_total",
    Seconds,
    "time in which at least one thread waited for memory",
);
/// Everybody waited for memory.
pub static MEMORY_FULL: Signal = Signal::counter(
    "pressure_memory_full_seconds_total",
    Seconds,
    "time in which all threads that had work waited for memory",
);
/// Somebody waited for a disk.
pub static IO_SOME: Signal =
    Signal::counter("pressure_io_some_seconds_total", Seconds, "time in which at least one thread waited for a disk");
/// Everybody waited for a disk.
pub static IO_FULL: Signal = Signal::counter(
    "pressure_io_full_seconds_total",
    Seconds,
    "time in which all threads that had work waited for a disk",
);

//! The cores of this machine: how many may be used, and the time of them that was taken.

use std::num::NonZero;
use std::thread;
use std::time::Duration;

#[cfg(unix)]
use rustix::time::{ClockId, clock_gettime};

/// Where so much of the cores is taken, nothing else is what holds work back.
pub(crate) const BUSY: f64 = 0.9;

/// Cores that this process may use.
pub(crate) fn usable() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// The time that this thread had a core for, where the system tells that.
pub(crate) fn taken_by_thread() -> Option<Duration> {
    #[cfg(unix)]
    {
        taken(ClockId::ThreadCPUTime)
    }
    #[cfg(not(unix))]
    None
}

/// The time of cores that this process has taken, where the system tells that.
pub(crate) fn taken_by_process() -> Option<Duration> {
    #[cfg(unix)]
    {
        taken(ClockId::ProcessCPUTime)
    }
    #[cfg(not(unix))]
    None
}

#[cfg(unix)]
fn taken(clock: ClockId) -> Option<Duration> {
    let time = clock_gettime(clock);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

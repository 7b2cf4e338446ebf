//! What the children of this process used.

use fleet::live::Usage;
use fleet::quantity::{Bytes, Millis};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Core time of all children that were waited for, and the largest memory of one of them.
pub(super) fn of_children() -> Usage {
    let Ok(used) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return Usage::default() };
    let cpu_ms = used.user_time().num_milliseconds() + used.system_time().num_milliseconds();
    // Linux counts it in KiB (getrusage(2)).
    let memory_peak = u64::try_from(used.max_rss()).ok().map(|kib| Bytes(kib << 10));
    Usage { cpu: Some(Millis(cpu_ms)), memory_peak }
}

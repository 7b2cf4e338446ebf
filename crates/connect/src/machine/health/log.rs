//! The kernel log of the last day, as far back as the kernel keeps it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::machine::kernel_log::{KernelLog, Position};

/// So many records are read.
const RECORDS_MAX: usize = 65_536;
/// What is older says nothing of now: a device was reset since, or its fault shows elsewhere. Ours.
const RECENT: Duration = Duration::from_secs(24 * 3_600);

/// The lines of the last day in the kernel log; none where the system keeps it from this user.
#[must_use]
pub fn read(root: &Path) -> Option<Vec<String>> {
    let up = fs::read_to_string(root.join("proc/uptime")).ok().as_deref().and_then(seconds);
    let mut lines = Vec::new();
    let mut log = KernelLog::open(root, Position::Start).ok()?;
    log.read(RECORDS_MAX, &mut |at, line| {
        if is_recent(at, up) {
            lines.push(line.to_owned());
        }
    })
    .ok()?;
    Some(lines)
}

/// Whether what was written so long after the kernel's start is not too old. What has no moment is taken for recent.
fn is_recent(at: Option<Duration>, up: Option<Duration>) -> bool {
    up.zip(at).is_none_or(|(up, at)| up.saturating_sub(at) <= RECENT)
}

/// How long the machine has been up, of `/proc/uptime`.
fn seconds(uptime: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(uptime.split_ascii_whitespace().next()?.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_a_day_is_left_out() {
        let root = tempfile::TempDir::new().unwrap();
        fs::create_dir_all(root.path().join("dev")).unwrap();
        fs::create_dir_all(root.path().join("proc")).unwrap();
        let log = "6,1,13500000000,-;old\n6,2,13700000000,-;NVRM: Xid\n6,3,-;no moment\nno record\n";
        fs::write(root.path().join("dev/kmsg"), log).unwrap();
        assert_eq!(read(root.path()).unwrap().len(), 3, "how old they are is not known");
        fs::write(root.path().join("proc/uptime"), "100000.25 1.0\n").unwrap();
        assert_eq!(read(root.path()).unwrap(), ["NVRM: Xid", "no moment"]);
    }
}

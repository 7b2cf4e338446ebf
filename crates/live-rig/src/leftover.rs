//! Processes of an installation that are still there, found by a variable in their environment.

use std::fs;
use std::path::Path;

use crate::installation::MARK;

/// The processes that run for an installation: watchers and what they started, and `trimtab up` itself. Not those that have ended and wait to
/// be asked for.
#[must_use]
pub(crate) fn processes(rig: &Path) -> Vec<i32> {
    let own = format!("{MARK}={}", rig.display());
    let run = format!("TRIMTAB_RUN={}/", rig.display());
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let of_rig = |pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut variables = environment.split(|byte| *byte == 0);
        variables.any(|variable| variable == own.as_bytes() || variable.starts_with(run.as_bytes()))
    };
    pids.filter(of_rig).collect()
}

/// What a process is called, for people.
pub(crate) fn words(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    format!("process {pid}: {}", String::from_utf8_lossy(&line).replace('\0', " ").trim())
}

//! The kernel log, as far back as the kernel keeps it.

use std::path::Path;

use crate::machine::kernel_log::{KernelLog, Position};

/// So many records are read.
const RECORDS_MAX: usize = 65_536;

/// The lines of the kernel log; none where the system keeps it from this user.
#[must_use]
pub fn read(root: &Path) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    let mut log = KernelLog::open(root, Position::Start).ok()?;
    log.read(RECORDS_MAX, &mut |line| lines.push(line.to_owned())).ok()?;
    Some(lines)
}

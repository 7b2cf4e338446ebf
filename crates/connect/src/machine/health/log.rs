//! The kernel log, as far back as the kernel keeps it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// So many records are read.
const RECORDS_MAX: usize = 65_536;

/// The lines of the kernel log; none where the system keeps it from this user. A record of `/dev/kmsg` is one read
/// (Documentation/ABI/testing/dev-kmsg).
#[must_use]
pub fn read(root: &Path) -> Option<Vec<String>> {
    let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let mut file: File = File::options().read(true).custom_flags(nonblocking).open(root.join("dev/kmsg")).ok()?;
    let (mut lines, mut record) = (Vec::new(), [0; 8_192]);
    while lines.len() < RECORDS_MAX {
        match file.read(&mut record) {
            Ok(0) => break,
            Ok(length) => {
                let text = String::from_utf8_lossy(&record[..length]);
                let line = text.lines().next().and_then(|line| line.split_once(';')).map(|(_, line)| line.to_owned());
                lines.extend(line);
            }
            // What was read next was overwritten meanwhile.
            Err(error) if error.kind() == ErrorKind::BrokenPipe || error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(_) => return None,
        }
    }
    Some(lines)
}

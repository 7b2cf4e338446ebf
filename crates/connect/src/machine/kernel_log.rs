//! The kernel log, record by record (Documentation/ABI/testing/dev-kmsg): what the kernel itself wrote. What programs wrote there is passed over:
//! it may be anything, and the kernel lets none of them write in its name.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// A record is no longer.
const RECORD_MAX: usize = 8_192;
/// What programs write has a facility above the kernel's in these bits.
const LEVELS: u32 = 8;

/// The log, open. Reading it never waits.
#[derive(Debug)]
pub struct KernelLog(File);

/// From where on it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// As far back as the kernel keeps it.
    Start,
    /// What is written from now on.
    Now,
}

impl KernelLog {
    /// Opens it. `root` stands for `/`.
    ///
    /// # Errors
    /// What the system answers: it is kept from this user, or there is none.
    pub fn open(root: &Path, from: Position) -> io::Result<Self> {
        let nonblocking = nix::fcntl::OFlag::O_NONBLOCK.bits();
        let mut file = File::options().read(true).custom_flags(nonblocking).open(root.join("dev/kmsg"))?;
        if from == Position::Now {
            file.seek(SeekFrom::End(0))?;
        }
        Ok(Self(file))
    }

    /// Hands over the lines that are there, of so many records at most, with how long after the kernel's start each was written.
    ///
    /// # Errors
    /// What the system answers.
    pub fn read(&mut self, records_max: usize, each: &mut dyn FnMut(Option<Duration>, &str)) -> io::Result<()> {
        let mut record = [0; RECORD_MAX];
        for _ in 0..records_max {
            match self.0.read(&mut record) {
                Ok(0) => return Ok(()),
                Ok(length) => {
                    let text = String::from_utf8_lossy(&record[..length]);
                    text.lines().filter_map(line).for_each(|(at, line)| each(at, line));
                }
                // What was to be read next was overwritten meanwhile.
                Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// `6,339,5140900,-;text` of the kernel. Lines that begin with a blank say more of the record before.
fn line(text: &str) -> Option<(Option<Duration>, &str)> {
    let (head, line) = text.split_once(';')?;
    let mut fields = head.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let at = fields.nth(1).and_then(|us| us.parse().ok()).map(Duration::from_micros);
    (priority < LEVELS).then_some((at, line))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn what_the_kernel_writes_from_now_on_is_read_and_what_programs_write_is_not() {
        let root = tempfile::TempDir::new().unwrap();
        assert!(KernelLog::open(root.path(), Position::Now).is_err());
        fs::create_dir(root.path().join("dev")).unwrap();
        let path = root.path().join("dev/kmsg");
        fs::write(&path, "6,1,10,-;before\n").unwrap();
        let mut log = KernelLog::open(root.path(), Position::Now).unwrap();
        let read = |log: &mut KernelLog| {
            let mut lines = Vec::new();
            log.read(10, &mut |_, line| lines.push(line.to_owned())).unwrap();
            lines
        };
        assert!(read(&mut log).is_empty());
        let mut file = File::options().append(true).open(&path).unwrap();
        file.write_all(b"3,2,11,-;NVRM: Xid; and more\n SUBSYSTEM=pci\n12,3,12,-;of a program\nrubbish\n").unwrap();
        assert_eq!(read(&mut log), ["NVRM: Xid; and more"]);
        assert!(read(&mut log).is_empty());
        let mut all = KernelLog::open(root.path(), Position::Start).unwrap();
        assert_eq!(read(&mut all).len(), 2);
    }
}

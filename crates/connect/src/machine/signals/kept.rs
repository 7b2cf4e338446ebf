//! A file of the kernel that stays open: each read from its start gives what is so now.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// No file that is read here is longer; what comes after is left out. A machine of 1,024 processors prints 200 KiB of `/proc/stat`.
const LENGTH_MAX: usize = 1 << 20;

/// A file that is read again and again.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    file: Option<File>,
}

impl Kept {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), file: None }
    }

    /// What it says now, into a buffer that is used again. None where it is absent, or is no text.
    pub(super) fn read<'a>(&mut self, text: &'a mut Vec<u8>) -> Option<&'a str> {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok();
        }
        let read = self.file.as_ref().and_then(|file| whole(file, text));
        if read.is_none() {
            // What it stood for is gone, a group or a process; another may come under the same name.
            self.file = None;
        }
        std::str::from_utf8(text.get(..read?)?).ok()
    }
}

fn whole(file: &File, text: &mut Vec<u8>) -> Option<usize> {
    let mut read = 0;
    loop {
        if text.len() < read + 4_096 {
            text.resize((text.len() * 2).clamp(8_192, LENGTH_MAX + 4_096), 0);
        }
        match file.read_at(text.get_mut(read..)?, read as u64) {
            Ok(0) => return Some(read),
            Ok(more) => read += more,
            Err(_) => return None,
        }
        if read >= LENGTH_MAX {
            return Some(LENGTH_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_read_anew_and_what_is_gone_is_unknown() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a");
        let (mut kept, mut text) = (Kept::new(&path), Vec::new());
        assert_eq!(kept.read(&mut text), None);
        std::fs::write(&path, "a 7\nab 8\n").unwrap();
        assert_eq!(kept.read(&mut text), Some("a 7\nab 8\n"));
        std::fs::write(&path, "9\n").unwrap();
        assert_eq!(kept.read(&mut text), Some("9\n"));
        std::fs::write(&path, "x".repeat(3_000_000)).unwrap();
        assert_eq!(kept.read(&mut text).unwrap().len(), LENGTH_MAX);
    }
}

//! The log of a run: bounded by size, cut at the ends of lines. It must never stop the run: where it cannot be written, output
//! is left out, and the log says how much as soon as it can.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::order::LogPlace;

/// How far a file may pass its size to end with a whole line; a longer line is cut.
const LINE_SLACK: u64 = 64 << 10;

pub(super) struct Log {
    place: LogPlace,
    file: Option<File>,
    size: u64,
    at_line_start: bool,
    lost_bytes: u64,
}

impl Log {
    pub(super) fn open(place: LogPlace) -> Self {
        let mut log = Self { place, file: None, size: 0, at_line_start: true, lost_bytes: 0 };
        // Output that comes later tries again.
        drop(log.reopen());
        log
    }

    /// Takes in output.
    pub(super) fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (piece, full) = cut(bytes, self.size, self.place.file_bytes_max, self.at_line_start);
            if let Err(error) = self.append(&bytes[..piece]) {
                self.lost_bytes += piece as u64;
                self.file = None;
                drop(error);
            }
            bytes = &bytes[piece..];
            if full {
                self.rotate();
            }
        }
    }

    fn append(&mut self, piece: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            self.reopen()?;
        }
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        if self.lost_bytes > 0 {
            let lost =
                format!("trimtab: {} bytes of output are missing here: they could not be written\n", self.lost_bytes);
            file.write_all(lost.as_bytes())?;
            self.lost_bytes = 0;
        }
        file.write_all(piece)?;
        self.size += piece.len() as u64;
        if let Some(last) = piece.last() {
            self.at_line_start = *last == b'\n';
        }
        Ok(())
    }

    fn reopen(&mut self) -> io::Result<()> {
        if let Some(folder) = self.place.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().append(true).create(true).open(&self.place.path)?;
        self.size = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    /// `log` becomes `log.1`, `log.1` becomes `log.2`; the oldest is removed.
    fn rotate(&mut self) {
        let older = |number: u32| numbered(&self.place.path, number);
        for number in (1..self.place.files_max).rev() {
            // Absent ones are no error, and another failure only costs old output.
            drop(fs::rename(older(number - 1), older(number)));
        }
        if self.place.files_max <= 1 {
            drop(fs::remove_file(&self.place.path));
        }
        self.file = None;
        self.size = 0;
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// How many bytes still go into a file of `size`, and whether it is full then.
fn cut(bytes: &[u8], size: u64, max: u64, at_line_start: bool) -> (usize, bool) {
    let room = usize::try_from(max.saturating_sub(size)).unwrap_or(usize::MAX);
    if bytes.len() <= room {
        return (bytes.len(), false);
    }
    if let Some(end) = bytes[..room].iter().rposition(|byte| *byte == b'\n') {
        return (end + 1, true);
    }
    if at_line_start && size > 0 {
        return (0, true);
    }
    let most = usize::try_from((max + LINE_SLACK).saturating_sub(size)).unwrap_or(usize::MAX);
    match bytes.iter().take(most).position(|byte| *byte == b'\n') {
        Some(end) => (end + 1, true),
        None if bytes.len() < most => (bytes.len(), false),
        None => (most.min(bytes.len()), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_cut_at_line_ends() {
        let check = |bytes: &str, size, max, at_line_start, expected: (usize, bool)| {
            assert_eq!(cut(bytes.as_bytes(), size, max, at_line_start), expected, "{bytes:?} {size} {max}");
        };
        check("ab\ncd\n", 0, 10, true, (6, false));
        check("ab\ncd\n", 0, 5, true, (3, true));
        check("ab\ncd\n", 4, 5, true, (0, true));
        check("b\ncd\n", 5, 5, false, (2, true));
        check("abcdef", 0, 3, true, (6, false));
        let long = "x".repeat(70_000);
        check(&long, 0, 3, true, (3 + 65_536, true));
        check("x\n", 3 + 65_536, 3, false, (0, true));
    }
}

//! The headers of a tar file: those of POSIX.1-2017 (pax, "ustar Interchange Format"), with GNU's long names and large sizes.

use super::{BLOCK, READ_BYTES, TarError, TarProblem};
use crate::source::ReadAt;

/// The longest name that is read; longer ones are an error.
const NAME_BYTES_MAX: u64 = 64 << 10;

/// A regular file in the archive.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// Goes from header to header.
pub(super) struct Headers<'a> {
    file: &'a dyn ReadAt,
    /// Where the next header is.
    at: u64,
    /// Bytes that were read, and where from.
    window: Vec<u8>,
    window_start: u64,
    /// The name that an extra header gave to the next member.
    long_name: Option<String>,
}

impl<'a> Headers<'a> {
    /// From the first one of a file on.
    pub(super) fn of(file: &'a dyn ReadAt) -> Headers<'a> {
        Headers { file, at: 0, window: Vec::new(), window_start: 0, long_name: None }
    }

    pub(super) fn next(&mut self) -> Result<Option<Member>, TarError> {
        loop {
            let left = self.file.size().saturating_sub(self.at);
            if left == 0 {
                return Ok(None);
            }
            if left < BLOCK {
                return Err(self.error(TarProblem::Truncated));
            }
            let header = self.block()?;
            if header.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            if !sum_is_right(&header) {
                return Err(self.error(TarProblem::NoHeader));
            }
            let bytes = number(&header[124..136]).ok_or_else(|| self.error(TarProblem::NoSize))?;
            let offset = self.at + BLOCK;
            if bytes > self.file.size() - offset {
                return Err(self.error(TarProblem::Truncated));
            }
            let kind = header[156];
            match kind {
                b'L' => self.long_name = Some(text(&self.extra(offset, bytes)?)),
                b'x' => self.long_name = pax_path(&self.extra(offset, bytes)?).or(self.long_name.take()),
                _ => {}
            }
            self.at = offset + bytes.next_multiple_of(BLOCK);
            match kind {
                b'0' | 0 | b'7' => {
                    let name = self.long_name.take().unwrap_or_else(|| plain_name(&header));
                    return Ok(Some(Member { name, offset, bytes }));
                }
                b'L' | b'K' | b'x' | b'g' => {}
                // Folders, links, devices: no data.
                _ => self.long_name = None,
            }
        }
    }

    /// The header at `at`.
    fn block(&mut self) -> Result<[u8; BLOCK as usize], TarError> {
        let start = self.at.checked_sub(self.window_start).map(|start| start as usize);
        let start = match start {
            Some(start) if start + BLOCK as usize <= self.window.len() => start,
            _ => {
                let bytes = (self.file.size() - self.at).min(READ_BYTES as u64);
                self.window.resize(bytes as usize, 0);
                self.file.read_at(self.at, &mut self.window).map_err(TarError::Source)?;
                self.window_start = self.at;
                0
            }
        };
        Ok(self.window[start..][..BLOCK as usize].try_into().expect("the slice has a block's length"))
    }

    /// What an extra header carries.
    fn extra(&self, offset: u64, bytes: u64) -> Result<Vec<u8>, TarError> {
        if bytes > NAME_BYTES_MAX {
            return Err(self.error(TarProblem::LongName));
        }
        let mut extra = vec![0; bytes as usize];
        self.file.read_at(offset, &mut extra).map_err(TarError::Source)?;
        Ok(extra)
    }

    pub(super) fn error(&self, problem: TarProblem) -> TarError {
        TarError::Format { file: self.file.name().to_owned(), offset: self.at, problem }
    }
}

pub(super) fn plain_name(header: &[u8; BLOCK as usize]) -> String {
    let name = text(&header[..100]);
    let prefix = text(&header[345..500]);
    let is_ustar = header[257..262] == *b"ustar" && header[262] == 0;
    if is_ustar && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// Bytes up to the first zero; what is no UTF-8 is replaced.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// The record `path` of an extended header: each record is `length key=value\n`.
pub(super) fn pax_path(mut records: &[u8]) -> Option<String> {
    loop {
        let space = records.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
        let record = records.get(space + 1..length)?;
        if let Some(path) = record.strip_prefix(b"path=") {
            return Some(text(path.strip_suffix(b"\n").unwrap_or(path)));
        }
        records = records.get(length..)?;
    }
}

/// A number in octal digits, or in base 256 where the first bit is set (GNU).
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - 8);
        let is_small =
            high.split_first().is_some_and(|(mark, high)| *mark == 0x80 && high.iter().all(|byte| *byte == 0));
        return is_small.then(|| u64::from_be_bytes(low.try_into().expect("eight bytes were split off")));
    }
    let digits = std::str::from_utf8(field).ok()?.trim_matches(|digit| digit == ' ' || digit == '\0');
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// Whether the header's checksum is the sum of its bytes, the checksum itself taken as spaces.
pub(super) fn sum_is_right(header: &[u8; BLOCK as usize]) -> bool {
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let spaces = 8 * u64::from(b' ');
    number(&header[148..156]) == Some(sum(&header[..148]) + spaces + sum(&header[156..]))
}

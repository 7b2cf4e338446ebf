//! Giving up blocks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::TEMPORARY;

/// What was used so short before a loader began may be of another that still runs.
const MAY_BE_USED: Duration = Duration::from_secs(3600);

/// A block in a folder.
struct Held {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

/// Bytes of a folder: of its blocks, and of those that are being written, as large as they will be.
pub(super) fn held(folder: &Path) -> io::Result<u64> {
    Ok(blocks(folder)?.iter().map(|block| block.bytes).sum::<u64>() + being_written(folder)?)
}

fn being_written(folder: &Path) -> io::Result<u64> {
    let mut bytes: u64 = 0;
    for entry in fs::read_dir(folder.join(TEMPORARY))? {
        let name = entry?.file_name();
        // Process, number, and bytes.
        bytes += name.to_str().and_then(|name| name.rsplit('-').next()?.parse().ok()).unwrap_or(0);
    }
    Ok(bytes)
}

/// The blocks of a folder.
fn blocks(folder: &Path) -> io::Result<Vec<Held>> {
    let mut blocks = Vec::new();
    for part in fs::read_dir(folder)? {
        let part = part?;
        // The folders of blocks have names of two digits.
        if part.file_name().len() != 2 || !part.file_type()?.is_dir() {
            continue;
        }
        for block in fs::read_dir(part.path())? {
            let block = block?;
            // Another process may have removed it.
            let Ok(meta) = block.metadata() else { continue };
            blocks.push(Held { path: block.path(), bytes: meta.len(), used: meta.modified()? });
        }
    }
    Ok(blocks)
}

/// Removes what nobody used since a loader began at `opened`, and for a while before, until a tenth of the limit is free; the longest
/// unused first. What is left.
pub(super) fn sweep(folder: &Path, limit: u64, opened: SystemTime) -> io::Result<u64> {
    let mut blocks = blocks(folder)?;
    blocks.sort_by_key(|block| block.used);
    let mut left = blocks.iter().map(|block| block.bytes).sum::<u64>() + being_written(folder)?;
    let unused = opened.checked_sub(MAY_BE_USED).unwrap_or(SystemTime::UNIX_EPOCH);
    for block in blocks.iter().filter(|block| block.used < unused) {
        if left <= limit / 10 * 9 {
            break;
        }
        match fs::remove_file(&block.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => left -= block.bytes,
        }
    }
    Ok(left)
}

/// Removes what processes were writing that are no more.
pub(super) fn remove_left_over(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.split('-').next());
        let is_running = process.is_some_and(|process| Path::new("/proc").join(process).exists());
        if !is_running {
            // Another process may do the same now.
            drop(fs::remove_file(entry.path()));
        }
    }
}

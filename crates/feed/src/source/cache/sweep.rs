//! Giving up blocks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{TEMPORARY, unpacked};

/// What was used so short before a loader began may be of another that still runs.
const MAY_BE_USED: Duration = Duration::from_secs(3600);

/// A block in a folder, or what was unpacked there.
struct Held {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
    kind: HeldKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum HeldKind {
    Block,
    Unpacked,
    /// A running process uses it.
    UnpackedInUse,
}

/// Bytes of a folder: of its blocks, of what was unpacked, and of what is being written, as large as it will be.
pub(super) fn held(folder: &Path) -> io::Result<u64> {
    let _lock = unpacked::nobody_begins_meanwhile(folder)?;
    let (held, being_written) = all(folder)?;
    Ok(held.iter().map(|held| held.bytes).sum::<u64>() + being_written)
}

/// All that a folder holds; and the bytes of what is being written.
fn all(folder: &Path) -> io::Result<(Vec<Held>, u64)> {
    let mut held = blocks(folder)?;
    let (unpacked, taken) = unpacked::held(folder)?;
    held.extend(unpacked.into_iter().map(|unpacked::Held { path, bytes, used, is_in_use }| Held {
        path,
        bytes,
        used,
        kind: if is_in_use { HeldKind::UnpackedInUse } else { HeldKind::Unpacked },
    }));
    Ok((held, being_written(folder)? + taken))
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
            blocks.push(Held { path: block.path(), bytes: meta.len(), used: meta.modified()?, kind: HeldKind::Block });
        }
    }
    Ok(blocks)
}

/// Removes what nobody used since a loader began at `opened`, and for a while before, until a tenth of the limit is free; the longest
/// unused first. What is left.
pub(super) fn sweep(folder: &Path, limit: u64, opened: SystemTime) -> io::Result<u64> {
    // Held until the end.
    let _lock = unpacked::nobody_begins_meanwhile(folder)?;
    let (mut held, being_written) = all(folder)?;
    held.sort_by_key(|held| held.used);
    let mut left = held.iter().map(|held| held.bytes).sum::<u64>() + being_written;
    let unused = opened.checked_sub(MAY_BE_USED).unwrap_or(SystemTime::UNIX_EPOCH);
    for held in held.iter().filter(|held| held.used < unused) {
        if left <= limit / 10 * 9 {
            break;
        }
        let removed = match held.kind {
            HeldKind::Block => fs::remove_file(&held.path),
            HeldKind::Unpacked => unpacked::remove(&held.path),
            HeldKind::UnpackedInUse => continue,
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => left -= held.bytes,
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

//! How fast a folder's disk is, and whether there is room on it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::statvfs::statvfs;

use super::{Better, Found};

/// What is written and read.
const LENGTH: usize = 64 << 20;
const BLOCK: usize = 1 << 20;
/// Room for less than this part of the disk is no room.
const FREE_MIN: f64 = 0.03;

pub(super) fn probe(folder: &Path) -> Vec<Found> {
    let name = folder.display();
    let room = statvfs(folder).ok().filter(|disk| disk.blocks() > 0);
    let free = room.map(|disk| disk.blocks_available() as f64 / disk.blocks() as f64);
    let full = free.filter(|free| *free < FREE_MIN).map(|free| {
        format!(
            "{:.1} % of the disk of {name} is free: make room; checkpoints and logs fail on a full disk",
            100.0 * free
        )
    });
    let mut found = vec![Found::new("disk", "room on the disk", free.map(|free| 100.0 * free), "%").wrong(full)];
    let path = folder.join(format!(".trimtab-health-{}", std::process::id()));
    let measured = measure(&path);
    drop(fs::remove_file(&path));
    match measured {
        Ok([write, read]) => {
            found.push(Found::new("disk", "written and synced", Some(write), "MB/s").better(Better::Higher));
            found.push(Found::new("disk", "read again", Some(read), "MB/s").better(Better::Higher));
        }
        Err(error) => {
            let wrong = Some(format!("{name} cannot be written and read: {error}"));
            found.push(Found::new("disk", "written and synced", None, "MB/s").wrong(wrong));
        }
    }
    found
}

/// Writes a file to the disk and reads it back from there, in 10⁶ bytes a second.
fn measure(path: &Path) -> io::Result<[f64; 2]> {
    let mut block = vec![0_u8; BLOCK];
    // No disk makes less of it: xorshift64 (Marsaglia, Xorshift RNGs, 2003).
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for bytes in block.chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.copy_from_slice(&state.to_le_bytes()[..bytes.len()]);
    }
    let begun = Instant::now();
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    for _ in 0..LENGTH / BLOCK {
        file.write_all(&block)?;
    }
    file.sync_all()?;
    let written = begun.elapsed().as_secs_f64();
    let mut file = File::open(path)?;
    // What is on the disk may go from memory, so that the disk is what is read.
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
    let begun = Instant::now();
    for _ in 0..LENGTH / BLOCK {
        let before = block.clone();
        file.read_exact(&mut block)?;
        if block != before {
            return Err(io::Error::other("what was read is not what was written"));
        }
    }
    let read = begun.elapsed().as_secs_f64();
    Ok([written, read].map(|seconds| LENGTH as f64 / 1e6 / seconds.max(1e-9)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_a_speed_and_nothing_is_left_on_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let found = probe(folder.path());
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|found| found.value.is_some_and(|value| value > 0.0)), "{found:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let absent = probe(&folder.path().join("absent"));
        assert!(
            absent.iter().any(|found| found.wrong.as_ref().is_some_and(|wrong| wrong.contains("cannot be written")))
        );
    }
}

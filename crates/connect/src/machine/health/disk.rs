//! Whether there is room on a folder's disk, whether it can be written, and how fast it is.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Instant;

use fleet::health::{Better, Depth, Measured};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::statvfs::statvfs;

/// What is written and read.
const LENGTH: usize = 64 << 20;
const BLOCK: usize = 1 << 20;
/// Room for less than this part of the disk is no room.
const FREE_MIN: f64 = 0.03;

pub(super) fn probe(folder: &Path, depth: Depth) -> Vec<Measured> {
    let name = folder.display();
    let room = statvfs(folder).ok().filter(|disk| disk.blocks() > 0);
    let free = room.map(|disk| disk.blocks_available() as f64 / disk.blocks() as f64);
    let full = free.filter(|free| *free < FREE_MIN).map(|free| {
        format!(
            "{:.1} % of the disk of {name} is free: make room; checkpoints and logs fail on a full disk",
            100.0 * free
        )
    });
    let mut found = vec![Measured::new("disk", "room on the disk", free.map(|free| 100.0 * free), "%").wrong(full)];
    let path = folder.join(format!(".trimtab-health-{}", std::process::id()));
    let measured = match depth {
        Depth::Quick => try_out(&path).map(|()| Vec::new()),
        Depth::Full => measure(&path).map(|[write, read]| {
            let speed = |what, speed| Measured::new("disk", what, Some(speed), "MB/s").better(Better::Higher);
            vec![speed(Measured::WRITTEN, write), speed(Measured::READ, read)]
        }),
    };
    drop(fs::remove_file(&path));
    let wrong = measured.as_ref().err().map(|error| format!("{name} cannot be written and read: {error}"));
    let works = Some(f64::from(u8::from(wrong.is_none())));
    found.push(Measured::new("disk", "a file can be written", works, "").wrong(wrong));
    found.extend(measured.unwrap_or_default());
    found
}

/// Writes a little and reads it again. It is not synced: on a disk that others keep busy that takes seconds.
fn try_out(path: &Path) -> io::Result<()> {
    let text = [b'x'; 4_096];
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(&text)?;
    if fs::read(path)? == text { Ok(()) } else { Err(io::Error::other("what was read is not what was written")) }
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
        let found = probe(folder.path(), Depth::Full);
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|found| found.value.is_some_and(|value| value > 0.0)), "{found:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        for depth in [Depth::Quick, Depth::Full] {
            let absent = probe(&folder.path().join("absent"), depth);
            let wrong: Vec<&str> = absent.iter().filter_map(|found| found.wrong.as_deref()).collect();
            assert!(wrong.len() == 1 && wrong[0].contains("cannot be written"), "{wrong:?}");
        }
    }

    #[test]
    fn a_quick_look_measures_no_speed() {
        let folder = tempfile::TempDir::new().unwrap();
        let found = probe(folder.path(), Depth::Quick);
        assert!(found.iter().all(|found| Depth::Quick.measures(&found.what) && found.wrong.is_none()), "{found:?}");
        assert_eq!((found.len(), fs::read_dir(folder.path()).unwrap().count()), (2, 0));
    }
}

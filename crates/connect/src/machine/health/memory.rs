//! How much memory there is, how fast it is, and whether it had errors that could not be corrected.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::thread;
use std::time::Instant;

use fleet::quantity::Bytes;

use super::{Better, Found};
use crate::machine::procfs::meminfo;

/// What each thread copies at once: more than its share of any cache of today, less than would hurt who runs beside it.
const COPIED: usize = 64 << 20;
/// So many times; the fastest counts, since others may run meanwhile.
const TIMES: usize = 4;
/// So many threads are enough for any memory.
const THREADS_MAX: usize = 16;

pub(super) fn probe(root: &Path) -> Vec<Found> {
    let info = fs::read_to_string(root.join("proc/meminfo")).unwrap_or_default();
    let gib = |bytes: Bytes| bytes.0 as f64 / f64::from(1 << 30);
    let total = Found::new("memory", "memory", meminfo(&info, "MemTotal").map(gib), "GiB").better(Better::Higher);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    // What is free must hold it twice over.
    let room = meminfo(&info, "MemAvailable").is_some_and(|free| free.0 > (4 * COPIED * threads) as u64);
    let speed = room.then(|| bandwidth(threads));
    vec![total, Found::new("memory", "memory bandwidth", speed, "GB/s").better(Better::Higher), errors(root)]
}

/// Bytes read and written by copies, in 10⁹ a second.
fn bandwidth(threads: usize) -> f64 {
    let mut buffers: Vec<(Vec<u8>, Vec<u8>)> = (0..threads).map(|_| (vec![1; COPIED], vec![2; COPIED])).collect();
    let mut fastest = f64::INFINITY;
    for _ in 0..TIMES {
        let begun = Instant::now();
        thread::scope(|scope| {
            for (from, to) in &mut buffers {
                scope.spawn(|| to.copy_from_slice(black_box(from)));
            }
        });
        fastest = fastest.min(begun.elapsed().as_secs_f64());
    }
    (2 * COPIED * threads) as f64 / 1e9 / fastest
}

/// Errors that could not be corrected, as the kernel counts them (EDAC).
fn errors(root: &Path) -> Found {
    let entries = fs::read_dir(root.join("sys/devices/system/edac/mc")).into_iter().flatten().flatten();
    let counts: Vec<u64> = entries
        .filter_map(|entry| fs::read_to_string(entry.path().join("ue_count")).ok()?.trim().parse().ok())
        .collect();
    let all = (!counts.is_empty()).then(|| counts.iter().sum::<u64>());
    let wrong = all.filter(|errors| *errors > 0).map(|errors| {
        format!("memory had {errors} errors that could not be corrected since the machine was started: find the module (edac-util -v) and change it")
    });
    Found::new("memory", "memory errors that could not be corrected", all.map(|all| all as f64), "")
        .better(Better::Lower)
        .wrong(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_and_unknown_ones_are_not_zero() {
        let root = tempfile::TempDir::new().unwrap();
        assert_eq!(errors(root.path()).value, None);
        let folder = root.path().join("sys/devices/system/edac/mc/mc0");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("ue_count"), "0\n").unwrap();
        assert_eq!((errors(root.path()).value, errors(root.path()).wrong), (Some(0.0), None));
        fs::write(folder.join("ue_count"), "2\n").unwrap();
        assert!(errors(root.path()).wrong.is_some());
    }

    #[test]
    fn memory_has_a_speed() {
        assert!(bandwidth(1) > 0.1, "slower than a disk");
    }
}

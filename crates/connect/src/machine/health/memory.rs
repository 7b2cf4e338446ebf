//! How much memory there is, how fast it is, and whether it had errors that could not be corrected.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::thread;
use std::time::Instant;

use fleet::health::{Better, Depth, Measured};
use fleet::quantity::Bytes;

use crate::machine::procfs::meminfo;

/// What each thread copies at once: more than its share of any cache of today, less than would hurt who runs beside it.
const COPIED: usize = 64 << 20;
/// So many times; the fastest counts, since others may run meanwhile.
const TIMES: usize = 4;
/// So many threads are enough for any memory.
const THREADS_MAX: usize = 16;

/// Less than this part of the memory is none: whatever starts then is killed for want of it. Ours.
const AVAILABLE_MIN: f64 = 0.01;

pub(super) fn probe(root: &Path, depth: Depth) -> Vec<Measured> {
    let info = fs::read_to_string(root.join("proc/meminfo")).unwrap_or_default();
    let gib = |bytes: Bytes| bytes.0 as f64 / f64::from(1 << 30);
    let total = Measured::new("memory", "memory", meminfo(&info, "MemTotal").map(gib), "GiB").better(Better::Higher);
    let mut found = vec![total, available(&info), errors(root)];
    if depth == Depth::Quick {
        return found;
    }
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    // What is free must hold it twice over.
    let room = meminfo(&info, "MemAvailable").is_some_and(|free| free.0 > (4 * COPIED * threads) as u64);
    let speed = room.then(|| bandwidth(threads));
    found.push(Measured::new("memory", Measured::BANDWIDTH, speed, "GB/s").better(Better::Higher));
    found
}

/// It is told and not compared: who runs beside has a right to memory.
fn available(info: &str) -> Measured {
    let ratio = match (meminfo(info, "MemAvailable"), meminfo(info, "MemTotal")) {
        (Some(free), Some(all)) if all.0 > 0 => Some(free.0 as f64 / all.0 as f64),
        _ => None,
    };
    let wrong = ratio.filter(|ratio| *ratio < AVAILABLE_MIN).map(|ratio| {
        format!(
            "{:.1} % of the memory is available: find what holds it (ps aux --sort=-rss, df -t tmpfs), and end it",
            100.0 * ratio
        )
    });
    Measured::new("memory", "memory available", ratio.map(|ratio| 100.0 * ratio), "%").wrong(wrong)
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
fn errors(root: &Path) -> Measured {
    let entries = fs::read_dir(root.join("sys/devices/system/edac/mc")).into_iter().flatten().flatten();
    let counts: Vec<u64> = entries
        .filter_map(|entry| fs::read_to_string(entry.path().join("ue_count")).ok()?.trim().parse().ok())
        .collect();
    let all = (!counts.is_empty()).then(|| counts.iter().sum::<u64>());
    let wrong = all.filter(|errors| *errors > 0).map(|errors| {
        format!("memory had {errors} errors that could not be corrected since the machine was started: find the module (edac-util -v) and change it")
    });
    Measured::new("memory", "memory errors that could not be corrected", all.map(|all| all as f64), "")
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
    fn memory_that_is_used_up_is_told() {
        let wrong = |kib: u64| available(&format!("MemTotal: 1000000 kB\nMemAvailable: {kib} kB\n")).wrong.is_some();
        assert_eq!((wrong(9_000), wrong(11_000)), (true, false));
        assert_eq!((available("").value, available("").wrong), (None, None), "what is unknown is not zero");
    }

    #[test]
    fn memory_has_a_speed() {
        assert!(bandwidth(1) > 0.1, "slower than a disk");
    }
}

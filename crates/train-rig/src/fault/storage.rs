//! Faults of what samples are read from: an empty page cache, a slow disk, and memory in which pages do not stay.

use std::thread::sleep;
use std::time::Duration;

use anyhow::ensure;

use super::background::Background;
use super::undo::Undo;
use super::{Done, Fault};
use crate::cgroup::Group;
use crate::ground::Ground;
use crate::pace::Pace;
use crate::samples::drop_cached;

/// How often the page cache is emptied. An epoch has seven steps at least.
const EVICT_EVERY: Duration = Duration::from_millis(40);
/// What a group may hold besides what it held at most and the pages it keeps: what the kernel charges in advance.
const ROOM_BYTES: u64 = 512 << 10;
/// How many times as often as there is no room for it a sample is not there when its turn comes, 1.2 to 1.4 as measured here: what was read
/// lately is kept, and in an epoch that is what is not needed for long. Where that is all the kernel knew it would be `1 - ln(r)` times,
/// `r` being the share without room.
const MISSES: f64 = 1.3;
/// How often a rank's memory is looked at over a step.
const LOOKS: u32 = 16;

/// The share of its samples that a rank must read from the disk for its loader to take as long as a step is to take.
fn cold_share(fault: &Fault, ground: &Ground, healthy: &Pace) -> f64 {
    let step_s = fault.slowdown * healthy.step_s;
    let cold_s = ground.shape.batch_bytes() as f64 / ground.shape.read_bytes_per_s as f64;
    let prepare_s = ground.shape.prepare_ms / 1e3;
    ((step_s - prepare_s) / cold_s).min(1.0)
}

/// Empties the page cache of as many samples as it takes, all the time.
pub(super) fn cold(fault: &Fault, ground: &Ground, healthy: &Pace) -> anyhow::Result<Done> {
    // Without a limit the disk may be as fast as memory, and the fault none.
    ground.check_disk()?;
    let share = cold_share(fault, ground, healthy);
    let files: Vec<_> = fault
        .ranks(&ground.shape)
        .into_iter()
        .flat_map(|rank| {
            let mut files = ground.samples(rank);
            files.truncate((files.len() as f64 * share).round() as usize);
            files
        })
        .collect();
    let background = Background::start(move || {
        // A file that has gone has gone with the run's folder.
        files.iter().all(|file| drop_cached(file).is_ok()).then_some(EVICT_EVERY)
    })?;
    Ok(Done { knob: format!("{:.0} % of samples cold", share * 100.0), undo: Undo::Evicting(background) })
}

/// Makes the disk so slow that the samples of a step take as long as it is to take.
pub(super) fn slow(fault: &Fault, ground: &Ground, healthy: &Pace) -> anyhow::Result<Done> {
    let limits = ground.limits()?;
    let ranks = fault.ranks(&ground.shape);
    let load_s = fault.slowdown * healthy.step_s - ground.shape.prepare_ms / 1e3;
    let rate = (ground.shape.batch_bytes() as f64 / load_s) as u64;
    ensure!(rate < ground.shape.read_bytes_per_s, "the disk is as slow as that already");
    for rank in &ranks {
        limits.set_disk(*rank, rate, ground.shape.write_bytes_per_s)?;
    }
    Ok(Done { knob: format!("{:.1} MB/s read", rate as f64 / 1e6), undo: Undo::Disk(ranks) })
}

/// Leaves a rank no memory for the pages of as many samples as it takes.
pub(super) fn tight(fault: &Fault, ground: &Ground, healthy: &Pace) -> anyhow::Result<Done> {
    // As above: what is read again must take its time.
    ground.check_disk()?;
    let limits = ground.limits()?;
    let ranks = fault.ranks(&ground.shape);
    let shard = u64::from(ground.shape.shard_samples) * u64::from(ground.shape.sample_bytes);
    let kept = (shard as f64 * (1.0 - cold_share(fault, ground, healthy) / MISSES)) as u64;
    let mut least = u64::MAX;
    for rank in &ranks {
        let group = limits.group(*rank)?;
        let bytes = own_most(group, healthy)? + kept + ROOM_BYTES;
        group.set_memory(Some(bytes))?;
        least = least.min(bytes);
    }
    let knob = format!("{:.1} MB, {:.1} of them for {:.1} of samples", mb(least), mb(kept), mb(shard));
    Ok(Done { knob, undo: Undo::Memory(ranks) })
}

/// The most that a rank holds besides pages of files, over a step: what is less would end it instead of slowing it.
fn own_most(group: &Group, healthy: &Pace) -> anyhow::Result<u64> {
    let mut most = 0;
    for _ in 0..LOOKS {
        let memory = group.memory()?;
        most = most.max(memory.used.saturating_sub(memory.cached));
        sleep(Duration::from_secs_f64(healthy.step_s / f64::from(LOOKS)));
    }
    Ok(most)
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

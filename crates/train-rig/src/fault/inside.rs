//! Faults that begin inside a rank: a slow device, checkpoints out of proportion, a call that does not return; and samples that
//! take longer to be prepared, which is told by their files.

use super::undo::Undo;
use super::{Done, Fault};
use crate::control::{Checkpoints, Control};
use crate::ground::Ground;
use crate::pace::Pace;
use crate::phase::Phase;
use crate::samples::{Effort, set_effort};

/// The largest checkpoint.
const CHECKPOINT_MAX_BYTES: f64 = 256e6;
/// What a limited disk takes at once where checkpoints follow each other, as seconds of its rate: the slice in which the kernel counts
/// (block/blk-throttle.c), as measured here. One after many steps gets next to nothing of it.
const DISK_CREDIT_S: f64 = 0.1;
/// How much of what makes a loader slow is work.
const WORKS: f64 = 0.3;

/// Makes a rank's device so slow that its step takes what it is to take.
pub(super) fn device(fault: &Fault, ground: &Ground, healthy: &Pace) -> anyhow::Result<Done> {
    let device_s = (ground.shape.device_forward_ms + ground.shape.device_backward_ms) / 1e3;
    let factor = 1.0 + (fault.slowdown - 1.0) * healthy.step_s / device_s;
    let undo = tell(fault, ground, |control| control.device_factor = factor)?;
    Ok(Done { knob: format!("device takes {factor:.2} times as long"), undo })
}

/// Writes checkpoints so large and so often that they take what a step is to take longer, in the mean.
pub(super) fn checkpoints(fault: &Fault, ground: &Ground, healthy: &Pace) -> anyhow::Result<Done> {
    // What a checkpoint takes is known where the kernel says how fast the disk is, or where one was written.
    let writes_s = healthy.ranks.iter().map(|rank| rank.phase_s(Phase::Checkpoint)).fold(0.0, f64::max);
    let rate = match ground.check_disk() {
        Ok(()) => ground.shape.write_bytes_per_s as f64,
        Err(_) if writes_s > 0.0 => {
            ground.shape.checkpoint_bytes as f64 / ground.shape.checkpoint_every as f64 / writes_s
        }
        Err(error) => return Err(error.context("no checkpoint was written yet, and nobody knows how fast the disk is")),
    };
    let each_step_s = (fault.slowdown - 1.0) * healthy.step_s + writes_s;
    // As often as it takes for one to have its usual size, and larger where it would be needed after every step.
    let every = (ground.shape.checkpoint_bytes as f64 / rate / each_step_s).floor().clamp(1.0, 4.0);
    let bytes = ((each_step_s * every + DISK_CREDIT_S) * rate).min(CHECKPOINT_MAX_BYTES) as u64;
    let checkpoints = Checkpoints { every: every as u64, bytes };
    let undo = tell(fault, ground, |control| control.checkpoints = Some(checkpoints))?;
    Ok(Done { knob: format!("{:.1} MB every {every} steps", bytes as f64 / 1e6), undo })
}

/// Lets a rank get stuck.
pub(super) fn stuck(fault: &Fault, ground: &Ground) -> anyhow::Result<Done> {
    let undo = tell(fault, ground, |control| control.stuck_in = Some(fault.stuck_in))?;
    Ok(Done { knob: format!("stuck in {}", fault.stuck_in.name()), undo })
}

fn tell(fault: &Fault, ground: &Ground, change: impl Fn(&mut Control)) -> anyhow::Result<Undo> {
    let mut before = Vec::new();
    for rank in fault.ranks(&ground.shape) {
        let folder = ground.rank_folder(rank);
        let mut control = Control::read(&folder)?;
        before.push((rank, control.clone()));
        change(&mut control);
        control.write(&folder)?;
    }
    Ok(Undo::Control(before))
}

/// Makes samples so heavy that those of a step take as long to be prepared as it is to take. A part of that is work, and the rest is
/// waiting, as for a lock or for an answer from elsewhere: on a machine whose cores are busy, work alone would cost any amount.
pub(super) fn samples(fault: &Fault, ground: &Ground, healthy: &Pace) -> anyhow::Result<Done> {
    let (shape, work) = (&ground.shape, &ground.work);
    let more_s = fault.slowdown * healthy.step_s - shape.prepare_ms / 1e3;
    let passes = work.passes + (more_s * WORKS * 1e9 / work.pass_ns.max(1) as f64) as u32;
    let wait_us = (more_s * (1.0 - WORKS) * 1e6 / f64::from(shape.batch_samples)) as u32;
    let mut before = Vec::new();
    for file in fault.ranks(shape).into_iter().flat_map(|rank| ground.samples(rank)) {
        let effort = set_effort(&file, Effort { passes, wait_us })?;
        before.push((file, effort));
    }
    let knob = format!("{passes} passes a sample instead of {}, and {wait_us} µs of waiting", work.passes);
    Ok(Done { knob, undo: Undo::Samples(before) })
}

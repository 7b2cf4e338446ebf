//! Faults of the processor: a quota, a process that is stopped now and then, and neighbours that want the cores.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::background::Background;
use super::undo::Undo;
use super::{Done, Fault};
use crate::cgroup::Group;
use crate::ground::{Ground, RANK_WEIGHT};
use crate::pace::Pace;
use crate::random::Random;

/// A quota under which what a rank computes in a step takes as long as the step is to take.
pub(super) fn quota(fault: &Fault, ground: &Ground, healthy: &Pace) -> anyhow::Result<Done> {
    let limits = ground.limits()?;
    let ranks = fault.ranks(&ground.shape);
    let mut least = f64::MAX;
    for rank in &ranks {
        let cpu_s = healthy.ranks[*rank as usize].cpu_s;
        let cores = cpu_s / (fault.slowdown * healthy.step_s);
        limits.group(*rank)?.set_processor(Some(cores))?;
        least = least.min(cores);
    }
    Ok(Done { knob: format!("{:.1} % of a core", least * 100.0), undo: Undo::Processor(ranks) })
}

/// Stops a rank again and again, after it has run for about as long as a healthy step. The device goes on meanwhile, as a GPU does: a stop
/// that begins while the device is waited for costs only what of it is left when the device has ended.
pub(super) fn stopped(fault: &Fault, ground: &Arc<Ground>, healthy: &Pace) -> anyhow::Result<Done> {
    let ranks = fault.ranks(&ground.shape);
    let squares = (ground.shape.device_forward_ms / 1e3).powi(2) + (ground.shape.device_backward_ms / 1e3).powi(2);
    // What is left in the mean of what the device does when a stop begins at any moment.
    let left_s = squares / 2.0 / healthy.step_s;
    let step = Duration::from_secs_f64(healthy.step_s);
    let stops = Duration::from_secs_f64(fault.slowdown * (healthy.step_s + left_s)) - step;
    // Were they all of one length, every stop would meet the same moment of a step.
    let mut lengths = Random::new(u64::from(step.subsec_nanos()), 5);
    let (held, stopping) = (Arc::clone(ground), ranks.clone());
    let mut is_stopped = false;
    let background = Background::start(move || {
        is_stopped = !is_stopped;
        let (signal, pause) = match is_stopped {
            true => (Signal::SIGSTOP, stops),
            false => (Signal::SIGCONT, step.mul_f64(lengths.between(0.5, 1.5))),
        };
        stopping.iter().all(|rank| held.crew.signal(*rank, signal).is_ok()).then_some(pause)
    })?;
    let knob = format!("stopped {} ms after about {} ms", stops.as_millis(), step.as_millis());
    Ok(Done { knob, undo: Undo::Stopping(background, ranks) })
}

/// Starts a neighbour on each core, and lets the ranks weigh so little beside it that what they compute takes as long as the step is to
/// take. Without that a neighbour costs next to nothing: the kernel serves first who has used least.
pub(super) fn neighbours(fault: &Fault, ground: &Ground, healthy: &Pace) -> anyhow::Result<Done> {
    let limits = ground.limits()?;
    let pids = ground.crew.pids();
    let pid = pids.first().context("there is no rank")?;
    let cores = sched_getaffinity(Pid::from_raw(pid.cast_signed()))?;
    let cores: Vec<usize> = (0..CpuSet::count()).filter(|core| cores.is_set(*core).unwrap_or(false)).collect();
    // They end with this, also if one of them cannot be started.
    let mut hogs = Hogs { processes: Vec::new(), groups: limits.make(cores.len() as u32)? };
    for (core, group) in cores.iter().zip(&hogs.groups) {
        let mut command = Command::new(&ground.program);
        command.arg("hog").arg(core.to_string()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let hog = ground.network.within(move || command.spawn().context("no neighbour can be started"))?;
        let pid = hog.id();
        hogs.processes.push(hog);
        group.add(pid)?;
        group.set_weight(RANK_WEIGHT)?;
    }
    let ranks_per_core = pids.len() as f64 / cores.len() as f64;
    let mut least = f64::MAX;
    for (rank, pace) in (0..).zip(&healthy.ranks) {
        // What is not used while the device is waited for is saved up in part only (half of it, as measured here).
        let device_s = (ground.shape.device_forward_ms + ground.shape.device_backward_ms) / 1e3;
        let share = pace.cpu_s / (fault.slowdown * healthy.step_s - device_s.min(healthy.step_s) / 2.0);
        // Beside one neighbour, and the other ranks of the same core.
        let weight = share / (1.0 - (ranks_per_core * share).min(0.9));
        limits.group(rank)?.set_weight(RANK_WEIGHT * weight)?;
        least = least.min(weight);
    }
    for hog in &mut hogs.processes {
        hog.stdin.take().context("its input is a pipe")?.write_all(b"go\n")?;
    }
    let knob = format!("a neighbour on each of {} cores, ranks weigh {:.1} % of it", cores.len(), least * 100.0);
    Ok(Done { knob, undo: Undo::Neighbours(hogs, fault.ranks(&ground.shape)) })
}

/// Neighbours, who end when this is dropped.
#[derive(Debug)]
pub(super) struct Hogs {
    processes: Vec<Child>,
    groups: Vec<Group>,
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.processes {
            drop(hog.kill());
        }
        for hog in &mut self.processes {
            drop(hog.wait());
        }
    }
}

//! Faults: what can be done to a run, and taken back.
//!
//! A fault says what a step is to cost; a file for each group of kinds works out from the healthy pace what the kernel is to be told for
//! that. What can be done is in [`Kind`]; how each is taken back in `undo`.

mod background;
mod inside;
mod kind;
mod link;
mod processor;
mod storage;
mod undo;

use std::fmt::{self, Display};
use std::sync::Arc;

use anyhow::{Context, ensure};
use nix::sys::signal::Signal;

pub use self::kind::{Fault, Kind};
use self::undo::Undo;
use crate::ground::Ground;
use crate::pace::Pace;

/// A fault that was done to a run. It is taken back when this is dropped, if it can be.
#[derive(Debug)]
pub struct Injected {
    fault: Fault,
    ground: Arc<Ground>,
    knob: String,
    undo: Option<Undo>,
}

/// What was done, in words, and what takes it back.
struct Done {
    knob: String,
    undo: Undo,
}

impl Injected {
    pub(crate) fn inject(fault: &Fault, ground: &Arc<Ground>, healthy: &Pace) -> anyhow::Result<Self> {
        let (kind, shape) = (fault.kind, &ground.shape);
        ensure!(kind.suits(shape), "{} does nothing to a run whose samples are {:?}", kind.name(), shape.storage);
        let absent = fault.rank.filter(|rank| *rank >= shape.ranks);
        ensure!(absent.is_none(), "there is no rank {}", absent.unwrap_or_default());
        ensure!(!kind.slows() || fault.slowdown > 1.0, "a slowdown of {} is none", fault.slowdown);
        let done = match kind {
            Kind::CpuQuota => processor::quota(fault, ground, healthy),
            Kind::Stopped => processor::stopped(fault, ground, healthy),
            Kind::NoisyNeighbour => processor::neighbours(fault, ground, healthy),
            Kind::ColdDisk => storage::cold(fault, ground, healthy),
            Kind::SlowDisk => storage::slow(fault, ground, healthy),
            Kind::TightMemory => storage::tight(fault, ground, healthy),
            Kind::SlowLink => link::slow(fault, ground, healthy),
            Kind::SlowRank => inside::device(fault, ground, healthy),
            Kind::SlowLoader => inside::samples(fault, ground, healthy),
            Kind::CheckpointBursts => inside::checkpoints(fault, ground, healthy),
            Kind::HangStuck => inside::stuck(fault, ground),
            Kind::HangStopped => {
                let rank = one(fault)?;
                ground.crew.signal(rank, Signal::SIGSTOP)?;
                Ok(Done { knob: "stopped for good".to_owned(), undo: Undo::Continue(rank) })
            }
            Kind::Crash => {
                ground.crew.signal(one(fault)?, Signal::SIGKILL)?;
                Ok(Done { knob: "killed".to_owned(), undo: Undo::Never })
            }
        };
        let Done { knob, undo } = done.with_context(|| format!("cannot inject {}", kind.name()))?;
        Ok(Self { fault: fault.clone(), ground: Arc::clone(ground), knob, undo: Some(undo) })
    }

    /// Takes the fault back.
    ///
    /// # Errors
    /// If it cannot be taken back, or the ranks to which it was done have ended.
    pub fn remove(mut self) -> anyhow::Result<()> {
        let undo = self.undo.take().context("a fault is taken back once")?;
        undo.undo(&self.ground).with_context(|| format!("cannot take {} back", self.fault.kind.name()))
    }

    /// The fault.
    #[must_use]
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

impl Display for Injected {
    /// What was done, for tables.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = self.fault.rank.map_or("all ranks".to_owned(), |rank| format!("rank {rank}"));
        write!(f, "{}, {on}", self.knob)
    }
}

impl Drop for Injected {
    fn drop(&mut self) {
        if let Some(undo) = self.undo.take() {
            // The run may have ended before; what is left of the fault ends with it.
            drop(undo.undo(&self.ground));
        }
    }
}

/// The one rank of a fault that is about one.
fn one(fault: &Fault) -> anyhow::Result<u32> {
    fault.rank.context("this is done to one rank")
}

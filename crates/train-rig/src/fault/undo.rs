//! How each fault is taken back.

use std::path::PathBuf;

use anyhow::bail;
use nix::sys::signal::Signal;

use super::background::Background;
use super::link;
use super::processor::Hogs;
use crate::control::Control;
use crate::ground::{Ground, RANK_WEIGHT};
use crate::samples::{Effort, set_effort};

/// What takes a fault back.
#[derive(Debug)]
pub(super) enum Undo {
    /// These ranks get all processor time again.
    Processor(Vec<u32>),
    /// Nobody stops these ranks any more, and they go on.
    Stopping(Background, Vec<u32>),
    /// The page cache is left alone.
    Evicting(Background),
    /// The disks of these ranks are as fast as their shape says.
    Disk(Vec<u32>),
    /// These ranks get all memory again.
    Memory(Vec<u32>),
    /// The link is as fast as it was.
    Link,
    /// The neighbours end, and these ranks weigh what others weigh.
    Neighbours(Hogs, Vec<u32>),
    /// These ranks are told what they were told before.
    Control(Vec<(u32, Control)>),
    /// These files say what they said before.
    Samples(Vec<(PathBuf, Effort)>),
    /// This rank goes on.
    Continue(u32),
    /// It cannot be taken back.
    Never,
}

impl Undo {
    /// Takes the fault back.
    pub(super) fn undo(self, ground: &Ground) -> anyhow::Result<()> {
        match self {
            Self::Processor(ranks) => {
                ranks.iter().try_for_each(|rank| ground.limits()?.group(*rank)?.set_processor(None))
            }
            Self::Stopping(background, ranks) => {
                drop(background);
                ranks.iter().try_for_each(|rank| ground.crew.signal(*rank, Signal::SIGCONT))
            }
            Self::Evicting(background) => {
                drop(background);
                Ok(())
            }
            Self::Disk(ranks) => {
                let shape = &ground.shape;
                let set = |rank| ground.limits()?.set_disk(rank, shape.read_bytes_per_s, shape.write_bytes_per_s);
                ranks.into_iter().try_for_each(set)
            }
            Self::Memory(ranks) => ranks.iter().try_for_each(|rank| ground.limits()?.group(*rank)?.set_memory(None)),
            Self::Link => ground.network.within(link::clear),
            Self::Neighbours(hogs, ranks) => {
                drop(hogs);
                ranks.iter().try_for_each(|rank| ground.limits()?.group(*rank)?.set_weight(RANK_WEIGHT))
            }
            Self::Control(before) => {
                before.iter().try_for_each(|(rank, control)| control.write(&ground.rank_folder(*rank)))
            }
            Self::Samples(before) => before.iter().try_for_each(|(file, effort)| set_effort(file, *effort).map(|_| ())),
            Self::Continue(rank) => ground.crew.signal(rank, Signal::SIGCONT),
            Self::Never => bail!("a process that was killed stays dead: start another run"),
        }
    }
}

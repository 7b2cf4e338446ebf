//! What can be changed inside a rank from outside while it runs: a small file that it reads before every step.
//!
//! Only what has no handle outside the process goes this way: how fast a device is, how often and how much is kept, and a call
//! that never returns. Everything else is done to the process by the kernel.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::phase::Phase;

/// What a rank is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Control {
    /// How many times as long the device takes.
    pub device_factor: f64,
    /// Instead of the shape's checkpoints.
    pub checkpoints: Option<Checkpoints>,
    /// The phase that does not end.
    pub stuck_in: Option<Phase>,
}

/// How often and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checkpoints {
    /// Steps from one to the next.
    pub every: u64,
    /// Bytes of each.
    pub bytes: u64,
}

impl Default for Control {
    fn default() -> Self {
        Self { device_factor: 1.0, checkpoints: None, stuck_in: None }
    }
}

impl Control {
    /// Writes it for the rank of this folder, whole or not at all.
    pub(crate) fn write(&self, rank_folder: &Path) -> anyhow::Result<()> {
        let path = path(rank_folder);
        let new = path.with_extension("new");
        fs::write(&new, serde_json::to_vec(self)?)
            .and_then(|()| fs::rename(&new, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// What the rank of this folder is told now.
    pub(crate) fn read(rank_folder: &Path) -> anyhow::Result<Self> {
        let path = path(rank_folder);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("{}: not what a rank is told", path.display()))
    }
}

fn path(rank_folder: &Path) -> PathBuf {
    rank_folder.join("control.json")
}

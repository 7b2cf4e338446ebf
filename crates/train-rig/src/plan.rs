//! What the rig tells a rank on its standard input, a line of JSON each: first its plan; and, once every rank has said where its door is,
//! the addresses of all. Until the first line has come a rank does nothing, so that it can be put where it belongs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::rank::work::Work;
use crate::shape::Shape;

/// When a run ends by itself. Without either it goes on until it is killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// After so many steps.
    pub steps: Option<u64>,
    /// After the step in which so many seconds have passed since the first began.
    pub seconds: Option<f64>,
}

/// What a rank is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub job: String,
    pub rank: u32,
    pub seed: u64,
    pub limit: Limit,
    pub shape: Shape,
    pub work: Work,
    /// The rank's own folder.
    pub folder: PathBuf,
}

/// The word before a rank's address, on its standard output.
pub(crate) const DOOR: &str = "door ";

/// The folder of a rank's samples.
pub(crate) const SAMPLES: &str = "samples";

/// The file of a rank's truth.
pub(crate) const TRUTH: &str = "truth";

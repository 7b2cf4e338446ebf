//! What a watcher is told to do, and the environment of the command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fleet::ids::{ActionId, WorkloadId};
use fleet::live::Submission;
use fleet::node::Resources;
use fleet::quantity::Millis;
use serde::{Deserialize, Serialize};

use super::cgroup::Groups;
use super::runs::Runs;

/// What the control plane wants started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The action; it is started at most once, whatever happens.
    pub action: ActionId,
    /// The workload.
    pub workload: WorkloadId,
    /// What was handed in.
    pub submission: Submission,
    /// Which run of the workload this is; the log is named by it.
    pub attempt: u32,
    /// The devices it was given, as in [`fleet::action::Slot`].
    pub devices: u64,
}

/// What a watcher is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) runs: Runs,
    /// The control plane that gave the order: once there is another, nothing new may be started for this one.
    pub(super) epoch: u64,
    /// The arguments that make the program a watcher.
    pub(super) arguments: Vec<String>,
    pub(super) action: ActionId,
    pub(super) command: Command,
    pub(super) request: Resources,
    pub(super) time_limit: Option<Millis>,
    pub(super) grace: Millis,
    pub(super) log: LogPlace,
    /// The groups below which the run may have its own.
    pub(super) groups: Groups,
}

/// What is executed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Command {
    pub(super) words: Vec<String>,
    pub(super) directory: String,
    /// The whole environment.
    pub(super) environment: BTreeMap<String, String>,
}

/// Where its output goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LogPlace {
    pub(super) path: PathBuf,
    pub(super) file_bytes_max: u64,
    pub(super) files_max: u32,
}

/// The variable that tells a run which workload it is.
pub(super) const WORKLOAD: &str = "TRIMTAB_WORKLOAD";
/// The variables by which step clocks know where to tell, and of which job.
const STEPS: &str = "TRIMTAB_STEPS";
const JOB: &str = "TRIMTAB_JOB";

/// The variables by which libraries of vendors choose devices. A submission cannot set them: they are what it was given.
const DEVICE_VARIABLES: [&str; 6] = [
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "NVIDIA_VISIBLE_DEVICES",
    "HIP_VISIBLE_DEVICES",
    "ROCR_VISIBLE_DEVICES",
    "GPU_DEVICE_ORDINAL",
];

/// How many letters of a workload's name are in the name of its job.
const JOB_LETTERS_MAX: usize = 64;

/// The job that the steps of a workload are told under: its name and its id, as people see them, in letters that need no escaping, so that a
/// line of a script can hold them as they are. The id keeps those of one name apart.
#[must_use]
pub fn job_of(workload: WorkloadId, name: Option<&str>) -> String {
    let plain = |letter: char| if letter.is_alphanumeric() || "._-".contains(letter) { letter } else { '_' };
    let name: String = name.unwrap_or("workload").chars().take(JOB_LETTERS_MAX).map(plain).collect();
    format!("{name}-{}", workload.0)
}

/// The environment of a run: what was handed in, `defaults` and where its steps are told where it says nothing, and the variables that are
/// Trimtab's.
pub(super) fn environment(
    launch: &Launch,
    defaults: &[(String, String)],
    steps: Option<&Path>,
    visible: Vec<(&'static str, String)>,
    mark: (String, String),
) -> BTreeMap<String, String> {
    let mut all = launch.submission.environment.clone();
    for name in DEVICE_VARIABLES {
        all.remove(name);
    }
    // Handed in by another run with its whole environment: what tells of that one's steps is not meant for this one.
    if all.contains_key(WORKLOAD) {
        all.remove(STEPS);
        all.remove(JOB);
    }
    if let Some(steps) = steps {
        all.entry(STEPS.to_owned()).or_insert_with(|| steps.display().to_string());
        all.entry(JOB.to_owned()).or_insert_with(|| job_of(launch.workload, launch.submission.name.as_deref()));
    }
    for (name, value) in defaults {
        all.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let own = [
        (WORKLOAD, launch.workload.0.to_string()),
        ("TRIMTAB_ACTION", launch.action.0.to_string()),
        ("TRIMTAB_ATTEMPT", launch.attempt.to_string()),
    ];
    let array = launch.submission.array.map(|place| {
        [("TRIMTAB_ARRAY_INDEX", place.index.to_string()), ("TRIMTAB_ARRAY_COUNT", place.count.to_string())]
    });
    let pairs = own.into_iter().chain(array.into_iter().flatten()).chain(visible);
    all.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
    all.extend([mark]);
    all
}

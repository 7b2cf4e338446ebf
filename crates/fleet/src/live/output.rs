//! Where what runs wrote is kept, below the folder of an installation: `logs/WORKLOAD/RUN.log`.
//!
//! Only numbers make up these paths: no name that anybody gave is ever a part of one.

use std::path::{Path, PathBuf};

use crate::ids::WorkloadId;

/// The folder of all logs.
pub const LOGS: &str = "logs";

/// The folder of a workload's logs.
#[must_use]
pub fn logs_of(workload: WorkloadId) -> PathBuf {
    Path::new(LOGS).join(workload.0.to_string())
}

/// The log of a run, the first of which is 1; older parts of it are beside it, with `.1`, `.2` and so on behind the name.
#[must_use]
pub fn log_of(workload: WorkloadId, run: u32) -> PathBuf {
    logs_of(workload).join(format!("{run}.log"))
}

/// Whose folder of logs has this name.
#[must_use]
pub fn whose_logs(name: &str) -> Option<WorkloadId> {
    let id = WorkloadId(name.parse().ok()?);
    (logs_of(id).file_name()? == name).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_whose_it_is_and_nothing_else_does() {
        assert_eq!(log_of(WorkloadId(17), 2), Path::new("logs/17/2.log"));
        assert_eq!(whose_logs("17"), Some(WorkloadId(17)));
        for name in ["", "+17", "017", "-1", "17.gone", "4294967296", "x", ".", "../17"] {
            assert_eq!(whose_logs(name), None, "{name}");
        }
    }
}

//! Where the agent listens.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The environment's name for the socket.
const SOCKET: &str = "TRIMTAB_STEPS";
/// The machine's own socket.
const OF_THE_MACHINE: &str = "/run/trimtab/steps.sock";

/// The socket that somebody may listen at: what was told, what the environment says, or the first that is there of the user's own and
/// the machine's.
pub(super) fn socket(told: Option<&Path>) -> Option<PathBuf> {
    if let Some(path) = told {
        return Some(path.to_owned());
    }
    let of = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty());
    if let Some(path) = of(SOCKET) {
        return Some(path);
    }
    // The XDG Base Directory Specification has relative paths ignored.
    let runtime = of("XDG_RUNTIME_DIR").filter(|path| path.is_absolute());
    let own = runtime.map(|folder| folder.join("trimtab").join("steps.sock"));
    own.into_iter().chain([OF_THE_MACHINE.into()]).find(|path| path.exists()).or_else(in_tmp)
}

/// The user's own, where the system has no better place; none where that folder is somebody else's, who has no business with what is told.
fn in_tmp() -> Option<PathBuf> {
    // Whoever owns a process is whoever owns its entry there.
    let own = fs::metadata("/proc/self").ok()?.uid();
    let folder = PathBuf::from(format!("/tmp/trimtab-{own}"));
    let there = fs::symlink_metadata(&folder).ok()?;
    (there.is_dir() && there.uid() == own).then(|| folder.join("steps.sock"))
}

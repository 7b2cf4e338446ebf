//! How runs are made.

use std::path::PathBuf;

use nix::unistd::{User, geteuid};

use super::Error;
use crate::machine::visible::Visible;

/// How runs are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of the installation; an absolute path. Runs are kept in `runs` below it, their output in `logs`.
    pub folder: PathBuf,
    /// The program that calls [`crate::machine::watch`]. `/proc/self/exe` is the one that runs, even after it was replaced.
    pub program: PathBuf,
    /// The arguments that make it do so.
    pub arguments: Vec<String>,
    /// Whether root may run workloads.
    pub as_root: AsRoot,
    /// What devices are called.
    pub visible: Visible,
    /// The socket on which step clocks of runs tell, where somebody hears them.
    pub steps: Option<PathBuf>,
    /// How large a file of output may grow before the next is begun; of 64 KiB at least.
    pub log_file_bytes_max: u64,
    /// How many files of output are kept for each run.
    pub log_files_max: u32,
}

/// Whether root may run workloads: each would be root's, and could do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsRoot {
    /// No.
    Refuse,
    /// Yes, that was said explicitly.
    Allow,
}

impl Options {
    /// The usual ones for a folder; the program runs itself with these arguments.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, arguments: Vec<String>) -> Self {
        Self {
            folder: folder.into(),
            program: "/proc/self/exe".into(),
            arguments,
            as_root: AsRoot::Refuse,
            visible: Visible::default(),
            steps: None,
            log_file_bytes_max: 16 << 20,
            log_files_max: 4,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if geteuid().is_root() && self.as_root == AsRoot::Refuse {
            return Err(Error::new(
                "refusing to run workloads as root: each could do anything here; start it as another user, or say explicitly \
                 that root may",
            ));
        }
        if !self.folder.is_absolute() || self.folder.to_str().is_none() {
            let folder = self.folder.display();
            return Err(Error::new(format!(
                "the folder {folder} cannot be used: an absolute path in UTF-8 is expected"
            )));
        }
        Ok(())
    }

    /// What commands find in their environment where they set it not themselves.
    pub(super) fn defaults(&self) -> Vec<(String, String)> {
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into());
        let home = User::from_uid(geteuid()).ok().flatten().map(|user| user.dir.display().to_string());
        let home = home.or_else(|| std::env::var("HOME").ok()).map(|home| ("HOME".to_owned(), home));
        [("PATH".to_owned(), path)].into_iter().chain(home).collect()
    }
}

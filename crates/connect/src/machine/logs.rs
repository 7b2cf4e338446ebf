//! The logs that are on this machine: how large they are, and letting them go.
//!
//! A workload's logs go at once or not at all: their folder is renamed first, so that whoever looks finds all of it or nothing; what a crash
//! leaves under the other name is removed by the next look. Links are neither followed nor touched: a workload can make some.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fleet::ids::WorkloadId;
use fleet::live::{LOGS, logs_of, whose_logs};
use fleet::quantity::Bytes;

use super::error::Error;

/// What the name begins with that a folder has while it is being removed.
const GOING: &str = ".going-";

/// The logs of an installation.
#[derive(Clone, Debug)]
pub struct Logs {
    installation: PathBuf,
}

impl Logs {
    /// Those in the folder of an installation. Nothing needs to be there.
    pub fn of(installation: impl Into<PathBuf>) -> Self {
        Self { installation: installation.into() }
    }

    /// How much each workload has written that is kept, in order of ids; what was being removed is removed.
    ///
    /// # Errors
    /// If the folder cannot be read, or is a link.
    pub fn sizes(&self) -> Result<Vec<(WorkloadId, Bytes)>, Error> {
        let folder = self.installation.join(LOGS);
        self.try_sizes(&folder).map_err(|error| Error::io("look through the logs in", &folder, &error))
    }

    fn try_sizes(&self, folder: &Path) -> io::Result<Vec<(WorkloadId, Bytes)>> {
        match fs::symlink_metadata(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Ok(metadata) if metadata.is_symlink() => {
                return Err(io::Error::other("it is a link, and none is followed"));
            }
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        let mut sizes = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !entry.file_type()?.is_dir() {
                continue;
            }
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(GOING) {
                fs::remove_dir_all(entry.path())?;
            } else if let Some(workload) = whose_logs(name) {
                sizes.push((workload, size(&entry.path())?));
            }
        }
        sizes.sort_unstable_by_key(|(workload, _)| *workload);
        Ok(sizes)
    }

    /// Removes a workload's logs, if there are any.
    ///
    /// # Errors
    /// If they cannot be removed; none of them is found any more then, or all of them.
    pub fn remove(&self, workload: WorkloadId) -> Result<(), Error> {
        let folder = self.installation.join(logs_of(workload));
        let going = self.installation.join(LOGS).join(format!("{GOING}{}", workload.0));
        let removed = match fs::rename(&folder, &going) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => fs::remove_dir_all(&going),
        };
        removed.map_err(|error| Error::io("remove the logs in", &folder, &error))
    }
}

/// The bytes of the files in a folder, and of no other.
fn size(folder: &Path) -> io::Result<Bytes> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        // Of a link, this is the link's own.
        match entry?.metadata() {
            Ok(metadata) if metadata.is_file() => bytes += metadata.len(),
            // Runs go on, and turn their files over.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(Bytes(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder that is gone when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("trimtab-logs-{}-{name}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, path: &str, bytes: usize) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x".repeat(bytes)).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn sizes(logs: &Logs) -> Vec<(u32, u64)> {
        logs.sizes().unwrap().iter().map(|(workload, bytes)| (workload.0, bytes.0)).collect()
    }

    #[test]
    fn what_is_there_is_counted_and_goes_workload_by_workload() {
        let folder = Folder::new("counted");
        let logs = Logs::of(&folder.0);
        assert_eq!(sizes(&logs), []);
        for (path, bytes) in [("logs/17/1.log", 10), ("logs/17/1.log.1", 20), ("logs/17/2.log", 3), ("logs/2/1.log", 4)]
        {
            folder.write(path, bytes);
        }
        // What is not ours is left alone.
        folder.write("logs/notes/1.log", 5);
        folder.write("logs/18", 5);
        assert_eq!(sizes(&logs), [(2, 4), (17, 33)]);
        logs.remove(WorkloadId(17)).unwrap();
        logs.remove(WorkloadId(17)).unwrap();
        assert_eq!(sizes(&logs), [(2, 4)]);
        assert!(folder.0.join("logs/notes/1.log").exists() && !folder.0.join("logs/17").exists());
    }

    #[test]
    fn what_a_crash_left_half_removed_is_not_found_and_goes() {
        let folder = Folder::new("crash");
        let logs = Logs::of(&folder.0);
        folder.write("logs/.going-17/2.log", 10);
        folder.write("logs/17/3.log", 10);
        assert_eq!(sizes(&logs), [(17, 10)]);
        assert!(!folder.0.join("logs/.going-17").exists());
        folder.write("logs/.going-17/2.log", 10);
        assert!(
            logs.remove(WorkloadId(17)).is_err() && folder.0.join("logs/17/3.log").exists(),
            "all of it, or nothing"
        );
        assert_eq!(sizes(&logs), [(17, 10)]);
        logs.remove(WorkloadId(17)).unwrap();
        assert_eq!(sizes(&logs), []);
    }

    #[test]
    fn no_link_is_followed() {
        let (folder, other) = (Folder::new("links"), Folder::new("elsewhere"));
        let logs = Logs::of(&folder.0);
        other.write("precious", 1_000);
        other.write("logs/3/1.log", 1_000);
        folder.write("logs/1/1.log", 1);
        symlink(&other.0, folder.0.join("logs/1/2.log")).unwrap();
        symlink(other.0.join("precious"), folder.0.join("logs/1/3.log")).unwrap();
        symlink(&other.0, folder.0.join("logs/2")).unwrap();
        symlink(&other.0, folder.0.join("logs/.going-4")).unwrap();
        assert_eq!(sizes(&logs), [(1, 1)]);
        logs.remove(WorkloadId(1)).unwrap();
        assert_eq!(sizes(&logs), []);
        fs::remove_dir_all(folder.0.join("logs")).unwrap();
        symlink(other.0.join("logs"), folder.0.join("logs")).unwrap();
        assert!(logs.sizes().unwrap_err().to_string().contains("it is a link, and none is followed"));
        assert!(other.0.join("precious").exists() && other.0.join("logs/3/1.log").exists());
    }
}

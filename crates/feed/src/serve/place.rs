//! Where sockets are: one that is named, or in a folder, where each loader has one called by its process and its number.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The environment's name for the folder of sockets.
pub const FOLDER: &str = "TRIMTAB_METRICS_DIR";

/// How a socket's name ends.
const ENDING: &str = "sock";
/// Sockets of a folder that are looked at, at most.
const SOCKETS_MAX: usize = 4096;

/// Where a loader is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A socket of that path.
    Socket(PathBuf),
    /// A socket in that folder.
    Folder(PathBuf),
}

impl Place {
    /// A name that ends in `.sock` is a socket's, any other a folder's.
    pub fn of(path: &Path) -> Place {
        let is_socket = path.extension().is_some_and(|ending| ending == ENDING);
        if is_socket { Place::Socket(path.to_owned()) } else { Place::Folder(path.to_owned()) }
    }

    /// The socket of that loader of a process.
    pub(super) fn socket(&self, pid: u32, loader: u32) -> PathBuf {
        match self {
            Place::Socket(path) => path.clone(),
            Place::Folder(folder) => folder.join(format!("{pid}-{loader}.{ENDING}")),
        }
    }
}

/// The process and the number that a socket of a folder is called by.
pub(super) fn called_by(path: &Path) -> Option<(u32, u32)> {
    let stem = path.file_stem()?.to_str()?;
    let (pid, loader) = stem.split_once('-')?;
    Some((pid.parse().ok()?, loader.parse().ok()?))
}

/// The sockets of a folder, those of one process together, in order.
///
/// # Errors
///
/// Where the folder cannot be read.
pub fn sockets(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.take(SOCKETS_MAX) {
        let entry = entry?;
        let path = entry.path();
        let is_named_so = path.extension().is_some_and(|ending| ending == ENDING);
        // What has gone meanwhile is none.
        if is_named_so && entry.file_type().is_ok_and(|kind| kind.is_socket()) {
            found.push(path);
        }
    }
    found.sort_by_key(|path| (called_by(path).is_none(), called_by(path), path.clone()));
    Ok(found)
}

/// The folder where sockets are looked for unless one is told: what the environment says, else a folder of the user's own.
///
/// # Errors
///
/// Where that folder is there and is somebody else's.
pub fn default_folder() -> io::Result<PathBuf> {
    let told = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty());
    if let Some(folder) = told(FOLDER) {
        return Ok(folder);
    }
    // The XDG Base Directory Specification has relative paths ignored.
    if let Some(runtime) = told("XDG_RUNTIME_DIR").filter(|path| path.is_absolute()) {
        return Ok(runtime.join("trimtab").join("feed"));
    }
    // Whoever owns a process is whoever owns its entry there; elsewhere, whoever owns the home folder.
    let own = fs::metadata("/proc/self").or_else(|_| fs::metadata(told("HOME").unwrap_or_else(|| "/".into())))?;
    let folder = env::temp_dir().join(format!("trimtab-feed-{}", own.uid()));
    match fs::symlink_metadata(&folder) {
        Ok(there) if !there.is_dir() || there.uid() != own.uid() => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("{} is not this user's own: say another by {FOLDER}", folder.display()),
        )),
        _ => Ok(folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_called_by_its_process_and_number() {
        let folder = Place::of(Path::new("/run/trimtab"));
        assert_eq!(folder.socket(12, 3), Path::new("/run/trimtab/12-3.sock"));
        assert_eq!(called_by(&folder.socket(12, 3)), Some((12, 3)));
        let socket = Place::of(Path::new("/run/train.sock"));
        assert_eq!(socket.socket(12, 3), Path::new("/run/train.sock"));
        for other in ["/run/train.sock", "/run/a-b.sock", "/run/12-.sock", "/"] {
            assert_eq!(called_by(Path::new(other)), None, "{other}");
        }
    }
}

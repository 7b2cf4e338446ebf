//! A socket in the file system: made so that nobody else can ever open it, put where a dead process left one, and removed only by whoever
//! made it.

use std::fmt;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::place::{Place, called_by, sockets};

/// Letters of a socket's path, at most: what fits into `sockaddr_un` of Linux, less the byte behind it (unix(7)).
const PATH_MAX: usize = 107;

/// Why no socket is served.
#[derive(Debug)]
pub struct ServeError {
    /// Where it was to be.
    pub path: PathBuf,
    /// Why not, and what would do.
    pub problem: String,
}

/// A socket that is listened at.
pub(super) struct Socket {
    pub(super) listener: UnixListener,
    pub(super) path: PathBuf,
    /// Its device and inode: whatever has its name later is another's.
    identity: (u64, u64),
}

impl Socket {
    /// Listens there. A folder that is not there is made, for its owner alone.
    pub(super) fn open(place: &Place, pid: u32, loader: u32) -> Result<Socket, ServeError> {
        let path = place.socket(pid, loader);
        let failed = |problem: String| ServeError { path: path.clone(), problem };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder_failed = |error| failed(format!("its folder cannot be made: {error}"));
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(folder_failed)?;
        if let Place::Folder(folder) = place {
            remove_stale(folder);
        }
        make_way(&path).map_err(&failed)?;
        // Whoever may look into a folder could open a socket between its making and its change of rights: so it is made in a folder
        // that nobody else may look into, and moved.
        let hidden = folder.join(format!(".{pid}-{loader}"));
        let made = hidden.join("s");
        let longest = path.as_os_str().len().max(made.as_os_str().len());
        if longest > PATH_MAX {
            let problem =
                format!("its path has {longest} bytes, and a socket's has at most {PATH_MAX}: name a shorter one");
            return Err(failed(problem));
        }
        drop(fs::remove_file(&made));
        drop(fs::remove_dir(&hidden));
        let listening = (|| {
            DirBuilder::new().mode(0o700).create(&hidden)?;
            let listener = UnixListener::bind(&made)?;
            fs::set_permissions(&made, Permissions::from_mode(0o600))?;
            let there = fs::symlink_metadata(&made)?;
            fs::rename(&made, &path)?;
            Ok((listener, (there.dev(), there.ino())))
        })();
        drop(fs::remove_file(&made));
        drop(fs::remove_dir(&hidden));
        let (listener, identity) =
            listening.map_err(|error: io::Error| failed(format!("it cannot be made: {error}")))?;
        Ok(Socket { listener, path, identity })
    }

    /// What removes it.
    pub(super) fn trace(&self) -> Trace {
        Trace { path: self.path.clone(), identity: self.identity }
    }
}

/// What is left of a socket in the file system.
pub(super) struct Trace {
    pub(super) path: PathBuf,
    identity: (u64, u64),
}

impl Trace {
    /// Removes it, unless another has its place by now.
    pub(super) fn remove(&self) {
        let is_own = fs::symlink_metadata(&self.path).is_ok_and(|there| (there.dev(), there.ino()) == self.identity);
        if is_own {
            // Whoever removed it in between has done what was to be done.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Makes way for a socket: nothing may be there but one that nobody listens at.
fn make_way(path: &Path) -> Result<(), String> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("it cannot be looked at: {error}")),
        Ok(there) if !there.file_type().is_socket() => {
            Err("there is a file already, which is no socket: name another".to_owned())
        }
        Ok(_) if is_stale(path) => Ok(()),
        Ok(_) => {
            Err("another loader answers there: name another socket, or a folder, in which each loader has its own"
                .to_owned())
        }
    }
}

/// Whether nobody listens at a socket: whoever made it is dead.
fn is_stale(path: &Path) -> bool {
    matches!(UnixStream::connect(path), Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Removes the sockets of a folder that dead processes left.
fn remove_stale(folder: &Path) {
    // What cannot be looked at stays.
    for path in sockets(folder).unwrap_or_default() {
        let Some((pid, _)) = called_by(&path) else { continue };
        // A process of another container may be alive without being seen here, and its socket answers.
        if !Path::new("/proc").join(pid.to_string()).exists() && is_stale(&path) {
            drop(fs::remove_file(&path));
        }
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.problem)
    }
}

impl std::error::Error for ServeError {}

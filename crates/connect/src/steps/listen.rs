//! The socket on which step clocks tell. It only reads; a client that says too much, or nonsense, is let go and told of.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fleet::step::Told;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::{Uid, geteuid};

use super::parse::{self, LINE_MAX};

/// So many processes may tell at once; those that come after are turned away.
pub const CLIENTS_MAX: usize = 1_024;
/// So much is read of one client before the next has its turn.
const TURN_MAX: usize = 64 * 1_024;

/// A connection, by the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client(pub u64);

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A client told something.
    Told(Client, Told),
    /// A client is gone: it said that it ends before, or it crashed.
    Gone(Client),
    /// Something was not as it should be, in words; what told it may have been let go.
    Notice(String),
}

/// Takes connections and lines.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
    clients: BTreeMap<u64, Connection>,
    next: u64,
}

#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    /// Its process, as the kernel says.
    pid: Option<u32>,
    /// What came of a line that has not ended.
    begun: Vec<u8>,
}

/// Where step clocks look for the socket, unless the environment variable `TRIMTAB_STEPS` says where it is.
#[must_use]
pub fn default_path(told: Option<PathBuf>, runtime: Option<PathBuf>) -> PathBuf {
    told.unwrap_or_else(|| {
        if geteuid().is_root() {
            return PathBuf::from("/run/trimtab/steps.sock");
        }
        match runtime {
            Some(folder) => folder.join("trimtab/steps.sock"),
            None => PathBuf::from(format!("/tmp/trimtab-{}/steps.sock", Uid::effective())),
        }
    })
}

impl Listener {
    /// Listens at a path. Whoever may connect may tell of steps and nothing else: for root that is everybody on this machine, for anybody
    /// else it is that user alone.
    ///
    /// # Errors
    /// If the folder cannot be made, something else lies there, or another process listens there.
    pub fn at(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            if !folder.exists() {
                fs::create_dir_all(folder)?;
                let mode = if geteuid().is_root() { 0o755 } else { 0o700 };
                fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
            }
            let folder = fs::metadata(folder)?;
            let of = std::os::unix::fs::MetadataExt::uid(&folder);
            // In a folder of everybody's, another could have made it to hear what is told here.
            if of != geteuid().as_raw() && of != 0 {
                return Err(io::Error::other("the folder of the socket belongs to another user"));
            }
        }
        if let Ok(found) = fs::symlink_metadata(path) {
            if !found.file_type().is_socket() {
                return Err(io::Error::other("something that is no socket lies there"));
            }
            if UnixStream::connect(path).is_ok() {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process listens there"));
            }
            fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let mode = if geteuid().is_root() { 0o666 } else { 0o600 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path: path.to_owned(), clients: BTreeMap::new(), next: 0 })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until something is heard, or `timeout` is over, and hands on all that was heard.
    pub fn wait(&mut self, timeout: Duration, heard: &mut dyn FnMut(Heard)) {
        let (at_door, ready) = self.poll(timeout);
        if at_door {
            self.accept(heard);
        }
        for number in ready {
            let Some(connection) = self.clients.get_mut(&number) else { continue };
            if !connection.read(Client(number), heard) {
                self.clients.remove(&number);
                heard(Heard::Gone(Client(number)));
            }
        }
    }

    fn poll(&self, timeout: Duration) -> (bool, Vec<u64>) {
        let mut polled = vec![PollFd::new(self.listener.as_fd(), PollFlags::POLLIN)];
        polled.extend(self.clients.values().map(|client| PollFd::new(client.stream.as_fd(), PollFlags::POLLIN)));
        // Up to whole milliseconds: a part of one would be no time at all, and be asked for again and again.
        let timeout = PollTimeout::try_from(timeout + Duration::from_micros(999)).unwrap_or(PollTimeout::MAX);
        // A signal ends it early: nothing is ready then, and the caller goes on.
        if poll(&mut polled, timeout).is_err() {
            return (false, Vec::new());
        }
        let is_ready = |polled: &PollFd<'_>| polled.any().unwrap_or(false);
        let ready = self.clients.keys().zip(&polled[1..]).filter(|(_, polled)| is_ready(polled));
        (is_ready(&polled[0]), ready.map(|(number, _)| *number).collect())
    }

    fn accept(&mut self, heard: &mut dyn FnMut(Heard)) {
        while let Ok((stream, _)) = self.listener.accept() {
            if self.clients.len() >= CLIENTS_MAX {
                heard(Heard::Notice(format!("more than {CLIENTS_MAX} processes tell of steps; one was turned away")));
                continue;
            }
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            let peer = getsockopt(&stream, PeerCredentials).ok();
            let pid = peer.and_then(|peer| u32::try_from(peer.pid()).ok()).filter(|pid| *pid > 0);
            self.clients.insert(self.next, Connection { stream, pid, begun: Vec::new() });
            self.next += 1;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.path));
    }
}

impl Connection {
    /// Reads what is there; false: it is over.
    fn read(&mut self, client: Client, heard: &mut dyn FnMut(Heard)) -> bool {
        let mut part = [0; 4_096];
        for _ in 0..TURN_MAX / part.len() {
            let read = match self.stream.read(&mut part) {
                Ok(0) => return false,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return false,
            };
            self.begun.extend_from_slice(&part[..read]);
            if !self.lines(client, heard) {
                return false;
            }
        }
        true
    }

    fn lines(&mut self, client: Client, heard: &mut dyn FnMut(Heard)) -> bool {
        let mut rest = &self.begun[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            rest = after;
            match told(line) {
                Ok(Some(Told::Began(mut rank))) => {
                    // What the kernel says is so in this process's view, also where the client is in a container.
                    rank.pid = self.pid.or(rank.pid);
                    heard(Heard::Told(client, Told::Began(rank)));
                }
                Ok(Some(told)) => heard(Heard::Told(client, told)),
                Ok(None) => {}
                Err(reason) => {
                    heard(Heard::Notice(format!("process {}: {reason}; it is not listened to any more", self.name())));
                    return false;
                }
            }
        }
        if rest.len() > LINE_MAX {
            heard(Heard::Notice(format!(
                "process {}: a line of more than {LINE_MAX} bytes; it is not listened to any more",
                self.name()
            )));
            return false;
        }
        let kept = rest.len();
        self.begun.drain(..self.begun.len() - kept);
        true
    }

    fn name(&self) -> String {
        self.pid.map_or_else(|| "?".to_owned(), |pid| pid.to_string())
    }
}

fn told(line: &[u8]) -> Result<Option<Told>, String> {
    if line.len() > LINE_MAX {
        return Err(format!("a line of more than {LINE_MAX} bytes"));
    }
    parse::line(std::str::from_utf8(line).map_err(|_| "a line that is not UTF-8")?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn hear(listener: &mut Listener, wanted: usize) -> Vec<Heard> {
        let mut all = Vec::new();
        for _ in 0..100 {
            listener.wait(Duration::from_millis(50), &mut |heard| all.push(heard));
            if all.len() >= wanted {
                break;
            }
        }
        all
    }

    #[test]
    fn lines_are_heard_in_parts_and_a_crash_is_told_from_an_end() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("steps.sock");
        let mut listener = Listener::at(&path).unwrap();
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(b"trimtab-steps 1 job=a pid=1\nstep 1 at=5 ").unwrap();
        let all = hear(&mut listener, 1);
        let Some(Heard::Told(Client(0), Told::Began(rank))) = all.first() else { panic!("{all:?}") };
        assert_eq!(rank.pid, Some(std::process::id()), "the kernel knows better");
        client.write_all(b"us=7\n").unwrap();
        assert!(matches!(&hear(&mut listener, 1)[..], [Heard::Told(_, Told::Step(step))] if step.us == 7));
        drop(client);
        assert_eq!(hear(&mut listener, 1), [Heard::Gone(Client(0))]);
    }

    #[test]
    fn who_says_too_much_or_nonsense_is_let_go_and_others_are_not() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("steps.sock");
        let mut listener = Listener::at(&path).unwrap();
        let mut sound = UnixStream::connect(&path).unwrap();
        for bad in [vec![b'x'; LINE_MAX + 2], b"step 1 at=x\n".to_vec(), b"\xff\n".to_vec()] {
            let mut client = UnixStream::connect(&path).unwrap();
            client.write_all(&bad).unwrap();
            let all = hear(&mut listener, 2);
            assert!(matches!(&all[..], [Heard::Notice(_), Heard::Gone(_)]), "{all:?}");
        }
        sound.write_all(b"end\n").unwrap();
        assert_eq!(hear(&mut listener, 1), [Heard::Told(Client(0), Told::Ended)]);
    }

    #[test]
    fn a_socket_that_is_left_over_is_taken_and_one_that_is_in_use_is_not() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("steps.sock");
        drop(UnixListener::bind(&path).unwrap());
        let listener = Listener::at(&path).unwrap();
        assert_eq!(Listener::at(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        assert!(!path.exists());
        fs::write(&path, "a file").unwrap();
        Listener::at(&path).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
    }
}

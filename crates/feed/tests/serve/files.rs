//! The socket in the file system: whose it is, what it replaces, and that it goes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use feed::serve::{AskError, Endpoint, Place, ask, sockets};

use super::{endpoint, folder, loader};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Why nothing answers there.
fn refused(place: &Path) -> String {
    Endpoint::open(&Place::of(place), || None).err().unwrap().to_string()
}

/// A socket that a process left which is dead.
fn leave(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
    assert!(path.exists());
}

#[test]
fn only_the_owner_may_open_a_socket_and_nothing_stays_of_it() {
    let folder = folder();
    let loader = loader(folder.path());
    let sockets_folder = folder.path().join("deep/run");
    let first = endpoint(&sockets_folder, &loader);
    let second = endpoint(&sockets_folder, &loader);
    assert_eq!((mode(&sockets_folder), mode(&folder.path().join("deep"))), (0o700, 0o700));
    let found = sockets(&sockets_folder).unwrap();
    assert_eq!(found.len(), 2);
    for path in &found {
        assert_eq!(mode(path), 0o600);
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("{}-", std::process::id())), "{name}");
        assert_eq!(ask(path, "/health").unwrap(), "ok\n");
    }
    let (path, other) = (first.path().to_owned(), second.path().to_owned());
    drop(first);
    assert_eq!(sockets(&sockets_folder).unwrap(), [other]);
    assert!(matches!(ask(&path, "/health"), Err(AskError::Gone)));
    drop(second);
    assert!(names(&sockets_folder).is_empty(), "{:?}", names(&sockets_folder));
}

#[test]
fn what_a_dead_process_left_is_replaced() {
    let folder = folder();
    let loader = loader(folder.path());
    let socket = folder.path().join("x.sock");
    leave(&socket);
    let endpoint_there = endpoint(&socket, &loader);
    assert_eq!((endpoint_there.path(), ask(&socket, "/health").unwrap().as_str()), (&*socket, "ok\n"));

    let mut child = Command::new("true").spawn().unwrap();
    let dead = child.id();
    child.wait().unwrap();
    let run = folder.path().join("run");
    fs::create_dir(&run).unwrap();
    let (left, served, named) =
        (run.join(format!("{dead}-0.sock")), run.join(format!("{dead}-1.sock")), run.join("a.sock"));
    leave(&left);
    leave(&named);
    // As a process of another container is seen: its number means nothing here, and it answers.
    let listener = UnixListener::bind(&served).unwrap();
    let own = endpoint(&run, &loader);
    assert!(!left.exists());
    assert!(served.exists() && named.exists() && own.path().exists());
    drop(listener);
}

#[test]
fn nothing_else_is_replaced_and_the_words_say_what_to_do() {
    let folder = folder();
    let loader = loader(folder.path());
    let socket = folder.path().join("x.sock");
    let first = endpoint(&socket, &loader);
    assert!(refused(&socket).contains("another loader answers there: name another socket, or a folder"));
    assert_eq!(ask(&socket, "/health").unwrap(), "ok\n");
    // Another has its name by now, and keeps it.
    fs::remove_file(&socket).unwrap();
    let second = endpoint(&socket, &loader);
    drop(first);
    assert_eq!(ask(&socket, "/health").unwrap(), "ok\n");
    drop(second);
    assert!(!socket.exists());

    fs::write(&socket, "precious").unwrap();
    assert!(refused(&socket).contains("there is a file already, which is no socket"));
    assert!(refused(&socket.join("in.sock")).contains("its folder cannot be made"));
    assert_eq!(fs::read(&socket).unwrap(), b"precious");
    let long = folder.path().join("x".repeat(100)).join("x.sock");
    let said = refused(&long);
    assert!(said.contains("a socket's has at most 107: name a shorter one"), "{said}");
}

//! What becomes of clocks where the process is forked: the child's are off. It has their memory, locks that may be held by threads that it
//! does not have, and their open connections; those it closes, else the agent would not learn that the parent has died.

use std::os::fd::RawFd;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

/// Connections of a process that its children close, at most; a clock has one.
const CONNECTIONS_MAX: usize = 64;
/// No connection.
const NONE: RawFd = -1;

/// How many forks lie between this process and the first that had the module.
static FORKS: AtomicU32 = AtomicU32::new(0);
static CONNECTIONS: [AtomicI32; CONNECTIONS_MAX] = [const { AtomicI32::new(NONE) }; CONNECTIONS_MAX];
static PREPARED: Once = Once::new();

/// Which of the processes this is that came of each other by forks.
pub(super) fn generation() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Sees to it that children know that they are.
pub(super) fn prepare() {
    PREPARED.call_once(|| {
        // SAFETY: what it calls in the child does nothing that must not be done there (signal-safety(7)): atomic numbers, and close.
        #[expect(unsafe_code, reason = "Python's own hooks are not told of forks that C does")]
        let refused = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        assert_eq!(refused, 0, "there is memory for one more hook");
    });
}

/// In a child.
#[expect(unsafe_code, reason = "functions of C")]
unsafe extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    for connection in &CONNECTIONS {
        let descriptor = connection.swap(NONE, Ordering::Relaxed);
        if descriptor != NONE {
            // SAFETY: whoever owns the number is on the stack of a thread that this process does not have, and never closes it.
            unsafe { libc::close(descriptor) };
        }
    }
}

/// A connection that children close, until this is dropped: before the connection is, for its number may then be another file's.
pub(super) struct Closed(Option<&'static AtomicI32>);

/// Has children close it.
pub(super) fn close_in_children(descriptor: RawFd) -> Closed {
    let free =
        |place: &&AtomicI32| place.compare_exchange(NONE, descriptor, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    Closed(CONNECTIONS.iter().find(free))
}

impl Drop for Closed {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            place.store(NONE, Ordering::Relaxed);
        }
    }
}

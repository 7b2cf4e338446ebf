//! Moments in which no report is being made: before a process is forked.
//!
//! A report takes locks of the loader, for microseconds. A process that is forked meanwhile would inherit them locked, by a thread that it
//! does not have, and would wait for ever where it asks its copy of the loader for its state. So whoever forks has all of these
//! threads hold still, which takes nothing but numbers: a lock of its own would be inherited the same way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Reports that are being made.
static MAKING: AtomicUsize = AtomicUsize::new(0);
/// Those who want none to be made.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// How long to wait before looking again: a report takes about as long.
const PAUSE: Duration = Duration::from_micros(50);

/// Waits until no report is being made. None is from then on, until [`go_on`] was called as often.
pub fn hold_still() {
    HELD.fetch_add(1, Ordering::SeqCst);
    while MAKING.load(Ordering::SeqCst) > 0 {
        thread::sleep(PAUSE);
    }
}

/// Reports may be made again; called in the process that forked, and in the one that was.
pub fn go_on() {
    let before = HELD.fetch_sub(1, Ordering::SeqCst);
    assert!(before > 0, "what goes on was held before");
}

/// Makes a report, or whatever else takes a loader's locks; none while nothing is to be made. It does not wait for that to be over: whoever
/// forks may itself wait for somebody who wants this thread to end.
pub(super) fn make<T>(what: impl FnOnce() -> T) -> Option<T> {
    let _making = Making::begin();
    (HELD.load(Ordering::SeqCst) == 0).then(what)
}

/// Counts what is being made, also where it panics.
struct Making;

impl Making {
    fn begin() -> Making {
        MAKING.fetch_add(1, Ordering::SeqCst);
        Making
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        MAKING.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn whoever_holds_still_waits_for_what_is_made_and_nothing_begins() {
        let (inside, is_inside) = mpsc::channel();
        let (leave, may_leave) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                make(|| {
                    inside.send(()).unwrap();
                    may_leave.recv().unwrap();
                });
            });
            is_inside.recv().unwrap();
            let (held, is_held) = mpsc::channel();
            scope.spawn(move || {
                hold_still();
                held.send(()).unwrap();
            });
            assert!(is_held.recv_timeout(Duration::from_millis(50)).is_err(), "a report is being made");
            leave.send(()).unwrap();
            is_held.recv().unwrap();
            assert_eq!(make(|| 7), None, "all is to hold still");
            go_on();
            assert_eq!(make(|| 7), Some(7));
        });
    }
}

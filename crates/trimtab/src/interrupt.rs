//! Ctrl-C, and the polite kinds of kill: the program ends at once and leaves no half-written file, or, where it serves, ends in order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The exit code of a program ended by Ctrl-C: 128 and the signal's number.
pub(crate) const INTERRUPTED: u8 = 130;

/// What is done instead of ending at once.
type Instead = Box<dyn Fn() + Send>;

static INSTEAD: Mutex<Option<Instead>> = Mutex::new(None);

/// From now on an interrupted program removes what it has half written.
#[expect(clippy::exit, reason = "a signal ends the program here; what must be cleaned up is, just before")]
pub(crate) fn leave_nothing_half_written() {
    let set = ctrlc::set_handler(|| {
        if let Some(instead) = &*INSTEAD.lock().unwrap_or_else(PoisonError::into_inner) {
            return instead();
        }
        connect::file::remove_unfinished();
        std::process::exit(INTERRUPTED.into());
    });
    if let Err(error) = set {
        eprintln!("note: an interrupt may leave a half-written file beside the output ({error})");
    }
}

/// From now on a first interrupt does this, for work that then ends by itself; a second one ends the program at once.
#[expect(clippy::exit, reason = "whoever interrupts twice does not want to wait for a read that hangs")]
pub(crate) fn at_first(what: impl Fn() + Send + 'static) {
    let before = AtomicBool::new(false);
    instead(move || {
        if before.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
        what();
    });
}

/// From now on an interrupt does this.
pub(crate) fn instead(what: impl Fn() + Send + 'static) {
    *INSTEAD.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(what));
}

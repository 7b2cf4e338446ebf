//! Ctrl-C, and the polite kinds of kill: the program ends at once and leaves no half-written file.

/// The exit code of a program ended by Ctrl-C: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

/// From now on an interrupted program removes what it has half written.
#[expect(clippy::exit, reason = "a signal ends the program here; what must be cleaned up is, just before")]
pub(crate) fn leave_nothing_half_written() {
    let set = ctrlc::set_handler(|| {
        connect::file::remove_unfinished();
        std::process::exit(INTERRUPTED);
    });
    if let Err(error) = set {
        eprintln!("note: an interrupt may leave a half-written file beside the output ({error})");
    }
}

//! The thread that hands in: oldest first, again until it is taken.

use std::time::{Duration, Instant};

use store::Batch;

use super::pause::Pause;
use super::{Server, Shared, Tried};
use crate::failure::words;
use crate::plane::Clock;
use crate::shown;

/// So many bytes are handed in at once where more wait; it bounds what this takes of memory.
const BATCH_BYTES: usize = 256 << 10;

/// How it stands with the server, to say it once.
#[derive(Debug, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Unknown,
    Heard,
    Away,
    Denied(String),
}

/// Hands in until it is to stop; `first` is what came of asking what was taken.
pub(super) fn deliver(shared: &Shared, server: &Server, clock: &Clock, first: Tried, quiet: bool) {
    let mut telling = Telling { server, shared, standing: Standing::default(), quiet };
    let (mut pause, mut known) = (Pause::default(), false);
    let mut bytes_max = BATCH_BYTES;
    let mut tried = Some(first);
    loop {
        let mut last = None;
        let came = match tried.take() {
            Some(tried) => tried,
            None if known => match next(shared, bytes_max) {
                Some((identity, batch)) => {
                    last = batch.last;
                    server.hand_in(&identity, clock.now(), &batch.bytes)
                }
                None => return,
            },
            // What was taken before this began is not known here.
            None => server.ask(&identity(shared), clock.now()),
        };
        telling.tell(&came);
        match came {
            Tried::Taken(number) => {
                (known, bytes_max) = (true, BATCH_BYTES);
                let let_go = number.map_or(Ok(()), |number| shared.lock().spool.acknowledge(number));
                if let Err(error) = &let_go {
                    eprintln!("warning: {}: {}", shared.folder.display(), words(error));
                }
                // What was not let go is handed in again, and taken once.
                if let_go.is_ok() && last <= number {
                    pause = Pause::default();
                } else if waits(shared, pause.next(random())) {
                    return;
                }
            }
            Tried::TooMuch if bytes_max > 1 => bytes_max = 1,
            Tried::TooMuch | Tried::Away(_) | Tried::Denied(_) => {
                if waits(shared, pause.next(random())) {
                    return;
                }
            }
        }
    }
}

fn identity(shared: &Shared) -> String {
    shared.lock().spool.identity().to_owned()
}

/// What is handed in next, once something waits; nothing once it is to stop and nothing does.
fn next(shared: &Shared, bytes_max: usize) -> Option<(String, Batch)> {
    let mut state = shared.lock();
    loop {
        match state.spool.batch(bytes_max) {
            Ok(batch) if batch.last.is_some() => return Some((state.spool.identity().to_owned(), batch)),
            Ok(_) => {}
            Err(error) => eprintln!("warning: {}: {}", shared.folder.display(), words(&error)),
        }
        if state.stop {
            return None;
        }
        state = shared.changed.wait(state).unwrap_or_else(std::sync::PoisonError::into_inner);
    }
}

/// Waits; whether it is to stop.
fn waits(shared: &Shared, pause: Duration) -> bool {
    let until = Instant::now() + pause;
    let mut state = shared.lock();
    while !state.stop {
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return false;
        }
        state = shared.changed.wait_timeout(state, rest).unwrap_or_else(std::sync::PoisonError::into_inner).0;
    }
    true
}

/// Any number will do where the system gives none.
fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

/// Says how it stands with the server, when that changes.
struct Telling<'a> {
    server: &'a Server,
    shared: &'a Shared,
    standing: Standing,
    quiet: bool,
}

impl Telling<'_> {
    fn tell(&mut self, came: &Tried) {
        let now = match came {
            Tried::Taken(_) => Standing::Heard,
            Tried::Away(_) | Tried::TooMuch => Standing::Away,
            Tried::Denied(why) => Standing::Denied(why.clone()),
        };
        if now == self.standing {
            return;
        }
        let before = std::mem::replace(&mut self.standing, now);
        if self.quiet {
            return;
        }
        let (name, folder, most) = (self.server.name(), self.shared.folder.display(), self.shared.most);
        match came {
            Tried::Taken(_) if before == Standing::Unknown => eprintln!("reports go to {name}"),
            Tried::Taken(_) => {
                let waiting = self.shared.lock().spool.waiting().records;
                eprintln!("note: {name} takes reports again; {} waited", shown::count(waiting as usize, "report"));
            }
            Tried::Away(why) => {
                eprintln!("note: {name} cannot be reached ({why}); reports wait in {folder}, {most} at most");
            }
            Tried::Denied(why) => {
                eprintln!("warning: {name} does not take reports: {why}; they wait in {folder}, {most} at most");
            }
            Tried::TooMuch => {}
        }
    }
}

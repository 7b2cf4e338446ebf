//! What an agent found and measured, handed in to a server on another machine.
//!
//! Reports go to a spool on the disk first ([`store::Spool`]), and from there to the server, oldest first, by a thread of its own: a server that
//! is slow or away costs time, and neither memory nor a second of watching. What the server does not acknowledge is handed in again; it takes
//! each number once. Start at [`Reporter::add`], then `deliver`.

mod deliver;
mod pause;
mod server;

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::diagnose::live::Open;
use fleet::quantity::Bytes;
use fleet::time::Timestamp;
use store::{AgentReport, Spool, Waiting, Wrong};

use crate::failure::{Failure, Outcome, words};
use crate::plane::Clock;
use crate::shown;
use crate::watcher::{Bundle, Second, series};
use server::Tried;
pub(crate) use server::{Address, Server};

/// So long the first answer is waited for: whoever says no is told of before anything is watched.
const FIRST_ANSWER: Duration = Duration::from_secs(10);
/// Once it is asked to end, so long may the last reports take.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Hands in reports.
pub(crate) struct Reporter {
    shared: Arc<Shared>,
    bundle: Bundle,
    clock: Clock,
    started: Timestamp,
    said: Said,
    quiet: bool,
    ended: Receiver<()>,
}

/// What the thread that watches and the one that hands in have in common.
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    folder: PathBuf,
    most: Bytes,
}

struct State {
    spool: Spool,
    stop: bool,
}

/// What was said of the spool last, so that nothing is said twice.
#[derive(Default)]
struct Said {
    trouble: Option<std::io::ErrorKind>,
    lost: u64,
}

impl Reporter {
    /// Opens the spool, asks the server what it has taken, and begins to hand in. A server that is away is waited for; one that says no is told of.
    pub(crate) fn begin(server: Server, folder: PathBuf, most: Bytes, quiet: bool) -> Outcome<Self> {
        let clock = Clock::starting_at(None);
        let (spool, notices) = Spool::open(&folder, most, clock.now()).map_err(|fault| {
            Failure::outside(format!("{}: {fault}; --spool names another folder", folder.display()))
        })?;
        if !quiet {
            notices.iter().for_each(|notice| eprintln!("note: {notice}"));
        }
        let told = Clock::starting_at(None);
        let (name, identity) = (server.name().to_owned(), spool.identity().to_owned());
        let state = Mutex::new(State { spool, stop: false });
        let shared = Arc::new(Shared { state, changed: Condvar::new(), folder, most });
        let (end, ended) = sync_channel(1);
        let (answer, first) = sync_channel(1);
        let theirs = Arc::clone(&shared);
        std::thread::spawn(move || {
            let first = server.ask(&identity, told.now());
            // Nobody may be waiting any more, here and below.
            let _gone = answer.send(first.clone());
            deliver::deliver(&theirs, &server, &told, first, quiet);
            let _gone = end.send(());
        });
        if let Ok(Tried::Denied(why)) = first.recv_timeout(FIRST_ANSWER) {
            return Err(Failure::input(format!("{name} does not take reports: {why}")));
        }
        let started = clock.now();
        Ok(Self { shared, bundle: Bundle::default(), clock, started, said: Said::default(), quiet, ended })
    }

    /// Takes in a second; all that is wrong at its end is `open`. At once when something begins, changes or ends, and every ten seconds, it becomes
    /// a report.
    pub(crate) fn add<'a>(&mut self, second: Second, open: impl Iterator<Item = &'a Open>) {
        self.bundle.add(second);
        if self.bundle.is_due() {
            self.report(open);
        }
    }

    /// The end: what was measured since the last report is one more, and what waits is tried once.
    pub(crate) fn end<'a>(mut self, open: impl Iterator<Item = &'a Open>) {
        if !self.bundle.is_empty() {
            self.report(open);
        }
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
        // What is not taken by then is in the spool.
        let _late = self.ended.recv_timeout(LAST_WORDS);
    }

    fn report<'a>(&mut self, open: impl Iterator<Item = &'a Open>) {
        let seconds = self.bundle.take();
        let wrong = |open: &Open| Wrong {
            finding: open.finding.clone(),
            opened: open.opened,
            seen: open.seen,
            closed: open.closed,
        };
        let at = seconds.last().map_or_else(|| self.clock.now(), |last| last.at);
        let scrapes = series::scrapes("", &seconds);
        let report = AgentReport { at, started: self.started, open: open.map(wrong).collect(), scrapes };
        let written = report.write();
        let mut state = self.shared.lock();
        match written {
            Ok(bytes) => drop(state.spool.append(bytes)),
            Err(unfit) => {
                state.spool.lose(1);
                eprintln!("warning: a report is lost: {unfit}");
            }
        }
        let (trouble, waiting) = (state.spool.trouble(), state.spool.waiting());
        drop(state);
        self.shared.changed.notify_all();
        self.say(trouble, waiting);
    }

    /// What became of the spool, where it is new.
    fn say(&mut self, trouble: Option<std::io::ErrorKind>, waiting: Waiting) {
        let said = std::mem::replace(&mut self.said, Said { trouble, lost: waiting.lost });
        if self.quiet {
            return;
        }
        let folder = self.shared.folder.display();
        match trouble {
            Some(kind) if said.trouble != trouble => {
                eprintln!(
                    "warning: reports cannot be written to {folder}: {}; they wait in memory",
                    words(&kind.into())
                );
            }
            None if said.trouble.is_some() => eprintln!("note: reports are written to {folder} again"),
            _ => {}
        }
        if waiting.lost > said.lost {
            let (lost, most) = (shown::count((waiting.lost - said.lost) as usize, "report"), self.shared.most);
            eprintln!("warning: the oldest {lost} that waited had to give way ({most} may wait in {folder})");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever died while holding it left files that are read with their checksums.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

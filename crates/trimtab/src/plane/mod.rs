//! The control loop: one owner of all state, one line of what it hears.
//!
//! A turn takes in what has come, decides, stores what that led to, answers, and only then acts: whatever happens to this process in
//! between, what is stored is enough to go on. Where nothing can be stored nothing is answered or done either; the state is thrown
//! away and begun anew from what is stored, as after a crash.

mod begin;
mod clock;
mod findings;
mod health;
mod reports;
pub(crate) mod samples;
pub(crate) mod testing;
mod turn;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use connect::machine::Runner;
use control::Control;
use fleet::history::NodeRecord;
use fleet::live::Outcome;
use server::Call;
use store::Store;
use tokio::sync::watch;

use crate::failure::{Failure, Outcome as Done};
use crate::watcher::Watched;
pub(crate) use clock::Clock;
pub(crate) use health::Health;
use samples::Measured;
use testing::Tested;

/// The most that waits in the line. Whoever comes then is told to come again.
pub(crate) const LINE_MAX: usize = 10_000;
/// The most that is taken in by one turn: many share the price of one write to the disk.
const TURN_MAX: usize = 1_000;
/// How long the loop waits before it tries to store again.
const STALLED_WAIT: Duration = Duration::from_secs(1);
/// The longest it sleeps.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What comes in. One closed list.
pub(crate) enum Heard {
    /// Somebody asks for something.
    Call(Call),
    /// An adapter tells of an action.
    Outcome(Outcome),
    /// How busy this machine was.
    Samples(Vec<Measured>),
    /// What was watched: measurements, and what is wrong.
    Watched(Box<Watched>),
    /// A node was tested.
    Tested(Tested),
    /// The end.
    Stop,
}

/// The loop.
pub(crate) struct Plane {
    store: Store,
    runner: Arc<Runner>,
    /// The nodes as they were found.
    found: Vec<NodeRecord>,
    clock: Clock,
    control: Control,
    /// Why nothing can be stored, while that is so.
    stalled: Option<String>,
    line: Receiver<Heard>,
    /// Tells those who follow the log how far it is.
    stored: watch::Sender<u64>,
    /// What could not be started, to be heard by the next turn.
    own: Vec<Outcome>,
    kept: findings::Kept,
    health: Health,
}

impl Plane {
    /// Begins from what is stored, and settles what became of all that was running.
    pub(crate) fn begin(
        store: Store,
        runner: Arc<Runner>,
        found: Vec<NodeRecord>,
        line: Receiver<Heard>,
        stored: watch::Sender<u64>,
        health: Health,
    ) -> Done<Self> {
        let past = store.load(begin::REMEMBERED_MAX).map_err(|error| Failure::outside(error.to_string()))?;
        let clock = Clock::starting_at(past.at);
        let control = Control::restore(begin::past(past), found.clone(), clock.now()).with_health(health.policy);
        let (stalled, own, kept) = (None, Vec::new(), findings::Kept::default());
        let mut plane = Self { store, runner, found, clock, control, stalled, line, stored, own, kept, health };
        plane.settle().map_err(Failure::outside)?;
        Ok(plane)
    }

    /// How many run.
    pub(crate) fn running(&self) -> usize {
        self.control.open_actions().len()
    }

    /// Turns until it is told to stop. Gives how many go on running.
    pub(crate) fn run(mut self) -> usize {
        loop {
            let (batch, stop) = self.gather();
            if self.stalled.is_some() {
                self.refuse(batch);
                self.try_to_begin_again();
            } else {
                self.turn(batch);
            }
            if stop {
                return self.running();
            }
        }
    }

    /// Waits for something to come, and takes what else is there.
    fn gather(&mut self) -> (Vec<Heard>, bool) {
        let mut batch = Vec::new();
        match self.line.recv_timeout(self.wait()) {
            Ok(heard) => batch.push(heard),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return (batch, true),
        }
        while batch.len() < TURN_MAX {
            let Ok(heard) = self.line.try_recv() else { break };
            batch.push(heard);
        }
        let stop = batch.iter().any(|heard| matches!(heard, Heard::Stop));
        (batch, stop)
    }

    fn wait(&self) -> Duration {
        if self.stalled.is_some() {
            return STALLED_WAIT;
        }
        if !self.own.is_empty() {
            return Duration::ZERO;
        }
        let until = |at: fleet::time::Timestamp| Duration::from_millis(at.since(self.clock.now()).0.max(0) as u64);
        self.control.wake_at().map_or(WAIT_MAX, until).min(WAIT_MAX)
    }
}

/// Hands on what the runner tells, until `stop` says so.
pub(crate) fn listen(runner: &Runner, line: &SyncSender<Heard>, stopped: &std::sync::atomic::AtomicBool) {
    while !stopped.load(std::sync::atomic::Ordering::Acquire) {
        match runner.outcomes(WAIT_MAX) {
            Ok(outcomes) => {
                for outcome in outcomes {
                    if line.send(Heard::Outcome(outcome)).is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                eprintln!("warning: {error}");
                std::thread::sleep(STALLED_WAIT);
            }
        }
    }
}

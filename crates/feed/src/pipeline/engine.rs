//! The threads, and the line of batches between them and the consumer.

use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::batch::{Batch, BytesMax, Charge, Making, Stores, TakeBack};
use super::crew::Crew;
use super::line::{Place, Room, State};
use super::store::{Made, Store};
use super::{Ahead, Arrivals, Kind, Output, SampleError, Seat, Turn, Work};
use crate::memory::{Held, Share};
use crate::order::{Course, Shares};
use crate::tune::Tuned;

/// How batches are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The order of samples.
    pub course: Course,
    /// This rank's part of it.
    pub shares: Shares,
    /// Threads.
    pub threads: Tuned,
    /// Batches that are made ahead of the consumer, at most.
    pub ahead: Tuned,
    /// The epoch to begin in.
    pub epoch: u64,
    /// Samples of that epoch that are consumed already.
    pub consumed: u64,
}

/// How many there are, now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// Threads that work.
    pub threads: usize,
    /// Batches that are made ahead, at most.
    pub ahead: usize,
    /// Batches that are made, and not taken.
    pub ready: usize,
}

/// What comes next.
pub enum Next {
    /// A batch.
    Batch(Batch),
    /// The end of the epoch of that number.
    EndOfEpoch(u64),
    /// Nothing yet, after the time that the consumer would wait.
    NotYet,
    /// Nothing until the consumer lets go of batches that it has: the next one takes more memory than they leave.
    NoRoom {
        /// Bytes that the next batch takes.
        batch: usize,
        /// Bytes that there are for batches.
        limit: usize,
    },
}

/// Makes batches until it is dropped.
pub struct Engine<W: Work> {
    line: Arc<Line<W>>,
}

impl<W: Work> Engine<W> {
    /// Starts the first threads. Batches take no more than `memory`, those that the consumer has among them.
    pub fn start(work: Arc<W>, settings: Settings, memory: Arc<Share>) -> Engine<W> {
        let some_are = |kinds: &[Kind]| work.outputs().iter().any(|output| kinds.contains(&output.kind));
        let (work_has_bytes, work_has_joined) = (some_are(&[Kind::Bytes, Kind::Text]), some_are(&[Kind::Joined]));
        let line = Arc::new_cyclic(|own| Line {
            outputs: work.outputs().into(),
            work,
            settings: settings.clone(),
            memory,
            has_bytes: work_has_bytes,
            has_joined: work_has_joined,
            process: process::id(),
            own: Weak::clone(own),
            state: Mutex::new(State::new(&settings)),
            crew: Crew::new(settings.threads),
            threads: Mutex::default(),
            more_to_do: Condvar::new(),
            more_work: Condvar::new(),
            more_done: Condvar::new(),
        });
        line.start_threads().expect("the system has threads");
        Engine { line }
    }

    /// How many there are of what is tuned, and of what is made.
    pub fn numbers(&self) -> Numbers {
        let state = self.line.lock();
        Numbers { threads: self.line.crew.size(), ahead: state.ahead(), ready: state.batches_done() }
    }

    /// Memory was given back that was counted for batches, and no batch with it.
    pub fn wake(&self) {
        drop(self.line.lock());
        self.line.more_to_do.notify_all();
    }

    /// The next batch or end of an epoch; waits at most `patience`.
    pub fn next(&self, patience: Duration) -> Next {
        let mut state = self.line.lock();
        if !state.front_is_done() {
            if state.make_more_ahead() {
                self.line.more_to_do.notify_all();
            }
            let start = Instant::now();
            let waited = self.line.more_done.wait_timeout_while(state, patience, |state| !state.front_is_done());
            state = waited.expect(NOBODY_PANICS).0;
            self.line.work.meter().starved.stop(start);
            if !state.front_is_done() {
                let limit = self.line.memory.limit();
                return state.lacks().map_or(Next::NotYet, |batch| Next::NoRoom { batch, limit });
            }
        }
        let front = state.pop();
        drop(state);
        self.line.more_to_do.notify_all();
        match front {
            Place::End(epoch) => Next::EndOfEpoch(epoch),
            Place::Batch(making) => Next::Batch(self.line.deliver(making)),
        }
    }
}

impl<W: Work> Drop for Engine<W> {
    fn drop(&mut self) {
        if self.line.is_forked() {
            // To let go of a thread that is not there is not defined; and it may have held any lock of what is in the line.
            Box::leak(Box::new(Arc::clone(&self.line)));
            return;
        }
        // What was asked for ahead is let go of, so that nothing more of it is fetched.
        let line = self.line.lock().stop();
        drop(line);
        self.line.more_to_do.notify_all();
        self.line.more_work.notify_all();
        // Not locked any more while they are waited for: one of them may be about to start another.
        let threads = mem::take(&mut *self.line.threads());
        for thread in threads {
            // A thread that panicked has told so on standard error.
            drop(thread.join());
        }
    }
}

const NOBODY_PANICS: &str = "nobody panics while holding the line";
/// What is said where our own code panicked.
const FAULT: &str = "a fault in Trimtab: what it says stands on standard error; please report it";

/// What the threads and the consumer share.
struct Line<W: Work> {
    work: Arc<W>,
    outputs: Arc<[Output]>,
    settings: Settings,
    /// For batches.
    memory: Arc<Share>,
    /// Whether any output has no fixed size.
    has_bytes: bool,
    /// Whether any is joined.
    has_joined: bool,
    /// The process that has the threads.
    process: u32,
    /// Itself, for those who tell it of arrivals.
    own: Weak<Line<W>>,
    state: Mutex<State<W::Ticket>>,
    /// Who works.
    crew: Crew,
    /// Those that were started. It is locked before the state where both are.
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// A batch may be opened, a sample may be made, or all is to stop.
    more_to_do: Condvar,
    /// More threads work, or all is to stop.
    more_work: Condvar,
    /// The front of the line may be done.
    more_done: Condvar,
}

impl<W: Work> Line<W> {
    /// Whether this is a copy in a forked process. There the threads are missing, and the lock may be held for ever by one of them.
    fn is_forked(&self) -> bool {
        process::id() != self.process
    }

    fn lock(&self) -> MutexGuard<'_, State<W::Ticket>> {
        self.state.lock().expect(NOBODY_PANICS)
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().expect("nobody panics while holding the threads")
    }

    /// Starts those threads that are to work and are not there.
    fn start_threads(&self) -> io::Result<()> {
        let mut threads = self.threads();
        if self.lock().is_stopped() {
            return Ok(());
        }
        while threads.len() < self.crew.size() {
            let Some(line) = self.own.upgrade() else { return Ok(()) };
            let number = threads.len();
            threads.push(thread::Builder::new().name(format!("feed-{number}")).spawn(move || line.run(number))?);
        }
        Ok(())
    }

    /// What each thread does.
    fn run(&self, thread: usize) {
        let mut scratch = self.work.scratch();
        while let Some((making, slot)) = self.take(thread) {
            let start = Instant::now();
            let turn = making.turns[slot];
            let written = catch_unwind(AssertUnwindSafe(|| {
                let mut places: Vec<_> = making.stores().iter().map(|store| store.claim(slot)).collect();
                self.work.write(&mut scratch, turn, &mut places)
            }));
            let outcome = written.unwrap_or_else(|_| {
                // What it left behind may be in any state.
                scratch = self.work.scratch();
                Err(SampleError { sample: format!("sample {}", turn.sample), reason: FAULT.to_owned() })
            });
            let is_last = making.note(slot, outcome);
            if is_last {
                self.join(&making);
            }
            // Let go before the consumer is told, who takes the outputs out of it.
            drop(making);
            if is_last {
                drop(self.lock());
                self.more_done.notify_all();
            }
            if self.crew.made(start.elapsed()) {
                // Where the system has no more threads, those that there are do the work.
                drop(self.start_threads());
                drop(self.lock());
                self.more_work.notify_all();
            }
        }
    }

    /// Joins what was written for the samples of a batch, the last of which is made.
    fn join(&self, making: &Making<W::Ticket>) {
        if self.has_joined {
            let cells = making.take_cells(&self.outputs);
            match catch_unwind(AssertUnwindSafe(|| self.work.join(&making.turns, cells))) {
                Ok(join) => making.put_joined(join),
                Err(_) => making.fail(FAULT),
            }
            // Less memory may be taken now than was set aside, so that more can be opened.
            drop(self.lock());
            self.more_to_do.notify_all();
        }
        making.done();
    }

    /// The next sample; none where all is to stop.
    fn take(&self, thread: usize) -> Option<(Arc<Making<W::Ticket>>, usize)> {
        let mut state = self.lock();
        loop {
            if state.is_stopped() {
                return None;
            }
            if !self.crew.has(thread) {
                // What woke this one up is for another.
                self.more_to_do.notify_one();
                state = self.more_work.wait(state).expect(NOBODY_PANICS);
                continue;
            }
            let ahead = self.work.ahead();
            if ahead == Ahead::Room {
                self.ask(&mut state);
            }
            if let Some(taken) = state.take(ahead) {
                return Some(taken);
            }
            let bytes = |turns: &[Turn]| self.bytes(turns);
            if state.open(&self.settings, &self.outputs, &Room { memory: &self.memory, bytes: &bytes }) {
                self.more_to_do.notify_all();
                self.more_done.notify_all();
                continue;
            }
            let meter = self.work.meter();
            let waits = if ahead != Ahead::Nothing && state.awaits() {
                // What is open, and not being made, waits for what it is made from.
                state.note_late();
                &meter.fetch
            } else if state.lacks_memory() {
                &meter.memory
            } else {
                &meter.ahead
            };
            let begun = waits.begin();
            state = self.crew.idle(|| self.more_to_do.wait(state)).expect(NOBODY_PANICS);
            waits.end(begun);
        }
    }

    /// Bytes of the outputs without a fixed size: of all samples, and once more of the largest, since whoever takes the bytes copies
    /// one sample's before it gives them back.
    fn bytes(&self, turns: &[Turn]) -> BytesMax {
        let (mut sum, mut largest) = (0, 0);
        for turn in turns.iter().filter(|_| self.has_bytes) {
            let bytes = self.work.bytes(*turn);
            (sum, largest) = (sum + bytes, largest.max(bytes));
        }
        let joined = if self.has_joined { self.work.joined_bytes(turns) } else { 0 };
        BytesMax { bytes: sum + largest, joined }
    }

    /// Asks for what the next samples are made from, as far as there is room.
    fn ask(&self, state: &mut State<W::Ticket>) {
        let own: Weak<dyn Arrivals> = Weak::<Line<W>>::clone(&self.own);
        let asked = self.work.ask(&mut state.unasked(&self.settings), &own);
        if state.asked(asked) {
            self.more_to_do.notify_all();
        }
    }
}

impl<W: Work> Arrivals for Line<W> {
    fn arrived(&self, seat: Seat) {
        self.lock().arrived(seat);
        self.more_to_do.notify_one();
    }
}

impl<W: Work> Line<W> {
    fn deliver(self: &Arc<Self>, making: Arc<Making<W::Ticket>>) -> Batch {
        let mut making = making;
        // The thread that wrote the last slot lets go of it right after it was counted.
        let making = loop {
            match Arc::try_unwrap(making) {
                Ok(alone) => break alone,
                Err(shared) => making = shared,
            }
            thread::yield_now();
        };
        let (epoch, consumed, wanted) = (making.turns[0].epoch, making.consumed, making.turns.len());
        let mut numbers: Vec<u64> = making.turns.iter().map(|turn| turn.sample).collect();
        let (failed, Stores { mut stores, charge }, joined) = making.finished();
        for (slot, _) in failed.iter().rev() {
            numbers.remove(*slot);
        }
        let meter = self.work.meter();
        meter.batches.fetch_add(1, Ordering::Relaxed);
        meter.samples.fetch_add((wanted - failed.len()) as u64, Ordering::Relaxed);
        meter.failed.fetch_add(failed.len() as u64, Ordering::Relaxed);
        close_up(&mut stores, wanted, &failed.iter().map(|(slot, _)| *slot).collect::<Vec<usize>>());
        let mut joined = joined.into_iter();
        let made = stores.into_iter().zip(&*self.outputs).map(|(store, output)| match output.kind {
            Kind::Joined => store.finish_joined(joined.next().unwrap_or_default()),
            Kind::Numbers { .. } | Kind::Bytes | Kind::Text => store.finish(),
        });
        Batch {
            outputs: Arc::clone(&self.outputs),
            made: made.collect(),
            charge,
            samples: wanted - failed.len(),
            numbers,
            epoch,
            consumed,
            failed: failed.into_iter().map(|(_, error)| error).collect(),
            home: Arc::clone(self) as Arc<dyn TakeBack>,
        }
    }
}

/// Moves the slots behind those that failed to the front, so that no hole is left.
fn close_up(stores: &mut [Store], slots: usize, failed: &[usize]) {
    let Some(first) = failed.first() else { return };
    for store in stores {
        let mut to = *first;
        for from in *first..slots {
            if !failed.contains(&from) {
                store.move_slot(from, to);
                to += 1;
            }
        }
    }
}

impl<W: Work> TakeBack for Line<W> {
    fn take_back(&self, made: Vec<Made>, fixed: Option<Held>) {
        if self.is_forked() {
            return;
        }
        let stores = made.into_iter().map(Made::reuse).collect();
        self.lock().take_back(Stores { stores, charge: Charge::fixed(fixed) }, &self.settings);
        self.more_to_do.notify_all();
    }
}

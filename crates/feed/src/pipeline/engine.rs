//! The threads, the plan they follow, and the line of batches between them and the consumer.

use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::batch::{Batch, Making, TakeBack};
use super::store::{Made, Store};
use super::{Output, SampleError, Turn, Work};
use crate::order::{Order, Shares};

/// How batches are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The order of samples.
    pub order: Order,
    /// This rank's part of it.
    pub shares: Shares,
    /// Threads.
    pub threads: usize,
    /// Batches that are made ahead of the consumer, at most.
    pub ahead: usize,
    /// The epoch to begin in.
    pub epoch: u64,
    /// Samples of that epoch that are consumed already.
    pub consumed: u64,
}

/// What comes next.
pub enum Next {
    /// A batch.
    Batch(Batch),
    /// The end of the epoch of that number.
    EndOfEpoch(u64),
    /// Nothing yet, after the time that the consumer would wait.
    NotYet,
}

/// Makes batches until it is dropped.
pub struct Engine<W: Work> {
    line: Arc<Line<W>>,
    threads: Vec<JoinHandle<()>>,
}

impl<W: Work> Engine<W> {
    /// Starts the threads.
    pub fn start(work: Arc<W>, settings: Settings) -> Engine<W> {
        let line = Arc::new(Line {
            outputs: work.outputs().into(),
            work,
            settings,
            process: process::id(),
            state: Mutex::new(State::new(&settings)),
            more_to_do: Condvar::new(),
            more_done: Condvar::new(),
        });
        let threads = (0..settings.threads)
            .map(|number| {
                let line = Arc::clone(&line);
                thread::Builder::new()
                    .name(format!("feed-{number}"))
                    .spawn(move || line.run())
                    .expect("the system has threads")
            })
            .collect();
        Engine { line, threads }
    }

    /// The next batch or end of an epoch; waits at most `patience`.
    pub fn next(&self, patience: Duration) -> Next {
        let mut state = self.line.lock();
        if !state.front_is_done() {
            let start = Instant::now();
            let waited = self.line.more_done.wait_timeout_while(state, patience, |state| !state.front_is_done());
            state = waited.expect(NOBODY_PANICS).0;
            self.line.work.meter().starved.stop(start);
            if !state.front_is_done() {
                return Next::NotYet;
            }
        }
        let front = state.line.pop_front().expect("the front was seen");
        match state.first_open.checked_sub(1) {
            Some(before) => state.first_open = before,
            // It was the front whose samples were taken last.
            None => state.taken = 0,
        }
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
            // To let go of a thread that is not there is not defined.
            self.threads.drain(..).for_each(mem::forget);
            return;
        }
        self.line.lock().stop = true;
        self.line.more_to_do.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has told so on standard error.
            drop(thread.join());
        }
    }
}

const NOBODY_PANICS: &str = "nobody panics while holding the line";

/// What the threads and the consumer share.
struct Line<W: Work> {
    work: Arc<W>,
    outputs: Arc<[Output]>,
    settings: Settings,
    /// The process that has the threads.
    process: u32,
    state: Mutex<State>,
    /// A batch may be opened, or all is to stop.
    more_to_do: Condvar,
    /// The front of the line may be done.
    more_done: Condvar,
}

/// A place in the line.
enum Place {
    Batch(Arc<Making>),
    End(u64),
}

struct State {
    /// Batches that are open or done, in order.
    line: VecDeque<Place>,
    /// The first place with a sample that no thread has taken yet, and how many of it are taken.
    first_open: usize,
    taken: usize,
    /// Where the plan is.
    epoch: u64,
    consumed: u64,
    epoch_order: crate::order::EpochOrder,
    free: Vec<Vec<Store>>,
    stop: bool,
}

impl State {
    fn new(settings: &Settings) -> State {
        State {
            line: VecDeque::new(),
            first_open: 0,
            taken: 0,
            epoch: settings.epoch,
            consumed: settings.consumed,
            epoch_order: settings.order.epoch(settings.epoch),
            free: Vec::new(),
            stop: false,
        }
    }

    fn front_is_done(&self) -> bool {
        match self.line.front() {
            Some(Place::Batch(making)) => making.is_done(),
            Some(Place::End(_)) => true,
            None => false,
        }
    }

    /// The next sample that no thread has taken.
    fn take(&mut self) -> Option<(Arc<Making>, usize)> {
        while let Some(place) = self.line.get(self.first_open) {
            if let Place::Batch(making) = place
                && self.taken < making.turns.len()
            {
                self.taken += 1;
                return Some((Arc::clone(making), self.taken - 1));
            }
            self.first_open += 1;
            self.taken = 0;
        }
        None
    }

    /// Opens the next batch, or puts the end of the epoch in the line.
    fn open(&mut self, settings: &Settings, outputs: &[Output]) {
        let Some(share) = settings.shares.after(self.consumed) else {
            self.line.push_back(Place::End(self.epoch));
            self.epoch += 1;
            self.consumed = 0;
            self.epoch_order = settings.order.epoch(self.epoch);
            return;
        };
        self.consumed = share.consumed;
        let turns: Vec<Turn> = share
            .positions
            .map(|position| Turn { epoch: self.epoch, position, sample: self.epoch_order.sample(position) })
            .collect();
        if turns.is_empty() {
            return;
        }
        let stores = self.free.pop().unwrap_or_else(|| {
            let slots = settings.shares.batch as usize;
            outputs.iter().map(|output| Store::new(output, slots)).collect()
        });
        self.line.push_back(Place::Batch(Arc::new(Making::new(turns, self.consumed, stores))));
    }
}

impl<W: Work> Line<W> {
    /// Whether this is a copy in a forked process. There the threads are missing, and the lock may be held for ever by one of them.
    fn is_forked(&self) -> bool {
        process::id() != self.process
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(NOBODY_PANICS)
    }

    /// What each thread does.
    fn run(&self) {
        let mut scratch = self.work.scratch();
        while let Some((making, slot)) = self.take() {
            let turn = making.turns[slot];
            let written = catch_unwind(AssertUnwindSafe(|| {
                let mut places: Vec<_> = making.stores.iter().map(|store| store.claim(slot)).collect();
                self.work.write(&mut scratch, turn, &mut places)
            }));
            let outcome = written.unwrap_or_else(|_| {
                // What it left behind may be in any state.
                scratch = self.work.scratch();
                let reason = "a fault in Trimtab: what it says stands on standard error; please report it";
                Err(SampleError { sample: format!("sample {}", turn.sample), reason: reason.to_owned() })
            });
            let is_last = making.note(slot, outcome);
            // Let go before the consumer is told, who takes the outputs out of it.
            drop(making);
            if is_last {
                drop(self.lock());
                self.more_done.notify_all();
            }
        }
    }

    /// The next sample; none where all is to stop.
    fn take(&self) -> Option<(Arc<Making>, usize)> {
        let mut state = self.lock();
        loop {
            if state.stop {
                return None;
            }
            if let Some(taken) = state.take() {
                return Some(taken);
            }
            if state.line.len() < self.settings.ahead {
                state.open(&self.settings, &self.outputs);
                self.more_to_do.notify_all();
                self.more_done.notify_all();
                continue;
            }
            let start = Instant::now();
            state = self.more_to_do.wait(state).expect(NOBODY_PANICS);
            self.work.meter().ahead.stop(start);
        }
    }
}

impl<W: Work> Line<W> {
    fn deliver(self: &Arc<Self>, making: Arc<Making>) -> Batch {
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
        let (failed, mut stores) = making.finished();
        let meter = self.work.meter();
        meter.batches.fetch_add(1, Ordering::Relaxed);
        meter.samples.fetch_add((wanted - failed.len()) as u64, Ordering::Relaxed);
        meter.failed.fetch_add(failed.len() as u64, Ordering::Relaxed);
        close_up(&mut stores, wanted, &failed.iter().map(|(slot, _)| *slot).collect::<Vec<usize>>());
        Batch {
            outputs: Arc::clone(&self.outputs),
            made: stores.into_iter().map(Store::finish).collect(),
            samples: wanted - failed.len(),
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
    fn take_back(&self, made: Vec<Made>) {
        if self.is_forked() {
            return;
        }
        let stores = made.into_iter().map(Made::reuse).collect();
        let mut state = self.lock();
        // As many as can be in the line at once are of use.
        if state.free.len() < self.settings.ahead {
            state.free.push(stores);
        }
    }
}

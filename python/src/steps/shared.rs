//! What the thread that trains and the one that tells share. Whoever trains holds the lock for some tens of nanoseconds; whoever tells,
//! for as long as it takes to move some steps.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::course::{Course, Doing, Step, Thread};
use super::fork;
use super::record::{Kept, Unsent};

/// Steps that are moved under one lock.
const MOVED_MAX: usize = 256;

/// How it stands with the thread that tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    GoesOn,
    IsToEnd,
    Over,
}

struct State {
    course: Course,
    unsent: Unsent,
    kept: Kept,
    telling: Telling,
}

/// A clock's state.
pub(super) struct Shared {
    /// The process whose clock it is.
    generation: u32,
    origin: Instant,
    state: Mutex<State>,
    /// Somebody is to be told.
    wake: Condvar,
    /// All was told.
    over: Condvar,
    /// No mark counts any more.
    is_closed: AtomicBool,
    /// Somebody listens.
    pub(super) is_connected: AtomicBool,
}

/// What is to be told.
#[derive(Default)]
pub(super) struct News {
    pub(super) steps: Vec<Step>,
    pub(super) dropped: u64,
    /// What the process is doing; none, while there are more steps to tell.
    pub(super) doing: Option<Doing>,
    pub(super) are_more: bool,
}

impl Shared {
    pub(super) fn new() -> Shared {
        let state =
            State { course: Course::new(), unsent: Unsent::default(), kept: Kept::default(), telling: Telling::GoesOn };
        Shared {
            generation: fork::generation(),
            origin: Instant::now(),
            state: Mutex::new(state),
            wake: Condvar::new(),
            over: Condvar::new(),
            is_closed: AtomicBool::new(false),
            is_connected: AtomicBool::new(false),
        }
    }

    /// Moments of the clock: nanoseconds since it was made.
    pub(super) fn now_ns(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether this is a forked process, whose copy of the clock nobody may touch.
    pub(super) fn is_copy(&self) -> bool {
        self.generation != fork::generation()
    }

    /// Whether marks count.
    pub(super) fn is_on(&self) -> bool {
        !self.is_copy() && !self.is_closed.load(Ordering::Relaxed)
    }

    pub(super) fn course<T>(&self, change: impl FnOnce(&mut Course) -> T) -> T {
        change(&mut self.lock().course)
    }

    /// The step is over.
    pub(super) fn end_step(&self, thread: Thread, now_ns: u64, number: Option<u64>) {
        let mut state = self.lock();
        let Some(step) = state.course.end(thread, now_ns, number) else { return };
        state.kept.push(step);
        let is_time = state.unsent.push(step);
        drop(state);
        if is_time {
            self.wake.notify_one();
        }
    }

    /// A copy of what figures are made of: whoever trains waits for no more than that.
    pub(super) fn kept(&self) -> Kept {
        if self.is_copy() { Kept::default() } else { self.lock().kept.clone() }
    }

    /// For the thread that tells: waits, at most that long, and whether all is to end.
    pub(super) fn sleep(&self, patience: Duration) -> bool {
        let mut state = self.lock();
        if state.telling == Telling::GoesOn && !patience.is_zero() {
            (state, _) = self.wake.wait_timeout(state, patience).expect("nobody panics while holding it");
        }
        state.telling == Telling::IsToEnd
    }

    /// For the thread that tells: what there is.
    pub(super) fn news(&self, into: &mut News) {
        let mut state = self.lock();
        into.dropped = state.unsent.take(MOVED_MAX, &mut into.steps);
        into.are_more = !state.unsent.is_empty();
        into.doing = if into.are_more { None } else { state.course.doing() };
    }

    /// For the thread that tells: it ends.
    pub(super) fn is_over(&self) {
        self.lock().telling = Telling::Over;
        self.over.notify_all();
    }

    /// No mark counts any more, and what is left is told; waits for that, at most so long.
    pub(super) fn close(&self, patience: Duration) {
        self.is_closed.store(true, Ordering::Relaxed);
        if self.is_copy() {
            return;
        }
        let mut state = self.lock();
        state.course.pause();
        if state.telling == Telling::GoesOn {
            state.telling = Telling::IsToEnd;
        }
        self.wake.notify_one();
        if !patience.is_zero() {
            let is_not_over = |state: &mut State| state.telling != Telling::Over;
            drop(self.over.wait_timeout_while(state, patience, is_not_over).expect("nobody panics while holding it"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while holding it")
    }
}

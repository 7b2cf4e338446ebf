//! The step that is under way: which phase it is in, and how long it was in each. Moments are nanoseconds, told by whoever calls; they
//! never go back.
//!
//! Phases nest: a phase that is entered lies within the one before, and leaving it goes back to that. A mark changes the innermost.
//! All of it is of one thread, the one that began the step; what others enter and mark is passed over.

use super::phase::Phase;

const MARKED: usize = Phase::MARKED.len();
/// So deep do phases nest; what is entered deeper still counts to the deepest.
const LEVELS_MAX: usize = 16;

/// A thread, as the clock tells it from others.
pub(super) type Thread = usize;

/// A step that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Counted from 1, unless another number was told.
    pub(super) number: u64,
    /// When it ended.
    pub(super) ended_ns: u64,
    /// How long it took.
    pub(super) whole_us: u64,
    /// Of that, in each phase: no more than the whole, together.
    pub(super) phases_us: [u64; MARKED],
}

impl Step {
    /// What is in no phase.
    pub(super) fn other_us(&self) -> u64 {
        self.whole_us.saturating_sub(self.phases_us.iter().sum())
    }
}

/// What the process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doing {
    pub(super) number: u64,
    pub(super) phase: Phase,
    /// When the phase began.
    pub(super) since_ns: u64,
    /// When the step began.
    pub(super) step_since_ns: u64,
}

/// Whether what is entered begins a step where none is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    /// It does: whoever trains says so.
    Begins,
    /// It does not: a hook that cannot know whether this is training.
    OnlyWithin,
}

struct UnderWay {
    thread: Thread,
    began_ns: u64,
    /// When the phase that is began.
    since_ns: u64,
    spent_ns: [u64; MARKED],
}

#[derive(Clone, Copy)]
struct Level {
    entered_as: Phase,
    phase: Phase,
}

const OUTSIDE: Level = Level { entered_as: Phase::Other, phase: Phase::Other };

/// Steps, one after the other.
pub(super) struct Course {
    under_way: Option<UnderWay>,
    number: u64,
    /// Places in use behind the first, which is the step itself.
    depth: usize,
    levels: [Level; LEVELS_MAX],
}

impl Course {
    /// Before the first step.
    pub(super) fn new() -> Course {
        Course { under_way: None, number: 1, depth: 0, levels: [OUTSIDE; LEVELS_MAX] }
    }

    /// The innermost phase is another from now on.
    pub(super) fn mark(&mut self, thread: Thread, now_ns: u64, phase: Phase) {
        if self.is_followed(thread, now_ns, Beginning::Begins) {
            self.change(now_ns, phase);
        }
    }

    /// As a mark, by whatever thread, within a step.
    pub(super) fn mark_anywhere(&mut self, now_ns: u64, phase: Phase) {
        if self.under_way.is_some() {
            self.change(now_ns, phase);
        }
    }

    /// A phase within the one that is.
    pub(super) fn enter(&mut self, thread: Thread, now_ns: u64, phase: Phase, beginning: Beginning) {
        if !self.is_followed(thread, now_ns, beginning) {
            return;
        }
        if self.depth + 1 < LEVELS_MAX {
            self.account(now_ns, phase);
            self.depth += 1;
            self.levels[self.depth] = Level { entered_as: phase, phase };
        } else {
            self.change(now_ns, phase);
        }
    }

    /// The phase is over that was entered so last, with all that was entered within; none, where it was not.
    pub(super) fn leave(&mut self, thread: Thread, now_ns: u64, phase: Phase) {
        if self.under_way.as_ref().is_none_or(|step| step.thread != thread) {
            return;
        }
        let inside = &self.levels[1..=self.depth];
        let Some(place) = inside.iter().rposition(|level| level.entered_as == phase) else { return };
        let outer = self.levels[place].phase;
        self.account(now_ns, outer);
        self.depth = place;
    }

    /// The step is over, and the next one begins; none, where none was under way, or another thread's.
    pub(super) fn end(&mut self, thread: Thread, now_ns: u64, number: Option<u64>) -> Option<Step> {
        if self.under_way.as_ref().is_some_and(|step| step.thread != thread) {
            return None;
        }
        let phase = self.phase();
        let ended = self.under_way.take().map(|mut step| {
            step.spend(now_ns, phase);
            Step {
                number: number.unwrap_or(self.number),
                ended_ns: now_ns,
                whole_us: (now_ns - step.began_ns) / 1000,
                phases_us: step.spent_ns.map(|spent| spent / 1000),
            }
        });
        self.number = number.unwrap_or(self.number).saturating_add(u64::from(number.is_some() || ended.is_some()));
        self.begin(thread, now_ns);
        ended
    }

    /// No step is under way; what was spent on one counts to none.
    pub(super) fn pause(&mut self) {
        self.under_way = None;
        self.depth = 0;
        self.levels[0] = OUTSIDE;
    }

    /// What the process is doing; none, where no step is under way.
    pub(super) fn doing(&self) -> Option<Doing> {
        let step = self.under_way.as_ref()?;
        Some(Doing { number: self.number, phase: self.phase(), since_ns: step.since_ns, step_since_ns: step.began_ns })
    }

    fn phase(&self) -> Phase {
        self.levels[self.depth].phase
    }

    /// Whether the step is that thread's; begins one where there is none and it may.
    fn is_followed(&mut self, thread: Thread, now_ns: u64, beginning: Beginning) -> bool {
        match (&self.under_way, beginning) {
            (Some(step), _) => step.thread == thread,
            (None, Beginning::OnlyWithin) => false,
            (None, Beginning::Begins) => {
                self.begin(thread, now_ns);
                true
            }
        }
    }

    fn begin(&mut self, thread: Thread, now_ns: u64) {
        // What was entered and never left, because it failed, ends with its step.
        self.depth = 0;
        self.levels[0] = OUTSIDE;
        self.under_way = Some(UnderWay { thread, began_ns: now_ns, since_ns: now_ns, spent_ns: [0; MARKED] });
    }

    fn change(&mut self, now_ns: u64, phase: Phase) {
        self.account(now_ns, phase);
        self.levels[self.depth].phase = phase;
    }

    /// Notes the time up to now, where the phase is not to stay what it is.
    fn account(&mut self, now_ns: u64, next: Phase) {
        let phase = self.phase();
        if let Some(step) = self.under_way.as_mut().filter(|_| phase != next) {
            step.spend(now_ns, phase);
        }
    }
}

impl UnderWay {
    fn spend(&mut self, now_ns: u64, phase: Phase) {
        // Threads that mark at once may come in another order than they read the time.
        let now_ns = now_ns.max(self.since_ns);
        if phase != Phase::Other {
            self.spent_ns[phase.place()] += now_ns - self.since_ns;
        }
        self.since_ns = now_ns;
    }
}

//! What an hour or a minute adds up to. Amounts are thousandths of devices or cores times milliseconds.

use super::fleet_now::both;
use super::{Amount, Level};

/// How a run ended, as far as sums go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It did what it was for.
    Completed,
    /// It failed, timed out, ran out of memory or lost its node.
    Failed,
    /// Someone stopped it.
    Cancelled,
    /// It gave way, and runs again.
    GaveWay,
}

/// An hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hour {
    /// Given to workloads, whatever became of them.
    pub(crate) given: Amount,
    /// Of that, to runs that are over, in the order of [`Spent`].
    pub(crate) ended: [Amount; 4],
    /// Not given, on drained nodes.
    pub(crate) drained: Amount,
    /// Not given while something waited.
    pub(crate) idle_waited: Amount,
    /// Not given, and nothing waited.
    pub(crate) idle: Amount,
    waited: u64,
    ms: u64,
}

/// A minute, or an hour's course.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Minute {
    given: Amount,
    capacity: Amount,
    waited: u64,
    ms: u64,
}

impl Hour {
    pub(crate) fn pass(&mut self, level: Level, waiting: u64, ms: u64) {
        let more = |sum: &mut Amount, level: Amount| *sum = both(*sum, level, |sum, part| sum + part * ms);
        more(&mut self.given, level.given);
        more(&mut self.drained, level.drained);
        more(if waiting > 0 { &mut self.idle_waited } else { &mut self.idle }, level.idle);
        self.waited += waiting * ms;
        self.ms += ms;
    }

    pub(crate) fn spend(&mut self, how: Spent, held: Amount, ms: u64) {
        let sum = &mut self.ended[how as usize];
        *sum = both(*sum, held, |sum, part| sum + part * ms);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let more = |sum: &mut Amount, part: Amount| *sum = both(*sum, part, |a, b| a + b);
        more(&mut self.given, other.given);
        more(&mut self.drained, other.drained);
        more(&mut self.idle_waited, other.idle_waited);
        more(&mut self.idle, other.idle);
        for (sum, part) in self.ended.iter_mut().zip(other.ended) {
            more(sum, part);
        }
        self.waited += other.waited;
        self.ms += other.ms;
    }

    /// Given to runs that are not over.
    pub(crate) fn still_running(&self) -> Amount {
        let ended = self.ended.into_iter().fold([0; 2], |sum, part| both(sum, part, |a, b| a + b));
        both(self.given, ended, u64::saturating_sub)
    }

    /// All of it.
    pub(crate) fn capacity(&self) -> Amount {
        let add = |a, b| both(a, b, |a, b| a + b);
        add(add(self.given, self.drained), add(self.idle_waited, self.idle))
    }

    pub(crate) fn course(&self) -> Minute {
        Minute { given: self.given, capacity: self.capacity(), waited: self.waited, ms: self.ms }
    }
}

impl Minute {
    pub(crate) fn pass(&mut self, level: Level, waiting: u64, ms: u64) {
        self.given = both(self.given, level.given, |sum, part| sum + part * ms);
        self.capacity = both(self.capacity, level.capacity(), |sum, part| sum + part * ms);
        self.waited += waiting * ms;
        self.ms += ms;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.given = both(self.given, other.given, |a, b| a + b);
        self.capacity = both(self.capacity, other.capacity, |a, b| a + b);
        self.waited += other.waited;
        self.ms += other.ms;
    }

    /// The mean of what was given, what there was (devices or cores) and how many waited.
    pub(crate) fn means(&self, part: usize) -> [f64; 3] {
        let ms = self.ms.max(1) as f64;
        [self.given[part] as f64 / ms / 1_000.0, self.capacity[part] as f64 / ms / 1_000.0, self.waited as f64 / ms]
    }
}

//! The time of the control loop.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fleet::quantity::Millis;
use fleet::time::Timestamp;

/// A clock that never runs backwards and never jumps: it goes by the machine's steady clock from the moment it was started at.
/// If the wall clock is set while it runs, what was promised in minutes still comes in minutes; the next start takes the new
/// time up.
#[derive(Debug)]
pub(crate) struct Clock {
    began: Timestamp,
    steady: Instant,
    last: Timestamp,
}

impl Clock {
    /// By the wall clock, and never before what was stored last.
    pub(crate) fn starting_at(last: Option<Timestamp>) -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = Timestamp(i64::try_from(wall.as_millis()).unwrap_or(i64::MAX));
        let began = last.map_or(wall, |last| last.max(wall));
        Self { began, steady: Instant::now(), last: began }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.began + Millis(i64::try_from(self.steady.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// The time, but later than what this gave before.
    pub(crate) fn next(&mut self) -> Timestamp {
        self.last = self.now().max(self.last + Millis(1));
        self.last
    }
}

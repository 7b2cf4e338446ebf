//! The clock of a rank's steps: which phase it is in, and what each took.
//!
//! What it shows is shared with the thread that tells it to others, so that a step which does not end can be seen from outside.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use nix::time::ClockId;

use super::work::processor_time;
use crate::phase::Phase;
use crate::truth::Step;

/// A step that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnderWay {
    pub(super) step: u64,
    pub(super) step_since_us: u64,
    pub(super) phase: Phase,
    pub(super) phase_since_us: u64,
}

/// What is under way now, if anything is.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown(Arc<Mutex<Option<UnderWay>>>);

impl Shown {
    pub(super) fn get(&self) -> Option<UnderWay> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, under_way: Option<UnderWay>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = under_way;
    }
}

/// The clock.
#[derive(Debug)]
pub(super) struct Clock {
    unix_us: u64,
    started: Instant,
    shown: Shown,
    under_way: UnderWay,
    /// Of [`Phase::TOLD`], in its order.
    phases_us: [u64; 7],
}

impl Clock {
    /// Starts, outside any step. It begins at the wall clock's time and is steady from then on.
    pub(super) fn start(shown: Shown) -> Self {
        let unix_us = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        let under_way = UnderWay { step: 0, step_since_us: unix_us, phase: Phase::Other, phase_since_us: unix_us };
        Self { unix_us, started: Instant::now(), shown, under_way, phases_us: [0; 7] }
    }

    /// Begins a step where the one before ended, so that nothing lies between two.
    pub(super) fn begin_step(&mut self, number: u64) {
        let since = if number == 0 { self.now_us() } else { self.under_way.phase_since_us };
        self.under_way = UnderWay { step: number, step_since_us: since, phase: Phase::Other, phase_since_us: since };
        self.phases_us = [0; 7];
        self.shown.set(Some(self.under_way));
    }

    /// A phase ends and this one begins.
    pub(super) fn enter(&mut self, phase: Phase) {
        let now = self.now_us();
        let took = now - self.under_way.phase_since_us;
        if let Some(index) = Phase::TOLD.iter().position(|told| *told == self.under_way.phase) {
            self.phases_us[index] += took;
        }
        self.under_way.phase = phase;
        self.under_way.phase_since_us = now;
        self.shown.set(Some(self.under_way));
    }

    /// The step ends.
    pub(super) fn end_step(&mut self) -> Step {
        self.enter(Phase::Other);
        self.shown.set(None);
        let UnderWay { step, step_since_us, phase_since_us: at_us, .. } = self.under_way;
        let cpu_us = processor_time(ClockId::CLOCK_PROCESS_CPUTIME_ID).as_micros() as u64;
        Step { number: step, at_us, us: at_us - step_since_us, cpu_us, phases_us: self.phases_us }
    }

    fn now_us(&self) -> u64 {
        self.unix_us + self.started.elapsed().as_micros() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;
    use std::time::Duration;

    #[test]
    fn phases_sum_to_no_more_than_their_step() {
        let shown = Shown::default();
        let mut clock = Clock::start(shown.clone());
        assert!(shown.get().is_none());
        clock.begin_step(0);
        clock.enter(Phase::Forward);
        sleep(Duration::from_millis(3));
        clock.enter(Phase::Communication);
        assert_eq!(shown.get().unwrap().phase, Phase::Communication);
        let first = clock.end_step();
        assert!(first.phase_us(Phase::Forward) >= 3_000);
        assert!(first.phases_us.iter().sum::<u64>() <= first.us);
        clock.begin_step(1);
        sleep(Duration::from_millis(1));
        let second = clock.end_step();
        assert_eq!(second.at_us - second.us, first.at_us);
    }
}

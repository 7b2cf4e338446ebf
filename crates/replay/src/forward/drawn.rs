//! An outlook drawn with a seed: runs end as the engine's predictor expects of them, given how long they have run; who comes is who
//! came in the days before.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use allocate::predict::Distribution;
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use super::{Outlook, Start};
use crate::seed::Seed;

/// As many days as this may come again: a week has every day of the week once.
const DAYS_MAX: u64 = 7;
/// Who came is remembered for so long,
const REMEMBERED: Millis = Millis::hours((DAYS_MAX as i64 + 1) * 24);
/// and no more than so many.
const REMEMBERED_MAX: usize = 1 << 15;
const DAY: Millis = Millis::hours(24);
/// Nothing is drawn to run longer: moments stay far from the end of time.
const RUN_MAX: u64 = 400 * 24 * 3_600_000;

/// Who came of late.
#[derive(Clone, Debug, Default)]
pub struct Past {
    came: VecDeque<(Timestamp, Workload)>,
}

impl Past {
    /// Remembers who came.
    pub fn came(&mut self, workload: &Workload, at: Timestamp) {
        while self.came.front().is_some_and(|(first, _)| at.since(*first) > REMEMBERED)
            || self.came.len() >= REMEMBERED_MAX
        {
            self.came.pop_front();
        }
        self.came.push_back((at, workload.clone()));
    }

    fn whole_days(&self, now: Timestamp) -> u64 {
        self.came.front().map_or(0, |(first, _)| (now.since(*first).0 / DAY.0) as u64)
    }

    fn first_after(&self, moment: Timestamp) -> usize {
        self.came.partition_point(|(at, _)| *at <= moment)
    }
}

/// Draws what comes; tells every start to `heard`.
pub struct Drawn<'a> {
    seed: Seed,
    past: &'a Past,
    now: Timestamp,
    /// The days before now that come again and again.
    days: Millis,
    next: usize,
    round: i64,
    last_id: u32,
    heard: &'a mut dyn FnMut(Start) -> ControlFlow<()>,
}

impl<'a> Drawn<'a> {
    /// What comes after `now`: the last day, or the last days up to a week, drawn how many; again and again.
    pub fn new(seed: u64, past: &'a Past, now: Timestamp, heard: &'a mut dyn FnMut(Start) -> ControlFlow<()>) -> Self {
        let mut seed = Seed::new(seed);
        let days = Millis(DAY.0 * (1 + seed.below(past.whole_days(now).clamp(1, DAYS_MAX)) as i64));
        let next = past.first_after(now - days);
        Self { seed, past, now, days, next, round: 1, last_id: u32::MAX, heard }
    }
}

impl Outlook for Drawn<'_> {
    fn remaining(&mut self, _: WorkloadId, expected: &Distribution, age: Millis) -> Millis {
        let drawn = expected.remaining_quantile(age.0.max(0) as u64, self.seed.below(1_000) as u16);
        Millis(1 + drawn.min(RUN_MAX) as i64)
    }

    fn arrival(&mut self) -> Option<(Timestamp, Workload)> {
        if self.next >= self.past.came.len() {
            self.next = self.past.first_after(self.now - self.days);
            self.round += 1;
        }
        let (at, workload) = self.past.came.get(self.next)?;
        self.next += 1;
        // From the last id down: those that are given out come from the first one up.
        self.last_id -= 1;
        Some((*at + Millis(self.days.0 * self.round), Workload { id: WorkloadId(self.last_id), ..workload.clone() }))
    }

    fn started(&mut self, start: Start) -> ControlFlow<()> {
        (self.heard)(start)
    }
}

#[cfg(test)]
mod tests {
    use fleet::ids::QueueId;
    use fleet::node::Resources;
    use fleet::workload::{Constraint, Spread};

    use super::*;

    fn workload() -> Workload {
        Workload {
            id: WorkloadId(7),
            queue: QueueId(0),
            user: None,
            name: None,
            priority: 0,
            tasks: 1,
            request: Resources::devices(1),
            spread: Spread::Packed,
            constraint: Constraint::default(),
            time_limit: None,
        }
    }

    #[test]
    fn the_last_day_comes_again_and_again() {
        let hour = |hour: i64| Timestamp::from_seconds(hour * 3_600);
        let mut past = Past::default();
        for at in [1, 20, 30, 44] {
            past.came(&workload(), hour(at));
        }
        let mut heard = |_| ControlFlow::Continue(());
        let mut drawn = Drawn::new(9, &past, hour(45), &mut heard);
        let came: Vec<(Timestamp, WorkloadId)> =
            (0..5).filter_map(|_| drawn.arrival().map(|(at, it)| (at, it.id))).collect();
        let at: Vec<Timestamp> = came.iter().map(|(at, _)| *at).collect();
        assert_eq!(at, [54, 68, 78, 92, 102].map(hour));
        assert!(came.windows(2).all(|pair| pair[0].1 != pair[1].1), "each is another workload");
        assert!(Drawn::new(9, &Past::default(), hour(45), &mut |_| ControlFlow::Continue(())).arrival().is_none());
    }
}

//! A look ahead: for each of those who wait, how long it waits in each of several lives.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use allocate::Engine;
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::forward::{Drawn, Past, Start, look_ahead};
use crate::seed::Seed;

/// So many lives.
const LIVES: usize = 9;
/// So far ahead.
const HORIZON: Millis = Millis::hours(30 * 24);

/// How long one waits in each life, the shortest first; [`HORIZON`] where it is longer than was looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waits([Millis; LIVES]);

impl Waits {
    /// That of the life in the middle.
    pub(super) fn median(&self) -> Option<Millis> {
        Some(self.0[LIVES / 2]).filter(|wait| *wait < HORIZON)
    }

    pub(super) fn least(&self) -> Millis {
        self.0[0]
    }
}

/// What was seen at a moment.
#[derive(Clone, Debug)]
pub struct Seen {
    at: Timestamp,
    waits: Vec<(WorkloadId, Waits)>,
}

impl Seen {
    /// When it was seen.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Of how many something was seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waits.len()
    }

    /// Whether nothing was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waits.is_empty()
    }

    pub(super) fn nth(&self, place: usize) -> (WorkloadId, Waits) {
        self.waits[place]
    }

    pub(super) fn waits(&self, workload: WorkloadId) -> Option<Waits> {
        let place = self.waits.binary_search_by_key(&workload, |(id, _)| *id).ok()?;
        Some(self.waits[place].1)
    }
}

/// Looks ahead for all who wait. Each life goes on until all have started, or `go_on` says no, which is asked at every start.
pub fn look(engine: &Engine, past: &Past, now: Timestamp, seed: u64, go_on: &mut dyn FnMut(usize) -> bool) -> Seen {
    lives(engine, past, now, seed, &mut |_| false, go_on)
}

/// Looks ahead for one.
pub fn look_for(
    workload: WorkloadId,
    engine: &Engine,
    past: &Past,
    now: Timestamp,
    seed: u64,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Seen {
    lives(engine, past, now, seed, &mut |started| started == workload, go_on)
}

fn lives(
    engine: &Engine,
    past: &Past,
    now: Timestamp,
    seed: u64,
    enough: &mut dyn FnMut(WorkloadId) -> bool,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Seen {
    let mut seed = Seed::new(seed);
    let mut waits: BTreeMap<WorkloadId, [Millis; LIVES]> = BTreeMap::new();
    for life in 0..LIVES {
        let mut left = engine.waiting();
        let mut heard = |start: Start| {
            // Those who are supposed to come have ids that the engine does not know.
            if engine.before(start.workload).is_some() {
                waits.entry(start.workload).or_insert([HORIZON; LIVES])[life] = start.at.since(now);
                left -= 1;
            }
            let on = left > 0 && !enough(start.workload) && go_on(life);
            if on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        look_ahead(engine, now, now + HORIZON, &mut Drawn::new(seed.next_u64(), past, now, &mut heard));
    }
    let sorted = |(id, mut waits): (WorkloadId, [Millis; LIVES])| {
        waits.sort_unstable();
        (id, Waits(waits))
    };
    Seen { at: now, waits: waits.into_iter().map(sorted).collect() }
}

//! When will it start? A forecast made the moment a workload is handed in and does not start at once: a copy of the engine is run
//! forward until it starts (`crate::forward`), and what became of those who were told the like says how far to trust that.
//!
//! From nothing but what was known then, and without a word to the engine: no decision can hang on it. Start at [`StartForecaster`];
//! docs/DURATIONS.md has the figures.

mod looks;

use allocate::Engine;
use fleet::action::{ActionKind, Decision};
use fleet::event::{Event, EventKind};
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use looks::Look;

use crate::Observer;
use crate::forward::Past;
use crate::seed::Seed;
use crate::spread::{Manner, Spread};

/// When a workload is expected to start: how long after it was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartForecast {
    /// One of ten starts sooner.
    pub low: Millis,
    /// Half start sooner.
    pub median: Millis,
    /// Nine of ten start sooner.
    pub high: Millis,
}

/// Who starts within this is not counted as waiting: forecasts are for those who wait.
pub const WAITS: Millis = Millis::minutes(1);

/// Steps of five times as much hold in as many cases, with intervals twice as wide in octaves.
const MANNER: Manner = Manner { shortest: WAITS, step: 2, before: None };

/// Forecasts starts, and learns from those it sees.
#[derive(Clone, Debug)]
pub struct StartForecaster {
    seed: Seed,
    /// Only who comes from then on is forecast.
    from: Timestamp,
    past: Past,
    look: Option<Look>,
    spread: Spread,
    fresh: Vec<WorkloadId>,
}

impl StartForecaster {
    /// Forecasts the start of everyone who comes from that moment on. Who comes before is heard of, but costs next to nothing.
    #[must_use]
    pub fn new(seed: u64, from: Timestamp) -> Self {
        let (past, spread) = (Past::default(), Spread::new(MANNER));
        Self { seed: Seed::new(seed), from, past, look: None, spread, fresh: Vec::new() }
    }

    /// Hears what the engine hears.
    pub fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Submitted { workload } => {
                self.past.came(workload, event.at);
                if event.at >= self.from {
                    self.fresh.push(workload.id);
                }
            }
            EventKind::Started { workload, .. } => self.spread.started(*workload, event.at),
            EventKind::Withdrawn { workload } => self.spread.withdrawn(*workload),
            _ => {}
        }
    }

    /// Hears what the engine decided, and forecasts the start of everyone who came since the last decision and did not
    /// start with this one.
    pub fn decided(
        &mut self,
        engine: &Engine,
        now: Timestamp,
        decision: &Decision,
    ) -> Vec<(WorkloadId, StartForecast)> {
        let mut made = Vec::new();
        let starts: Vec<WorkloadId> = decision
            .actions
            .iter()
            .map(|action| {
                let ActionKind::Start { workload, .. } = &action.kind;
                *workload
            })
            .collect();
        for workload in std::mem::take(&mut self.fresh) {
            // Who came and was withdrawn before anything was decided does not wait either.
            if starts.contains(&workload) || engine.before(workload).is_none() {
                continue;
            }
            let median = self.seen(engine, workload, now);
            if let Some((low, high)) = self.spread.ask(workload, median, now) {
                made.push((workload, StartForecast { low: low.min(median), median, high: high.max(median) }));
            }
        }
        made
    }

    /// How long one who came just now will wait, as the last look has it or a new one.
    fn seen(&mut self, engine: &Engine, workload: WorkloadId, now: Timestamp) -> Millis {
        if let Some(wait) = self.look.as_ref().and_then(|look| look.read(engine, workload, now)) {
            return wait;
        }
        let (look, wait) = Look::ahead(engine, &self.past, workload, now, &mut self.seed);
        self.look = Some(look);
        wait
    }
}

/// Every forecast of a replay.
#[derive(Clone, Debug)]
pub struct Forecasts {
    forecaster: StartForecaster,
    /// In the order in which they were made.
    pub made: Vec<(WorkloadId, StartForecast)>,
}

impl Forecasts {
    /// None yet.
    #[must_use]
    pub fn new(forecaster: StartForecaster) -> Self {
        Self { forecaster, made: Vec::new() }
    }
}

impl Observer for Forecasts {
    fn event(&mut self, _engine: &Engine, event: &Event) {
        self.forecaster.event(event);
    }

    fn decision(&mut self, engine: &Engine, now: Timestamp, decision: &Decision) {
        self.made.extend(self.forecaster.decided(engine, now, decision));
    }
}

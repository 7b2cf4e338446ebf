//! When will it start? A forecast made the moment a workload is handed in and does not start at once, from nothing but what was
//! known then: how much waits, in which order it is due, when what runs is expected to be gone, and what became of those in the
//! same place before.
//!
//! It listens to the events that the engine hears and never speaks to the engine: no decision can hang on it. Start at
//! [`StartForecaster`].

mod backlog;
mod logarithm;
mod neighbours;

use std::collections::BTreeMap;

use allocate::Engine;
use fleet::action::{ActionKind, Decision};
use fleet::event::{Event, EventKind};
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use backlog::Backlog;
use logarithm::{log2, power2};
use neighbours::{Case, Neighbours};

use crate::Observer;

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

/// A workload that waits, and what was said of it.
#[derive(Clone, Debug)]
struct Open {
    since: Timestamp,
    case: Case,
    logs: Option<[i32; 3]>,
}

/// Forecasts starts, and learns from those it sees.
#[derive(Clone, Debug, Default)]
pub struct StartForecaster {
    backlog: Backlog,
    neighbours: Neighbours,
    fresh: Vec<WorkloadId>,
    open: BTreeMap<WorkloadId, Open>,
}

impl StartForecaster {
    /// Hears what the engine hears.
    pub fn event(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Submitted { workload } => self.fresh.push(workload.id),
            EventKind::Started { workload, .. } => self.started(*workload, event.at),
            EventKind::Withdrawn { workload } => {
                self.open.remove(workload);
            }
            _ => {}
        }
        self.backlog.event(event);
    }

    /// Hears what the engine decided, and forecasts the start of everyone who came since the last decision and did not
    /// start with this one.
    pub fn decided(&mut self, now: Timestamp, decision: &Decision) -> Vec<(WorkloadId, StartForecast)> {
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
            if starts.contains(&workload) {
                continue;
            }
            let Some(case) = self.backlog.case(workload, now) else { continue };
            let logs = self.neighbours.ask(&case);
            self.open.insert(workload, Open { since: now, case, logs });
            if let Some([low, median, high]) = logs.map(|logs| logs.map(|log| Millis::seconds(power2(log)))) {
                made.push((workload, StartForecast { low, median, high }));
            }
        }
        made
    }

    /// What was forecast of a workload that still waits.
    #[must_use]
    pub fn forecast(&self, workload: WorkloadId) -> Option<StartForecast> {
        let logs = self.open.get(&workload)?.logs?;
        let [low, median, high] = logs.map(|log| Millis::seconds(power2(log)));
        Some(StartForecast { low, median, high })
    }

    fn started(&mut self, workload: WorkloadId, now: Timestamp) {
        let Some(open) = self.open.remove(&workload) else { return };
        let waited = now.since(open.since);
        if waited >= WAITS {
            self.neighbours.learn(open.case, log2((waited.0 / 1_000) as u64), open.logs);
        }
    }
}

/// Every forecast of a replay.
#[derive(Clone, Debug, Default)]
pub struct Forecasts {
    forecaster: StartForecaster,
    /// In the order in which they were made.
    pub made: Vec<(WorkloadId, StartForecast)>,
}

impl Observer for Forecasts {
    fn event(&mut self, _engine: &Engine, event: &Event) {
        self.forecaster.event(event);
    }

    fn decision(&mut self, _engine: &Engine, now: Timestamp, decision: &Decision) {
        self.made.extend(self.forecaster.decided(now, decision));
    }
}

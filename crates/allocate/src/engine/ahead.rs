//! A copy of the engine to look ahead with: it decides as the engine does, on events that may never happen, and learns nothing
//! from them.

use std::sync::Arc;

use fleet::ids::{ActionId, WorkloadId};
use fleet::time::Timestamp;

use super::Engine;
use super::job::JobState;
use crate::predict::{Features, Forecast, Predictor};

/// What has been learnt, and whether more is. A copy to look ahead with shares it: it is the largest part of an engine by far
/// (up to 20 MB), and a run that was drawn from a forecast teaches nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Learner {
    known: Arc<Predictor>,
    /// In a copy that looks ahead: since when.
    ahead_since: Option<Timestamp>,
}

impl Learner {
    pub(super) fn forecast(&mut self, features: &Features, now: Timestamp) -> Forecast {
        match self.learns() {
            Some(known) => known.forecast(features, now),
            None => self.known.foresee(features, now),
        }
    }

    /// A forecast made anew; nothing where no more is known than when it was made.
    pub(super) fn forecast_again(
        &mut self,
        forecast: &Forecast,
        made_at: Timestamp,
        now: Timestamp,
    ) -> Option<Forecast> {
        match self.ahead_since {
            None => self.learns().map(|known| known.forecast_again(forecast, now)),
            Some(since) => (made_at < since).then(|| self.known.foresee_again(forecast)),
        }
    }

    /// Where what happens is learnt.
    pub(super) fn learns(&mut self) -> Option<&mut Predictor> {
        self.ahead_since.is_none().then(|| Arc::make_mut(&mut self.known))
    }
}

/// A workload that is placed.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Which.
    pub workload: WorkloadId,
    /// The action that placed it.
    pub action: ActionId,
    /// Since when it runs, or when its start was decided.
    pub since: Timestamp,
    /// What was expected of it when it started.
    pub expected: &'a Forecast,
}

impl Engine {
    /// A copy to look ahead with. It decides exactly as this one would, with the forecasts of this moment; ends that it is told of
    /// teach it nothing. This engine is not changed by anything that becomes of it.
    #[must_use]
    pub fn ahead(&self) -> Self {
        let mut copy = self.clone();
        copy.predictor.ahead_since = Some(self.last_at);
        copy
    }

    /// Everyone who is placed, in the order of ids.
    pub fn runs(&self) -> impl Iterator<Item = Run<'_>> {
        let mut placed: Vec<WorkloadId> = self.ends.iter().map(|(_, id)| id).collect();
        placed.sort_unstable();
        placed.into_iter().map(|workload| {
            let job = &self.jobs[&workload];
            let JobState::Placed(place) = &job.state else { unreachable!("only who is placed has an end") };
            Run { workload, action: place.action, since: place.since, expected: &job.expected }
        })
    }

    /// What is expected of one who waits or runs.
    #[must_use]
    pub fn expected(&self, workload: WorkloadId) -> Option<&Forecast> {
        self.jobs.get(&workload).map(|job| &job.expected)
    }

    /// The group of a workload that waits or runs: of those, only its first is looked at, and none starts before it but by its
    /// limit. Groups are numbered as they appear.
    #[must_use]
    pub fn group(&self, workload: WorkloadId) -> Option<u32> {
        self.jobs.get(&workload).map(|job| job.group)
    }

    /// How many of its group are tried before one who waits.
    #[must_use]
    pub fn before(&self, workload: WorkloadId) -> Option<usize> {
        let job = self.jobs.get(&workload).filter(|job| matches!(job.state, JobState::Waiting))?;
        Some(self.waiting.before(job.group, job.rank, workload))
    }

    /// The number of the last event that was taken in.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }
}

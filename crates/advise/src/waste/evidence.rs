//! The workloads behind a figure, so that it can be followed to them.

use fleet::ids::WorkloadId;
use replay::history::History;
use serde::Serialize;

use crate::hours::Hours;

/// So many workloads are named for a figure.
pub const EVIDENCE_MAX: usize = 5;

/// A workload and its part of a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// Its id in the source.
    pub workload: String,
    /// Its part.
    pub hours: Hours,
}

/// Keeps the workloads with the largest parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Top {
    /// Largest first; of equal ones the earlier workload.
    kept: Vec<(Hours, WorkloadId)>,
}

impl Top {
    /// Offers a workload's whole part. One workload is offered once, or in parts that compete with each other.
    pub(super) fn offer(&mut self, hours: Hours, workload: WorkloadId) {
        if hours <= Hours::ZERO {
            return;
        }
        let place = self.kept.partition_point(|&(kept, id)| kept > hours || kept == hours && id < workload);
        if place < EVIDENCE_MAX {
            self.kept.insert(place, (hours, workload));
            self.kept.truncate(EVIDENCE_MAX);
        }
    }

    pub(super) fn name(self, history: &History) -> Vec<Evidence> {
        let named = self
            .kept
            .into_iter()
            .map(|(hours, workload)| Evidence { workload: history.workloads[workload.index()].id.clone(), hours });
        named.collect()
    }
}

/// Of how many workloads something is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Known {
    /// It is known of so many …
    pub jobs: u64,
    /// … of so many.
    pub of: u64,
}

impl Known {
    pub(super) fn count(&mut self, known: Option<()>) {
        self.of += 1;
        self.jobs += u64::from(known.is_some());
    }

    /// The share, from 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.jobs as f64 / self.of as f64 }
    }
}

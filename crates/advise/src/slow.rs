//! What was found of work while it ran: that it was slower than it could be, for how long, and by how much.

use fleet::finding::Finding;
use fleet::ids::WorkloadId;
use fleet::recommendation::Interval;
use fleet::time::Timestamp;

/// A workload was slow for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Slow {
    /// Its id in the history.
    pub workload: String,
    /// The rule that found it.
    pub rule: String,
    /// What is wrong, in one sentence.
    pub verdict: String,
    /// What to do, in sentences.
    pub advice: Vec<String>,
    /// From when on.
    pub from: Timestamp,
    /// Until when; absent: as long as was observed.
    pub until: Option<Timestamp>,
    /// How many times faster it would have been.
    pub speedup: Interval,
}

impl Slow {
    /// What a finding says of a workload in a span of time; nothing where it is about none, or does not say what it is worth. Where Trimtab
    /// did not run it, its job has the id that who ran it gave: Slurm's, Ray's (docs/STEPS.md).
    #[must_use]
    pub fn of(
        finding: Finding,
        workload: Option<WorkloadId>,
        from: Timestamp,
        until: Option<Timestamp>,
    ) -> Option<Self> {
        let workload = workload.map(|id| id.0.to_string()).or_else(|| finding.place("job").map(str::to_owned))?;
        let Finding { rule, verdict, advice, speedup, .. } = finding;
        Some(Self { workload, rule, verdict, advice, from, until, speedup: speedup? })
    }
}

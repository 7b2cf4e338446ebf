//! Who tells steps, and what their steps came to since that was last asked. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleet::step::{Phase, PhasesUs, Rank, Step, Told};

/// Everybody who tells, by connection: no more than can connect.
#[derive(Debug, Default)]
pub(super) struct Tellers(BTreeMap<u64, Teller>);

/// A rank that tells its steps, and what they came to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Teller {
    pub(super) job: Arc<str>,
    pub(super) rank: u32,
    /// Its process, where that is known.
    pub(super) pid: Option<u32>,
    steps: u64,
    us: u64,
    phases: PhasesUs,
}

impl Tellers {
    pub(super) fn heard(&mut self, client: u64, told: &Told) {
        match told {
            Told::Began(Rank { job, rank, pid, .. }) => {
                let teller = Teller {
                    job: job.as_str().into(),
                    rank: *rank,
                    pid: *pid,
                    steps: 0,
                    us: 0,
                    phases: PhasesUs::default(),
                };
                self.0.insert(client, teller);
            }
            Told::Step(step) => {
                if let Some(teller) = self.0.get_mut(&client) {
                    teller.add(step);
                }
            }
            Told::Doing(_) | Told::Dropped(_) | Told::Ended => {}
        }
    }

    pub(super) fn gone(&mut self, client: u64) {
        self.0.remove(&client);
    }

    /// All that tell, with their steps since this was last asked.
    pub(super) fn take(&mut self) -> Vec<Teller> {
        let all = self.0.values().cloned().collect();
        for teller in self.0.values_mut() {
            (teller.steps, teller.us, teller.phases) = (0, 0, PhasesUs::default());
        }
        all
    }
}

impl Teller {
    fn add(&mut self, step: &Step) {
        self.steps += 1;
        self.us = self.us.saturating_add(step.us);
        for phase in Phase::ALL {
            let sum = self.phases.of_mut(phase);
            *sum = sum.saturating_add(step.phases.of(phase));
        }
    }

    /// A step, on average, in seconds; nothing where none ended.
    pub(super) fn step_seconds(&self) -> Option<f64> {
        self.mean(self.us)
    }

    /// Of a step, on average, in a phase, in seconds.
    pub(super) fn phase_seconds(&self, phase: Phase) -> Option<f64> {
        self.mean(self.phases.of(phase))
    }

    fn mean(&self, us: u64) -> Option<f64> {
        (self.steps > 0).then(|| us as f64 / 1e6 / self.steps as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(us: u64, forward: u64) -> Told {
        let mut phases = PhasesUs::default();
        *phases.of_mut(Phase::Forward) = forward;
        Told::Step(Step { number: 1, ended_us: 0, us, phases })
    }

    #[test]
    fn steps_are_taken_together_by_rank_and_none_is_unknown() {
        let mut tellers = Tellers::default();
        let began = |rank| Told::Began(Rank { job: "a".into(), rank, ranks: 2, pid: Some(7), group: None });
        tellers.heard(1, &step(9, 9));
        tellers.heard(1, &began(0));
        tellers.heard(2, &began(1));
        tellers.heard(1, &step(1_000_000, 500_000));
        tellers.heard(1, &step(3_000_000, 500_000));
        let means = |tellers: &mut Tellers| -> Vec<(u32, Option<f64>, Option<f64>)> {
            let all = tellers.take();
            all.iter().map(|one| (one.rank, one.step_seconds(), one.phase_seconds(Phase::Forward))).collect()
        };
        assert_eq!(means(&mut tellers), [(0, Some(2.0), Some(0.5)), (1, None, None)]);
        tellers.gone(1);
        assert_eq!(means(&mut tellers), [(1, None, None)]);
    }
}

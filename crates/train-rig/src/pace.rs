//! How fast a run goes, from what its ranks wrote down; and how busy the machine is.

use std::fs;

use anyhow::{Context, ensure};

use crate::phase::Phase;
use crate::truth::{Step, Truth};

/// How fast a run went over a span.
#[derive(Clone, Debug, PartialEq)]
pub struct Pace {
    /// Whole steps within the span, of the rank that has fewest.
    pub steps: u64,
    /// Seconds a step, in the mean over ranks.
    pub step_s: f64,
    /// Each rank.
    pub ranks: Vec<RankPace>,
}

/// How fast a rank went over a span.
#[derive(Clone, Debug, PartialEq)]
pub struct RankPace {
    /// Seconds a step.
    pub step_s: f64,
    /// Seconds of one core in a step, all threads of its process.
    pub cpu_s: f64,
    /// Seconds of a step in each phase of [`Phase::TOLD`].
    pub phases_s: [f64; 7],
}

impl Pace {
    /// The pace of steps that began at `from_us` or later and ended by `until_us` (Unix time, µs).
    pub(crate) fn between(truths: &[Truth], from_us: u64, until_us: u64) -> anyhow::Result<Self> {
        let mut ranks = Vec::new();
        let mut steps = u64::MAX;
        for (rank, truth) in truths.iter().enumerate() {
            let within = |step: &&Step| step.at_us - step.us >= from_us && step.at_us <= until_us;
            let of_span: Vec<&Step> = truth.steps.iter().filter(within).collect();
            let first = of_span.first().with_context(|| format!("rank {rank} has no whole step in this span"))?;
            let before = first.number.checked_sub(1).and_then(|number| truth.steps.get(number as usize));
            ranks.push(RankPace::of(&of_span, before.map_or(0, |before| before.cpu_us)));
            steps = steps.min(of_span.len() as u64);
        }
        ensure!(!ranks.is_empty(), "there is no rank");
        let step_s = ranks.iter().map(|rank| rank.step_s).sum::<f64>() / ranks.len() as f64;
        Ok(Self { steps, step_s, ranks })
    }

    /// What the trainer's processes used of a machine with so many cores: 1 is all of it.
    #[must_use]
    pub fn processor_share(&self, cores: usize) -> f64 {
        self.ranks.iter().map(|rank| rank.cpu_s / rank.step_s).sum::<f64>() / cores as f64
    }
}

impl RankPace {
    fn of(steps: &[&Step], cpu_us_before: u64) -> Self {
        let count = steps.len() as f64;
        let mean_s = |us: u64| us as f64 / 1e6 / count;
        let mut phases_s = [0.0; 7];
        for (index, phase_s) in phases_s.iter_mut().enumerate() {
            *phase_s = mean_s(steps.iter().map(|step| step.phases_us[index]).sum());
        }
        let cpu_us = steps.last().map_or(0, |last| last.cpu_us).saturating_sub(cpu_us_before);
        Self { step_s: mean_s(steps.iter().map(|step| step.us).sum()), cpu_s: mean_s(cpu_us), phases_s }
    }

    /// Seconds of a step in a phase.
    #[must_use]
    pub fn phase_s(&self, phase: Phase) -> f64 {
        Phase::TOLD.iter().zip(self.phases_s).find(|(told, _)| **told == phase).map_or(0.0, |(_, s)| s)
    }
}

/// What all cores of the machine have done since it started.
#[derive(Clone, Copy, Debug)]
pub struct Processor {
    busy: u64,
    all: u64,
}

impl Processor {
    /// Until now.
    ///
    /// # Errors
    /// If the kernel does not tell.
    pub fn now() -> anyhow::Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        Self::parse(&text).context("/proc/stat does not begin with the time of all cores")
    }

    /// `cpu user nice system idle iowait …`, in ticks (proc_stat(5)).
    fn parse(text: &str) -> Option<Self> {
        let fields = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = fields.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
        let all = ticks.iter().sum();
        Some(Self { busy: all - ticks.get(3)? - ticks.get(4)?, all })
    }

    /// What share of all cores was busy since then, whoever used them.
    #[must_use]
    pub fn busy_share_since(&self, earlier: Self) -> f64 {
        let all = self.all.saturating_sub(earlier.all).max(1);
        self.busy.saturating_sub(earlier.busy) as f64 / all as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(steps_us: &[u64]) -> Truth {
        let mut at_us = 0;
        let step = |(number, us): (usize, &u64)| {
            at_us += us;
            let phases_us = [us / 2, 0, 0, 0, 0, us / 4, 0];
            Step { number: number as u64, at_us, us: *us, cpu_us: at_us / 10, phases_us }
        };
        Truth { steps: steps_us.iter().enumerate().map(step).collect(), weights: None }
    }

    #[test]
    fn only_whole_steps_of_a_span_count() {
        let truths = [truth(&[100, 200, 400, 800]), truth(&[100, 200, 400])];
        let pace = Pace::between(&truths, 90, 750).unwrap();
        assert_eq!(pace.steps, 2);
        assert!((pace.step_s - 300e-6).abs() < 1e-9, "{pace:?}");
        assert!((pace.ranks[0].cpu_s - 30e-6).abs() < 1e-9, "{pace:?}");
        assert!((pace.ranks[0].phase_s(Phase::DataWait) - 150e-6).abs() < 1e-9);
        assert!((pace.processor_share(2) - 0.1).abs() < 1e-9);
        assert!(Pace::between(&truths, 800, 1_600).is_err());
    }

    #[test]
    fn the_processor_is_read() {
        let earlier = Processor::parse("cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1\n").unwrap();
        let later = Processor::parse("cpu  40 0 30 120 10 0 0 0 0 0\n").unwrap();
        assert!((later.busy_share_since(earlier) - 0.5).abs() < 1e-9);
        assert!(Processor::parse("intr 5").is_none());
    }
}

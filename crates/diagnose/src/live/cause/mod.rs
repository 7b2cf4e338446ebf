//! Why steps are slow: a file for each mechanism. Each says whether it is at work, and how much of the excess that explains.
//!
//! Causes are asked in the order of [`CAUSES`], those that the kernel counts before those that only steps show. The first that explains
//! half of the excess is named; another is named beside it if it is about other ranks and explains a quarter. What causes explain
//! never adds up to more than the excess. A new cause is a file and a line.

mod checkpoint;
mod data;
mod disk;
mod exchange;
mod memory;
mod neighbour;
mod quota;
mod stopped;
mod worker;

use fleet::finding::{Confidence, Evidence, Finding, Place, Since};
use fleet::series::Thing;
use fleet::signal::Signal;
use fleet::step::Phase;
use fleet::time::Timestamp;

use super::excess::{Excess, Part};
use super::rule::Rule;
use super::signals::{Signals, Span};

/// A mechanism that makes steps slow.
#[derive(Debug)]
pub(super) struct Cause {
    pub(super) rule: Rule,
    find: fn(&Case<'_>) -> Option<Found>,
}

/// Every cause, in the order in which they are asked.
pub(super) static CAUSES: &[&Cause] = &[
    &stopped::CAUSE,
    &quota::CAUSE,
    &memory::CAUSE,
    &disk::CAUSE,
    &neighbour::CAUSE,
    &data::CAUSE,
    &checkpoint::CAUSE,
    &exchange::CAUSE,
    &worker::CAUSE,
];

/// The share of the excess from which a cause is named.
const NAMED: f64 = 0.5;
/// And from which another is named beside it.
const BESIDE: f64 = 0.25;
/// What is found where no cause explains enough.
pub(super) static UNEXPLAINED: Rule = Rule {
    name: "slow-steps",
    about: "steps are slower than usual, and no one mechanism explains half of it",
    signals: &[],
    threshold: "steps take 1.12 times as long as usual, as a mean of six seconds, and in two of their three parts; ours",
};
/// Data are waited for where that takes more than usual by so much of a step.
const DATA_WAIT: f64 = 0.05;
/// Phases in which the host or the device computes.
pub(super) const COMPUTING: &[Phase] =
    &[Phase::HostToDevice, Phase::Forward, Phase::Backward, Phase::Optimizer, Phase::Other];

/// A job whose steps are slow, and what is known of that time.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) job: &'a str,
    /// Ranks by their place among those of this node: their numbers and their processes.
    pub(super) numbers: &'a [u32],
    pub(super) pids: &'a [Option<u32>],
    pub(super) excess: &'a Excess<'a>,
    pub(super) signals: &'a Signals,
    /// The window.
    pub(super) now: Span,
    /// A time in which nothing was wrong.
    pub(super) before: Span,
}

/// A mechanism that is at work.
#[derive(Debug)]
struct Found {
    /// Whom it holds up.
    ranks: Vec<usize>,
    /// How much of a step it explains, in microseconds.
    explains_us: f64,
    /// Who is held up by what; how much longer steps are is added.
    verdict: String,
    confidence: Confidence,
    evidence: Vec<Evidence>,
    advice: Vec<String>,
}

/// What is wrong, the costliest first; that steps are slow, and no more, where no mechanism explains enough.
pub(super) fn explain(case: &Case<'_>) -> Vec<Finding> {
    let mut named: Vec<(&Cause, Found)> = Vec::new();
    let mut left_us = case.excess.excess_us;
    for cause in CAUSES {
        let Some(found) = (cause.find)(case) else { continue };
        let wanted = if named.is_empty() { NAMED } else { BESIDE };
        let apart = named.iter().all(|(_, other)| found.ranks.iter().all(|rank| !other.ranks.contains(rank)));
        if apart && found.explains_us >= wanted * case.excess.excess_us && found.explains_us <= left_us * 1.000_001 {
            left_us -= found.explains_us;
            named.push((cause, found));
        }
    }
    if named.is_empty() {
        return vec![unexplained(case)];
    }
    named.into_iter().map(|(cause, found)| case.finding(cause.rule.name, found)).collect()
}

fn unexplained(case: &Case<'_>) -> Finding {
    let found = Found {
        ranks: case.all(),
        explains_us: case.excess.excess_us,
        verdict: format!("{} is slow, and no one cause explains half of it", case.job),
        confidence: Confidence::Possible,
        evidence: Vec::new(),
        advice: vec!["Profile a few steps (torch.profiler) and give the trace to `trimtab diagnose`.".to_owned()],
    };
    case.finding(UNEXPLAINED.name, found)
}

impl Case<'_> {
    fn finding(&self, rule: &str, found: Found) -> Finding {
        let speedup = self.excess.speedup(found.explains_us);
        let slower = self.excess.step_us / self.excess.usual_us();
        let mut finding =
            Finding::new(rule, format!("{}; steps take {slower:.1} times as long as usual", found.verdict));
        finding.places = self.places(&found.ranks);
        finding.since = Some(Since::Time(self.now.from));
        finding.confidence = found.confidence;
        finding.evidence = found.evidence;
        finding.evidence.push(
            Evidence::new("a step", self.excess.step_us / 1e3, "ms").beside("usually", self.excess.usual_us() / 1e3),
        );
        finding.evidence.push(Evidence::new("of that it explains", found.explains_us / 1e3, "ms"));
        finding.advice = found.advice;
        finding.speedup = Some(speedup);
        finding
    }

    /// The job, and the ranks where it is not all of them.
    fn places(&self, ranks: &[usize]) -> Vec<Place> {
        let mut places = vec![Place::new("job", self.job)];
        if ranks.len() < self.numbers.len() {
            places.extend(ranks.iter().map(|&rank| Place::new("rank", self.numbers[rank])));
        }
        places
    }

    fn all(&self) -> Vec<usize> {
        (0..self.numbers.len()).collect()
    }

    fn process(&self, rank: usize) -> Option<Thing> {
        self.pids[rank].map(Thing::Process)
    }

    /// A gauge of a rank's process, now.
    fn mean(&self, signal: &'static Signal, rank: usize) -> Option<f64> {
        self.signals.mean(signal, &self.process(rank)?, self.now)
    }

    /// How fast a counter of a rank's process grows, now and before; before counts as nothing where it is not known.
    fn rate(&self, signal: &'static Signal, rank: usize) -> Option<Rate> {
        self.rate_of(signal, &self.process(rank)?)
    }

    fn rate_of(&self, signal: &'static Signal, of: &Thing) -> Option<Rate> {
        let now = self.signals.rate(signal, of, self.now)?;
        Some(Rate { now, before: self.signals.rate(signal, of, self.before) })
    }

    /// The ranks of which something holds.
    fn those(&self, holds: impl Fn(usize) -> bool) -> Vec<usize> {
        self.all().into_iter().filter(|rank| holds(*rank)).collect()
    }

    /// The ranks of which a phase is longer than usual by more than this part of a step.
    fn longer(&self, phase: Phase, part: f64) -> Vec<usize> {
        self.those(|rank| {
            let (now, usual) = self.excess.beside(rank, phase);
            now > usual + part * self.excess.step_us
        })
    }

    /// How long a phase of each of these ranks is, as evidence; `does` is what the rank does in it.
    fn phases(&self, ranks: &[usize], phase: Phase, does: &str, unit: &str) -> Vec<Evidence> {
        let of = |&rank: &usize| {
            let (now, usual) = self.excess.beside(rank, phase);
            let what = format!("rank {} {does}", self.numbers[rank]);
            Evidence::new(what, now / 1e3, unit).beside("usually", usual / 1e3)
        };
        ranks.iter().map(of).collect()
    }

    /// How much of the excess comes back if these ranks take what is usual.
    fn lost_us(&self, ranks: &[usize]) -> f64 {
        self.excess.lost_us(Part::Ranks(ranks))
    }

    /// "rank 3 of JOB", "ranks 1 and 3 of JOB", "all ranks of JOB".
    fn who(&self, ranks: &[usize]) -> String {
        let job = self.job;
        let numbers: Vec<String> = ranks.iter().map(|&rank| self.numbers[rank].to_string()).collect();
        match &numbers[..] {
            all if all.len() == self.numbers.len() && all.len() > 1 => format!("All ranks of {job}"),
            [one] => format!("Rank {one} of {job}"),
            [most @ .., last] => format!("Ranks {} and {last} of {job}", most.join(", ")),
            [] => format!("Nobody of {job}"),
        }
    }
}

/// How fast a counter grows, by the second.
#[derive(Clone, Copy, Debug)]
struct Rate {
    now: f64,
    before: Option<f64>,
}

impl Rate {
    /// How much faster than before.
    fn risen(self) -> f64 {
        self.now - self.before.unwrap_or(0.0)
    }

    /// As evidence.
    fn evidence(self, what: impl Into<String>, unit_size: f64, unit: &str) -> Evidence {
        let evidence = Evidence::new(what, self.now / unit_size, unit);
        match self.before {
            Some(before) => evidence.beside("usually", before / unit_size),
            None => evidence,
        }
    }
}

/// The moment of a step.
pub(super) fn moment(us: i64) -> Timestamp {
    Timestamp(us.div_euclid(1_000))
}

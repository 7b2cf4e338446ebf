//! Device time given to names so that it adds up: each moment belongs to one of what runs then.
//!
//! What computes comes before communication, that before copies, and these before anything else; of a kind, what began first. So the
//! times of what computes add up to the time in which anything does, and a collective has the time in which it is alone: what it costs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::Serialize;

use super::names::{Names, Work};
use super::pair::Ran;

/// So much is followed at once, what has ended and lies below others included. Where more runs at once, none of it is followed.
const RUNNING_MAX: usize = 1 << 16;

/// What runs under one name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exposed {
    /// The name.
    pub name: String,
    /// What it does.
    pub work: Work,
    /// How often it ran.
    pub calls: u64,
    /// How long, all together, in microseconds.
    pub sum_us: f64,
    /// The part of device time that it has, in microseconds: what would be gone without it, if nothing else changed.
    pub exposed_us: f64,
}

/// The pass.
#[derive(Default)]
pub(super) struct Exposures {
    now: Option<i64>,
    /// How soon it comes among what runs, by kind and start; until when; and its name.
    running: BinaryHeap<Reverse<(Work, u64, i64, u32)>>,
    begun: u64,
    sums: Vec<Sum>,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    calls: u64,
    ns: i64,
    exposed_ns: i64,
}

impl Exposures {
    /// Adds what ran; in the order of starts.
    pub(super) fn add(&mut self, ran: &Ran, work: Work) {
        self.advance(ran.start_ns);
        let at = ran.name as usize;
        if at >= self.sums.len() {
            self.sums.resize(at + 1, Sum::default());
        }
        let sum = &mut self.sums[at];
        sum.calls += 1;
        sum.ns = sum.ns.saturating_add(ran.end_ns.saturating_sub(ran.start_ns));
        if self.running.len() == RUNNING_MAX {
            self.running.retain(|Reverse((_, _, end, _))| *end > ran.start_ns);
            if self.running.len() > RUNNING_MAX / 2 {
                self.running.clear();
            }
        }
        self.running.push(Reverse((work, self.begun, ran.end_ns, ran.name)));
        self.begun += 1;
    }

    fn advance(&mut self, to: i64) {
        let mut now = self.now.unwrap_or(to);
        while now < to {
            let Some(&Reverse((_, _, end, name))) = self.running.peek() else { break };
            if end <= now {
                self.running.pop();
                continue;
            }
            let until = end.min(to);
            let sum = &mut self.sums[name as usize];
            sum.exposed_ns = sum.exposed_ns.saturating_add(until.saturating_sub(now));
            now = until;
        }
        self.now = Some(to);
    }

    /// All names, what costs most first.
    pub(super) fn finish(mut self, names: &Names) -> Vec<Exposed> {
        self.advance(i64::MAX);
        let us = |ns: i64| ns as f64 / 1_000.0;
        let ran = self.sums.iter().zip(0..).filter(|(sum, _)| sum.calls > 0);
        let mut exposed: Vec<Exposed> = ran
            .map(|(sum, number)| Exposed {
                name: names.name(number).to_owned(),
                work: names.work(number),
                calls: sum.calls,
                sum_us: us(sum.ns),
                exposed_us: us(sum.exposed_ns),
            })
            .collect();
        exposed.sort_by(|a, b| b.exposed_us.total_cmp(&a.exposed_us).then_with(|| a.name.cmp(&b.name)));
        exposed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(ran: &[(i64, i64, &str)]) -> Vec<(String, u64, f64, f64)> {
        let (mut names, mut exposures) = (Names::default(), Exposures::default());
        for &(start, end, name) in ran {
            let name = names.number(name);
            let (start_ns, end_ns) = (start * 1_000, end * 1_000);
            let ran = Ran { start_ns, end_ns, launched_ns: None, stream: 0, name, device: true };
            exposures.add(&ran, names.work(name));
        }
        let exposed = exposures.finish(&names).into_iter();
        exposed.map(|name| (name.name, name.calls, name.sum_us, name.exposed_us)).collect()
    }

    #[test]
    fn each_moment_belongs_to_one() {
        let found = exposed(&[
            (0, 20, "ncclKernel"),
            (5, 10, "gemm"),
            (8, 14, "relu"),
            (30, 40, "Memcpy HtoD"),
            (35, 36, "gemm"),
        ]);
        let expected = [
            ("ncclKernel", 1, 20.0, 11.0),
            ("Memcpy HtoD", 1, 10.0, 9.0),
            ("gemm", 2, 6.0, 6.0),
            ("relu", 1, 6.0, 4.0),
        ];
        assert_eq!(found, expected.map(|(name, calls, sum, exposed)| (name.to_owned(), calls, sum, exposed)));
    }

    #[test]
    fn however_much_runs_at_once_memory_is_bounded() {
        let (mut names, mut exposures) = (Names::default(), Exposures::default());
        let name = names.number("gemm");
        for start_ns in 0..3 * RUNNING_MAX as i64 {
            exposures.add(
                &Ran { start_ns, end_ns: i64::MAX, launched_ns: None, stream: 0, name, device: true },
                Work::Computation,
            );
            assert!(exposures.running.len() <= RUNNING_MAX);
        }
        assert_eq!(exposures.finish(&names)[0].calls, 3 * RUNNING_MAX as u64);
    }
}

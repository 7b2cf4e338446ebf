//! Ranks of one job beside each other: who is waited for.
//!
//! Collectives end together on all ranks, and who comes last waits least: of ranks that take the same time, the one with the least
//! communication that nothing hides is the one that the others wait for.

use fleet::finding::{Confidence, Evidence, Finding, Place};
use fleet::recommendation::Interval;
use serde::Serialize;

use super::breakdown::Breakdown;
use super::finding::{WORTH, alone_us, faster};
use super::names::Work;
use crate::median::median;

/// What a rank's device did, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rank {
    /// The rank.
    pub rank: u64,
    /// From the first start to the last end.
    pub total_us: f64,
    /// Something computed.
    pub compute_us: f64,
    /// Communication ran, and nothing computed: most of that is waiting for other ranks.
    pub waiting_us: f64,
    /// Nothing ran.
    pub idle_us: f64,
}

/// Ranks of one job.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ranks {
    /// How many the job has.
    pub world_size: Option<u64>,
    /// Those whose traces were given, in their order.
    pub ranks: Vec<Rank>,
    /// How far apart they are at most in idle time, in microseconds.
    pub idle_spread_us: f64,
    /// And in communication that nothing hides.
    pub waiting_spread_us: f64,
}

/// A rank is waited for where what others wait longer is this much of the time beyond the next that waits little, at least.
const ALONE: f64 = 0.5;

impl Ranks {
    /// Of the traces of different ranks of jobs: each job of which there are two or more. A trace that does not tell its rank is of none,
    /// and of several of one rank the first counts.
    #[must_use]
    pub fn of<'a>(traces: impl IntoIterator<Item = &'a Breakdown>) -> Vec<Self> {
        let mut jobs: Vec<Self> = Vec::new();
        for trace in traces {
            let Some(rank) = trace.rank.filter(|_| trace.temporal.total_us > 0.0) else { continue };
            let at = jobs.iter().position(|job| job.world_size == trace.world_size);
            let at = at.unwrap_or_else(|| {
                jobs.push(Self { world_size: trace.world_size, ..Self::default() });
                jobs.len() - 1
            });
            if jobs[at].ranks.iter().all(|known| known.rank != rank) {
                jobs[at].ranks.push(Rank {
                    rank,
                    total_us: trace.temporal.total_us,
                    compute_us: trace.temporal.compute_us,
                    waiting_us: alone_us(trace, Work::Communication),
                    idle_us: trace.temporal.idle_us,
                });
            }
        }
        jobs.retain(|job| job.ranks.len() > 1);
        for job in &mut jobs {
            job.ranks.sort_by_key(|rank| rank.rank);
            job.idle_spread_us = spread(job.ranks.iter().map(|rank| rank.idle_us));
            job.waiting_spread_us = spread(job.ranks.iter().map(|rank| rank.waiting_us));
        }
        jobs
    }

    /// Whether a trace is of this job.
    #[must_use]
    pub fn holds(&self, trace: &Breakdown) -> bool {
        self.world_size == trace.world_size && self.ranks.iter().any(|known| Some(known.rank) == trace.rank)
    }

    /// Who is waited for, where that is clear.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.slow_rank().into_iter().collect()
    }

    fn slow_rank(&self) -> Option<Finding> {
        let mut by_waiting = self.ranks.clone();
        by_waiting.sort_by(|a, b| a.waiting_us.total_cmp(&b.waiting_us));
        let (slow, others) = by_waiting.split_first()?;
        let middle = |of: fn(&Rank) -> f64| median(&mut others.iter().map(of).collect::<Vec<_>>());
        let total = median(&mut self.ranks.iter().map(|rank| rank.total_us).collect::<Vec<_>>())?;
        let waiting = middle(|rank| rank.waiting_us)?;
        let us = waiting - slow.waiting_us;
        let next = others.first()?.waiting_us - slow.waiting_us;
        // It is slow with something of its own, and not only spared a wait.
        let own = slow.total_us - slow.waiting_us - middle(|rank| rank.total_us - rank.waiting_us)?;
        if us < WORTH * total || next < ALONE * us || own < ALONE * us {
            return None;
        }
        let verdict = format!("Rank {} holds the others up {:.0} % of the time", slow.rank, 100.0 * us / total);
        let percent = |us: f64| 100.0 * us / total;
        let of = |what: &str, own: f64, others: f64| {
            Evidence::new(what, percent(own), "% of the time").beside("the others, in the middle", percent(others))
        };
        let (compute, idle) = (middle(|rank| rank.compute_us)?, middle(|rank| rank.idle_us)?);
        let advice = if slow.compute_us - compute >= slow.idle_us - idle {
            "It computes longer: look for a device that is throttled (`nvidia-smi -q -x | trimtab diagnose -` there), for longer sequences, or for \
             a share of the model that is larger than others'."
        } else {
            "Its device is idle longer: see what is said of its own trace, and what else runs on that machine."
        };
        Some(Finding {
            places: vec![Place::new("rank", slow.rank)],
            // Of two, the other may also have more to communicate.
            confidence: if self.ranks.len() > 2 { Confidence::Likely } else { Confidence::Possible },
            evidence: vec![
                of("it waits in communication", slow.waiting_us, waiting),
                of("it computes", slow.compute_us, compute),
                of("its device is idle", slow.idle_us, idle),
            ],
            advice: vec![advice.to_owned()],
            speedup: Some(Interval { low: faster(total, us / 2.0), value: faster(total, us), high: faster(total, us) }),
            ..Finding::new("slow-rank", verdict)
        })
    }
}

/// From the least to the greatest.
fn spread(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().fold(f64::NEG_INFINITY, f64::max) - values.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::super::sweep::{Overlap, Temporal};
    use super::*;

    /// Computing, waiting in communication and idle, in milliseconds.
    fn trace(rank: u64, (compute, waiting, idle): (f64, f64, f64)) -> Breakdown {
        let us = |ms: f64| 1_000.0 * ms;
        Breakdown {
            rank: Some(rank),
            world_size: Some(8),
            temporal: Temporal {
                total_us: us(compute + waiting + idle),
                idle_us: us(idle),
                compute_us: us(compute),
                non_compute_us: us(waiting),
            },
            overlaps: vec![Overlap { kinds: vec![Work::Communication], us: us(waiting) }],
            ..Breakdown::default()
        }
    }

    fn check(traces: &[Breakdown], expected: Option<(&str, Confidence)>) {
        let jobs = Ranks::of(traces);
        let found = jobs.iter().flat_map(Ranks::findings).next();
        let told = found.as_ref().map(|finding| (finding.verdict.as_str(), finding.confidence));
        assert_eq!(told, expected);
    }

    #[test]
    fn who_waits_least_is_waited_for() {
        let others = [trace(0, (60.0, 35.0, 5.0)), trace(1, (62.0, 33.0, 5.0)), trace(2, (61.0, 34.0, 5.0))];
        let slow = [&others[..], &[trace(3, (90.0, 5.0, 5.0))]].concat();
        check(&slow, Some(("Rank 3 holds the others up 29 % of the time", Confidence::Likely)));
        check(&others, None);
        // Two wait little: none of them alone is waited for.
        check(&[&slow[..], &[trace(4, (90.0, 5.0, 5.0))]].concat(), None);
        check(&slow[2..], Some(("Rank 3 holds the others up 29 % of the time", Confidence::Possible)));
        // Spared a wait, and none the slower: its trace is of another stretch of time.
        check(&[&others[..], &[trace(3, (60.0, 5.0, 5.0))]].concat(), None);
    }

    #[test]
    fn a_slow_host_is_told_from_a_slow_device() {
        let others = [trace(0, (60.0, 35.0, 5.0)), trace(1, (62.0, 33.0, 5.0))];
        for (slow, begins) in
            [((90.0, 5.0, 5.0), "It computes longer"), ((60.0, 5.0, 35.0), "Its device is idle longer")]
        {
            let jobs = Ranks::of(&[&others[..], &[trace(2, slow)]].concat());
            assert!(jobs[0].findings()[0].advice[0].starts_with(begins), "{begins}");
        }
    }

    #[test]
    fn ranks_of_one_job_stand_beside_each_other() {
        let mut other = trace(1, (1.0, 1.0, 1.0));
        other.world_size = Some(2);
        let nobody = Breakdown { rank: None, ..trace(0, (1.0, 1.0, 1.0)) };
        let traces = [trace(5, (3.0, 2.0, 1.0)), trace(4, (3.0, 1.0, 2.5)), trace(5, (9.0, 9.0, 9.0)), other, nobody];
        let jobs = Ranks::of(&traces);
        assert_eq!(jobs.len(), 1);
        let ranks: Vec<u64> = jobs[0].ranks.iter().map(|rank| rank.rank).collect();
        assert_eq!((ranks, jobs[0].idle_spread_us, jobs[0].waiting_spread_us), (vec![4, 5], 1_500.0, 1_000.0));
        assert_eq!(Ranks::of(&traces[..1]), []);
    }
}

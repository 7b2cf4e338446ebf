//! Slow workers in words.

use fleet::finding::{Confidence, Evidence, Finding, Place, Since};

use super::episode::{Episode, OPENS, WINDOW};
use super::read::Steps;
use crate::median::speedup;

/// What episodes come to, one finding each, the costliest first.
#[must_use]
pub fn findings(steps: &Steps, episodes: &[Episode]) -> Vec<Finding> {
    let mut costs: Vec<(f64, &Episode)> =
        episodes.iter().map(|episode| (lost(steps, episode).iter().sum(), episode)).collect();
    costs.sort_by(|a, b| b.0.total_cmp(&a.0));
    costs.into_iter().map(|(_, episode)| finding(steps, episode)).collect()
}

fn finding(steps: &Steps, episode: &Episode) -> Finding {
    let Episode { worker, first_step, last_step, slowdown, .. } = *episode;
    let when = if episode.lasting {
        format!("since step {first_step}, to the end of the record")
    } else {
        format!("from step {first_step} to {last_step}")
    };
    let what = format!("median step of worker {worker} in that time");
    Finding {
        rule: "slow-worker".to_owned(),
        verdict: format!("Worker {worker} takes {slowdown:.2} times as long a step as its peers {when}"),
        places: vec![Place::new("worker", worker)],
        since: Some(Since::Step(first_step)),
        confidence: Confidence::Certain,
        evidence: vec![
            Evidence::new(what, episode.length, "").beside("median of its peers", episode.peers_length),
            Evidence::new(format!("how much longer, by medians of {WINDOW} steps"), slowdown, "times")
                .beside("slow from", OPENS),
        ],
        advice: vec![
            format!(
                "Look at what the machine of worker {worker} did at that time: other processes, throttling, its disk and links."
            ),
            "If all wait for each other in every step, the job runs at the pace of its slowest worker.".to_owned(),
        ],
        // As if all wait for the slowest, and this one were like its peers.
        realised: None,
        speedup: Some(speedup(paces(steps, episode))),
    }
}

/// The steps of an episode, as places.
fn span(steps: &Steps, episode: &Episode) -> std::ops::Range<usize> {
    let from = steps.steps.partition_point(|step| *step < episode.first_step);
    from..steps.steps.partition_point(|step| *step <= episode.last_step)
}

/// What a step takes where all wait for the slowest: with a worker, and without it.
fn paces(steps: &Steps, episode: &Episode) -> Vec<(f64, f64)> {
    let slow = steps.workers.iter().position(|worker| *worker == episode.worker);
    let slowest = |step: usize, but: Option<usize>| {
        let all = (0..steps.workers.len()).filter(|worker| Some(*worker) != but);
        all.map(|worker| steps.of_worker(worker)[step]).fold(0.0, f64::max)
    };
    span(steps, episode).map(|step| (slowest(step, None), slowest(step, slow))).collect()
}

fn lost(steps: &Steps, episode: &Episode) -> Vec<f64> {
    paces(steps, episode).into_iter().map(|(all, others)| all - others).collect()
}

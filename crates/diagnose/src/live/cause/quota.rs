//! CPU quotas that run out.

use fleet::finding::Confidence;
use fleet::finding::Evidence;
use fleet::signal::group;

use super::{Case, Cause, Found, Rule};

pub(super) static CAUSE: Cause = Cause {
    rule: Rule {
        name: "cpu-quota",
        about: "a control group's CPU quota runs out, and its processes are held until the next period",
        signals: &[&group::CPU_THROTTLED, &group::CPU_THROTTLED_PERIODS, &group::CPU_PERIODS, &group::CPU_QUOTA],
        threshold: "held 5 % of the time or more, in more than a tenth of periods; ours",
    },
    find,
};

/// Seconds a second from which it counts.
const HELD: f64 = 0.05;
/// The part of periods in which the quota must run out.
const PERIODS: f64 = 0.1;

fn find(case: &Case<'_>) -> Option<Found> {
    let held = |rank| case.rate(&group::CPU_THROTTLED, rank).map_or(0.0, |rate| rate.risen());
    let periods = |rank| {
        let all = case.rate(&group::CPU_PERIODS, rank)?.now;
        let out = case.rate(&group::CPU_THROTTLED_PERIODS, rank)?.now;
        (all > 0.0).then(|| out / all)
    };
    let ranks = case.those(|rank| held(rank) >= HELD && periods(rank).unwrap_or(0.0) >= PERIODS);
    let quota = ranks.iter().find_map(|&rank| case.mean(&group::CPU_QUOTA, rank));
    let cores = quota.map_or_else(String::new, |cores| format!(" of {cores:.2} cores"));
    let mut evidence = Vec::new();
    for &rank in &ranks {
        let number = case.numbers[rank];
        if let Some(rate) = case.rate(&group::CPU_THROTTLED, rank) {
            evidence.push(rate.evidence(
                format!("rank {number} was held"),
                1.0,
                "s a second, added up over processors",
            ));
        }
        evidence.extend(
            periods(rank).map(|part| {
                Evidence::new(format!("the quota of rank {number} ran out in"), 100.0 * part, "% of periods")
            }),
        );
    }
    (!ranks.is_empty()).then(|| Found {
        explains_us: case.lost_us(&ranks),
        verdict: format!("{} is held by its CPU quota{cores}", case.who(&ranks)),
        confidence: Confidence::Certain,
        evidence,
        advice: vec![
            "Raise the quota (cpu.max of the control group; limits.cpu in Kubernetes), or take it away and keep the request.".to_owned(),
            "Or start fewer threads: loader workers and OpenMP count all processors of the machine unless told otherwise.".to_owned(),
        ],
        ranks,
    })
}

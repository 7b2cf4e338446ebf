//! Memory limits that are met: pages are taken back and read anew.

use fleet::finding::{Confidence, Evidence};
use fleet::signal::group;

use super::{Case, Cause, Found, Rule};

pub(super) static CAUSE: Cause = Cause {
    rule: Rule {
        name: "tight-memory",
        about: "a control group meets its memory limit, and pages of files or programs are dropped and read again",
        signals: &[
            &group::MEMORY_HITS,
            &group::MEMORY_REFAULTS,
            &group::MEMORY_MAJOR_FAULTS,
            &group::MEMORY_USED,
            &group::MEMORY_LIMIT,
            &group::MEMORY_STALLED,
        ],
        threshold: "the limit is met every second, and 100 dropped pages a second are wanted again or 10 major faults happen, or 2 % of the time is lost to memory; ours",
    },
    find,
};

/// How often a second the limit is met.
const HITS: f64 = 1.0;
/// Pages a second that were dropped and are wanted again.
const REFAULTS: f64 = 100.0;
/// Major faults a second.
const MAJOR_FAULTS: f64 = 10.0;
/// Seconds a second in which somebody waits for memory.
const STALLED: f64 = 0.02;

fn find(case: &Case<'_>) -> Option<Found> {
    let rate = |signal, rank| case.rate(signal, rank).map_or(0.0, |rate| rate.risen());
    let ranks = case.those(|rank| {
        rate(&group::MEMORY_HITS, rank) >= HITS
            && (rate(&group::MEMORY_REFAULTS, rank) >= REFAULTS
                || rate(&group::MEMORY_MAJOR_FAULTS, rank) >= MAJOR_FAULTS
                || rate(&group::MEMORY_STALLED, rank) >= STALLED)
    });
    let &first = ranks.first()?;
    let gib = |bytes: f64| bytes / f64::from(1 << 30);
    let mut evidence = Vec::new();
    for (signal, what, unit) in [
        (&group::MEMORY_HITS, "the limit is met", "times a second"),
        (&group::MEMORY_REFAULTS, "pages that were dropped and wanted again", "a second"),
        (&group::MEMORY_MAJOR_FAULTS, "pages that a disk had to be asked for", "a second"),
    ] {
        evidence.extend(case.rate(signal, first).map(|rate| rate.evidence(what, 1.0, unit)));
    }
    let used = case.mean(&group::MEMORY_USED, first).zip(case.mean(&group::MEMORY_LIMIT, first));
    evidence.extend(
        used.map(|(used, limit)| Evidence::new("memory in use", gib(used), "GiB").beside("the limit", gib(limit))),
    );
    let limit = used.map_or_else(String::new, |(_, limit)| format!(" of {:.2} GiB", gib(limit)));
    Some(Found {
        explains_us: case.lost_us(&ranks),
        verdict: format!("{} meets its memory limit{limit}, and reads again what was dropped", case.who(&ranks)),
        confidence: Confidence::Certain,
        evidence,
        advice: vec![
            "Raise the memory limit (memory.max of the control group; limits.memory in Kubernetes): pages of files count in it.".to_owned(),
            "Or keep less: fewer loader workers, a smaller prefetch, a smaller cache.".to_owned(),
        ],
        ranks,
    })
}

//! Data that are not there in time, and no disk is to blame.

use fleet::finding::{Confidence, Evidence};
use fleet::signal::process;
use fleet::step::Phase;

use super::{Case, Cause, DATA_WAIT, Found, Rule};
use crate::live::excess::Part;

pub(super) static CAUSE: Cause = Cause {
    rule: Rule {
        name: "data-stall",
        about: "ranks wait for data: preparing them takes the loaders' processors, or they come from elsewhere too slowly",
        signals: &[&process::HELPER_BUSY, &process::READ],
        threshold: "data are waited for half of the excess or more; prepared where a loader's thread is on a processor 60 % of the time; ours",
    },
    find,
};

/// How busy the busiest thread of a loader is where preparing is what takes the time.
const PREPARES: f64 = 0.6;

fn find(case: &Case<'_>) -> Option<Found> {
    let ranks = case.longer(Phase::DataWait, DATA_WAIT);
    let busiest = ranks.iter().filter_map(|&rank| case.mean(&process::HELPER_BUSY, rank)).fold(f64::NAN, f64::max);
    let prepares = busiest >= PREPARES;
    let mut evidence = case.phases(&ranks, Phase::DataWait, "waits for data", "ms a step");
    if busiest.is_finite() {
        evidence.push(Evidence::new(
            "the busiest thread of a loader is on a processor",
            100.0 * busiest,
            "% of the time",
        ));
    }
    let (why, advice) = if prepares {
        (
            "its loaders cannot prepare in time",
            vec![
                "Give the loader more workers, if processors are free, or make preparing cheaper: `trimtab feed explain` says what takes the time.".to_owned(),
                "Prepare once and keep the result: decoded, resized, tokenised; `trimtab feed pack` writes such shards.".to_owned(),
            ],
        )
    } else {
        (
            "come too slowly, and neither a disk nor a processor of this machine is what loaders wait for",
            vec!["Look at where the data come from: an object store, a network file system, a service; more requests at once help against latency.".to_owned()],
        )
    };
    let verdict = if prepares {
        format!("{} waits for data: {why}", case.who(&ranks))
    } else {
        format!("{} waits for data, which {why}", case.who(&ranks))
    };
    (!ranks.is_empty()).then(|| Found {
        explains_us: case.excess.lost_us(Part::Phases(&ranks, &[Phase::DataWait])),
        verdict,
        confidence: Confidence::Likely,
        evidence,
        advice,
        ranks,
    })
}

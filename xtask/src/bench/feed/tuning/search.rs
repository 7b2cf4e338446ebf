//! A loader that begins with bad numbers, beside the best of those that are told.

use serde_json::{Map, Value, json};

use super::load::{Bench, DECODE, How, KEPT, Load};
use crate::bench::feed::peers::median;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

/// What each kind of load is searched over: the option that matters, and what it is told; each with both numbers of batches ahead.
const GRIDS: [(Load, &str, &[u64]); 5] = [
    (Load::Network { latency_ms: 40.0, part: 0.4 }, "requests", &[2, 8, 32, 128, 256]),
    (Load::Disk { latency_ms: 20.0, part: 0.5 }, "threads", &[1, 2, 4, 8, 16, 32, 64]),
    (DECODE, "threads", &[1, 2, 3, 4, 8]),
    (Load::Transform { each_ms: 10.0, kind: "tokens" }, "workers", &[1, 4, 8, 16, 32]),
    (Load::Consumer { part: 0.5 }, "threads", &[1, 2, 4, 8]),
];
const PREFETCH: [u64; 2] = [3, 12];
/// Seconds that a loader has to find its numbers.
const TUNING: f64 = 10.0;
/// Pairs of which the medians are compared.
const PAIRS: usize = 3;

pub(super) fn run(session: &mut Session, bench: &Bench<'_>) -> anyhow::Result<()> {
    for (load, option, numbers) in GRIDS {
        let mut best = (0.0, told(option, numbers[0], PREFETCH[0]));
        for (number, prefetch) in numbers.iter().flat_map(|number| PREFETCH.map(|prefetch| (*number, prefetch))) {
            let how = How { warm: 1.0, measure: 2.0, ..told(option, number, prefetch) };
            let rate = bench.run(load, &how)?.rate;
            if rate > best.0 {
                best = (rate, how);
            }
        }
        let from = json!({"threads": 1, "prefetch": 1, "requests": 1, "workers": 1});
        let options = Map::from_iter([("tune_from".to_owned(), from)]);
        let tuned = How { options, warm: TUNING, measure: 3.0, ..How::default() };
        let best = How { warm: 2.0, measure: 3.0, ..best.1 };
        let (mut ratios, mut rates) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            let rate = bench.run(load, &best)?.rate;
            ratios.push(bench.run(load, &tuned)?.rate / rate);
            rates.push(rate);
        }
        let told = format!("{option} {}, prefetch {}", number(&best, option), best.options["prefetch"]);
        let name = load.name();
        session.add(Row::new(
            9,
            format!("slow {name}, the best of a grid ({told})"),
            median(rates),
            Target::Stated,
            "/s",
        ));
        session.add(Row::new(9, format!("slow {name}, tuned beside it"), median(ratios), Target::AtLeast(0.9), ""));
    }
    keeping(session, bench)
}

/// Whether it is found that images are worth keeping decoded: beside a loader that is told so.
fn keeping(session: &mut Session, bench: &Bench<'_>) -> anyhow::Result<()> {
    let keeping = |bytes: Option<u64>| {
        let options = Map::from_iter([("decoded_cache".to_owned(), json!(bytes))]);
        bench.run(DECODE, &How { options, warm: TUNING, measure: 3.0, ..How::default() })
    };
    let mut ratios = Vec::new();
    for _ in 0..PAIRS {
        let told = keeping(Some(KEPT))?.rate;
        ratios.push(keeping(None)?.rate / told);
    }
    let case = "slow decode, images kept decoded where it is not told, beside where it is";
    session.add(Row::new(9, case, median(ratios), Target::AtLeast(0.9), ""));
    Ok(())
}

fn told(option: &str, number: u64, prefetch: u64) -> How {
    let mut options = Map::from_iter([("prefetch".to_owned(), json!(prefetch))]);
    let workers = (option == "workers").then_some(number);
    if workers.is_none() {
        options.insert(option.to_owned(), json!(number));
    }
    How { options, workers, ..How::default() }
}

fn number(how: &How, option: &str) -> Value {
    how.options.get(option).cloned().unwrap_or(json!(how.workers))
}

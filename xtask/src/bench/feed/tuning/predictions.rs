//! What a loader says that it would be, beside what it is then.

use serde_json::{Map, json};

use super::load::{Bench, DECODE, How, KEPT, Load, Ran};
use crate::bench::feed::peers::median;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const ROUNDS: usize = 3;
/// Predictions within 15 % of what is measured.
const NEAR: Target = Target::Between(0.85, 1.15);

pub(super) fn run(session: &mut Session, bench: &Bench<'_>) -> anyhow::Result<()> {
    let loads = [
        Load::Network { latency_ms: 40.0, part: 0.4 },
        Load::Disk { latency_ms: 5.0, part: 0.4 },
        Load::Transform { each_ms: 40.0, kind: "photographs" },
        Load::Consumer { part: 0.5 },
    ];
    let how = || How { warm: 3.0, measure: 3.0, ..How::default() };
    for load in loads {
        // Without the load, what is to be done to photographs is left.
        let pair = || Ok((bench.run(load, &how())?.without_bottleneck, bench.run(DECODE, &how())?));
        compare(session, &format!("without a slow {}", load.name()), pair)?;
    }
    let one = || How { cores: Some(1), ..how() };
    let two = || How { cores: Some(2), ..how() };
    let pair = || Ok((bench.run(DECODE, &one())?.another_core, bench.run(DECODE, &two())?));
    compare(session, "another core", pair)?;
    let kept = || How { options: Map::from_iter([("decoded_cache".to_owned(), json!(KEPT))]), warm_epochs: 1, ..how() };
    let pair = || Ok((bench.run(DECODE, &how())?.decoded_cache, bench.run(DECODE, &kept())?));
    compare(session, "images kept decoded", pair)
}

/// The median of what was predicted by what was measured.
fn compare(
    session: &mut Session,
    case: &str,
    pair: impl Fn() -> anyhow::Result<(Option<f64>, Ran)>,
) -> anyhow::Result<()> {
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let (predicted, measured) = pair()?;
        ratios.push(predicted.unwrap_or(0.0) / measured.rate);
    }
    session.add(Row::new(9, format!("{case}: predicted by measured"), median(ratios), NEAR, ""));
    Ok(())
}

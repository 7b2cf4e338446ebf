//! A hundred loads of drawn severity: how often what was made slow is what a loader names.

use feed::random::mixed;

use super::load::{Bench, How, Load};
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const TRIALS: u64 = 100;
const SEED: u64 = 9;

pub(super) fn run(session: &mut Session, bench: &Bench<'_>) -> anyhow::Result<()> {
    let how = How { warm: 1.0, measure: 1.5, ..How::default() };
    let mut named = 0;
    for trial in 0..TRIALS {
        let load = load(trial);
        let ran = bench.run(load, &how)?;
        if ran.bottleneck == load.name() {
            named += 1;
        } else {
            eprintln!("trial {trial}, {load:?}: it names {}, at {:.0} samples/s", ran.bottleneck, ran.rate);
        }
    }
    let percent = f64::from(named) / TRIALS as f64 * 100.0;
    session.add(Row::new(9, "what is slow is named, of 100 trials", percent, Target::AtLeast(95.0), "%"));
    Ok(())
}

/// The load of a trial: each kind in turn, as slow as drawn.
fn load(trial: u64) -> Load {
    // From the first number to the second, evenly by ratio.
    let drawn = |place: u64, from: f64, to: f64| {
        let part = mixed(mixed(SEED + trial).wrapping_add(place)) as f64 / u64::MAX as f64;
        from * (to / from).powf(part)
    };
    match trial % 5 {
        0 => Load::Network { latency_ms: drawn(0, 10.0, 80.0), part: drawn(1, 0.1, 0.6) },
        1 => Load::Disk { latency_ms: drawn(0, 2.0, 20.0), part: drawn(1, 0.1, 0.6) },
        2 => Load::Decode { size: drawn(0, 96.0, 448.0) as u64 },
        3 => Load::Transform { each_ms: drawn(0, 20.0, 80.0), kind: "tokens" },
        _ => Load::Consumer { part: drawn(0, 0.1, 0.6) },
    }
}

//! Whatever is told, in whatever order: a watch does not fall over, and what fixing things is worth never adds up to more than there is.

use std::collections::BTreeMap;

use diagnose::live::Watch;
use fleet::series::{Scrape, Thing};
use fleet::signal;
use fleet::step::{Doing, Phase, PhasesUs, Rank, Step, Told};
use fleet::time::Timestamp;
use proptest::prelude::*;

/// What happens in a second: seeds for what is measured, what ranks tell, and how far the clock goes.
fn seconds() -> impl Strategy<Value = Vec<(u64, i64, Vec<u64>)>> {
    let forward = prop_oneof![20 => Just(1_000_i64), 1 => -100_000..100_000_i64, 1 => Just(i64::MAX / 2_000_000)];
    prop::collection::vec((any::<u64>(), forward, prop::collection::vec(0..400_000_u64, 3)), 1..150)
}

fn value(seed: u64) -> Option<f64> {
    match seed % 7 {
        0 => None,
        1 => Some(0.0),
        2 => Some(1.0),
        3 => Some((seed % 1_000) as f64 / 1_000.0),
        4 => Some(seed as f64),
        5 => Some(f64::MAX),
        _ => Some(-1.0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_watch_stands_and_gains_do_not_pass_the_whole(seconds in seconds()) {
        let mut watch = Watch::default();
        let mut now = 0_i64;
        for client in 0..3 {
            let began = Rank { job: "job".into(), rank: client, ranks: 3, pid: Some(100 + client), group: None };
            watch.heard(u64::from(client), Told::Began(began), Timestamp(0));
        }
        for (number, (seed, forward, times)) in (0..).zip(&seconds) {
            now = now.saturating_add(*forward).clamp(-1 << 52, 1 << 52);
            let at = Timestamp(now);
            let mut scrape = Scrape { at, values: Vec::new() };
            let mut random = *seed | 1;
            for signal in signal::all() {
                // xorshift64 (Marsaglia, Xorshift RNGs, 2003).
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let things = [Thing::Node, Thing::Device(0), Thing::Accelerator("tpu-1".into()), Thing::Port("a/1".into()), Thing::Process(101)];
                scrape.add(signal, &things[(random >> 32) as usize % things.len()], value(random >> 8));
            }
            watch.scrape(&scrape);
            watch.kernel(["NVRM: Xid (PCI:0000:04:00): 79, x", "EDAC MC0: 18446744073709551615 CE x", "Out of memory: Killed process 1 (a) anon-rss:18446744073709551615kB"][(*seed % 3) as usize], at);
            for (client, us) in (0..).zip(times) {
                let mut phases = PhasesUs::default();
                *phases.of_mut(Phase::ALL[(*seed >> 5) as usize % Phase::ALL.len()]) = *us;
                *phases.of_mut(Phase::Forward) += 50_000;
                let step = Step { number, ended_us: now.saturating_mul(1_000), us: phases.sum(), phases };
                watch.heard(client, Told::Step(step), at);
                watch.heard(client, Told::Doing(Doing { step: number, phase: Phase::Forward, since_us: now.saturating_mul(1_000) }), at);
            }
            watch.evaluate(at);
            let mut gains: BTreeMap<String, f64> = BTreeMap::new();
            for open in watch.open().filter(|open| open.seen == at) {
                let Some(speedup) = open.finding.speedup else { continue };
                prop_assert!(speedup.low <= speedup.value && speedup.value <= speedup.high && speedup.low >= 1.0 - 1e-9, "{speedup:?}");
                let job = open.finding.places.iter().find(|place| place.kind == "job").map(|place| place.name.clone());
                *gains.entry(job.unwrap_or_default()).or_default() += 1.0 - 1.0 / speedup.value;
            }
            prop_assert!(gains.values().all(|gain| *gain <= 1.0 + 1e-6), "{gains:?}");
        }
    }
}

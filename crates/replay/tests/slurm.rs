//! What a real Slurm did, lived again: 300 sleeping jobs on four nodes of eight fake GPUs, all with the default limit, run by
//! `sched/backfill` of 22.05 on one machine (as `slurm_rig::scenario::rush`, seed 1, with sleeps of 2 to 18 s) and exported by `sacct` and `scontrol`. Names of
//! users were left out. `cargo xtask bench oracle` measures the same on a fresh run.

use fleet::policy::{Order, Policy};
use fleet::quantity::Millis;
use replay::history::History;
use replay::scenario::{Change, Scenario};
use replay::setup::Setup;

const RUSH: &str = include_str!("recorded/slurm-rush.jsonl");

/// How far the starts are off, in thousandths of the recorded span, and the mean waits, in milliseconds.
#[derive(Debug)]
struct Off {
    median_permille: i64,
    p95_permille: i64,
    recorded_wait: Millis,
    replayed_wait: Millis,
}

fn off(history: &History, scenario: &Scenario) -> Off {
    let setup = Setup::new(history, scenario).expect("the scenario fits");
    let outcome = replay::run(&setup, 1);
    let mut errors = Vec::new();
    let (mut recorded_wait, mut replayed_wait) = (Millis::ZERO, Millis::ZERO);
    for (recorded, fate) in history.workloads.iter().zip(&outcome.workloads) {
        let start = recorded.attempts[0].start.expect("its start was recorded");
        errors.push(fate.start().expect("it runs").since(start).0.abs());
        recorded_wait += recorded.wait().expect("it ran");
        replayed_wait += fate.wait().expect("it runs");
    }
    errors.sort_unstable();
    let permille = |error: i64| error * 1_000 / history.until.since(history.from).0;
    let count = errors.len();
    Off {
        median_permille: permille(errors[count / 2]),
        p95_permille: permille(errors[count * 95 / 100]),
        recorded_wait: Millis(recorded_wait.0 / count as i64),
        replayed_wait: Millis(replayed_wait.0 / count as i64),
    }
}

impl Off {
    fn within_the_bar(&self) -> bool {
        let waits = (self.replayed_wait.0 - self.recorded_wait.0).abs() * 100 <= self.recorded_wait.0 * 5;
        self.median_permille <= 20 && self.p95_permille <= 50 && waits
    }
}

#[test]
fn a_run_of_slurm_is_lived_again_as_it_was() {
    let history = History::read(RUSH.as_bytes(), "slurm-rush.jsonl").expect("a history");
    let off_as_it_was = off(&history, &Scenario::recorded());
    assert!(off_as_it_was.within_the_bar(), "{off_as_it_was:?}");
    // What this run can tell apart: EASY, which keeps room for the first in line only, is far from it; in order, which with equal
    // limits is not far from what Slurm does, is twice as far off.
    let other = |order| off(&history, &Scenario::of(Change::Policy { policy: Policy::new(order) }));
    let (easy, in_order) = (other(Order::Backfill), other(Order::Fifo));
    assert!(!easy.within_the_bar(), "{easy:?}");
    assert!(in_order.p95_permille > off_as_it_was.p95_permille * 2, "{in_order:?}");
}

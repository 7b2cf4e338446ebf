//! A seeded simulation over the production code: random submits, ends, cancels, preemptions and drains, an adapter that is late,
//! repeats itself and fails, nodes that break and are tested, a store that is full at times, and a control plane that is lost at any point. `check` says what
//! must never happen.
//!
//! A failing seed is printed; `TRIMTAB_SIMULATION_SEED=17` lives it alone.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test, not the crate: it takes the seeds to live from the environment, and prints those that fail"
)]

mod check;
mod machine;
mod plane;
mod random;
mod tester;

use plane::{Plane, Sums};
use random::Random;

const SEED_ENV: &str = "TRIMTAB_SIMULATION_SEED";
/// So many lives with every run.
const SEEDS: u64 = 100;
/// So many steps each, before it is let come to rest.
const STEPS: u32 = 300;

#[test]
fn nothing_is_lost_doubled_or_left_unowned() {
    let seeds: Vec<u64> = match std::env::var(SEED_ENV) {
        Ok(seed) => vec![seed.parse().expect("a number")],
        Err(_) => (0..SEEDS).collect(),
    };
    let mut sums = Sums::default();
    for seed in seeds {
        let lived = std::panic::catch_unwind(|| live(seed));
        match lived {
            Ok(lived) => sums.add(&lived),
            Err(_) => panic!("seed {seed} fails: {SEED_ENV}={seed} cargo test -p control --test simulation"),
        }
    }
    println!("{sums:?}");
    // A simulation in which nothing of this happened would prove nothing.
    if std::env::var(SEED_ENV).is_err() {
        for count in sums.all() {
            assert!(count > 50, "it hardly ever happens: {sums:?}");
        }
    }
}

#[test]
fn the_same_seed_lives_the_same() {
    for seed in 0..20 {
        assert_eq!(live(seed), live(seed), "seed {seed}");
    }
}

fn live(seed: u64) -> Sums {
    let mut random = Random::new(seed);
    let mut plane = Plane::new(&mut random);
    for _ in 0..STEPS {
        plane.step(&mut random);
        check::now(&plane);
    }
    plane.come_to_rest(&mut random);
    check::at_rest(&plane);
    plane.sums
}

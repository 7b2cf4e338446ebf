//! A seeded simulation over the production engine: random clusters, queues and work, an outside that is late, fails and repeats
//! itself, and independent books that say what must never happen. See `check` for that list.
//!
//! A failing seed is printed with the command that repeats it, and the steps it comes down to. Keep it: put it into `seeds.txt`
//! with a word on what was wrong, and it is lived with every run from then on.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a test, not the crate: it takes the seeds to live from the environment, and prints those that fail"
)]

mod adversary;
mod check;
mod clusters;
mod ledger;
mod live;
mod random;
mod script;
mod shrink;

use adversary::OtherFuture;
use check::Violation;
use live::{Lived, Options, live};
use random::Random;
use script::{Case, Restart};

/// Names one seed (`SEED=17`) or a range (`SEED=0..1000`) to live instead of the usual ones.
const SEED_ENV: &str = "TRIMTAB_SIMULATION_SEED";

/// So many seeds are lived with every run.
const SEEDS: u64 = 60;

#[test]
fn nothing_happens_that_must_never_happen() {
    live_usual();
}

/// Every seed that ever failed.
#[test]
fn seeds_that_failed_once() {
    let seeds: Vec<u64> = include_str!("seeds.txt")
        .lines()
        .map(|line| line.split('#').next().unwrap_or("").trim())
        .filter(|seed| !seed.is_empty())
        .map(|seed| seed.parse().expect("seeds.txt holds a number a line, and a remark behind #"))
        .collect();
    for seed in seeds {
        check_seed(seed);
    }
}

fn live_usual() {
    if let Ok(named) = std::env::var(SEED_ENV) {
        return live_named(&named);
    }
    let mut sum = Lived::default();
    for seed in 0..SEEDS {
        let lived = check_seed(seed);
        sum.events += lived.events;
        sum.decisions += lived.decisions;
        sum.starts += lived.starts;
        sum.restarts += lived.restarts;
    }
    let Lived { events, decisions, starts, restarts, .. } = sum;
    println!("{SEEDS} seeds: {events} events, {decisions} decisions, {starts} starts, {restarts} restarts");
    assert!(starts * 8 > events, "the simulation must be busy: {starts} starts in {events} events");
}

/// One seed is told in full; of a range, one line for each that fails, then the first of them in full.
fn live_named(named: &str) {
    let seeds = named_seeds(named);
    let mut failing = Vec::new();
    if seeds.clone().count() > 1 {
        std::panic::set_hook(Box::new(|_| ()));
        for seed in seeds.clone() {
            if let Err(violation) = check_case(&Case::draw(seed)) {
                println!("seed {seed} fails: {}", violation.check);
                failing.push(seed);
            }
        }
        drop(std::panic::take_hook());
        println!("{} of {} seeds fail", failing.len(), seeds.count());
    } else {
        failing.extend(seeds);
    }
    failing.first().map(|&seed| check_seed(seed));
}

fn named_seeds(named: &str) -> std::ops::RangeInclusive<u64> {
    let number = |text: &str| text.trim().parse::<u64>().expect("a seed is a whole number");
    match named.split_once("..") {
        Some((from, to)) => number(from)..=number(to),
        None => number(named)..=number(named),
    }
}

/// Lives the case of a seed in all the ways it must hold in.
fn check_seed(seed: u64) -> Lived {
    let case = Case::draw(seed);
    match check_case(&case) {
        Ok(lived) => lived,
        Err(violation) => report(&case, violation),
    }
}

fn check_case(case: &Case) -> Result<Lived, Violation> {
    let lived = live(case, Options::default())?;
    let mut random = Random::of(&[case.seed, 1]);
    if case.seed.is_multiple_of(4) {
        same_again(case, &lived)?;
        blind_to_the_future(case, &lived, &mut random)?;
    }
    if case.seed.is_multiple_of(4) && !case.steps.is_empty() {
        let at = random.below(case.steps.len() as u64) as usize;
        let kind = random.pick(&[Restart::Log, Restart::Adopted]);
        live(case, Options { restart_at: Some((at, kind)), ..Options::default() })?;
    }
    Ok(lived)
}

fn same_again(case: &Case, lived: &Lived) -> Result<(), Violation> {
    let again = live(case, Options::default())?;
    check::ensure(again.trace == lived.trace, "the same events give the same actions", || {
        "a second run decided otherwise".to_owned()
    })
}

/// Whatever ends after some moment, and however: what was decided up to it stays the same.
fn blind_to_the_future(case: &Case, lived: &Lived, random: &mut Random) -> Result<(), Violation> {
    if lived.trace.is_empty() {
        return Ok(());
    }
    let after = lived.trace[random.below(lived.trace.len() as u64) as usize].0;
    let other_future = Some(OtherFuture { after, salt: random.next() });
    let other = live(case, Options { other_future, ..Options::default() })?;
    let until = |lived: &Lived| lived.trace.iter().take_while(|(at, _)| *at <= after).cloned().collect::<Vec<_>>();
    check::ensure(until(lived) == until(&other), "no action hangs on a future duration", || {
        format!("what was decided up to {after} changes with what ends later")
    })
}

fn report(case: &Case, violation: Violation) -> ! {
    std::panic::set_hook(Box::new(|_| ()));
    let (small, small_violation) = shrink::shrink(case, violation.clone(), |case| check_case(case).err());
    drop(std::panic::take_hook());
    let steps: Vec<String> = small.steps.iter().map(|step| format!("  {step:?}")).collect();
    panic!(
        "seed {}: {violation}\n\nrepeat it with: {SEED_ENV}={} cargo nextest run -p allocate must_never\n\n\
         under {:?}, counting {:?}, it comes down to:\n{}\n{small_violation}",
        case.seed,
        case.seed,
        case.policy,
        case.metered,
        steps.join("\n")
    );
}

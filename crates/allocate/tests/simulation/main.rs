//! A seeded simulation over the production engine: random clusters, queues and work, an outside that is late, fails and repeats
//! itself, and independent books that say what must never happen. See `check` and `line` for that list.
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
mod line;
mod live;
mod random;
mod report;
mod script;
mod shrink;

use adversary::OtherFuture;
use check::Violation;
use fleet::policy::Order;
use live::{Crash, Lived, Options, live};
use random::Random;
use script::{Case, Restart};

/// Names seeds to live instead of the usual ones: `17` or `0..1000` under every order, `trimtab:17` under one.
const SEED_ENV: &str = "TRIMTAB_SIMULATION_SEED";

/// So many events are heard with every run, under each order.
const EVENTS_EACH: u64 = 340_000;

/// Every so many seeds a case is lived again, with the same and with another future.
const AGAIN_EVERY: u64 = 8;
/// Every so many seeds an engine is lost at some event and rebuilt.
const CRASH_EVERY: u64 = 4;
/// So many cases, under each order, are lived with an engine that is lost after every single event.
const CRASHING_CASES: u64 = 12;

#[test]
fn nothing_happens_that_must_never_happen_under_fifo() {
    live_usual(Order::Fifo);
}

#[test]
fn nothing_happens_that_must_never_happen_under_backfill() {
    live_usual(Order::Backfill);
}

#[test]
fn nothing_happens_that_must_never_happen_under_trimtab() {
    live_usual(Order::Trimtab);
}

/// Every seed that ever failed, under every order: which it was follows from a script that has changed since.
#[test]
fn seeds_that_failed_once() {
    let seeds = include_str!("seeds.txt").lines().map(|line| line.split('#').next().unwrap_or("").trim());
    for seed in seeds.filter(|seed| !seed.is_empty()) {
        let seed = seed.parse().expect("seeds.txt holds a number a line, and a remark behind #");
        for order in Order::ALL {
            check_seed(order, seed);
        }
    }
}

/// An engine that is lost after every single event, and rebuilt each time from what was written down until then.
#[test]
fn a_restart_at_any_event_loses_and_doubles_nothing() {
    let mut events = 0;
    for seed in 0..CRASHING_CASES {
        for order in Order::ALL {
            let case = Case::draw_short(order, seed);
            for kind in [Restart::Log, Restart::Adopted] {
                let options = Options { crash: Some(Crash::AfterEvery(kind)), ..Options::default() };
                match live(&case, options) {
                    Ok(lived) => events += lived.restarts,
                    Err(violation) => report::failed(&case, violation, |case| live(case, options).err()),
                }
            }
        }
    }
    println!("rebuilt {events} times");
    assert!(events > 5_000, "the engine must be lost often: {events} times");
}

fn live_usual(order: Order) {
    if let Ok(named) = std::env::var(SEED_ENV) {
        return report::live_named(&named, order);
    }
    let mut sum = Lived::default();
    let mut seeds = 0;
    while sum.events < EVENTS_EACH {
        let Lived { events, decisions, starts, restarts, .. } = check_seed(order, seeds);
        seeds += 1;
        sum.events += events;
        sum.decisions += decisions;
        sum.starts += starts;
        sum.restarts += restarts;
    }
    let Lived { events, decisions, starts, restarts, .. } = sum;
    println!(
        "{}: {seeds} seeds, {events} events, {decisions} decisions, {starts} starts, {restarts} restarts",
        order.name()
    );
    assert!(starts * 8 > events, "the simulation must be busy: {starts} starts in {events} events");
}

/// Lives the case of a seed in all the ways it must hold in.
fn check_seed(order: Order, seed: u64) -> Lived {
    let case = Case::draw(order, seed);
    check_case(&case).unwrap_or_else(|violation| report::failed(&case, violation, |case| check_case(case).err()))
}

fn check_case(case: &Case) -> Result<Lived, Violation> {
    let lived = live(case, Options::default())?;
    let mut random = Random::of(&[case.seed, 1]);
    if case.seed.is_multiple_of(AGAIN_EVERY) {
        same_again(case, &lived)?;
        blind_to_the_future(case, &lived, &mut random)?;
    }
    if case.seed.is_multiple_of(CRASH_EVERY) {
        let at = random.below(lived.events);
        let kind = random.pick(&[Restart::Log, Restart::Adopted]);
        live(case, Options { crash: Some(Crash::At(at, kind)), ..Options::default() })?;
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

//! Telling of seeds that fail, and living those that a person names.

use std::ops::RangeInclusive;

use fleet::policy::Order;

use crate::check::Violation;
use crate::script::Case;
use crate::{SEED_ENV, check_case, check_seed, shrink};

/// One seed is told in full; of a range, one line for each that fails, then the first of them in full.
pub(crate) fn live_named(named: &str, order: Order) {
    let Some(seeds) = seeds(named, order) else { return };
    if seeds.start() == seeds.end() {
        check_seed(order, *seeds.start());
        return;
    }
    let mut failing = Vec::new();
    let mut events = 0;
    quietly(|| {
        for seed in seeds.clone() {
            match check_case(&Case::draw(order, seed)) {
                Ok(lived) => events += lived.events,
                Err(violation) => {
                    println!("{}:{seed} fails: {}", order.name(), violation.check);
                    failing.push(seed);
                }
            }
        }
    });
    println!("{}: {} of {} seeds fail, in {events} events", order.name(), failing.len(), seeds.count());
    if let Some(&first) = failing.first() {
        check_seed(order, first);
    }
}

/// The seeds to live under an order; `None` if only another one is named.
fn seeds(named: &str, order: Order) -> Option<RangeInclusive<u64>> {
    let seeds = match named.split_once(':') {
        Some((name, seeds)) if name == order.name() => seeds,
        Some(_) => return None,
        None => named,
    };
    let number = |text: &str| text.trim().parse::<u64>().expect("a seed is a whole number");
    Some(match seeds.split_once("..") {
        Some((from, to)) => number(from)..=number(to),
        None => number(seeds)..=number(seeds),
    })
}

/// Panics with the seed, what was seen, and the steps it comes down to.
pub(crate) fn failed(case: &Case, violation: Violation, fails: impl Fn(&Case) -> Option<Violation>) -> ! {
    let (small, small_violation) = quietly(|| shrink::shrink(case, violation.clone(), fails));
    let steps: Vec<String> = small.steps.iter().map(|step| format!("  {step:?}")).collect();
    let (name, seed) = (case.order.name(), case.seed);
    panic!(
        "{name}:{seed}: {violation}\n\nrepeat it with: {SEED_ENV}={name}:{seed} cargo test -p allocate --test simulation \
         under_{name}\n\nunder {:?}, counting {:?}, it comes down to:\n{}\n{small_violation}",
        small.policy,
        small.metered,
        steps.join("\n")
    );
}

/// Without a word on panics that are caught.
fn quietly<T>(act: impl FnOnce() -> T) -> T {
    std::panic::set_hook(Box::new(|_| ()));
    let result = act();
    drop(std::panic::take_hook());
    result
}

//! Bar 5: the start that was forecast the moment a workload was handed in, against the start the replay then gave it. For all
//! that wait a minute or more, from the first on: what cannot be forecast yet counts as missed. The constant guess is the best
//! there is, the median of the same waits, which only hindsight knows.

use std::collections::BTreeMap;

use anyhow::Context;
use fleet::ids::WorkloadId;
use fleet::policy::Order;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::forecast::{Forecasts, StartForecast, StartForecaster, WAITS};
use replay::run_observed;
use replay::scenario::Scenario;
use replay::setup::Setup;

use crate::bench::philly;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 5;
const SEED: u64 = 1;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    measure(session, 64, &philly::unknown_durations(Order::Trimtab), "trimtab")
}

fn measure(session: &mut Session, nodes: u32, scenario: &Scenario, policy: &str) -> anyhow::Result<()> {
    let Some(path) = session.data(BAR, philly::FILE) else { return Ok(()) };
    let history = philly::read(&path, &philly::eights(nodes))?;
    let setup = Setup::new(&history, scenario).context("failed to apply the scenario")?;
    let mut forecasts = Forecasts::new(StartForecaster::new(SEED, Timestamp::MIN));
    let outcome = run_observed(&setup, SEED, &mut forecasts);
    let made: BTreeMap<WorkloadId, StartForecast> = forecasts.made.into_iter().collect();

    let waits: Vec<(Millis, Option<&StartForecast>)> = history
        .workloads
        .iter()
        .zip(&outcome.workloads)
        .filter_map(|(recorded, fate)| Some((fate.start()?.since(fate.eligible), made.get(&recorded.workload.id))))
        .filter(|(wait, _)| *wait >= WAITS)
        .collect();
    if waits.is_empty() {
        session.skip(BAR, format!("nobody waits a minute on {nodes} nodes"));
        return Ok(());
    }
    let holds = waits.iter().filter(|(wait, made)| made.is_some_and(|made| made.low <= *wait && *wait <= made.high));
    let share = holds.count() as f64 * 100.0 / waits.len() as f64;
    let best = Millis(median(waits.iter().map(|(wait, _)| wait.0).collect()));
    let error = |guess: Millis, wait: Millis| (guess.0 - wait.0).abs();
    let constant = median(waits.iter().map(|(wait, _)| error(best, *wait)).collect());
    let forecast =
        median(waits.iter().map(|(wait, made)| error(made.map_or(Millis::ZERO, |made| made.median), *wait)).collect());
    let case = format!("{nodes} nodes, {policy}, {} that wait", waits.len());
    let interval = format!("{case}, 80 % interval holds");
    session.add(Row::new(BAR, interval, share, Target::Between(75.0, 85.0), "%"));
    let ratio = forecast as f64 / (constant as f64).max(1.0);
    let errors = format!("{case}, median error / best constant's");
    session.add(Row::new(BAR, errors, ratio, Target::AtMost(0.5), ""));
    Ok(())
}

/// The middle of a sample that is not empty.
fn median(mut values: Vec<i64>) -> i64 {
    values.sort_unstable();
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![9, 1, 5]), 5);
    }
}

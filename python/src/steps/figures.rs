//! What the steps so far come to, in figures and as a table.

use std::fmt::Write;

use serde_json::{Value, json};

use super::course::Step;
use super::phase::Phase;
use super::record::Kept;

/// Means are of all steps; what half and nineteen of twenty stay below, of those that are kept.
pub(super) fn summary(kept: &Kept) -> Value {
    let steps: Vec<&Step> = kept.last.iter().collect();
    let marked_us: u64 = kept.phases_us.iter().sum();
    // A list, so that they come in their order.
    let mut phases = Vec::new();
    for phase in Phase::MARKED {
        let times = steps.iter().map(|step| step.phases_us[phase.place()]).collect();
        phases.push(json!([phase.name(), spread(kept.count, kept.phases_us[phase.place()], times)]));
    }
    let other = steps.iter().map(|step| step.other_us()).collect();
    phases.push(json!([Phase::Other.name(), spread(kept.count, kept.whole_us.saturating_sub(marked_us), other)]));
    json!({
        "steps": kept.count,
        "kept": steps.len(),
        "whole": spread(kept.count, kept.whole_us, steps.iter().map(|step| step.whole_us).collect()),
        "phases": phases,
    })
}

/// Of the times of `count` steps, some of which are given, in seconds.
fn spread(count: u64, sum_us: u64, mut times_us: Vec<u64>) -> Value {
    times_us.sort_unstable();
    json!({
        "total_seconds": seconds(sum_us),
        "mean_seconds": seconds(sum_us) / count.max(1) as f64,
        "p50_seconds": seconds(percentile(&times_us, 50)),
        "p95_seconds": seconds(percentile(&times_us, 95)),
    })
}

/// The least that so many of a hundred do not exceed.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or(0)
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// The steps that are kept, as `trimtab diagnose` reads them: a row each, times in seconds.
pub(super) fn table(kept: &Kept, rank: u64) -> String {
    let names: Vec<&str> = Phase::MARKED.into_iter().chain([Phase::Other]).map(Phase::name).collect();
    let mut table = format!("worker,step,step_time,{}\n", names.join(","));
    for step in &kept.last {
        write!(table, "{rank},{},{}", step.number, decimal(step.whole_us)).expect("a text takes what is written");
        for time_us in step.phases_us.into_iter().chain([step.other_us()]) {
            write!(table, ",{}", decimal(time_us)).expect("a text takes what is written");
        }
        table.push('\n');
    }
    table
}

/// Seconds, exactly.
fn decimal(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

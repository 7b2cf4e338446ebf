//! What was allocated, by how the run ended.

use fleet::ids::WorkloadId;
use fleet::money::Money;
use replay::history::History;
use serde::Serialize;

use super::cost::Prices;
use super::evidence::{Evidence, Top};
use super::nodes::Resource;
use crate::hours::Hours;
use crate::timeline::{Ending, Timeline};
use crate::window::Window;

/// What was spent on runs that ended in one way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spent {
    /// How they ended.
    pub ending: Ending,
    /// How many there were in the window.
    pub runs: u64,
    /// What they held in the window.
    pub hours: Hours,
    /// What that cost, where all nodes have prices.
    pub cost: Option<Money>,
    /// The workloads that held most of it.
    pub evidence: Vec<Evidence>,
}

/// Runs that the window has but not the sums: the source does not tell when they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UntimedRuns {
    /// How many.
    pub runs: u64,
    /// What they held.
    pub hours: Hours,
}

/// What each workload held in the window, in all and by ending.
pub(super) struct Spending {
    pub(super) endings: Vec<Spent>,
    /// By stint, in the timeline's order.
    pub(super) by_stint: Vec<Hours>,
    pub(super) untimed: UntimedRuns,
}

/// Sums up what runs held, by how they ended; endings without a run are left out.
pub(super) fn spending(
    history: &History,
    timeline: &Timeline,
    window: Window,
    resource: Resource,
    prices: Option<&Prices>,
) -> Spending {
    let mut sums: [Sum; Ending::ALL.len()] = Default::default();
    let mut by_stint = Vec::with_capacity(timeline.stints.len());
    let mut whose: Option<(WorkloadId, Ending, Hours)> = None;
    for stint in &timeline.stints {
        let amount = resource.of(history.workloads[stint.workload.index()].workload.total());
        let clipped = window.clip(stint.start, stint.end);
        let time = clipped.map_or(fleet::quantity::Millis::ZERO, |(start, end)| end.since(start));
        let hours = Hours::held(amount, time);
        by_stint.push(hours);
        let inside = stint.start < window.until && stint.end >= window.from;
        let sum = &mut sums[stint.ending.index()];
        sum.runs += u64::from(inside);
        sum.hours += hours;
        if let Some(prices) = prices {
            sum.cost += prices.of_run(timeline.places(stint), &history.workloads[stint.workload.index()], time);
        }
        // A workload's runs of one ending stand together as evidence where they follow each other.
        match &mut whose {
            Some((workload, ending, kept)) if *workload == stint.workload && *ending == stint.ending => *kept += hours,
            _ => {
                if let Some((workload, ending, kept)) = whose.replace((stint.workload, stint.ending, hours)) {
                    sums[ending.index()].top.offer(kept, workload);
                }
            }
        }
    }
    if let Some((workload, ending, kept)) = whose {
        sums[ending.index()].top.offer(kept, workload);
    }
    let endings = Ending::ALL.into_iter().zip(sums).filter(|(_, sum)| sum.runs > 0).map(|(ending, sum)| Spent {
        ending,
        runs: sum.runs,
        hours: sum.hours,
        cost: prices.map(|prices| prices.money(sum.cost)),
        evidence: sum.top.name(history),
    });
    let mut untimed = UntimedRuns::default();
    for run in &timeline.untimed {
        let amount = resource.of(history.workloads[run.workload.index()].workload.total());
        untimed.runs += 1;
        untimed.hours += Hours::held(amount, run.length);
    }
    Spending { endings: endings.collect(), by_stint, untimed }
}

#[derive(Clone, Debug, Default)]
struct Sum {
    runs: u64,
    hours: Hours,
    cost: i128,
    top: Top,
}

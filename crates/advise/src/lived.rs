//! The hours of one replay: what [`crate::waste`] tells of a history, told of what a scenario made of it.

use replay::outcome::Outcome;
use replay::setup::Setup;
use serde::Serialize;

use crate::hours::Hours;
use crate::timeline::Timeline;
use crate::waste::{Series, Waterfall, account};
use crate::window::Window;

/// Where the hours of a replay went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lived {
    /// All that the scenario's fleet had, in parts; absent where no node is described.
    pub capacity: Option<Waterfall>,
    /// What was done and had to be done again, since a start failed or a node was lost.
    pub lost_work_hours: Hours,
    /// Over time.
    pub series: Series,
}

/// The span that holds the record and all of these replays: what is compared is counted over the same time.
#[must_use]
pub fn window(setup: &Setup, outcomes: &[&Outcome]) -> Window {
    let ends = outcomes.iter().flat_map(|outcome| outcome.workloads.iter().filter_map(|fate| fate.end()));
    let until = ends.max().map_or(setup.history.until, |end| end.max(setup.history.until));
    Window { from: setup.history.from, until }
}

/// Adds up a replay, on the fleet and under the rules of its scenario.
#[must_use]
pub fn lived(setup: &Setup, outcome: &Outcome, window: Window) -> Lived {
    let mut history = setup.history.clone();
    history.nodes.clone_from(&setup.nodes);
    history.specs.clone_from(&setup.specs);
    history.node_events.clone_from(&setup.node_events);
    for (rules, of_scenario) in history.queues.iter_mut().zip(&setup.queues) {
        rules.clone_from(of_scenario);
    }
    let timeline = Timeline::replayed(&history, outcome);
    let account = account(&history, &timeline, window);
    let lost = history.workloads.iter().zip(&outcome.workloads).map(|(recorded, fate)| {
        let amount = history.meter(&recorded.workload).0;
        fate.stints.iter().map(|stint| Hours::held(amount, stint.lost)).sum::<Hours>()
    });
    Lived { lost_work_hours: lost.sum(), capacity: account.capacity, series: account.series }
}

//! Where hours and money went: capacity, what was never allocated and why, what was spent on what, what was asked for and not
//! used, and which time limits asked for too much. docs/WASTE.md defines every figure.
//!
//! Nothing is guessed: what the source does not tell is absent, and how much of it is known stands beside what is told.
//! Start at [`account`]; the pass over time is in `sweep`, a file for each kind of waste beside it.

mod cost;
mod evidence;
mod group;
mod held;
mod idle;
mod limits;
mod nodes;
mod series;
mod spent;
mod sweep;
#[cfg(test)]
mod tests;
mod unused;
mod waiting;
mod waterfall;
mod words;

use fleet::queue::Metered;
use replay::history::History;
use serde::Serialize;

pub use evidence::{EVIDENCE_MAX, Evidence, Known};
pub use group::{GROUPS_MAX, Group, Groups};
pub use idle::Why;
pub use limits::Limits;
pub use nodes::Resource;
pub use series::{Point, Series};
pub use spent::{Spent, UntimedRuns};
pub use unused::{Unused, What};
pub use waterfall::{Group as PartGroup, Grouped, Name, Part, Waterfall};

use crate::hours::Hours;
use crate::timeline::{Basis, Timeline};
use crate::window::Window;
use cost::Prices;

/// Where hours and money went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// Where it is known from what ran when and where.
    pub basis: Basis,
    /// What has to be said of that.
    pub basis_words: Option<&'static str>,
    /// The time it is about.
    pub window: Window,
    /// What is counted: devices, or cores where the fleet has no devices.
    pub resource: Resource,
    /// The unit of all hours below that have no other.
    pub unit: &'static str,
    /// Workloads that ran in the window.
    pub jobs: u64,
    /// Of how many runs in it the nodes are known; of the others, whether something was fragmented or blocked cannot be told.
    pub runs_placed: Known,
    /// What all runs held in the window.
    pub allocated_hours: Hours,
    /// The same by how the runs ended.
    pub spent: Vec<Spent>,
    /// Runs that are in no sum, since the source does not tell when they were.
    pub untimed: UntimedRuns,
    /// All that the fleet had, in exclusive parts; absent where the source and the fleet file describe no node.
    pub capacity: Option<Waterfall>,
    /// Of a fleet with devices: the same of its cores, where the cores of all nodes and workloads are known.
    pub cores: Option<Waterfall>,
    /// What was held and not used. These lie over the parts above and are never added to them.
    pub unused: Vec<Unused>,
    /// Time limits that asked for more than was run.
    pub limits: Limits,
    /// Queue by queue.
    pub queues: Groups,
    /// User by user.
    pub users: Groups,
    /// Over time.
    pub series: Series,
}

/// Draws up the account of a window.
#[must_use]
pub fn account(history: &History, timeline: &Timeline, window: Window) -> Account {
    let resource = match history.metered() {
        Metered::Devices => Resource::Devices,
        Metered::Cores => Resource::Cores,
    };
    let cores = resource == Resource::Devices && cores_are_known(history);
    let resources: &[Resource] = if cores { &[Resource::Devices, Resource::Cores] } else { &[resource] };
    let prices = Prices::new(history, resource);
    let sums = sweep::sweep(history, timeline, window, resources);
    let spending = spent::spending(history, timeline, window, resource, prices.as_ref());
    let sources =
        group::Sources { history, timeline, window, resource, by_stint: &spending.by_stint, waited: &sums.waited };
    let describes_nodes = history.specs.iter().flatten().any(|spec| resource.of(spec.capacity()) > 0);
    let mut runs_placed = Known::default();
    for stint in timeline.stints.iter().filter(|stint| window.clip(stint.start, stint.end).is_some()) {
        runs_placed.count((!timeline.places(stint).is_empty()).then_some(()));
    }
    let (queues, users) = (group::queues(&sources), group::users(&sources));
    let core_levels = sums.levels.get(1).copied();
    Account {
        basis: timeline.basis,
        basis_words: timeline.basis.words(),
        window,
        resource,
        unit: resource.unit(),
        jobs: history.workloads.iter().filter(|recorded| limits::ran_in(recorded, window)).count() as u64,
        runs_placed,
        allocated_hours: spending.endings.iter().map(|spent| spent.hours).sum(),
        untimed: spending.untimed,
        capacity: describes_nodes.then(|| {
            let (level, idle) = (sums.levels[0], Some(sums.idle));
            waterfall::waterfall(history, window, resource, level, idle, &spending.endings, prices.as_ref())
        }),
        cores: core_levels.map(|level| {
            let spent = spent::spending(history, timeline, window, Resource::Cores, None);
            waterfall::waterfall(history, window, Resource::Cores, level, None, &spent.endings, None)
        }),
        spent: spending.endings,
        unused: unused::unused(history, window),
        limits: limits::limits(history, window, resource),
        queues,
        users,
        series: sums.series,
    }
}

/// Whether the source tells the cores of every node and of every workload.
fn cores_are_known(history: &History) -> bool {
    let described = || history.nodes.iter().zip(&history.specs).filter(|(_, spec)| spec.is_some());
    described().next().is_some()
        && described().all(|(node, _)| node.cpu_milli.is_some())
        && history.workloads.iter().all(|recorded| recorded.workload.request.cpu.0 > 0)
}

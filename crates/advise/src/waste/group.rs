//! The account of each queue and of each user.

use std::collections::BTreeMap;

use replay::history::History;
use serde::Serialize;

use super::limits::{Collecting, Limits, ran_in};
use super::nodes::Resource;
use super::unused::What;
use crate::hours::Hours;
use crate::timeline::{Ending, Timeline};
use crate::window::Window;

/// So many queues and users are told by name; the rest is summed up.
pub const GROUPS_MAX: usize = 50;

/// A queue's or a user's part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Whose; absent for users whom the source does not name.
    pub name: Option<String>,
    /// Workloads that ran in the window.
    pub jobs: u64,
    /// What its runs held in the window.
    pub allocated_hours: Hours,
    /// The same by how the runs ended, by the names of [`Ending`].
    pub spent_hours: BTreeMap<&'static str, Hours>,
    /// What its workloads asked for while they waited.
    pub waiting_hours: Hours,
    /// Core-hours held and not used, where core time is known; absent where it is known of none.
    pub unused_core_hours: Option<Hours>,
    /// Its time limits.
    pub limits: Limits,
}

/// Groups, those that held most first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Groups {
    /// The largest, at most [`GROUPS_MAX`].
    pub largest: Vec<Group>,
    /// How many more there are …
    pub others: u64,
    /// … and what these held together.
    pub others_allocated_hours: Hours,
}

/// What the groups are made from.
pub(super) struct Sources<'a> {
    pub(super) history: &'a History,
    pub(super) timeline: &'a Timeline,
    pub(super) window: Window,
    pub(super) resource: Resource,
    /// By stint.
    pub(super) by_stint: &'a [Hours],
    /// By workload.
    pub(super) waited: &'a [Hours],
}

/// By queue.
pub(super) fn queues(sources: &Sources<'_>) -> Groups {
    let names = &sources.history.names.queues;
    groups(
        sources,
        names.len(),
        |index| sources.history.workloads[index].workload.queue.index(),
        |group| Some(names.name(group).to_owned()),
    )
}

/// By user; those without a name are one.
pub(super) fn users(sources: &Sources<'_>) -> Groups {
    let names = &sources.history.names.users;
    let nobody = names.len();
    let user = |index: usize| sources.history.workloads[index].workload.user.map_or(nobody, |user| user.index());
    groups(sources, nobody + 1, user, |group| (group < nobody).then(|| names.name(group).to_owned()))
}

#[derive(Clone, Debug, Default)]
struct Sum {
    jobs: u64,
    seen: bool,
    endings: [Hours; Ending::ALL.len()],
    waited: Hours,
    unused_cores: Option<Hours>,
    limits: Collecting,
}

fn groups(
    sources: &Sources<'_>,
    count: usize,
    group_of: impl Fn(usize) -> usize,
    name: impl Fn(usize) -> Option<String>,
) -> Groups {
    let mut sums = vec![Sum::default(); count];
    for (stint, &hours) in sources.timeline.stints.iter().zip(sources.by_stint) {
        sums[group_of(stint.workload.index())].endings[stint.ending.index()] += hours;
    }
    for (index, recorded) in sources.history.workloads.iter().enumerate() {
        let sum = &mut sums[group_of(index)];
        sum.seen = true;
        sum.waited += sources.waited[index];
        if ran_in(recorded, sources.window) {
            sum.jobs += 1;
            sum.limits.add(recorded, sources.resource);
            if let Some((held, used)) = What::Cores.held_and_used(recorded) {
                *sum.unused_cores.get_or_insert_default() += held.saturating_sub(used);
            }
        }
    }
    let mut order: Vec<(Hours, usize)> = Vec::with_capacity(count);
    for (group, sum) in sums.iter().enumerate().filter(|(_, sum)| sum.seen) {
        order.push((sum.endings.iter().copied().sum(), group));
    }
    order.sort_by_key(|&(held, group)| (std::cmp::Reverse(held), group));
    let rest = order.split_off(order.len().min(GROUPS_MAX));
    let largest = order.into_iter().map(|(held, group)| {
        let sum = std::mem::take(&mut sums[group]);
        let spent = Ending::ALL.into_iter().zip(sum.endings).filter(|(_, hours)| !hours.is_zero());
        Group {
            name: name(group),
            jobs: sum.jobs,
            allocated_hours: held,
            spent_hours: spent.map(|(ending, hours)| (ending.name(), hours)).collect(),
            waiting_hours: sum.waited,
            unused_core_hours: sum.unused_cores,
            limits: sum.limits.finish(sources.history),
        }
    });
    Groups {
        largest: largest.collect(),
        others: rest.len() as u64,
        others_allocated_hours: rest.iter().map(|&(held, _)| held).sum(),
    }
}

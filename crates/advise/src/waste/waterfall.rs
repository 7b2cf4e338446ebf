//! What became of everything the fleet had: parts that exclude each other and add up to it exactly.

use fleet::event::EndCause;
use fleet::history::NodeRecord;
use fleet::money::Money;
use fleet::quantity::Millis;
use replay::history::History;
use serde::Serialize;

use super::cost::Prices;
use super::evidence::Evidence;
use super::idle::Why;
use super::nodes::Resource;
use super::spent::Spent;
use super::sweep::{IdleSum, LevelSums};
use crate::hours::Hours;
use crate::timeline::Ending;
use crate::window::Window;

/// What became of everything the fleet had.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waterfall {
    /// What is counted.
    pub resource: Resource,
    /// The unit of its figures.
    pub unit: &'static str,
    /// What all nodes had over the window, lost and drained ones included.
    pub capacity_hours: Hours,
    /// What that cost, where every node has a price.
    pub cost: Option<Money>,
    /// Held according to the source, but by more than the nodes have (nodes it does not describe, runs told as overlapping). It is
    /// in the parts, so these add up to `capacity_hours + beyond_capacity_hours`; it is nothing where the source agrees with itself.
    pub beyond_capacity_hours: Hours,
    /// The parts, from what nobody could use to what completed. Costs are rounded to the millionth each.
    pub parts: Vec<Part>,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Which.
    pub part: Name,
    /// How much.
    pub hours: Hours,
    /// What it cost, where every node has a price: runs at their nodes' prices (at the mean price where their nodes are not known), all
    /// else at the mean price of what runs left.
    pub cost: Option<Money>,
    /// The workloads behind most of it: those that held it or, where it was idle, those that waited meanwhile.
    pub evidence: Vec<Evidence>,
}

/// What parts have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Held by runs that completed.
    Completed,
    /// Held by runs of which the source does not tell whether they completed.
    Open,
    /// Held by runs that did not complete.
    NotCompleted,
    /// Idle.
    Idle,
    /// On nodes that could take nothing.
    Unusable,
}

impl Group {
    /// All of them, from what was wanted to what nobody could use.
    pub const ALL: [Self; 5] = [Self::Completed, Self::Open, Self::NotCompleted, Self::Idle, Self::Unusable];

    /// A few words for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Open => "ran, end not told",
            Self::NotCompleted => "ran and did not complete",
            Self::Idle => "idle",
            Self::Unusable => "on lost or drained nodes",
        }
    }
}

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// On nodes that were lost.
    Lost,
    /// Not held, on nodes that were drained.
    Drained,
    /// Idle, where reasons are not told apart.
    Idle,
    /// Idle for a reason.
    IdleBecause(Why),
    /// Held by runs that ended so.
    Spent(Ending),
}

impl Name {
    /// A name that stays the same, for JSON.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Drained => "drained",
            Self::Idle => "idle",
            Self::IdleBecause(Why::NothingWaited) => "idle_nothing_waited",
            Self::IdleBecause(Why::EnoughWasFree) => "idle_enough_was_free",
            Self::IdleBecause(Why::BehindLimits) => "idle_behind_limits",
            Self::IdleBecause(Why::BlockedByCpuOrMemory) => "idle_blocked_by_cpu_or_memory",
            Self::IdleBecause(Why::Fragmented) => "idle_fragmented",
            Self::IdleBecause(Why::TooLittleFree) => "idle_too_little_free",
            Self::Spent(ending) => ending.name(),
        }
    }

    /// What it belongs to.
    #[must_use]
    pub fn group(self) -> Group {
        match self {
            Self::Lost | Self::Drained => Group::Unusable,
            Self::Idle | Self::IdleBecause(_) => Group::Idle,
            Self::Spent(Ending::Ended(EndCause::Completed)) => Group::Completed,
            Self::Spent(Ending::Ended(EndCause::Unknown) | Ending::StillRunning) => Group::Open,
            Self::Spent(_) => Group::NotCompleted,
        }
    }

    /// A few words for it, below its group's.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Drained => "drained",
            Self::Idle => "idle",
            Self::IdleBecause(why) => why.label(),
            Self::Spent(ending) => ending.label(),
        }
    }

    /// Completes "… hours …".
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Lost => "were on nodes that were lost".to_owned(),
            Self::Drained => "were on drained nodes".to_owned(),
            Self::Idle => "were idle".to_owned(),
            Self::IdleBecause(why) => format!("were idle {}", why.words()),
            Self::Spent(ending) => format!("were spent on runs that {}", ending.words()),
        }
    }
}

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// The parts of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouped<'a> {
    /// Which group.
    pub group: Group,
    /// What its parts come to.
    pub hours: Hours,
    /// What these cost, where every node has a price.
    pub cost: Option<Money>,
    /// Its parts that are not nothing, largest first.
    pub parts: Vec<&'a Part>,
}

impl Waterfall {
    /// The parts by what they have in common; groups of nothing are left out.
    #[must_use]
    pub fn groups(&self) -> Vec<Grouped<'_>> {
        let groups = Group::ALL.into_iter().map(|group| {
            let mut parts: Vec<&Part> =
                self.parts.iter().filter(|part| part.part.group() == group && !part.hours.is_zero()).collect();
            parts.sort_by_key(|part| (std::cmp::Reverse(part.hours), part.part));
            let costs = parts.iter().map(|part| part.cost);
            let cost = costs.reduce(|sum, cost| sum.zip(cost).and_then(|(sum, cost)| sum.checked_add(cost))).flatten();
            Grouped { group, hours: parts.iter().map(|part| part.hours).sum(), cost, parts }
        });
        groups.filter(|group| !group.parts.is_empty()).collect()
    }

    /// Whether the parts add up to what there was, to the millisecond of a thousandth. They always do.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.parts.iter().map(|part| part.hours).sum::<Hours>() == self.capacity_hours + self.beyond_capacity_hours
    }

    /// The hours of one part.
    #[must_use]
    pub fn hours(&self, name: Name) -> Hours {
        self.parts.iter().find(|part| part.part == name).map_or(Hours::ZERO, |part| part.hours)
    }

    /// All that idled.
    #[must_use]
    pub fn idle_hours(&self) -> Hours {
        let idle = self.parts.iter().filter(|part| matches!(part.part, Name::Idle | Name::IdleBecause(_)));
        idle.map(|part| part.hours).sum()
    }

    /// All that was held.
    #[must_use]
    pub fn allocated_hours(&self) -> Hours {
        self.parts.iter().filter(|part| matches!(part.part, Name::Spent(_))).map(|part| part.hours).sum()
    }
}

/// Puts the parts together. Without reasons, what idled is one part.
pub(super) fn waterfall(
    history: &History,
    window: Window,
    resource: Resource,
    level: LevelSums,
    idle: Option<[IdleSum; 6]>,
    spent: &[Spent],
    prices: Option<&Prices>,
) -> Waterfall {
    let plain = |part: Name, hours: Hours| Part { part, hours, cost: None, evidence: Vec::new() };
    let mut parts = vec![plain(Name::Lost, level.lost), plain(Name::Drained, level.drained)];
    match idle {
        None => parts.push(plain(Name::Idle, level.idle)),
        Some(reasons) => parts.extend(Why::ALL.into_iter().zip(reasons).map(|(why, sum)| Part {
            part: Name::IdleBecause(why),
            hours: sum.hours,
            cost: None,
            evidence: sum.evidence,
        })),
    }
    let cost = prices.map(|prices| capacity_cost(history, window, prices));
    if let (Some(prices), Some(whole)) = (prices, cost) {
        let whole = prices.money(whole);
        let held: i64 = spent.iter().filter_map(|spent| spent.cost).map(|cost| cost.micros).sum();
        let left = i128::from((whole.micros - held).max(0));
        let hours: Hours = parts.iter().map(|part| part.hours).sum();
        for part in &mut parts {
            let micros = (left * part.hours.exact()).checked_div(hours.exact()).unwrap_or(0);
            part.cost = Some(Money { micros: i64::try_from(micros).unwrap_or(i64::MAX), ..whole });
        }
    }
    parts.extend(spent.iter().map(|spent| Part {
        part: Name::Spent(spent.ending),
        hours: spent.hours,
        cost: spent.cost,
        evidence: spent.evidence.clone(),
    }));
    let result = Waterfall {
        resource,
        unit: resource.unit(),
        capacity_hours: level.capacity,
        cost: prices.zip(cost).map(|(prices, cost)| prices.money(cost)),
        beyond_capacity_hours: level.beyond,
        parts,
    };
    assert!(result.balances(), "the parts of the account add up to what there was");
    result
}

/// What all nodes cost while they were part of the fleet.
fn capacity_cost(history: &History, window: Window, prices: &Prices) -> i128 {
    let arrives = |node: &NodeRecord| node.at.unwrap_or(window.from).max(window.from);
    let present = |node: &NodeRecord| window.until.since(arrives(node)).max(Millis::ZERO);
    history.nodes.iter().enumerate().map(|(index, node)| prices.of_node(index, present(node))).sum()
}

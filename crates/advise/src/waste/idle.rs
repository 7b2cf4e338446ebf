//! Why something idles while others wait, judged moment by moment as far as one can tell.
//!
//! No more is ever blamed on a cause than what waits asks for: of 50 devices that idle while one workload waits for 2 that it
//! could have, 2 are "enough was free" and 48 are "nothing waited for them". Causes are exclusive, in the order of
//! [`Judgement::split`].

use fleet::node::Resources;
use fleet::workload::Spread;
use replay::history::History;
use serde::Serialize;

use super::held::Held;
use super::nodes::{Nodes, Resource};
use super::waiting::{Kind, Waiting};

/// So many kinds of waiting workloads are looked at, smallest first; the larger ones fit no better.
const KINDS_EXAMINED: usize = 32;

/// Why something idles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Nothing that waited asked for it.
    NothingWaited,
    /// Something waited that could have started there: an order of the queue, a reservation or a pause of the scheduler kept it.
    EnoughWasFree,
    /// Something waited that could have started there, but for a limit of its queue or user.
    BehindLimits,
    /// The cores or the memory beside it were gone.
    BlockedByCpuOrMemory,
    /// Enough in sum, but not enough together for anything that waited.
    Fragmented,
    /// All that waited asked for more than was free.
    TooLittleFree,
}

impl Why {
    /// Every reason, in the order in which they are told.
    pub const ALL: [Self; 6] = [
        Self::NothingWaited,
        Self::EnoughWasFree,
        Self::BehindLimits,
        Self::BlockedByCpuOrMemory,
        Self::Fragmented,
        Self::TooLittleFree,
    ];

    /// A few words for it, below "idle".
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::NothingWaited => "nothing waited",
            Self::EnoughWasFree => "enough was free for what waited",
            Self::BehindLimits => "what waited was behind limits",
            Self::BlockedByCpuOrMemory => "cores or memory were taken",
            Self::Fragmented => "in pieces too small",
            Self::TooLittleFree => "too little for what waited",
        }
    }

    /// Completes "… hours were idle …".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NothingWaited => "while nothing waited for them",
            Self::EnoughWasFree => "while something waited that could have used them",
            Self::BehindLimits => "while what could have used them waited behind queue limits",
            Self::BlockedByCpuOrMemory => "because the cores or the memory beside them were taken",
            Self::Fragmented => "in pieces too small for anything that waited",
            Self::TooLittleFree => "because all that waited asked for more than was free",
        }
    }
}

/// What a moment comes to: the most that may be blamed on each cause, and on whom.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judgement {
    fits: i64,
    limited: i64,
    blocked: i64,
    fragmented: i64,
    /// Asked for by what waits and does not fit.
    unmet: i64,
    fits_for: Option<u32>,
    limited_for: Option<u32>,
    unmet_for: Option<u32>,
}

impl Judgement {
    /// Divides what idles among the causes, as [`Why::ALL`] lists them, each with the workload it is blamed on.
    pub(super) fn split(&self, idle: i64) -> [(i64, Option<u32>); 6] {
        let mut left = idle;
        let mut take = |most: i64| {
            let taken = most.min(left);
            left -= taken;
            taken
        };
        let fits = take(self.fits);
        let limited = take(self.limited);
        let unmet = take(self.unmet);
        let blocked = unmet.min(self.blocked);
        let fragmented = (unmet - blocked).min(self.fragmented);
        [
            (left, None),
            (fits, self.fits_for),
            (limited, self.limited_for),
            (blocked, self.unmet_for),
            (fragmented, self.unmet_for),
            (unmet - blocked - fragmented, self.unmet_for),
        ]
    }
}

/// Judges moments; keeps its scratch space between them.
pub(super) struct Judge<'a> {
    history: &'a History,
    resource: Resource,
    /// By kind: the most tasks that any node that it may use could hold. Filled when first asked for.
    most_tasks: Vec<Option<u64>>,
    allowed: Vec<Vec<bool>>,
    nodes: Vec<Seen>,
}

/// What was seen of one node at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    free: Resources,
    /// A task of something that waits may use it …
    allowed: bool,
    /// … finds enough of the counted resource there …
    enough: bool,
    /// … and enough of everything.
    usable: bool,
}

impl<'a> Judge<'a> {
    pub(super) fn new(history: &'a History, resource: Resource, waiting: &Waiting) -> Self {
        let kinds = waiting.kind_count();
        Self { history, resource, most_tasks: vec![None; kinds], allowed: vec![Vec::new(); kinds], nodes: Vec::new() }
    }

    /// Judges a moment by sums only: where things run is not known, so whatever asks for no more than is idle counts as
    /// fitting.
    pub(super) fn by_sums(&self, idle: i64, waiting: &Waiting, held: &Held<'_>) -> Judgement {
        let mut judgement = Judgement::default();
        for (_, kind, count, oldest) in waiting.kinds().take(KINDS_EXAMINED) {
            let fits = (idle / kind.ask as i64).min(count as i64) * kind.ask as i64;
            judgement.add(fits, held.limits(kind), oldest);
            if fits < (count * kind.ask) as i64 {
                judgement.unmet_for.get_or_insert(oldest);
            }
        }
        judgement.unmet = (waiting.demand - judgement.fits - judgement.limited).max(0);
        judgement
    }

    /// Judges a moment node by node.
    pub(super) fn by_nodes(&mut self, idle: i64, nodes: &Nodes, waiting: &Waiting, held: &Held<'_>) -> Judgement {
        self.nodes.clear();
        self.nodes.extend(
            (0..nodes.count()).map(|node| Seen { free: nodes.free(node).unwrap_or_default(), ..Seen::default() }),
        );
        let mut judgement = Judgement::default();
        let mut smallest_unmet: Option<i64> = None;
        for (number, kind, count, oldest) in waiting.kinds().take(KINDS_EXAMINED) {
            if self.allowed[number].is_empty() {
                self.allowed[number] = (0..nodes.count()).map(|node| may_use(self.history, node, kind)).collect();
            }
            let times = self.times(number, kind, nodes).min(count);
            judgement.add((times * kind.ask) as i64, held.limits(kind), oldest);
            if times < count {
                judgement.unmet_for.get_or_insert(oldest);
                smallest_unmet.get_or_insert(kind.ask as i64);
            }
        }
        judgement.unmet = (waiting.demand - judgement.fits - judgement.limited).max(0);
        // Where even the sum is too small, neither a better spread nor more memory would have helped.
        if smallest_unmet.is_some_and(|ask| ask <= idle) {
            for seen in self.nodes.iter().filter(|seen| seen.allowed) {
                let free = self.resource.of(seen.free) as i64;
                match (seen.usable, seen.enough) {
                    (false, true) => judgement.blocked += free,
                    _ => judgement.fragmented += free,
                }
            }
        }
        judgement
    }

    /// How often a gang of this kind fits at once, each by itself: what one takes from another is not looked at.
    fn times(&mut self, number: usize, kind: &Kind, nodes: &Nodes) -> u64 {
        let tasks = u64::from(kind.tasks);
        let allowed = &self.allowed[number];
        let most = *self.most_tasks[number].get_or_insert_with(|| {
            let whole = allowed.iter().enumerate().filter(|(_, allowed)| **allowed);
            whole.map(|(node, _)| kind.request.times_within(nodes.whole(node))).max().unwrap_or(0)
        });
        let (whole, rest) = (tasks.checked_div(most).unwrap_or(0), tasks.checked_rem(most).unwrap_or(0));
        // Tasks that fit; whole gangs on single nodes; nodes that hold one task, as many as any can, the rest of a gang.
        let (mut fit, mut gangs, mut one, mut full, mut partly) = (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
        for (seen, _) in self.nodes.iter_mut().zip(allowed).filter(|(_, allowed)| **allowed) {
            let ask = self.resource.of(kind.request);
            let free = self.resource.of(seen.free);
            if free == 0 {
                continue;
            }
            let count = kind.request.times_within(seen.free).min(tasks);
            seen.allowed = true;
            seen.enough |= free >= ask;
            seen.usable |= count > 0;
            fit += kind.request.times_within(seen.free);
            gangs += kind.request.times_within(seen.free) / tasks;
            one += u64::from(count > 0);
            full += u64::from(most > 0 && count >= most);
            partly += u64::from(rest > 0 && count >= rest);
        }
        match kind.spread {
            _ if most == 0 => 0,
            Spread::Any => fit / tasks,
            Spread::OnePerNode => one / tasks,
            Spread::Packed if whole == 0 || tasks == most => gangs,
            Spread::Packed if rest == 0 => full / whole,
            Spread::Packed => (full / whole).min(partly / (whole + 1)),
        }
    }
}

impl Judgement {
    fn add(&mut self, amount: i64, limited: bool, oldest: u32) {
        let (sum, blamed) =
            if limited { (&mut self.limited, &mut self.limited_for) } else { (&mut self.fits, &mut self.fits_for) };
        if amount > 0 {
            *sum += amount;
            blamed.get_or_insert(oldest);
        }
    }
}

/// Whether a kind is tied to pools or models that a node does not have.
fn may_use(history: &History, node: usize, kind: &Kind) -> bool {
    let Some(spec) = &history.specs[node] else { return false };
    let constraint = &kind.constraint;
    let pool = constraint.pools.is_empty() || spec.pools.iter().any(|pool| constraint.pools.contains(pool));
    pool && (constraint.models.is_empty() || spec.model.is_some_and(|model| constraint.models.contains(&model)))
}

//! One pass over time: what every node has, what runs hold, who waits. Everything that depends on a moment is summed here.

use std::collections::BTreeMap;

use fleet::ids::WorkloadId;
use fleet::time::Timestamp;
use replay::history::History;

use super::evidence::{Evidence, Top};
use super::held::Held;
use super::idle::{Judge, Judgement, Why};
use super::nodes::{Level, Nodes, Resource};
use super::series::{Collecting, Series};
use super::waiting::Waiting;
use crate::hours::Hours;
use crate::timeline::Timeline;
use crate::window::Window;

/// What the pass sums up.
pub(super) struct Sums {
    /// By resource, in the order asked for.
    pub(super) levels: Vec<LevelSums>,
    /// Of the first resource, as [`Why::ALL`] lists the reasons.
    pub(super) idle: [IdleSum; 6],
    pub(super) series: Series,
    /// By workload: how long it waited, times what it asks of the first resource.
    pub(super) waited: Vec<Hours>,
}

/// A level, summed over time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LevelSums {
    pub(super) capacity: Hours,
    pub(super) lost: Hours,
    pub(super) drained: Hours,
    pub(super) idle: Hours,
    pub(super) beyond: Hours,
}

/// What idled for one reason, and on whose account.
#[derive(Clone, Debug, Default)]
pub(super) struct IdleSum {
    pub(super) hours: Hours,
    pub(super) evidence: Vec<Evidence>,
}

/// So often may a node be looked at for a kind that waits. A pass over 100,000 workloads on hundreds of nodes judges thousands
/// of moments; a small history's every moment.
const NODE_VISITS_MAX: i64 = 40_000_000;
/// So many moments are judged at least, however large the fleet.
const MOMENTS_MIN: i64 = 1_000;

/// What happens, in the order in which it is heard at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Arrive(u32),
    End(u32),
    Node(u32),
    WaitEnd(u32),
    Start(u32),
    WaitBegin(u32),
}

/// Passes over the window. The first resource is the one that queues are metered by.
pub(super) fn sweep(history: &History, timeline: &Timeline, window: Window, resources: &[Resource]) -> Sums {
    let happenings = happenings(history, timeline, window);
    let mut pass = Pass::new(history, timeline, window, resources, happenings.len());
    let mut now = window.from;
    let mut next = 0;
    while next < happenings.len() {
        let at = happenings[next].0;
        pass.pass(now, at);
        now = at;
        while next < happenings.len() && happenings[next].0 == at {
            pass.happen(happenings[next].1);
            next += 1;
        }
    }
    pass.pass(now, window.until);
    pass.finish()
}

/// Everything that happens before the window's end; what happened before its beginning is put there.
fn happenings(history: &History, timeline: &Timeline, window: Window) -> Vec<(Timestamp, Happening)> {
    let mut list = Vec::with_capacity(2 * (timeline.stints.len() + timeline.waits.len()));
    for (index, stint) in (0_u32..).zip(&timeline.stints) {
        if let Some((start, end)) = window.clip(stint.start, stint.end) {
            list.push((start, Happening::Start(index)));
            list.push((end, Happening::End(index)));
        }
    }
    for (index, wait) in (0_u32..).zip(&timeline.waits) {
        if let Some((from, until)) = window.clip(wait.from, wait.until) {
            list.push((from, Happening::WaitBegin(index)));
            list.push((until, Happening::WaitEnd(index)));
        }
    }
    for (index, &(at, node, _)) in (0_u32..).zip(&history.node_events) {
        // What becomes of a node before it is part of the fleet does not matter to it.
        let arrives = history.nodes[node.index()].at.unwrap_or(Timestamp::MIN);
        if at < window.until && at >= arrives {
            list.push((at.max(window.from), Happening::Node(index)));
        }
    }
    for (index, node) in (0_u32..).zip(&history.nodes) {
        let arrives = node.at.unwrap_or(window.from).max(window.from);
        if history.specs[index as usize].is_some() && arrives < window.until {
            list.push((arrives, Happening::Arrive(index)));
        }
    }
    list.sort_unstable();
    list
}

struct Pass<'a> {
    history: &'a History,
    timeline: &'a Timeline,
    resources: &'a [Resource],
    nodes: Nodes,
    waiting: Waiting,
    held: Held<'a>,
    judge: Judge<'a>,
    /// Nothing while nobody waits.
    judgement: Option<Judgement>,
    window: Window,
    /// Moments judged node by node, of so many over the whole window.
    judged: i64,
    judged_max: i64,
    /// What runs hold of the first resource.
    running: i64,
    levels: Vec<LevelSums>,
    idle: [Hours; 6],
    blamed: [BTreeMap<u32, Hours>; 6],
    series: Collecting,
    waited: Vec<Hours>,
}

impl<'a> Pass<'a> {
    fn new(
        history: &'a History,
        timeline: &'a Timeline,
        window: Window,
        resources: &'a [Resource],
        moments: usize,
    ) -> Self {
        let waiting = Waiting::new(history, resources[0]);
        let visits = (history.nodes.len() * waiting.kind_count().clamp(1, 32)) as i64;
        let judged_max = if moments as i64 * visits <= NODE_VISITS_MAX {
            i64::MAX
        } else {
            (NODE_VISITS_MAX / visits.max(1)).max(MOMENTS_MIN)
        };
        Self {
            history,
            timeline,
            resources,
            nodes: Nodes::new(history, resources),
            held: Held::new(history, resources[0]),
            judge: Judge::new(history, resources[0], &waiting),
            waiting,
            judgement: None,
            window,
            judged: 0,
            judged_max,
            running: 0,
            levels: vec![LevelSums::default(); resources.len()],
            idle: [Hours::ZERO; 6],
            blamed: Default::default(),
            series: Collecting::new(window),
            waited: vec![Hours::ZERO; history.workloads.len()],
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive(index) => self.nodes.appear(index as usize),
            Happening::Node(index) => {
                let (_, node, change) = self.history.node_events[index as usize];
                self.nodes.apply(node, change);
            }
            Happening::Start(index) => self.run(index, true),
            Happening::End(index) => self.run(index, false),
            Happening::WaitBegin(index) => self.waiting.add(self.timeline.waits[index as usize].workload.0),
            Happening::WaitEnd(index) => self.waiting.remove(self.timeline.waits[index as usize].workload.0),
        }
    }

    fn run(&mut self, index: u32, starts: bool) {
        let stint = &self.timeline.stints[index as usize];
        let workload = &self.history.workloads[stint.workload.index()].workload;
        let places = self.timeline.places(stint);
        for place in places {
            let amount = workload.request.times(place.tasks);
            if starts { self.nodes.take(place.node, amount) } else { self.nodes.give(place.node, amount) }
        }
        let total = workload.total();
        if places.is_empty() {
            if starts { self.nodes.take_somewhere(total) } else { self.nodes.give_somewhere(total) }
        }
        let amount = self.resources[0].of(total) as i64;
        self.running += if starts { amount } else { -amount };
        if starts { self.held.take(workload) } else { self.held.give(workload) }
    }

    /// Sums up a span over which nothing changes.
    fn pass(&mut self, from: Timestamp, until: Timestamp) {
        let time = until.since(from);
        if time.0 <= 0 {
            return;
        }
        let hours = |amount: i64| Hours::held(amount.unsigned_abs(), time);
        for (resource, sums) in self.levels.iter_mut().enumerate() {
            let level = self.nodes.level(resource);
            sums.capacity += hours(level.capacity);
            sums.lost += hours(level.lost);
            sums.drained += hours(level.drained);
            sums.idle += hours(level.idle);
            sums.beyond += hours(level.beyond);
        }
        let level = self.nodes.level(0);
        self.series.add(from, until, level, self.running, self.waiting.demand);
        if level.idle == 0 {
            return;
        }
        let judgement = self.look(from, level);
        for (reason, (amount, whose)) in judgement.split(level.idle).into_iter().enumerate() {
            if amount > 0 {
                self.idle[reason] += hours(amount);
                if let Some(workload) = whose {
                    *self.blamed[reason].entry(workload).or_default() += hours(amount);
                }
            }
        }
    }

    /// Judges the moment. Where moments are many, those judged node by node keep step with time: between them the last one's
    /// judgement holds, and where there is none yet, sums decide.
    fn look(&mut self, now: Timestamp, level: Level) -> Judgement {
        if self.waiting.demand == 0 {
            self.judgement = None;
            return Judgement::default();
        }
        let by_sums = || self.judge.by_sums(level.idle, &self.waiting, &self.held);
        let judgement = if self.nodes.unplaced_runs > 0 {
            by_sums()
        } else if self.may_judge(now) {
            self.judged += 1;
            self.judge.by_nodes(level.idle, &self.nodes, &self.waiting, &self.held)
        } else {
            self.judgement.unwrap_or_else(by_sums)
        };
        self.judgement = Some(judgement);
        judgement
    }

    fn may_judge(&self, now: Timestamp) -> bool {
        let elapsed = i128::from(now.since(self.window.from).0);
        let due = i128::from(self.judged_max) * elapsed / i128::from(self.window.length().0.max(1));
        i128::from(self.judged) <= due
    }

    fn finish(mut self) -> Sums {
        for wait in &self.timeline.waits {
            let workload = &self.history.workloads[wait.workload.index()].workload;
            if let Some((from, until)) = self.window.clip(wait.from, wait.until) {
                let amount = self.resources[0].of(workload.total());
                self.waited[wait.workload.index()] += Hours::held(amount, until.since(from));
            }
        }
        let idle = Why::ALL.map(|why| {
            let mut top = Top::default();
            let blamed = &self.blamed[why as usize];
            blamed.iter().for_each(|(&workload, &hours)| top.offer(hours, WorkloadId(workload)));
            IdleSum { hours: self.idle[why as usize], evidence: top.name(self.history) }
        });
        Sums { levels: self.levels, idle, series: self.series.finish(), waited: self.waited }
    }
}

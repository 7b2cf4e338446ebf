//! What happens in a case: a list of steps drawn from a seed. Steps name what they touch, so any of them can be left out.

use fleet::ids::{NodeId, QueueId, WorkloadId};
use fleet::node::Node;
use fleet::policy::{Order, Placement, Plan, Policy};
use fleet::quantity::Millis;
use fleet::queue::{Metered, Queue};
use fleet::workload::Workload;

use crate::clusters::Kinds;
use crate::random::Random;

/// A whole run of the simulation.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    /// The order it begins under; steps change it.
    pub(crate) order: Order,
    pub(crate) metered: Metered,
    pub(crate) policy: Policy,
    pub(crate) steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Add(NodeId, Node),
    Lose(NodeId),
    Drain(NodeId),
    Return(NodeId),
    Queue(Queue),
    Policy(Policy),
    Submit(Box<Workload>),
    Withdraw(WorkloadId),
    /// Its system puts it back; the news comes after so long.
    Evict(WorkloadId, Millis),
    /// Time passes; the engine hears what comes due, and decides after each moment.
    Pass(Millis),
    /// The engine decides, and may start so many.
    Decide(usize),
    /// News that means nothing: of what never was, or of numbers seen before.
    Stray(Stray),
    /// The engine is replaced.
    Restart(Restart),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Stray {
    /// An outcome of an action that was never decided.
    UnknownAction(WorkloadId),
    /// An event whose number was seen before.
    SeenNumber(WorkloadId),
    /// A submission of what is there already.
    SubmittedAgain(WorkloadId),
    /// A change of a node that was never there.
    UnknownNode,
}

/// How an engine comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Restart {
    /// A copy goes on beside it, and must do the same.
    Copy,
    /// From the log of events and decisions: it must go on as if nothing had been.
    Log,
    /// From the log of events and actions, decided by whatever version: nothing may be lost or doubled.
    Adopted,
    /// From now on a second one hears only what counts, and must do the same.
    Filtered,
}

impl Case {
    /// The case of a seed, under an order.
    pub(crate) fn draw(order: Order, seed: u64) -> Self {
        Self::draw_of(order, seed, 40, 400)
    }

    /// A case with few steps, to be lived at the cost of a square.
    pub(crate) fn draw_short(order: Order, seed: u64) -> Self {
        Self::draw_of(order, seed, 40, 90)
    }

    fn draw_of(order: Order, seed: u64, steps_min: u64, steps_max: u64) -> Self {
        let mut random = Random::of(&[seed]);
        // By turns, so that a few seeds cover all.
        let placement = if (seed / 3).is_multiple_of(2) { Placement::BestFit } else { Placement::LeastStranded };
        let mut policy = Policy { placement, ..policy(order, &mut random) };
        if policy.backfill_plan.is_some() && placement == Placement::BestFit {
            policy.placement = Placement::Neighbours;
        }
        let kinds = Kinds::draw(&mut random);
        let metered = if kinds.any_devices() { Metered::Devices } else { Metered::Cores };
        let mut script = Script { random, kinds, steps: Vec::new(), nodes: 0, workloads: 0, queues: 1 };
        script.furnish(metered);
        script.live(metered, steps_min, steps_max);
        Self { seed, order, metered, policy, steps: script.steps }
    }
}

struct Script {
    random: Random,
    kinds: Kinds,
    steps: Vec<Step>,
    nodes: u32,
    workloads: u32,
    queues: u32,
}

impl Script {
    fn furnish(&mut self, metered: Metered) {
        let nodes = match self.random.below(100) {
            0..60 => self.random.between(1, 6),
            60..95 => self.random.between(7, 30),
            _ => self.random.between(31, 300),
        };
        for _ in 0..nodes {
            self.add_node();
        }
        self.queues = self.random.between(1, 4) as u32;
        for queue in 0..self.queues {
            if self.random.chance(700) {
                self.set_queue(QueueId(queue), metered);
            }
        }
    }

    fn live(&mut self, metered: Metered, steps_min: u64, steps_max: u64) {
        let count = self.random.between(steps_min, steps_max) as usize + self.steps.len();
        let pace = self.random.pick(&[30_u64, 300, 3_000, 20_000]);
        while self.steps.len() < count {
            match self.random.below(1_000) {
                0..380 => self.submit(),
                380..700 => {
                    let length = Millis::seconds(self.random.below(pace) as i64 + 1);
                    self.steps.push(Step::Pass(length));
                }
                700..820 => {
                    let starts = if self.random.chance(150) { self.random.between(1, 3) as usize } else { 100_000 };
                    self.steps.push(Step::Decide(starts));
                }
                820..845 => self.on_node(Step::Lose),
                845..865 => self.on_node(Step::Drain),
                865..915 => self.on_node(Step::Return),
                915..918 => self.add_node(),
                918..930 => {
                    let queue = QueueId(self.random.below(u64::from(self.queues)) as u32);
                    self.set_queue(queue, metered);
                }
                930..934 => {
                    let order = self.random.pick(&Order::ALL);
                    let policy = policy(order, &mut self.random);
                    self.steps.push(Step::Policy(policy));
                }
                934..955 => self.on_workload(|id, _| Step::Withdraw(id)),
                955..980 => self.on_workload(|id, random| {
                    let lag = if random.chance(500) { 0 } else { random.below(600) as i64 };
                    Step::Evict(id, Millis::seconds(lag))
                }),
                980..992 => self.on_workload(|id, random| {
                    Step::Stray(random.pick(&[
                        Stray::UnknownAction(id),
                        Stray::SeenNumber(id),
                        Stray::SubmittedAgain(id),
                        Stray::UnknownNode,
                    ]))
                }),
                _ => {
                    let kind = [Restart::Copy, Restart::Log, Restart::Adopted, Restart::Filtered];
                    self.steps.push(Step::Restart(self.random.pick(&kind)));
                }
            }
        }
    }

    fn add_node(&mut self) {
        let spec = self.kinds.node(&mut self.random);
        self.steps.push(Step::Add(NodeId(self.nodes), spec));
        self.nodes += 1;
    }

    fn on_node(&mut self, step: fn(NodeId) -> Step) {
        let node = NodeId(self.random.below(u64::from(self.nodes)) as u32);
        self.steps.push(step(node));
    }

    /// Mostly one of those that came lately.
    fn on_workload(&mut self, step: fn(WorkloadId, &mut Random) -> Step) {
        if self.workloads > 0 {
            let back = self.random.below(u64::from(self.workloads)).min(self.random.below(30)) as u32;
            let step = step(WorkloadId(self.workloads - 1 - back), &mut self.random);
            self.steps.push(step);
        }
    }

    fn submit(&mut self) {
        let queue = QueueId(self.random.below(u64::from(self.queues)) as u32);
        let workload = self.kinds.workload(WorkloadId(self.workloads), queue, &mut self.random);
        self.workloads += 1;
        self.steps.push(Step::Submit(Box::new(workload)));
    }

    fn set_queue(&mut self, id: QueueId, metered: Metered) {
        let rules = self.kinds.queue(id, metered, self.nodes, &mut self.random);
        self.steps.push(Step::Queue(rules));
    }
}

fn policy(order: Order, random: &mut Random) -> Policy {
    let mut policy = Policy::new(order);
    policy.placement = if random.chance(500) { Placement::BestFit } else { Placement::LeastStranded };
    if order == Order::Backfill && random.chance(400) {
        policy.backfill_interval = Millis::seconds(random.pick(&[1, 30, 300]));
    }
    // Drawn aside: the cases of seeds that were lived before there were plans stay what they were.
    let mut aside = random.clone();
    if order == Order::Backfill && aside.chance(500) {
        let depth = aside.pick(&[1, 5, 500]);
        let resolution = Millis::seconds(aside.pick(&[1, 60, 600]));
        policy.backfill_plan = Some(Plan { depth, resolution, window: Millis::hours(aside.pick(&[1, 24])) });
    }
    policy
}

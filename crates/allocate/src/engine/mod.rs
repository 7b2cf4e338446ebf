//! The engine: its state, and what can be asked of it.

mod adopt;
mod ahead;
mod backfill;
mod decide;
mod foresee;
mod job;
mod kept;
mod line_up;
mod observe;
mod reason;
mod waiting;

use std::collections::BTreeSet;

use fleet::ids::{ActionId, QueueId, WorkloadId};
use fleet::node::Resources;
use fleet::policy::Policy;
use fleet::quantity::MilliDevice;
use fleet::queue::Metered;
use fleet::time::Timestamp;

use crate::by_id::ById;
use crate::cluster::{Cluster, Ends};
use crate::placement::{Guard, Mix, Shapes};
use crate::queues::Queues;
use ahead::Learner;
use job::Job;
use waiting::Waiting;

pub use ahead::Run;
pub use decide::Budget;
pub use kept::Kept;
pub use observe::{Ignored, Observed};
pub use reason::Reason;

/// Who runs where and when. The same events and the same moments of decision give the same actions, bit for bit.
#[derive(Clone, Debug)]
pub struct Engine {
    policy: Policy,
    metered: Metered,
    cluster: Cluster,
    queues: Queues,
    shapes: Shapes,
    mix: Mix,
    predictor: Learner,
    /// Whoever waits is in `waiting` too, whoever is placed in `ends`.
    jobs: ById<WorkloadId, Job>,
    waiting: Waiting,
    /// Everyone who is placed, by when they are expected to end.
    ends: Ends,
    guard: Guard,
    last_seq: u64,
    last_at: Timestamp,
    next_action: u64,
    /// `backfill`: when those behind the head are looked at next.
    backfill_at: Timestamp,
    /// `backfill` by a plan: whether anything happened since those who wait were last looked at.
    look_due: bool,
    changed: Changed,
    /// Whether anything was heard since the last decision that could lead to another,
    news: bool,
    /// and when to decide again all the same.
    wake_at: Option<Timestamp>,
}

/// What happened since the last decision.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Changed {
    /// Only arrivals, into these groups.
    Arrivals(BTreeSet<u32>),
    /// Something that may let anyone start.
    Anything,
}

impl Engine {
    /// An engine that knows of no node, queue or workload yet.
    #[must_use]
    pub fn new(policy: Policy, metered: Metered) -> Self {
        Self {
            policy,
            metered,
            cluster: Cluster::default(),
            queues: Queues::default(),
            shapes: Shapes::default(),
            mix: Mix::default(),
            predictor: Learner::default(),
            jobs: ById::default(),
            waiting: Waiting::default(),
            ends: Ends::default(),
            guard: Guard::default(),
            last_seq: 0,
            last_at: Timestamp::MIN,
            next_action: 1,
            backfill_at: Timestamp::MIN,
            look_due: false,
            changed: Changed::Anything,
            news: true,
            wake_at: None,
        }
    }

    /// The same engine, whose next action has this number: those before it were given by an engine that is gone.
    #[must_use]
    pub fn numbering_from(mut self, next: ActionId) -> Self {
        self.next_action = self.next_action.max(next.0);
        self
    }

    /// The rules it follows.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many workloads wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many workloads are placed: running, or about to.
    #[must_use]
    pub fn placed(&self) -> usize {
        self.ends.len()
    }

    /// What all nodes that may be given work have together.
    #[must_use]
    pub fn capacity(&self) -> Resources {
        self.cluster.capacity()
    }

    /// What a queue has placed, in the metered resource.
    #[must_use]
    pub fn used(&self, queue: QueueId) -> MilliDevice {
        self.queues.used(queue)
    }

    fn meter(&self, amount: Resources) -> MilliDevice {
        match self.metered {
            Metered::Devices => amount.devices,
            Metered::Cores => MilliDevice(amount.cpu.0),
        }
    }

    fn new_action(&mut self) -> ActionId {
        self.next_action += 1;
        ActionId(self.next_action - 1)
    }
}

//! Independent books: who waits, who holds what, worked out from events and actions alone, never by asking the engine.
//!
//! Written for plainness, not speed: resources are counted device by device, fits are worked out node by node.

use std::collections::BTreeMap;

use fleet::action::Slot;
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{ActionId, NodeId, QueueId, UserId, WorkloadId};
use fleet::node::{Node, Resources};
use fleet::policy::Policy;
use fleet::queue::{Metered, Queue};
use fleet::time::Timestamp;
use fleet::workload::{Spread, Workload};

/// One device, in thousandths.
const WHOLE: u64 = 1_000;

/// The books.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) metered: Metered,
    pub(crate) policy: Policy,
    pub(crate) clock: Timestamp,
    pub(crate) nodes: BTreeMap<NodeId, Book>,
    pub(crate) gangs: BTreeMap<WorkloadId, Gang>,
    pub(crate) queues: BTreeMap<QueueId, Queue>,
    pub(crate) use_of: BTreeMap<(QueueId, Option<UserId>), Use>,
    pub(crate) last_action: u64,
    last_seq: u64,
}

/// What is handed out of one node.
#[derive(Clone, Debug)]
pub(crate) struct Book {
    pub(crate) spec: Node,
    pub(crate) standing: Standing,
    pub(crate) cpu: u64,
    pub(crate) memory: u64,
    /// By device, thousandths.
    pub(crate) devices: Vec<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Up,
    Drained,
    Lost,
}

#[derive(Clone, Debug)]
pub(crate) struct Gang {
    pub(crate) workload: Workload,
    pub(crate) eligible: Timestamp,
    pub(crate) place: Option<Place>,
}

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) action: ActionId,
    pub(crate) slots: Vec<Slot>,
    pub(crate) started: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Use {
    pub(crate) amount: u64,
    pub(crate) running: u32,
}

/// How a gang must lie: `full` nodes with `chunk` tasks each, and one with the `rest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lay {
    pub(crate) chunk: u64,
    pub(crate) full: u64,
    pub(crate) rest: u64,
}

impl Ledger {
    pub(crate) fn new(policy: Policy, metered: Metered) -> Self {
        Self {
            metered,
            policy,
            clock: Timestamp::MIN,
            nodes: BTreeMap::new(),
            gangs: BTreeMap::new(),
            queues: BTreeMap::new(),
            use_of: BTreeMap::new(),
            last_action: 0,
            last_seq: 0,
        }
    }

    /// Books an event, and tells whether it changes anything.
    pub(crate) fn hear(&mut self, event: &Event) -> bool {
        if event.seq <= self.last_seq {
            return false;
        }
        self.last_seq = event.seq;
        self.clock = self.clock.max(event.at);
        match &event.kind {
            EventKind::NodeAdded { node, spec } => {
                if self.nodes.contains_key(node) {
                    return false;
                }
                self.nodes.insert(*node, Book::empty(spec));
                true
            }
            EventKind::NodeLost { node } => {
                let known = self.stand(*node, Standing::Lost);
                let there = |gang: &Gang| gang.place.iter().flat_map(|p| &p.slots).any(|slot| slot.node == *node);
                let hit: Vec<WorkloadId> =
                    self.gangs.iter().filter(|(_, gang)| there(gang)).map(|(&id, _)| id).collect();
                hit.into_iter().for_each(|id| self.put_back(id));
                known
            }
            EventKind::NodeDrained { node } => self.stand(*node, Standing::Drained),
            EventKind::NodeReturned { node } => self.stand(*node, Standing::Up),
            EventKind::QueueSet { queue } => {
                self.queues.insert(queue.id, queue.clone());
                true
            }
            EventKind::PolicySet { policy } => {
                self.policy = policy.clone();
                true
            }
            EventKind::Submitted { workload } => {
                let new = !self.gangs.contains_key(&workload.id);
                if new {
                    let gang = Gang { workload: (**workload).clone(), eligible: self.clock, place: None };
                    self.gangs.insert(workload.id, gang);
                }
                new
            }
            EventKind::Withdrawn { workload } => {
                let waits = self.gangs.get(workload).is_some_and(|gang| gang.place.is_none());
                if waits {
                    self.gangs.remove(workload);
                }
                waits
            }
            EventKind::Started { action, workload } => match self.place_by(*workload, *action) {
                Some(place) if !place.started => {
                    place.started = true;
                    true
                }
                _ => false,
            },
            EventKind::StartFailed { action, workload } => {
                let counts = self.place_by(*workload, *action).is_some_and(|place| !place.started);
                if counts {
                    self.put_back(*workload);
                }
                counts
            }
            EventKind::Ended { action, workload, cause, .. } => {
                let counts = self.place_by(*workload, *action).is_some();
                if counts {
                    self.put_back(*workload);
                    if *cause != EndCause::Requeued {
                        self.gangs.remove(workload);
                    }
                }
                counts
            }
            EventKind::Evicted { action, workload } => {
                let counts = self.place_by(*workload, *action).is_some();
                if counts {
                    self.put_back(*workload);
                }
                counts
            }
            EventKind::Adopted { .. } => unreachable!("the simulation adopts only when it restarts an engine"),
        }
    }

    /// Books a start that was checked.
    pub(crate) fn book(&mut self, action: ActionId, workload: WorkloadId, slots: &[Slot]) {
        let request = self.gangs[&workload].workload.request;
        for slot in slots {
            self.nodes.get_mut(&slot.node).expect("the books hold what they counted").count(
                &request,
                slot,
                |booked, amount| *booked += amount,
            );
        }
        self.count_use(workload, |used, amount| {
            used.amount += amount;
            used.running += 1;
        });
        let place = Place { action, slots: slots.to_vec(), started: false };
        self.gangs.get_mut(&workload).expect("the books hold what they counted").place = Some(place);
        self.last_action = action.0;
    }

    /// A placed gang waits again.
    fn put_back(&mut self, id: WorkloadId) {
        let gang = self.gangs.get_mut(&id).expect("the books hold what they counted");
        let (place, request) = (gang.place.take().expect("the books hold what they counted"), gang.workload.request);
        for slot in &place.slots {
            self.nodes.get_mut(&slot.node).expect("the books hold what they counted").count(
                &request,
                slot,
                |booked, amount| *booked -= amount,
            );
        }
        self.count_use(id, |used, amount| {
            used.amount -= amount;
            used.running -= 1;
        });
    }

    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Gang> {
        self.gangs.values().filter(|gang| gang.place.is_none())
    }

    pub(crate) fn placed(&self) -> usize {
        self.gangs.values().filter(|gang| gang.place.is_some()).count()
    }

    pub(crate) fn action_of(&self, id: WorkloadId) -> Option<ActionId> {
        self.gangs.get(&id)?.place.as_ref().map(|place| place.action)
    }

    /// What a gang counts against quota and limits.
    pub(crate) fn metered(&self, workload: &Workload) -> u64 {
        let tasks = u64::from(workload.tasks);
        match self.metered {
            Metered::Devices => workload.request.devices.0 * tasks,
            Metered::Cores => workload.request.cpu.0 * tasks,
        }
    }

    /// Nodes that may ever take a task of this gang, whatever becomes of them in between.
    pub(crate) fn eligible<'a>(&'a self, workload: &'a Workload) -> impl Iterator<Item = (NodeId, &'a Book)> {
        let nodes = self.nodes.iter().map(|(&id, book)| (id, book));
        nodes.filter(|(_, book)| book.admits(workload) && book.room_empty(&workload.request) > 0)
    }

    /// How a gang must lie on these nodes: the largest eligible node says how much lies together.
    pub(crate) fn lay(&self, workload: &Workload) -> Option<Lay> {
        let tasks = u64::from(workload.tasks);
        let most = self.eligible(workload).map(|(_, book)| book.room_empty(&workload.request)).max()?.min(tasks);
        let chunk = if workload.spread == Spread::Packed { most } else { 1 };
        Some(Lay { chunk, full: tasks / chunk, rest: tasks % chunk })
    }

    /// Whether the whole gang fits on what is free now.
    pub(crate) fn fits(&self, workload: &Workload) -> bool {
        self.fits_by(workload, |book| book.room(&workload.request))
    }

    /// Whether it would fit if nothing ran.
    pub(crate) fn fits_empty(&self, workload: &Workload) -> bool {
        self.fits_by(workload, |book| book.room_empty(&workload.request))
    }

    /// All tasks are alike, so counting is exact: no search over subsets of nodes is needed.
    fn fits_by(&self, workload: &Workload, room: impl Fn(&Book) -> u64) -> bool {
        let Some(lay) = self.lay(workload) else { return false };
        let tasks = u64::from(workload.tasks);
        let rooms = self.eligible(workload).filter(|(_, book)| book.standing == Standing::Up);
        let rooms: Vec<u64> = rooms.map(|(_, book)| room(book)).collect();
        let with = |least: u64| rooms.iter().filter(|&&room| room >= least).count() as u64;
        match workload.spread {
            Spread::Any => rooms.iter().map(|room| (*room).min(tasks)).sum::<u64>() >= tasks,
            Spread::OnePerNode => with(1) >= tasks,
            Spread::Packed => with(lay.chunk) >= lay.full && (lay.rest == 0 || with(lay.rest) > lay.full),
        }
    }

    fn stand(&mut self, node: NodeId, standing: Standing) -> bool {
        let Some(book) = self.nodes.get_mut(&node) else { return false };
        book.standing = standing;
        true
    }

    fn place_by(&mut self, id: WorkloadId, action: ActionId) -> Option<&mut Place> {
        self.gangs.get_mut(&id)?.place.as_mut().filter(|place| place.action == action)
    }

    fn count_use(&mut self, id: WorkloadId, count: impl Fn(&mut Use, u64)) {
        let workload = &self.gangs[&id].workload;
        let (queue, user, amount) = (workload.queue, workload.user, self.metered(workload));
        count(self.use_of.entry((queue, None)).or_default(), amount);
        if user.is_some() {
            count(self.use_of.entry((queue, user)).or_default(), amount);
        }
    }
}

impl Book {
    fn empty(spec: &Node) -> Self {
        let devices = vec![0; spec.devices as usize];
        Self { spec: spec.clone(), standing: Standing::Up, cpu: 0, memory: 0, devices }
    }

    pub(crate) fn admits(&self, workload: &Workload) -> bool {
        let constraint = &workload.constraint;
        let pool = constraint.pools.is_empty() || constraint.pools.iter().any(|pool| self.spec.pools.contains(pool));
        let model = constraint.models.is_empty() || constraint.models.iter().any(|m| self.spec.model == Some(*m));
        pool && model
    }

    /// How many tasks fit beside what is booked.
    pub(crate) fn room(&self, request: &Resources) -> u64 {
        let asked = request.devices.0;
        let devices = if asked == 0 {
            u64::MAX
        } else if asked < WHOLE {
            self.devices.iter().map(|used| (WHOLE - used) / asked).sum()
        } else {
            self.devices.iter().filter(|&&used| used == 0).count() as u64 / (asked / WHOLE)
        };
        let times = |free: u64, asked: u64| free.checked_div(asked).unwrap_or(u64::MAX);
        let cpu = times(self.spec.cpu.0 - self.cpu, request.cpu.0);
        let memory = times(self.spec.memory.0 - self.memory, request.memory.0);
        devices.min(cpu).min(memory)
    }

    pub(crate) fn room_empty(&self, request: &Resources) -> u64 {
        Self::empty(&self.spec).room(request)
    }

    pub(crate) fn count(&mut self, request: &Resources, slot: &Slot, count: impl Fn(&mut u64, u64)) {
        count(&mut self.cpu, request.cpu.0 * u64::from(slot.tasks));
        count(&mut self.memory, request.memory.0 * u64::from(slot.tasks));
        let each = request.devices.0.min(WHOLE);
        for (index, used) in self.devices.iter_mut().enumerate() {
            if slot.devices >> index & 1 == 1 {
                count(used, each);
            }
        }
    }
}

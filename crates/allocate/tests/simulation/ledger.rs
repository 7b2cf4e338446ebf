//! Independent books: who waits, who holds what, worked out from events and actions alone, never by asking the engine.
//!
//! Written for plainness: resources are counted device by device, fits are worked out node by node. What is asked for again and
//! again is worked out once for each kind of node and each state of the books, or a million events would take an hour.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fleet::action::Slot;
use fleet::event::{EndCause, Event, EventKind};
use fleet::ids::{ActionId, NodeId, QueueId, UserId, WorkloadId};
use fleet::node::{Node, Resources};
use fleet::policy::Policy;
use fleet::queue::{Metered, Queue};
use fleet::time::Timestamp;
use fleet::workload::{Constraint, Spread, Workload};

/// One device, in thousandths.
const WHOLE: u64 = 1_000;

/// What each queue, and each user of a queue, has running.
pub(crate) type Uses = BTreeMap<(QueueId, Option<UserId>), Use>;

/// The books.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) metered: Metered,
    pub(crate) policy: Policy,
    pub(crate) clock: Timestamp,
    pub(crate) nodes: BTreeMap<NodeId, Book>,
    pub(crate) gangs: BTreeMap<WorkloadId, Gang>,
    pub(crate) queues: BTreeMap<QueueId, Queue>,
    pub(crate) use_of: Uses,
    pub(crate) last_action: u64,
    last_seq: u64,
    /// Every specification a node ever had.
    kinds: Vec<Node>,
    forms: Vec<Form>,
    form_of: BTreeMap<Ask, usize>,
    /// Rises with everything that can change who fits.
    version: u64,
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
    kind: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Up,
    Drained,
    Lost,
}

#[derive(Clone, Debug)]
pub(crate) struct Gang {
    pub(crate) workload: Rc<Workload>,
    pub(crate) eligible: Timestamp,
    pub(crate) place: Option<Place>,
    /// All that ask the same have the same.
    pub(crate) form: usize,
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

/// What decides whether and where a gang fits.
type Ask = (Resources, u32, Spread, Constraint);

/// What is known of all gangs that ask the same.
#[derive(Clone, Debug)]
struct Form {
    ask: Ask,
    /// By kind of node: how many tasks an empty one takes.
    rooms: Vec<u64>,
    lay: Option<Lay>,
    /// As of a version of the books.
    fits: Cell<(u64, bool)>,
    fits_empty: Cell<(u64, bool)>,
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
            kinds: Vec::new(),
            forms: Vec::new(),
            form_of: BTreeMap::new(),
            version: 1,
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
                self.add(*node, spec);
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
                    let form = self.form(workload);
                    let workload = Rc::new((**workload).clone());
                    let gang = Gang { workload, eligible: self.clock, place: None, form };
                    self.gangs.insert(gang.workload.id, gang);
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
            EventKind::Started { action, workload, .. } => match self.place_by(*workload, *action) {
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
            EventKind::Adopted { .. } | EventKind::Recalled { .. } => {
                unreachable!("the simulation adopts and recalls only when it restarts an engine")
            }
        }
    }

    /// Books one slot of a start.
    pub(crate) fn book_slot(&mut self, request: &Resources, slot: &Slot) {
        self.version += 1;
        let book = self.nodes.get_mut(&slot.node).expect("the books hold what they counted");
        book.count(request, slot, |booked, amount| *booked += amount);
    }

    /// Books a start whose slots are checked and booked.
    pub(crate) fn book_start(&mut self, action: ActionId, workload: WorkloadId, slots: &[Slot]) {
        let gang = self.gangs.get_mut(&workload).expect("the books hold what they counted");
        gang.place = Some(Place { action, slots: slots.to_vec(), started: false });
        add_use(&mut self.use_of, &gang.workload, self.metered);
        self.last_action = action.0;
    }

    /// A placed gang waits again.
    fn put_back(&mut self, id: WorkloadId) {
        self.version += 1;
        let gang = self.gangs.get_mut(&id).expect("the books hold what they counted");
        let place = gang.place.take().expect("the books hold what they counted");
        for slot in &place.slots {
            let book = self.nodes.get_mut(&slot.node).expect("the books hold what they counted");
            book.count(&gang.workload.request, slot, |booked, amount| *booked -= amount);
        }
        let amount = metered(&gang.workload, self.metered);
        for key in use_keys(&gang.workload) {
            let used = self.use_of.get_mut(&key).expect("what is given back was taken");
            used.amount -= amount;
            used.running -= 1;
        }
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

    /// The form of a workload, made if it is new.
    fn form(&mut self, workload: &Workload) -> usize {
        let ask = (workload.request, workload.tasks, workload.spread, workload.constraint.clone());
        if let Some(&form) = self.form_of.get(&ask) {
            return form;
        }
        let mut form = Form {
            ask: ask.clone(),
            rooms: Vec::new(),
            lay: None,
            fits: Cell::new((0, false)),
            fits_empty: Cell::new((0, false)),
        };
        form.look_at(&self.kinds);
        self.forms.push(form);
        self.form_of.insert(ask, self.forms.len() - 1);
        self.forms.len() - 1
    }

    fn add(&mut self, node: NodeId, spec: &Node) {
        self.version += 1;
        let kind = self.kinds.iter().position(|kind| kind == spec).unwrap_or_else(|| {
            self.kinds.push(spec.clone());
            self.forms.iter_mut().for_each(|form| form.look_at(&self.kinds));
            self.kinds.len() - 1
        });
        self.nodes.insert(node, Book::empty(spec, kind));
    }

    /// How a gang must lie on these nodes: the largest eligible node says how much lies together.
    pub(crate) fn lay(&self, form: usize) -> Option<Lay> {
        self.forms[form].lay
    }

    /// Whether a node may ever take a task of this form, whatever becomes of it in between.
    pub(crate) fn may_lie(&self, form: usize, book: &Book) -> bool {
        self.forms[form].rooms[book.kind] > 0
    }

    /// Whether some node that is up may take tasks of both.
    pub(crate) fn share_nodes(&self, one: usize, other: usize) -> bool {
        let mut up = self.nodes.values().filter(|book| book.standing == Standing::Up);
        up.any(|book| self.may_lie(one, book) && self.may_lie(other, book))
    }

    /// Whether the whole gang fits on what is free now.
    pub(crate) fn fits(&self, form: usize) -> bool {
        let known = &self.forms[form];
        if known.fits.get().0 != self.version {
            let fits = self.fits_on(form, |_| true);
            known.fits.set((self.version, fits));
        }
        known.fits.get().1
    }

    /// Whether the whole gang fits on what is free now of these nodes.
    pub(crate) fn fits_on(&self, form: usize, among: impl Fn(NodeId) -> bool) -> bool {
        let request = self.forms[form].ask.0;
        self.fits_by(form, |node, book| if among(node) { book.room(&request) } else { 0 })
    }

    /// Whether it would fit on these nodes if nothing ran there.
    pub(crate) fn fits_empty_on(&self, form: usize, among: impl Fn(NodeId) -> bool) -> bool {
        let rooms = &self.forms[form].rooms;
        self.fits_by(form, |node, book| if among(node) { rooms[book.kind] } else { 0 })
    }

    /// Whether it would fit if nothing ran.
    pub(crate) fn fits_empty(&self, form: usize) -> bool {
        let known = &self.forms[form];
        if known.fits_empty.get().0 != self.version {
            let fits = self.fits_by(form, |_, book| known.rooms[book.kind]);
            known.fits_empty.set((self.version, fits));
        }
        known.fits_empty.get().1
    }

    /// All tasks are alike, so counting is exact: no search over subsets of nodes is needed.
    fn fits_by(&self, form: usize, room: impl Fn(NodeId, &Book) -> u64) -> bool {
        let form = &self.forms[form];
        let Some(lay) = form.lay else { return false };
        let (tasks, spread) = (u64::from(form.ask.1), form.ask.2);
        let (mut sum, mut one, mut chunk, mut rest) = (0, 0, 0, 0);
        for (&node, book) in &self.nodes {
            if book.standing == Standing::Up && form.rooms[book.kind] > 0 {
                let room = room(node, book);
                sum += room.min(tasks);
                one += u64::from(room >= 1);
                chunk += u64::from(room >= lay.chunk);
                rest += u64::from(room >= lay.rest);
            }
        }
        match spread {
            Spread::Any => sum >= tasks,
            Spread::OnePerNode => one >= tasks,
            Spread::Packed => chunk >= lay.full && (lay.rest == 0 || rest > lay.full),
        }
    }

    fn stand(&mut self, node: NodeId, standing: Standing) -> bool {
        self.version += 1;
        let Some(book) = self.nodes.get_mut(&node) else { return false };
        book.standing = standing;
        true
    }

    fn place_by(&mut self, id: WorkloadId, action: ActionId) -> Option<&mut Place> {
        self.gangs.get_mut(&id)?.place.as_mut().filter(|place| place.action == action)
    }
}

/// What a gang counts against quota and limits.
pub(crate) fn metered(workload: &Workload, metered: Metered) -> u64 {
    let tasks = u64::from(workload.tasks);
    match metered {
        Metered::Devices => workload.request.devices.0 * tasks,
        Metered::Cores => workload.request.cpu.0 * tasks,
    }
}

/// Under what a gang's use is counted: its queue, and its user there.
pub(crate) fn use_keys(workload: &Workload) -> impl Iterator<Item = (QueueId, Option<UserId>)> {
    let queue = workload.queue;
    std::iter::once((queue, None)).chain(workload.user.map(|user| (queue, Some(user))))
}

/// Counts a start.
pub(crate) fn add_use(uses: &mut Uses, workload: &Workload, by: Metered) {
    let amount = metered(workload, by);
    for key in use_keys(workload) {
        let used = uses.entry(key).or_default();
        used.amount += amount;
        used.running += 1;
    }
}

impl Form {
    /// Works out where it may lie, and how.
    fn look_at(&mut self, kinds: &[Node]) {
        let (request, tasks, spread, constraint) = &self.ask;
        let room = |kind: &Node| if admits(kind, constraint) { Book::empty(kind, 0).room(request) } else { 0 };
        self.rooms = kinds.iter().map(room).collect();
        let tasks = u64::from(*tasks);
        let most = self.rooms.iter().copied().max().unwrap_or(0).min(tasks);
        let chunk = if *spread == Spread::Packed { most } else { 1 };
        self.lay = (most > 0).then(|| Lay { chunk, full: tasks / chunk, rest: tasks % chunk });
    }
}

fn admits(spec: &Node, constraint: &Constraint) -> bool {
    let pool = constraint.pools.is_empty() || constraint.pools.iter().any(|pool| spec.pools.contains(pool));
    let model = constraint.models.is_empty() || constraint.models.iter().any(|m| spec.model == Some(*m));
    pool && model
}

impl Book {
    fn empty(spec: &Node, kind: usize) -> Self {
        let devices = vec![0; spec.devices as usize];
        Self { spec: spec.clone(), standing: Standing::Up, cpu: 0, memory: 0, devices, kind }
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

    fn count(&mut self, request: &Resources, slot: &Slot, count: impl Fn(&mut u64, u64)) {
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

//! What must never happen, each a check with a name, judged by the books alone.

use std::collections::BTreeSet;
use std::fmt;

use fleet::action::{Action, ActionKind, Decision, Slot};
use fleet::ids::WorkloadId;
use fleet::policy::Order;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::{Spread, Workload};

use crate::ledger::{Gang, Ledger, Standing};

/// By how much one workload may go ahead of another of the same tier and priority that became eligible earlier, under
/// `trimtab`, where it takes room the other could use.
const OVERTAKE_MAX: Millis = Millis::hours(24);

/// What happened that must never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Which check saw it.
    pub(crate) check: &'static str,
    /// What was seen.
    pub(crate) seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.seen)
    }
}

pub(crate) fn ensure(holds: bool, check: &'static str, seen: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { check, seen: seen() }) }
}

/// How closely a decision is looked at. Order is costly to check on large clusters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Resources,
    AndOrder,
}

/// Checks a decision action by action, and books it.
pub(crate) fn decision(
    ledger: &mut Ledger,
    decision: &Decision,
    complete: bool,
    depth: Depth,
) -> Result<(), Violation> {
    let before = (depth == Depth::AndOrder).then(|| ledger.clone());
    let started: BTreeSet<WorkloadId> = decision.actions.iter().map(|action| parts(action).0).collect();
    // An unfinished decision may start those that wait in its next part.
    let line = before.as_ref().filter(|_| complete).map(|before| Line::after(before, decision, &started));
    for action in &decision.actions {
        let (id, slots) = parts(action);
        ensure(action.id.0 > ledger.last_action, "an action has an id of its own", || format!("{action:?}"))?;
        let gang = ledger.gangs.get(&id).filter(|gang| gang.place.is_none());
        let Some(gang) = gang.cloned() else {
            let seen = format!("{action:?} starts what does not wait");
            return Err(Violation { check: "no workload is doubled", seen });
        };
        whole(ledger, &gang.workload, slots)?;
        room(ledger, &gang.workload, slots)?;
        limits(ledger, &gang.workload)?;
        if let Some(line) = &line {
            line.goes_ahead(ledger, &gang)?;
        }
        ledger.book(action.id, id, slots);
    }
    line.map_or(Ok(()), |line| line.rests(ledger))
}

pub(crate) fn parts(action: &Action) -> (WorkloadId, &[Slot]) {
    let ActionKind::Start { workload, slots } = &action.kind;
    (*workload, slots)
}

/// A gang starts whole, where it may, as it may lie.
fn whole(ledger: &Ledger, workload: &Workload, slots: &[Slot]) -> Result<(), Violation> {
    let seen = || format!("{workload:?} on {slots:?}");
    let tasks: u64 = slots.iter().map(|slot| u64::from(slot.tasks)).sum();
    ensure(tasks == u64::from(workload.tasks), "a gang starts whole", seen)?;
    ensure(slots.iter().all(|slot| slot.tasks > 0), "a gang starts whole", seen)?;
    let lay = ledger.lay(workload).ok_or_else(|| Violation { check: "a gang starts where it may", seen: seen() })?;
    let mut by_node = std::collections::BTreeMap::new();
    for slot in slots {
        let book = ledger.nodes.get(&slot.node);
        ensure(book.is_some_and(|book| book.admits(workload)), "a gang starts where it may", seen)?;
        let up = book.is_some_and(|book| book.standing == Standing::Up);
        ensure(up, "nothing starts on a node that is drained or lost", seen)?;
        *by_node.entry(slot.node).or_insert(0) += u64::from(slot.tasks);
    }
    let lies_well = match workload.spread {
        Spread::Any => true,
        Spread::OnePerNode => by_node.values().all(|&tasks| tasks == 1),
        Spread::Packed => {
            let full = by_node.values().filter(|&&tasks| tasks == lay.chunk).count() as u64;
            let rest = by_node.values().filter(|&&tasks| tasks != lay.chunk).copied().collect::<Vec<_>>();
            full == lay.full && rest == Vec::from_iter((lay.rest > 0).then_some(lay.rest))
        }
    };
    ensure(lies_well, "a gang lies as it asked to", || format!("{} should lie {lay:?}", seen()))
}

/// Nothing is promised twice: not a core, not a byte, not a thousandth of a device.
fn room(ledger: &Ledger, workload: &Workload, slots: &[Slot]) -> Result<(), Violation> {
    let request = workload.request;
    let asked = request.devices.0;
    let mut trial = ledger.nodes.clone();
    for slot in slots {
        let book = trial.get_mut(&slot.node).expect("checked to be there");
        let seen = || format!("{workload:?} takes {slot:?} of {book:?}");
        let named = u64::from(slot.devices.count_ones());
        let names_well = match asked {
            0 => named == 0,
            1..1_000 => named == 1 && slot.tasks == 1,
            _ => named == asked / 1_000 * u64::from(slot.tasks),
        };
        ensure(names_well, "a slot names the devices it takes", seen)?;
        let known = slot.devices.checked_shr(book.spec.devices).unwrap_or(0) == 0;
        ensure(known, "a slot names the devices it takes", seen)?;
        let each = asked.min(1_000);
        let free = (0..book.devices.len()).filter(|index| slot.devices >> index & 1 == 1);
        let free = free.map(|index| book.devices[index]).all(|used| used + each <= 1_000);
        ensure(free, "no device is promised twice", seen)?;
        let cpu = book.cpu + request.cpu.0 * u64::from(slot.tasks);
        ensure(cpu <= book.spec.cpu.0 || request.cpu.0 == 0, "no core is promised twice", seen)?;
        let memory = book.memory + request.memory.0 * u64::from(slot.tasks);
        ensure(memory <= book.spec.memory.0 || request.memory.0 == 0, "no byte is promised twice", seen)?;
        book.count(&request, slot, |booked, amount| *booked += amount);
    }
    Ok(())
}

/// No rule of a queue is passed by a start.
fn limits(ledger: &Ledger, workload: &Workload) -> Result<(), Violation> {
    ensure(within_limits(ledger, workload), "no limit is passed", || {
        format!("{workload:?} under {:?} beside {:?}", ledger.queues.get(&workload.queue), ledger.use_of)
    })
}

pub(crate) fn within_limits(ledger: &Ledger, workload: &Workload) -> bool {
    let Some(rules) = ledger.queues.get(&workload.queue) else { return true };
    let amount = ledger.metered(workload);
    let of = |user| ledger.use_of.get(&(workload.queue, user)).copied().unwrap_or_default();
    let (queue, user) = (of(None), if workload.user.is_some() { of(workload.user) } else { Default::default() });
    rules.limit.is_none_or(|limit| queue.amount + amount <= limit.0)
        && rules.limit_running.is_none_or(|limit| queue.running < limit)
        && rules.limit_per_user.is_none_or(|limit| user.amount + amount <= limit.0)
        && rules.limit_running_per_user.is_none_or(|limit| user.running < limit)
}

fn borrows(ledger: &Ledger, workload: &Workload) -> bool {
    let quota = ledger.queues.get(&workload.queue).and_then(|rules| rules.quota);
    let used = ledger.use_of.get(&(workload.queue, None)).copied().unwrap_or_default().amount;
    quota.is_some_and(|quota| used + ledger.metered(workload) > quota.0)
}

/// Those whom a decision left waiting, and what may excuse that.
struct Line {
    order: Order,
    /// Within limits even after the decision.
    left: Vec<Waiter>,
    /// Could have stood in the way: within limits before it.
    ahead: Vec<Waiter>,
}

#[derive(Clone, Debug)]
struct Waiter {
    gang: Gang,
    /// Borrows even before the decision; so it does all through it.
    borrows_before: bool,
    /// Borrows after it; who does not then, did not all through it.
    borrows_after: bool,
    priority: (i32, i32),
}

impl Line {
    fn after(before: &Ledger, decision: &Decision, started: &BTreeSet<WorkloadId>) -> Self {
        let mut after = before.clone();
        for action in &decision.actions {
            let (id, slots) = parts(action);
            // Malformed actions are found where they are checked one by one.
            let sound = slots.iter().all(|slot| after.nodes.contains_key(&slot.node));
            if sound && after.gangs.get(&id).is_some_and(|gang| gang.place.is_none()) {
                after.book(action.id, id, slots);
            }
        }
        let waiters: Vec<Waiter> = before
            .waiting()
            .filter(|gang| !started.contains(&gang.workload.id))
            .map(|gang| Waiter {
                gang: gang.clone(),
                borrows_before: borrows(before, &gang.workload),
                borrows_after: borrows(&after, &gang.workload),
                priority: priority(before, &gang.workload),
            })
            .collect();
        let within = |ledger: &Ledger| -> Vec<Waiter> {
            waiters.iter().filter(|waiter| within_limits(ledger, &waiter.gang.workload)).cloned().collect()
        };
        Self { order: before.policy.order, left: within(&after), ahead: within(before) }
    }

    /// Before a gang is booked: nobody is passed by it who had to come first and could have had the room.
    fn goes_ahead(&self, ledger: &Ledger, gang: &Gang) -> Result<(), Violation> {
        let borrowing = borrows(ledger, &gang.workload);
        let goer = Waiter {
            gang: gang.clone(),
            borrows_before: borrowing,
            borrows_after: borrowing,
            priority: priority(ledger, &gang.workload),
        };
        for waiter in self.left.iter().filter(|waiter| self.surely_before(waiter, &goer)) {
            if self.left_without_cause(ledger, waiter) {
                let check = if borrowing && !waiter.borrows_after {
                    "no queue is held under its quota by borrowers"
                } else {
                    "nobody is overtaken beyond the bound"
                };
                let seen = format!("{gang:?} starts, {waiter:?} waits though it fits");
                return Err(Violation { check, seen });
            }
        }
        Ok(())
    }

    /// After all are booked: nobody is left who fits, unless someone before them waits for room.
    fn rests(&self, ledger: &Ledger) -> Result<(), Violation> {
        for waiter in &self.left {
            ensure(!self.left_without_cause(ledger, waiter), "who is first and fits starts", || {
                format!("{waiter:?} waits under {:?}", ledger.policy)
            })?;
        }
        Ok(())
    }

    /// It fits, and nobody who may come before it waits for room on the same nodes.
    fn left_without_cause(&self, ledger: &Ledger, waiter: &Waiter) -> bool {
        let workload = &waiter.gang.workload;
        ledger.fits(workload)
            && !self.ahead.iter().any(|other| {
                let ahead = &other.gang.workload;
                ahead.id != workload.id
                    && !self.surely_before(waiter, other)
                    && !ledger.fits(ahead)
                    && ledger.fits_empty(ahead)
                    && ledger.eligible(ahead).any(|(_, book)| {
                        book.standing == Standing::Up && book.admits(workload) && book.room_empty(&workload.request) > 0
                    })
            })
    }

    /// Whether `first` comes before `second` whatever the engine has learnt.
    fn surely_before(&self, first: &Waiter, second: &Waiter) -> bool {
        if !first.borrows_after && second.borrows_before {
            return true;
        }
        let same_tier = !first.borrows_after || second.borrows_before;
        if !same_tier || first.priority != second.priority {
            return same_tier && first.priority > second.priority;
        }
        let key = |waiter: &Waiter| (waiter.gang.eligible, waiter.gang.workload.id);
        match self.order {
            Order::Fifo | Order::Backfill => key(first) < key(second),
            Order::Trimtab => later(first.gang.eligible) < second.gang.eligible,
        }
    }
}

fn later(eligible: Timestamp) -> Timestamp {
    eligible + OVERTAKE_MAX
}

fn priority(ledger: &Ledger, workload: &Workload) -> (i32, i32) {
    (ledger.queues.get(&workload.queue).map_or(0, |rules| rules.priority), workload.priority)
}

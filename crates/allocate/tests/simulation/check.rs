//! What must never happen in a decision, each a check with a name, judged by the books. Of the engine only its actions are
//! believed, and for whom it says that room is kept: that is held against the books like the rest.

use std::fmt;

use allocate::Kept;
use fleet::action::{Action, ActionKind, Decision, Slot};
use fleet::ids::WorkloadId;
use fleet::time::Timestamp;
use fleet::workload::{Spread, Workload};

use crate::ledger::{Ledger, Standing, Uses, metered, use_keys};
use crate::line::{Line, passes_its_like};

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

/// A decision, and what is to be known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decided<'a> {
    pub(crate) decision: &'a Decision,
    pub(crate) now: Timestamp,
    /// An unfinished decision may start those that wait in its next part.
    pub(crate) complete: bool,
    /// For whom room is kept after it.
    pub(crate) kept: &'a [Kept],
}

/// Checks a decision action by action, and books it.
pub(crate) fn decision(ledger: &mut Ledger, decided: Decided, depth: Depth) -> Result<(), Violation> {
    let decision = decided.decision;
    kept_well(ledger, decided)?;
    let line = (depth == Depth::AndOrder && decided.complete).then(|| Line::after(ledger, decision));
    for action in &decision.actions {
        let (id, slots) = parts(action);
        ensure(action.id.0 > ledger.last_action, "an action has an id of its own", || format!("{action:?}"))?;
        let gang = ledger.gangs.get(&id).filter(|gang| gang.place.is_none());
        let Some(gang) = gang.cloned() else {
            let seen = format!("{action:?} starts what does not wait");
            return Err(Violation { check: "no workload is doubled", seen });
        };
        whole(ledger, &gang.workload, gang.form, slots)?;
        limits(ledger, &gang.workload)?;
        passes_its_like(ledger, &gang, decision)?;
        if let Some(line) = &line {
            line.goes_ahead(ledger, &gang, decided.kept)?;
        }
        room(ledger, &gang.workload, slots)?;
        ledger.book_start(action.id, id, slots);
    }
    line.map_or(Ok(()), |line| line.rests(ledger, decided))
}

pub(crate) fn parts(action: &Action) -> (WorkloadId, &[Slot]) {
    let ActionKind::Start { workload, slots } = &action.kind;
    (*workload, slots)
}

/// A gang starts whole, where it may, as it may lie.
fn whole(ledger: &Ledger, workload: &Workload, form: usize, slots: &[Slot]) -> Result<(), Violation> {
    let seen = || format!("{workload:?} on {slots:?}");
    let tasks: u64 = slots.iter().map(|slot| u64::from(slot.tasks)).sum();
    ensure(tasks == u64::from(workload.tasks), "a gang starts whole", seen)?;
    ensure(slots.iter().all(|slot| slot.tasks > 0), "a gang starts whole", seen)?;
    let lay = ledger.lay(form).ok_or_else(|| Violation { check: "a gang starts where it may", seen: seen() })?;
    let mut by_node = std::collections::BTreeMap::new();
    for slot in slots {
        let book = ledger.nodes.get(&slot.node);
        ensure(book.is_some_and(|book| ledger.may_lie(form, book)), "a gang starts where it may", seen)?;
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

/// Nothing is promised twice: not a core, not a byte, not a thousandth of a device. Books what it checked.
fn room(ledger: &mut Ledger, workload: &Workload, slots: &[Slot]) -> Result<(), Violation> {
    let request = workload.request;
    let asked = request.devices.0;
    for slot in slots {
        let book = &ledger.nodes[&slot.node];
        let seen = || format!("{workload:?} takes {slot:?} of {book:?}");
        let named = u64::from(slot.devices.count_ones());
        let names_well = match asked {
            0 => named == 0,
            1..1_000 => named == 1 && slot.tasks == 1,
            _ => named * 1_000 == asked * u64::from(slot.tasks),
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
        ledger.book_slot(&request, slot);
    }
    Ok(())
}

/// No rule of a queue is passed by a start.
fn limits(ledger: &Ledger, workload: &Workload) -> Result<(), Violation> {
    ensure(within_limits(ledger, &ledger.use_of, workload), "no limit is passed", || {
        format!("{workload:?} under {:?} beside {:?}", ledger.queues.get(&workload.queue), ledger.use_of)
    })
}

pub(crate) fn within_limits(ledger: &Ledger, uses: &Uses, workload: &Workload) -> bool {
    let Some(rules) = ledger.queues.get(&workload.queue) else { return true };
    let amount = metered(workload, ledger.metered);
    let mut used = use_keys(workload).map(|key| uses.get(&key).copied().unwrap_or_default());
    let queue = used.next().expect("a workload has a queue");
    let user = used.next().unwrap_or_default();
    rules.limit.is_none_or(|limit| queue.amount + amount <= limit.0)
        && rules.limit_running.is_none_or(|limit| queue.running < limit)
        && rules.limit_per_user.is_none_or(|limit| user.amount + amount <= limit.0)
        && rules.limit_running_per_user.is_none_or(|limit| user.running < limit)
}

/// Room is kept for those who wait, on nodes where they may lie, for one gang a node.
fn kept_well(ledger: &Ledger, decided: Decided) -> Result<(), Violation> {
    let check = "room is kept for who waits, where it may lie, for one gang a node";
    let mut nodes = std::collections::BTreeSet::new();
    for kept in decided.kept {
        let gang = ledger.gangs.get(&kept.workload).filter(|gang| gang.place.is_none());
        let Some(gang) = gang else { return Err(Violation { check, seen: format!("{kept:?} is kept for nobody") }) };
        let may = |book: &crate::ledger::Book| book.standing == Standing::Up && ledger.may_lie(gang.form, book);
        let sound = kept.nodes.iter().all(|node| ledger.nodes.get(node).is_some_and(may));
        let alone = kept.nodes.iter().all(|&node| nodes.insert(node));
        let enough = ledger.fits_empty_on(gang.form, |node| kept.nodes.contains(&node));
        ensure(sound && alone && enough, check, || format!("{kept:?} for {gang:?}"))?;
    }
    Ok(())
}

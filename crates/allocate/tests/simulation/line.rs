//! Who comes before whom, and who was left waiting without a cause.

use std::collections::BTreeSet;
use std::rc::Rc;

use allocate::{ALLOWANCE_MAX, Kept};
use fleet::action::Decision;
use fleet::ids::WorkloadId;
use fleet::policy::Order;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use crate::check::{Decided, Violation, ensure, parts, within_limits};
use crate::ledger::{Gang, Ledger, Uses, add_use, metered};

/// By how much one workload may go ahead of another that asks the same in the same queue and became eligible earlier.
fn overtake_max(order: Order) -> Millis {
    if order == Order::Trimtab { ALLOWANCE_MAX } else { Millis::ZERO }
}

/// The bound on overtaking to the letter: whoever asks the same in the same queue goes in turn, up to the bound.
pub(crate) fn passes_its_like(ledger: &Ledger, gang: &Gang, decision: &Decision) -> Result<(), Violation> {
    let bound = overtake_max(ledger.policy.order);
    let rules = ledger.queues.get(&gang.workload.queue);
    let by_user = rules.is_some_and(|q| q.limit_per_user.is_some() || q.limit_running_per_user.is_some());
    let limit = |workload: &Workload| workload.time_limit.unwrap_or(Millis(i64::MAX));
    // Backfill lets those ahead that are gone earlier.
    let gone_earlier =
        |other: &Workload| ledger.policy.order == Order::Backfill && limit(&gang.workload) < limit(other);
    let about = |workload: &Workload| (workload.queue, workload.priority, workload.user.filter(|_| by_user));
    let mut passed = ledger.waiting().filter(|other| {
        other.form == gang.form
            && other.eligible + bound < gang.eligible
            && about(&other.workload) == about(&gang.workload)
            && !gone_earlier(&other.workload)
            && !decision.actions.iter().any(|action| parts(action).0 == other.workload.id)
    });
    passed.next().map_or(Ok(()), |other| {
        let seen = format!("{gang:?} starts before {other:?}");
        Err(Violation { check: "nobody is overtaken beyond the bound by who asks the same", seen })
    })
}

/// Those whom a decision left waiting, and what may excuse that.
pub(crate) struct Line {
    order: Order,
    /// Within limits even after the decision.
    left: Vec<Waiter>,
    /// Could have stood in the way: within limits before it.
    ahead: Vec<Waiter>,
}

#[derive(Clone, Debug)]
struct Waiter {
    workload: Rc<Workload>,
    form: usize,
    eligible: Timestamp,
    /// Borrows even before the decision; so it does all through it.
    borrows_before: bool,
    /// Borrows after it; who does not then, did not all through it.
    borrows_after: bool,
    priority: (i32, i32),
}

impl Line {
    /// The line as a decision leaves it, which is not booked yet.
    pub(crate) fn after(ledger: &Ledger, decision: &Decision) -> Self {
        let started: BTreeSet<WorkloadId> = decision.actions.iter().map(|action| parts(action).0).collect();
        let mut after = ledger.use_of.clone();
        for gang in started.iter().filter_map(|id| ledger.gangs.get(id)) {
            add_use(&mut after, &gang.workload, ledger.metered);
        }
        let left_over = ledger.waiting().filter(|gang| !started.contains(&gang.workload.id));
        let waiters: Vec<Waiter> = left_over
            .map(|gang| Waiter {
                borrows_before: borrows(ledger, &ledger.use_of, &gang.workload),
                borrows_after: borrows(ledger, &after, &gang.workload),
                ..Waiter::of(ledger, gang)
            })
            .collect();
        let within = |uses: &Uses| {
            waiters.iter().filter(|waiter| within_limits(ledger, uses, &waiter.workload)).cloned().collect()
        };
        Self { order: ledger.policy.order, left: within(&after), ahead: within(&ledger.use_of) }
    }

    /// Before a gang is booked: nobody is passed by it who had to come first and could have had the room.
    pub(crate) fn goes_ahead(&self, ledger: &Ledger, gang: &Gang, kept: &[Kept]) -> Result<(), Violation> {
        let goer = Waiter::of(ledger, gang);
        for waiter in self.left.iter().filter(|waiter| self.surely_before(waiter, &goer)) {
            if self.left_without_cause(ledger, waiter, kept) {
                let check = if goer.borrows_before && !waiter.borrows_after {
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

    /// After all are booked: nobody is left who fits, unless someone before them waits for room; and nobody who fits beside
    /// what is kept for those.
    pub(crate) fn rests(&self, ledger: &Ledger, decided: Decided) -> Result<(), Violation> {
        for waiter in self.left.iter().filter(|waiter| ledger.fits(waiter.form)) {
            let seen = || format!("{waiter:?} waits under {:?} beside {:?}", ledger.policy, decided.kept);
            ensure(!self.left_without_cause(ledger, waiter, decided.kept), "who is first and fits starts", seen)?;
            ensure(!self.fits_beside(ledger, waiter, decided), "who fits beside what is kept starts", seen)?;
        }
        Ok(())
    }

    /// It fits, and nobody who may come before it waits for room on the same nodes. (One for whom room is kept may fit as the
    /// nodes are, but on those that are kept for another; `fits_beside` sees to it that this excuses no more than that room.)
    fn left_without_cause(&self, ledger: &Ledger, waiter: &Waiter, kept: &[Kept]) -> bool {
        let waits_for_room = |other: &Waiter| {
            !ledger.fits(other.form) && ledger.fits_empty(other.form)
                || kept.iter().any(|kept| kept.workload == other.workload.id)
        };
        ledger.fits(waiter.form)
            && !self.ahead.iter().any(|other| {
                other.workload.id != waiter.workload.id
                    && !self.surely_before(waiter, other)
                    && waits_for_room(other)
                    && ledger.share_nodes(other.form, waiter.form)
            })
    }

    /// It fits on nodes that are kept for nobody, or for one who comes after it, or until after it is gone.
    fn fits_beside(&self, ledger: &Ledger, waiter: &Waiter, decided: Decided) -> bool {
        let between = self.order == Order::Backfill && ledger.policy.backfill_interval > Millis::ZERO;
        let planned = self.order == Order::Backfill && ledger.policy.backfill_plan.is_some();
        if self.order == Order::Fifo || planned || between && decided.kept.is_empty() {
            // Whoever does not fit holds up those behind; and for whom a plan keeps which nodes until when, it tells nobody.
            return false;
        }
        if self.order == Order::Backfill && ledger.policy.backfill_plan.is_some() {
            // A plan keeps whole nodes for many, for a while each, and looks at so many only: tests/plan.rs.
            return false;
        }
        let leaves_it = |kept: &Kept| {
            let gone = waiter.workload.time_limit.map(|limit| decided.now + limit);
            self.order == Order::Backfill && gone.is_some_and(|gone| gone <= kept.at)
        };
        let in_its_way = |kept: &&Kept| {
            let holder = self.ahead.iter().find(|other| other.workload.id == kept.workload);
            kept.workload != waiter.workload.id
                && !leaves_it(kept)
                && holder.is_some_and(|holder| !self.surely_before(waiter, holder))
        };
        let barred: BTreeSet<_> = decided.kept.iter().filter(in_its_way).flat_map(|kept| &kept.nodes).collect();
        ledger.fits_on(waiter.form, |node| !barred.contains(&node))
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
        match self.order {
            Order::Fifo | Order::Backfill => {
                (first.eligible, first.workload.id) < (second.eligible, second.workload.id)
            }
            // Across what is asked and by whom, what has been borrowed and how many nodes are needed decide too.
            Order::Trimtab => {
                let alike = first.form == second.form && first.workload.queue == second.workload.queue;
                alike && first.eligible + overtake_max(self.order) < second.eligible
            }
        }
    }
}

impl Waiter {
    /// As the books stand.
    fn of(ledger: &Ledger, gang: &Gang) -> Self {
        let borrowing = borrows(ledger, &ledger.use_of, &gang.workload);
        let queue = ledger.queues.get(&gang.workload.queue);
        Self {
            workload: Rc::clone(&gang.workload),
            form: gang.form,
            eligible: gang.eligible,
            borrows_before: borrowing,
            borrows_after: borrowing,
            priority: (queue.map_or(0, |rules| rules.priority), gang.workload.priority),
        }
    }
}

fn borrows(ledger: &Ledger, uses: &Uses, workload: &Workload) -> bool {
    let quota = ledger.queues.get(&workload.queue).and_then(|rules| rules.quota);
    let used = uses.get(&(workload.queue, None)).copied().unwrap_or_default().amount;
    quota.is_some_and(|quota| used + metered(workload, ledger.metered) > quota.0)
}

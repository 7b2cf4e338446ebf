//! What each queue and user has running, held against quota and limits.

use std::collections::BTreeMap;

use fleet::ids::{QueueId, UserId};
use fleet::quantity::MilliDevice;
use fleet::queue::Queue;

use crate::by_id::ById;

/// Which gangs come first: those within their queue's quota, then those that borrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// The queue stays within its quota.
    Owned,
    /// The queue passes its quota and uses what others leave.
    Borrowed,
}

/// Why a queue's rules keep a gang from starting, whatever is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// The queue would pass its limit.
    Queue,
    /// The queue runs as many workloads as it may.
    QueueRunning,
    /// The user would pass the limit per user.
    User,
    /// The user runs as many workloads as one may.
    UserRunning,
}

#[derive(Clone, Debug)]
struct State {
    rules: Queue,
    used: Use,
    users: BTreeMap<UserId, Use>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Use {
    amount: MilliDevice,
    running: u32,
}

/// All queues.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queues {
    states: ById<QueueId, State>,
}

impl Queues {
    pub(crate) fn set(&mut self, rules: Queue) {
        let state = self.state(rules.id);
        state.rules = rules;
    }

    pub(crate) fn rules(&self, queue: QueueId) -> Option<&Queue> {
        self.states.get(&queue).map(|state| &state.rules)
    }

    /// What a queue has running.
    pub(crate) fn used(&self, queue: QueueId) -> MilliDevice {
        self.states.get(&queue).map_or(MilliDevice::ZERO, |state| state.used.amount)
    }

    /// Whether the queue would borrow for this.
    pub(crate) fn tier(&self, queue: QueueId, amount: MilliDevice) -> Tier {
        if self.beyond_quota(queue, amount) == MilliDevice::ZERO { Tier::Owned } else { Tier::Borrowed }
    }

    /// What the queue has borrowed.
    pub(crate) fn borrowed(&self, queue: QueueId) -> MilliDevice {
        self.beyond_quota(queue, MilliDevice::ZERO)
    }

    fn beyond_quota(&self, queue: QueueId, further: MilliDevice) -> MilliDevice {
        let quota = self.states.get(&queue).and_then(|state| Some((state.rules.quota?, state.used.amount)));
        quota.map_or(MilliDevice::ZERO, |(quota, used)| (used + further).saturating_sub(quota))
    }

    /// The first rule that this would break.
    pub(crate) fn limit(&self, queue: QueueId, user: Option<UserId>, amount: MilliDevice) -> Option<Limit> {
        let state = self.states.get(&queue)?;
        let rules = &state.rules;
        if rules.limit.is_some_and(|limit| state.used.amount + amount > limit) {
            return Some(Limit::Queue);
        }
        if rules.limit_running.is_some_and(|limit| state.used.running >= limit) {
            return Some(Limit::QueueRunning);
        }
        let used = user.and_then(|user| state.users.get(&user)).copied().unwrap_or_default();
        if rules.limit_per_user.is_some_and(|limit| used.amount + amount > limit) {
            return Some(Limit::User);
        }
        if rules.limit_running_per_user.is_some_and(|limit| used.running >= limit) {
            return Some(Limit::UserRunning);
        }
        None
    }

    pub(crate) fn take(&mut self, queue: QueueId, user: Option<UserId>, amount: MilliDevice) {
        let state = self.state(queue);
        let add = |used: &mut Use| {
            used.amount += amount;
            used.running += 1;
        };
        add(&mut state.used);
        if let Some(user) = user {
            add(state.users.entry(user).or_default());
        }
    }

    pub(crate) fn give(&mut self, queue: QueueId, user: Option<UserId>, amount: MilliDevice) {
        let state = self.state(queue);
        let subtract = |used: &mut Use| {
            used.amount -= amount;
            used.running -= 1;
        };
        subtract(&mut state.used);
        if let Some(user) = user {
            let used = state.users.get_mut(&user).expect("what is given back was taken");
            subtract(used);
            if used.running == 0 {
                state.users.remove(&user);
            }
        }
    }

    fn state(&mut self, queue: QueueId) -> &mut State {
        self.states.get_or_insert_with(queue, || State {
            rules: Queue::unlimited(queue),
            used: Use::default(),
            users: BTreeMap::new(),
        })
    }
}

//! Rules that can be set: several of them at once, all or none.

use fleet::event::EventKind;
use fleet::history::QueueRecord;
use fleet::live::{Entry, check_queue};
use fleet::policy::Policy;

use crate::control::Control;
use crate::input::{Refused, Reply};

/// A rule, as it is from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// All that holds for a queue; the queue is made if it is not there.
    Queue(Box<QueueRecord>),
    /// In which order workloads start, and where.
    Policy(Policy),
}

impl Rule {
    /// Its place among what is heard at one moment, as [`Control::place`] tells it: with other changes.
    pub const PLACE: (u8, u32) = (2, 0);

    /// Whether nothing would be different with it, given what holds. A queue that is not there has no rules.
    #[must_use]
    pub fn holds<'a>(&self, queues: impl IntoIterator<Item = &'a QueueRecord>, policy: &Policy) -> bool {
        match self {
            Self::Policy(wanted) => wanted == policy,
            Self::Queue(wanted) => match queues.into_iter().find(|queue| queue.name == wanted.name) {
                Some(queue) => queue == &**wanted,
                None => **wanted == QueueRecord { name: wanted.name.clone(), ..QueueRecord::default() },
            },
        }
    }
}

impl Control {
    /// Whether these rules are what holds.
    #[must_use]
    pub fn holds(&self, rules: &[Rule]) -> bool {
        rules.iter().all(|rule| rule.holds(self.queues.values(), self.engine.policy()))
    }

    pub(crate) fn set_rules(&mut self, rules: Vec<Rule>, by: String) -> Result<Reply, Refused> {
        for rule in &rules {
            if let Rule::Queue(rules) = rule {
                check_queue(rules).map_err(|what| Refused::Invalid { place: 0, what })?;
            }
        }
        let mut changed = false;
        for rule in rules {
            changed |= match rule {
                Rule::Queue(rules) => self.set_queue(*rules, by.clone()),
                Rule::Policy(policy) => self.set_policy(policy, by.clone()),
            };
        }
        Ok(if changed { Reply::Done } else { Reply::Nothing })
    }

    fn set_queue(&mut self, rules: QueueRecord, by: String) -> bool {
        if self.queues.get(&rules.name) == Some(&rules) {
            return false;
        }
        let queue = self.vocabulary.queue(&rules);
        self.tell(EventKind::QueueSet { queue });
        self.queues.insert(rules.name.clone(), rules.clone());
        self.write(Entry::QueueSet { rules, by: Some(by) });
        true
    }

    fn set_policy(&mut self, policy: Policy, by: String) -> bool {
        if *self.engine.policy() == policy {
            return false;
        }
        self.tell(EventKind::PolicySet { policy: policy.clone() });
        self.write(Entry::PolicySet { policy, by: Some(by) });
        true
    }
}

//! Nodes that break and are mended, and whoever tests them: late, sometimes never, and sometimes without an answer.

use std::collections::{BTreeMap, BTreeSet};

use control::{Fitness, HealthPolicy, Input, OnFailure};
use fleet::health::Depth;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::random::Random;

/// Who consents to what the policy does.
pub(crate) const BY: &str = "health";

#[derive(Debug, Default)]
pub(crate) struct Tester {
    pub(crate) policy: HealthPolicy,
    /// Nodes that are broken.
    pub(crate) broken: BTreeSet<String>,
    /// What is to be told, and when.
    asked: Vec<(Timestamp, String, Depth)>,
    /// Nodes on which nothing may start: what they failed.
    pub(crate) refused: BTreeMap<String, Depth>,
}

impl Tester {
    pub(crate) fn new(random: &mut Random) -> Self {
        let depth = |random: &mut Random| [None, Some(Depth::Quick), Some(Depth::Full)][random.below(3) as usize];
        let policy = HealthPolicy {
            before: depth(random),
            after_crash: depth(random),
            on_failure: [OnFailure::Tell, OnFailure::Ask, OnFailure::Drain][random.below(3) as usize],
            counts: Millis(random.below(60_000) as i64),
            limit: Millis::seconds(60),
        };
        Self { policy, ..Self::default() }
    }

    pub(crate) fn ask(&mut self, random: &mut Random, now: Timestamp, node: String, depth: Depth) {
        if !random.one_in(20) {
            self.asked.push((now + Millis(random.below(5_000) as i64), node, depth));
        }
    }

    /// A node breaks, or is mended.
    pub(crate) fn pass(&mut self, random: &mut Random, nodes: u64) {
        if random.one_in(15) {
            let node = format!("node{}", random.below(nodes));
            if !self.broken.remove(&node) {
                self.broken.insert(node);
            }
        }
    }

    /// What is told by now.
    pub(crate) fn told(&mut self, random: &mut Random, now: Timestamp) -> Vec<Input> {
        let (told, asked): (Vec<_>, Vec<_>) = self.asked.drain(..).partition(|(at, ..)| *at <= now);
        self.asked = asked;
        let mut inputs = Vec::new();
        for (_, node, depth) in told {
            let found = match () {
                () if random.one_in(10) => Fitness::Unknown,
                () if !self.broken.contains(&node) => Fitness::Fit,
                () => {
                    let then = if random.one_in(5) { OnFailure::Tell } else { self.policy.on_failure };
                    Fitness::Unfit { why: "it is broken".into(), then }
                }
            };
            inputs.push(Input::Tested { node, depth, found, by: BY.into() });
        }
        inputs
    }

    /// What was heard, and is stored.
    pub(crate) fn heard(&mut self, input: &Input) {
        match input {
            Input::Tested { node, depth, found: Fitness::Unfit { then, .. }, .. } if *then != OnFailure::Tell => {
                let failed = self.refused.entry(node.clone()).or_insert(*depth);
                *failed = (*failed).max(*depth);
            }
            Input::Tested { node, depth, found: Fitness::Fit, .. }
                if self.refused.get(node).is_some_and(|failed| failed <= depth) =>
            {
                self.refused.remove(node);
            }
            Input::Tested { node, found: Fitness::Unfit { .. }, .. } | Input::Resume { node, .. } => {
                self.refused.remove(node);
            }
            _ => {}
        }
    }

    /// The control plane is gone: what is told of what it asked for means nothing to the next.
    pub(crate) fn hang_up(&mut self) {
        self.asked.clear();
        self.refused.clear();
    }
}

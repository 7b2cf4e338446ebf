//! What rules would change: each setting as it is now, and as it would be.

use std::collections::BTreeSet;
use std::fmt;

use control::Rule;
use fleet::history::QueueRecord;
use fleet::policy::Policy;
use fleet::quantity::{MilliDevice, Millis};
use serde::Serialize;
use utoipa::ToSchema;

/// A setting that would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Difference {
    /// Of what: ``queue `train` ``, `scheduling`.
    pub of: String,
    /// Which: `running workloads, at most`.
    pub setting: &'static str,
    /// As it is now.
    pub now: String,
    /// As it would be.
    pub then: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} {} → {}", self.of, self.setting, self.now, self.then)
    }
}

/// What each of these rules would change, set one after the other, where these nodes are drained.
#[must_use]
pub fn dry_run(
    rules: &[Rule],
    queues: &[QueueRecord],
    policy: &Policy,
    drained: &BTreeSet<String>,
) -> Vec<Vec<Difference>> {
    let (mut queues, mut policy, mut drained) = (queues.to_vec(), policy.clone(), drained.clone());
    let mut all = Vec::new();
    for rule in rules {
        all.push(match rule {
            Rule::Policy(then) => scheduling(&std::mem::replace(&mut policy, then.clone()), then),
            Rule::Queue(then) => {
                let now = queues.iter().position(|queue| queue.name == then.name).map(|place| queues.remove(place));
                queues.push((**then).clone());
                queue(now.as_ref(), then)
            }
            Rule::Drained(name) => node(name, drained.insert(name.clone()), false),
            Rule::Usable(name) => node(name, drained.remove(name), true),
        });
    }
    all
}

fn scheduling(now: &Policy, then: &Policy) -> Vec<Difference> {
    let backfill = |policy: &Policy| {
        let often = policy.backfill_interval;
        match policy.backfill_plan {
            None => format!("every {often}"),
            Some(plan) => format!("every {often}, {} ahead, {} tried, to {}", plan.window, plan.depth, plan.resolution),
        }
    };
    differing([
        ("scheduling".into(), "order", now.order.name().into(), then.order.name().into()),
        ("scheduling".into(), "placement", now.placement.name().into(), then.placement.name().into()),
        ("scheduling".into(), "backfill", backfill(now), backfill(then)),
    ])
}

/// A node that stands otherwise than before, if it does.
fn node(name: &str, changes: bool, then: bool) -> Vec<Difference> {
    let setting = "something new may start";
    let one = Difference { of: format!("node `{name}`"), setting, now: yes(!then), then: yes(then) };
    changes.then_some(one).into_iter().collect()
}

fn queue(now: Option<&QueueRecord>, then: &QueueRecord) -> Vec<Difference> {
    let of = format!("queue `{}`", then.name);
    let none = QueueRecord { name: then.name.clone(), ..QueueRecord::default() };
    let settings = settings(now.unwrap_or(&none)).into_iter().zip(settings(then));
    differing(settings.map(|((setting, now), (_, then))| (of.clone(), setting, now, then)))
}

/// All that can be set of a queue.
fn settings(of: &QueueRecord) -> [(&'static str, String); 12] {
    let amount = |amount: Option<MilliDevice>| or_none(amount.map(|amount| amount.0 as f64 / 1_000.0));
    let length = |length: Option<Millis>| or_none(length);
    [
        ("quota", amount(of.quota_milli)),
        ("limit", amount(of.limit_milli)),
        ("limit per user", amount(of.limit_per_user_milli)),
        ("running workloads, at most", or_none(of.limit_running)),
        ("running workloads of one user, at most", or_none(of.limit_running_per_user)),
        ("priority", of.priority.to_string()),
        ("longest time limit", length(of.time_limit_max_ms)),
        ("time limit where none is asked for", length(of.time_limit_default_ms)),
        ("pools", if of.pools.is_empty() { "any".into() } else { of.pools.join(", ") }),
        ("may be preempted", yes(of.preemptible)),
        ("protected", yes(of.protected)),
        ("95 of 100 wait, at most", length(of.wait_p95_max_ms)),
    ]
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".into(), |value| value.to_string())
}

fn yes(is: bool) -> String {
    if is { "yes".into() } else { "no".into() }
}

fn differing(settings: impl IntoIterator<Item = (String, &'static str, String, String)>) -> Vec<Difference> {
    let all = settings.into_iter().map(|(of, setting, now, then)| Difference { of, setting, now, then });
    all.filter(|setting| setting.now != setting.then).collect()
}

#[cfg(test)]
mod tests {
    use fleet::policy::Order;

    use super::*;

    fn check(rules: &[Rule], expected: &[&[&str]]) {
        let queues = [QueueRecord { name: "train".into(), limit_running: Some(8), ..QueueRecord::default() }];
        let found = dry_run(rules, &queues, &Policy::new(Order::Fifo), &["gpu-3".to_owned()].into());
        let found: Vec<Vec<String>> = found.iter().map(|one| one.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(found, expected);
    }

    fn train(change: fn(&mut QueueRecord)) -> Rule {
        let mut rules = QueueRecord { name: "train".into(), limit_running: Some(8), ..QueueRecord::default() };
        change(&mut rules);
        Rule::Queue(Box::new(rules))
    }

    #[test]
    fn what_would_change_is_told_and_nothing_else() {
        check(&[train(|_| {}), Rule::Policy(Policy::new(Order::Fifo))], &[&[], &[]]);
        check(
            &[train(|rules| {
                rules.limit_running = None;
                rules.quota_milli = Some(MilliDevice(2_500));
                rules.time_limit_max_ms = Some(Millis::hours(8));
            })],
            &[&[
                "queue `train`: quota none → 2.5",
                "queue `train`: running workloads, at most 8 → none",
                "queue `train`: longest time limit none → 8h",
            ]],
        );
        check(&[Rule::Policy(Policy::new(Order::Trimtab))], &[&["scheduling: order fifo → trimtab"]]);
        let new = QueueRecord { name: "new".into(), priority: -1, ..QueueRecord::default() };
        check(&[Rule::Queue(Box::new(new))], &[&["queue `new`: priority 0 → -1"]]);
    }

    #[test]
    fn a_node_is_drained_and_used_again() {
        let (drained, usable) = (|name: &str| Rule::Drained(name.into()), |name: &str| Rule::Usable(name.into()));
        let [no, yes] = ["no → yes", "yes → no"];
        check(
            &[drained("gpu-4"), usable("gpu-4"), usable("gpu-3"), usable("gpu-3")],
            &[
                &[&format!("node `gpu-4`: something new may start {yes}")],
                &[&format!("node `gpu-4`: something new may start {no}")],
                &[&format!("node `gpu-3`: something new may start {no}")],
                &[],
            ],
        );
    }

    #[test]
    fn each_rule_comes_after_those_before_it() {
        check(
            &[train(|rules| rules.priority = 1), train(|rules| rules.priority = 2)],
            &[&["queue `train`: priority 0 → 1"], &["queue `train`: priority 1 → 2"]],
        );
    }
}

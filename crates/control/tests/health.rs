//! Nodes that are tested before something starts and after something died: who starts where, who is to blame, and what is drained.

use std::collections::BTreeMap;

use control::{Asked, Control, Effect, Fitness, HealthPolicy, Input, OnFailure, Past, Reply, Rule};
use fleet::event::EndCause;
use fleet::health::Depth;
use fleet::history::{NodeChange, NodeRecord};
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Entry, Exit, Live, Outcome, Submission, Told, Usage};
use fleet::node::Resources;
use fleet::policy::{Order, Policy};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

const COUNTS: Millis = Millis::minutes(10);

/// Two nodes of four devices each, and a log.
struct Lab {
    control: Control,
    now: Timestamp,
    entries: Vec<Entry>,
    actions: BTreeMap<u32, ActionId>,
}

fn policy(before: Option<Depth>, after_crash: Option<Depth>) -> HealthPolicy {
    HealthPolicy { before, after_crash, counts: COUNTS, ..HealthPolicy::default() }
}

impl Lab {
    fn new(policy: HealthPolicy) -> Self {
        let node = |number| NodeRecord {
            name: format!("node{number}"),
            cpu_milli: Some(64_000),
            memory_bytes: Some(1 << 36),
            devices: 4,
            ..NodeRecord::default()
        };
        let rules = Past { policy: Some(Policy::new(Order::Fifo)), ..Past::default() };
        let control = Control::restore(rules, vec![node(0), node(1)], Timestamp(0)).with_health(policy);
        Self { control, now: Timestamp(1_000), entries: Vec::new(), actions: BTreeMap::new() }
    }

    /// What is done after hearing this, in words.
    fn hear(&mut self, inputs: Vec<Input>) -> Vec<String> {
        for input in inputs {
            self.control.hear(self.now, input).expect("it is taken in");
        }
        let written = self.control.decide(self.now);
        for entry in &written.entries {
            if let Entry::Decided { action, workload, .. } = entry {
                self.actions.insert(workload.0, *action);
            }
        }
        self.entries.extend(written.entries);
        let told = written.effects.iter().filter_map(|effect| match effect {
            Effect::Start { workload, slots, .. } => Some(format!("start {} on node{}", workload.0, slots[0].node.0)),
            Effect::Test { node, depth } => Some(format!("test {node} {}", depth.name())),
            Effect::Stop { .. } => Some("stop".to_owned()),
            Effect::Forget { .. } => None,
        });
        told.collect()
    }

    fn pass(&mut self, time: Millis) -> Vec<String> {
        self.now = self.now + time;
        self.hear(Vec::new())
    }

    fn submit(&mut self, devices: u64, retries: u32) -> Vec<String> {
        let submission = Submission {
            command: vec!["true".into()],
            directory: "/".into(),
            queue: "default".into(),
            request: Resources::devices(devices),
            retries,
            ..Submission::default()
        };
        let asked = vec![Asked { submission, after: Vec::new() }];
        self.hear(vec![Input::Submit { asked, past: BTreeMap::new(), by: "ann".into() }])
    }

    fn tested(&mut self, node: &str, depth: Depth, found: Fitness) -> Vec<String> {
        let (node, by) = (node.to_owned(), "ann, by --health-on-failure".to_owned());
        self.hear(vec![Input::Tested { node, depth, found, by }])
    }

    fn fails(&mut self, node: &str, then: OnFailure) -> Vec<String> {
        self.tested(node, Depth::Quick, Fitness::Unfit { why: "its disk is full".into(), then })
    }

    fn told(&mut self, workload: u32, told: Told) -> Vec<String> {
        let action = self.actions[&workload];
        self.hear(vec![Input::Outcome(Outcome { action, at: self.now, told })])
    }

    fn dies(&mut self, workload: u32) -> Vec<String> {
        self.told(workload, Told::Started);
        self.told(workload, Told::Ended { ran: Millis(5), exit: Exit::Code(1), used: Usage::default() })
    }

    /// Both nodes pass the test that is made at the start.
    fn begun_well(policy: HealthPolicy) -> Self {
        let mut lab = Self::new(policy);
        assert_eq!(lab.pass(Millis(0)), ["test node0 quick", "test node1 quick"]);
        for node in ["node0", "node1"] {
            assert_eq!(lab.tested(node, Depth::Quick, Fitness::Fit), [""; 0]);
        }
        lab
    }

    fn ends(&self) -> Vec<EndCause> {
        let ends = self.entries.iter().filter_map(|entry| match entry {
            Entry::RunEnded { cause, .. } => Some(*cause),
            _ => None,
        });
        ends.collect()
    }

    fn changes(&self) -> Vec<(u32, NodeChange, Option<&str>)> {
        let changes = self.entries.iter().filter_map(|entry| match entry {
            Entry::NodeChanged { node, change, by } => Some((node.0, *change, by.as_deref())),
            _ => None,
        });
        changes.collect()
    }

    fn open(&self, workload: u32) -> Option<&Live> {
        self.control.open().find(|live| live.id == WorkloadId(workload))
    }
}

const QUICK: Option<Depth> = Some(Depth::Quick);
const NOTHING: [&str; 0] = [];

#[test]
fn without_a_policy_nothing_is_tested() {
    let mut lab = Lab::new(HealthPolicy::default());
    assert_eq!(lab.submit(1, 0), ["start 1 on node0"]);
    assert_eq!(lab.dies(1), NOTHING);
    assert_eq!((lab.ends(), lab.control.wake_at()), (vec![EndCause::Failed], None));
}

#[test]
fn a_test_counts_for_a_while_and_then_is_made_again() {
    let mut lab = Lab::begun_well(policy(QUICK, None));
    assert_eq!(lab.submit(1, 0), ["start 1 on node0"]);
    lab.pass(COUNTS + Millis(1));
    assert_eq!(lab.submit(1, 0), ["test node0 quick"]);
    assert_eq!(lab.submit(1, 0), NOTHING, "one test is enough for both");
    assert_eq!(lab.tested("node0", Depth::Quick, Fitness::Fit), ["start 2 on node0", "start 3 on node0"]);
    assert_eq!(lab.submit(1, 0), ["start 4 on node0"]);
}

#[test]
fn who_was_to_start_on_a_node_that_is_drained_starts_elsewhere() {
    let mut lab = Lab::begun_well(policy(QUICK, None));
    lab.pass(COUNTS + Millis(1));
    assert_eq!(lab.submit(1, 0), ["test node0 quick"]);
    assert_eq!(lab.fails("node0", OnFailure::Drain), ["test node1 quick"]);
    assert_eq!(lab.changes(), [(0, NodeChange::Drained, Some("ann, by --health-on-failure"))]);
    assert_eq!(lab.tested("node1", Depth::Quick, Fitness::Fit), ["start 1 on node1"]);
    assert_eq!(lab.open(1).unwrap().runs.len(), 1, "what came to nothing is no attempt");
    // It is tested on, so that it is seen when it is well; who drained it takes that back.
    assert_eq!(lab.pass(Millis::seconds(30)), ["test node0 quick"]);
    assert_eq!(lab.tested("node0", Depth::Quick, Fitness::Fit), NOTHING);
    assert_eq!(lab.submit(4, 0), NOTHING, "it is drained all the same");
    let (rules, by) = (vec![Rule::Usable("node0".into())], "ann".to_owned());
    assert_eq!(lab.hear(vec![Input::SetRules { rules, by }]), ["start 2 on node0"]);
    assert_eq!(lab.changes()[1], (0, NodeChange::Returned, Some("ann")));
}

#[test]
fn a_node_that_is_asked_about_is_held_until_it_passes_or_somebody_answers() {
    let alone = || {
        let mut lab = Lab::begun_well(policy(QUICK, None));
        lab.hear(vec![Input::Drain { node: "node1".into(), by: "ann".into() }]);
        lab.pass(COUNTS + Millis(1));
        assert_eq!(lab.submit(1, 0), ["test node0 quick"]);
        assert_eq!(lab.fails("node0", OnFailure::Ask), NOTHING);
        assert_eq!(lab.changes().len(), 1, "nobody consented");
        lab
    };
    let mut lab = alone();
    lab.pass(Millis::seconds(30));
    assert_eq!(lab.tested("node0", Depth::Quick, Fitness::Fit), ["start 1 on node0"]);

    let mut lab = alone();
    lab.hear(vec![Input::Drain { node: "node0".into(), by: "ann".into() }]);
    assert_eq!(lab.tested("node0", Depth::Quick, Fitness::Fit), NOTHING);
    assert_eq!(lab.hear(vec![Input::Resume { node: "node0".into(), by: "ann".into() }]), ["start 1 on node0"]);

    let mut lab = alone();
    assert_eq!(lab.hear(vec![Input::Resume { node: "node0".into(), by: "ann".into() }]), ["start 1 on node0"]);

    // Whoever knows of it and says to go on is told only.
    let mut lab = alone();
    assert_eq!(lab.fails("node0", OnFailure::Tell), ["start 1 on node0"]);
}

#[test]
fn who_dies_of_a_node_is_tried_elsewhere_and_that_does_not_count() {
    let mut lab = Lab::begun_well(policy(None, QUICK));
    assert_eq!(lab.submit(1, 1), ["start 1 on node0"]);
    assert_eq!(lab.dies(1), ["test node0 quick"]);
    assert_eq!(lab.ends(), [], "it is not known yet whose fault it was");
    assert_eq!(lab.fails("node0", OnFailure::Drain), NOTHING);
    assert_eq!((lab.ends(), lab.open(1).unwrap().failures()), (vec![EndCause::NodeFailed], 0));
    assert_eq!(lab.pass(Millis::seconds(1)), ["start 1 on node1"]);
    // This time it is its own fault, and it may be tried once more.
    assert_eq!(lab.dies(1), ["test node1 quick"]);
    assert_eq!(lab.tested("node1", Depth::Quick, Fitness::Fit), NOTHING);
    assert_eq!((lab.ends(), lab.open(1).unwrap().failures()), (vec![EndCause::NodeFailed, EndCause::Failed], 1));
    assert_eq!(lab.pass(Millis::seconds(1)), ["start 1 on node1"]);
    lab.dies(1);
    lab.tested("node1", Depth::Quick, Fitness::Fit);
    assert_eq!(lab.open(1), None, "it was tried often enough");
}

#[test]
fn who_wants_no_retry_gets_none_and_hears_whose_fault_it_was() {
    let mut lab = Lab::begun_well(policy(None, QUICK));
    lab.submit(1, 0);
    lab.dies(1);
    lab.fails("node0", OnFailure::Drain);
    let reason = lab.entries.iter().find_map(|entry| match entry {
        Entry::Finished { cause: EndCause::NodeFailed, reason, .. } => reason.as_deref(),
        _ => None,
    });
    assert_eq!(reason, Some("exit code 1; node `node0` then failed its self-test: its disk is full"));
}

#[test]
fn what_is_only_told_blames_nobody_and_so_does_a_test_that_cannot_be_made() {
    for found in [Fitness::Unfit { why: "x".into(), then: OnFailure::Tell }, Fitness::Unknown] {
        let mut lab = Lab::begun_well(policy(QUICK, QUICK));
        lab.pass(COUNTS + Millis(1));
        lab.submit(1, 0);
        assert_eq!(lab.tested("node0", Depth::Quick, found.clone()), ["start 1 on node0"]);
        lab.dies(1);
        lab.tested("node0", Depth::Quick, found);
        assert_eq!((lab.ends(), lab.changes()), (vec![EndCause::Failed], vec![]));
    }
}

#[test]
fn a_full_test_is_made_where_nothing_runs_and_nothing_starts_meanwhile() {
    let mut lab = Lab::new(policy(Some(Depth::Full), None));
    assert_eq!(lab.pass(Millis(0)), ["test node0 full", "test node1 full"]);
    assert_eq!(lab.submit(1, 0), NOTHING);
    assert_eq!(lab.tested("node0", Depth::Full, Fitness::Fit), ["start 1 on node0"]);
    lab.told(1, Told::Started);
    lab.pass(COUNTS + Millis(1));
    assert_eq!(lab.submit(1, 0), ["test node0 quick"], "something runs there");
    assert_eq!(lab.tested("node0", Depth::Quick, Fitness::Fit), ["start 2 on node0"]);
}

#[test]
fn what_a_full_test_found_no_quick_one_takes_back() {
    let mut lab = Lab::new(policy(Some(Depth::Full), QUICK));
    lab.pass(Millis(0));
    let slow = Fitness::Unfit { why: "its memory is slow".into(), then: OnFailure::Ask };
    lab.tested("node0", Depth::Full, slow);
    lab.tested("node0", Depth::Quick, Fitness::Fit);
    assert_eq!(lab.submit(1, 0), NOTHING, "node1 is being tested");
    assert_eq!(lab.tested("node1", Depth::Full, Fitness::Fit), ["start 1 on node1"]);
    assert_eq!(lab.pass(Millis::minutes(10)), ["test node0 full"]);
    lab.tested("node0", Depth::Full, Fitness::Fit);
    assert_eq!(lab.submit(4, 0), ["start 2 on node0"]);
}

#[test]
fn a_start_that_waits_for_a_test_can_be_cancelled_and_put_back() {
    let mut lab = Lab::begun_well(policy(QUICK, None));
    lab.pass(COUNTS + Millis(1));
    lab.submit(1, 0);
    lab.submit(1, 0);
    let (workload, by) = (WorkloadId(1), "ann".to_owned());
    assert_eq!(lab.hear(vec![Input::Cancel { workload, by: by.clone() }]), NOTHING, "there is nothing to stop");
    assert_eq!(lab.open(1), None);
    assert_eq!(lab.hear(vec![Input::Preempt { workload: WorkloadId(2), by }]), NOTHING);
    assert_eq!(lab.tested("node0", Depth::Quick, Fitness::Fit), ["start 2 on node0"]);
}

#[test]
fn a_test_that_nobody_tells_of_is_given_up() {
    let mut lab = Lab::begun_well(policy(QUICK, None));
    lab.pass(COUNTS + Millis(1));
    assert_eq!(lab.submit(1, 0), ["test node0 quick"]);
    let until = lab.control.wake_at().expect("it waits");
    assert_eq!(until.since(lab.now), HealthPolicy::default().limit + Millis::seconds(30));
    assert_eq!(lab.pass(until.since(lab.now)), ["start 1 on node0"]);
}

#[test]
fn rules_of_nodes_are_set_as_rules_of_queues_are() {
    let mut lab = Lab::new(HealthPolicy::default());
    let set =
        |lab: &mut Lab, rule: Rule| lab.control.hear(lab.now, Input::SetRules { rules: vec![rule], by: "ann".into() });
    let (drained, usable) = (Rule::Drained("node0".into()), Rule::Usable("node0".into()));
    assert!(lab.control.holds(std::slice::from_ref(&usable)));
    assert_eq!(set(&mut lab, drained.clone()), Ok(Reply::Done));
    assert_eq!(set(&mut lab, drained.clone()), Ok(Reply::Nothing));
    assert!(lab.control.holds(&[drained]) && !lab.control.holds(std::slice::from_ref(&usable)));
    assert_eq!(lab.control.nodes()[&NodeId(0)].change, Some(NodeChange::Drained));
    assert_eq!(set(&mut lab, usable), Ok(Reply::Done));
    assert!(set(&mut lab, Rule::Drained("none".into())).is_err());
}

//! Rules are set together: all of them, or none.

use control::{Control, Input, Past, Refused, Reply, Rule};
use fleet::history::QueueRecord;
use fleet::live::Entry;
use fleet::policy::{Order, Policy};
use fleet::time::Timestamp;

fn queue(name: &str, limit_running: Option<u32>) -> Rule {
    Rule::Queue(Box::new(QueueRecord { name: name.into(), limit_running, ..QueueRecord::default() }))
}

fn set(control: &mut Control, rules: Vec<Rule>) -> Result<Reply, Refused> {
    control.hear(Timestamp(1), Input::SetRules { rules, by: "ann".into() })
}

#[test]
fn one_that_cannot_be_leaves_all_as_they_were() {
    let mut control = Control::restore(Past::default(), Vec::new(), Timestamp(0));
    let _begun = control.decide(Timestamp(0));
    let fifo = Rule::Policy(Policy::new(Order::Fifo));
    let refused = set(&mut control, vec![fifo.clone(), queue("train", Some(1)), queue("<b>", None)]);
    assert!(matches!(refused, Err(Refused::Invalid { .. })), "{refused:?}");
    assert!(control.decide(Timestamp(1)).entries.is_empty() && control.queues().is_empty());

    let rules = vec![fifo, queue("train", Some(1))];
    assert_eq!(set(&mut control, rules.clone()), Ok(Reply::Done));
    let written = control.decide(Timestamp(1)).entries;
    assert!(matches!(&written[..], [Entry::PolicySet { .. }, Entry::QueueSet { .. }]), "{written:?}");
    assert_eq!(set(&mut control, rules), Ok(Reply::Nothing), "they hold");
}

#[test]
fn a_queue_that_is_not_there_has_no_rules() {
    let mut control = Control::restore(Past::default(), Vec::new(), Timestamp(0));
    let holds = |control: &Control, rule: Rule| control.holds(&[Rule::Policy(Policy::default()), rule]);
    assert!(holds(&control, queue("train", None)) && !holds(&control, queue("train", Some(2))));
    set(&mut control, vec![queue("train", Some(2))]).expect("it can be set");
    assert!(!holds(&control, queue("train", None)) && holds(&control, queue("train", Some(2))));
    assert!(!control.holds(&[Rule::Policy(Policy::new(Order::Fifo))]));
}

//! Depending on what ended a moment ago, which whoever asks cannot know yet.

use std::collections::BTreeMap;

use control::{Asked, Control, Effect, Input, Past, Refused, Reply};
use fleet::event::EndCause;
use fleet::history::NodeRecord;
use fleet::ids::WorkloadId;
use fleet::live::{Entry, Exit, Outcome, Submission, Told, Usage};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

fn asked(depends_on: &[u32]) -> Asked {
    let submission = Submission {
        command: vec!["true".into()],
        directory: "/".into(),
        queue: "default".into(),
        depends_on: depends_on.iter().map(|&id| WorkloadId(id)).collect(),
        ..Submission::default()
    };
    Asked { submission, after: Vec::new() }
}

fn submit(control: &mut Control, at: i64, depends_on: &[u32]) -> Result<Reply, Refused> {
    let (asked, past) = (vec![asked(depends_on)], BTreeMap::new());
    control.hear(Timestamp(at), Input::Submit { asked, past, by: "someone".into() })
}

/// A workload that ended like this, and one that was handed in after it in the same turn.
fn follower_of(exit: Exit) -> Vec<Entry> {
    let node = NodeRecord { name: "lab".into(), cpu_milli: Some(8_000), ..NodeRecord::default() };
    let mut control = Control::restore(Past::default(), vec![node], Timestamp(0));
    assert_eq!(submit(&mut control, 1, &[]), Ok(Reply::Submitted(vec![WorkloadId(1)])));
    let effects = control.decide(Timestamp(1)).effects;
    let [Effect::Start { action, .. }] = effects[..] else { panic!("it starts: {effects:?}") };
    let told = Told::Ended { ran: Millis(1), exit, used: Usage::default() };
    let outcome = Outcome { action, at: Timestamp(2), told };
    assert_eq!(control.hear(Timestamp(2), Input::Outcome(outcome)), Ok(Reply::Done));
    assert_eq!(submit(&mut control, 2, &[1]), Ok(Reply::Submitted(vec![WorkloadId(2)])));
    let written = control.decide(Timestamp(2)).entries;
    written.into_iter().filter(|entry| entry.workload() == Some(WorkloadId(2))).collect()
}

#[test]
fn who_completed_a_moment_ago_holds_nobody() {
    let entries = follower_of(Exit::Code(0));
    assert!(entries.iter().any(|entry| matches!(entry, Entry::Decided { .. })), "{entries:?}");
}

#[test]
fn who_failed_a_moment_ago_is_told_of() {
    let entries = follower_of(Exit::Code(3));
    let Some(Entry::Finished { cause, reason, .. }) = entries.last() else { panic!("it is over: {entries:?}") };
    assert_eq!(*cause, EndCause::Cancelled);
    assert_eq!(reason.as_deref(), Some("it depends on workload 1, which did not complete: failed"));
}

#[test]
fn who_was_never_there_is_refused() {
    let node = NodeRecord { name: "lab".into(), cpu_milli: Some(8_000), ..NodeRecord::default() };
    let mut control = Control::restore(Past::default(), vec![node], Timestamp(0));
    assert!(matches!(submit(&mut control, 1, &[7]), Err(Refused::Invalid { .. })));
}

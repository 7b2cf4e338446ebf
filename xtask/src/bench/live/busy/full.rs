//! A store of 100,000 workloads that are over, made by real commits.

use std::path::Path;

use anyhow::Context;
use fleet::action::Slot;
use fleet::ids::{ActionId, WorkloadId};
use fleet::live::{Entry, Exit, Submission, Usage};
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, Millis};
use fleet::time::Timestamp;
use store::Store;

/// How many workloads.
pub(super) const COUNT: u32 = 100_000;
/// How many are stored with one commit.
const BATCH: u32 = 1_000;
/// How far apart they were handed in.
const APART_MS: i64 = 10;

pub(super) fn fill(file: &Path) -> anyhow::Result<()> {
    let mut store = Store::open(file)?;
    let past = store.load(0)?;
    let node = past.nodes.first().context("the first start found this machine")?.id;
    let begun = past.at.context("the first start was stored")?;
    let (first_workload, first_action) = (past.next_workload.0.max(1), past.next_action.0.max(1));
    for batch in 0..COUNT / BATCH {
        let at = Timestamp(begun.0 + i64::from(batch * BATCH) * APART_MS);
        let members = batch * BATCH..(batch + 1) * BATCH;
        let lives = members.flat_map(|place| {
            let slot = Slot { node, tasks: 1, devices: 0 };
            life(place, WorkloadId(first_workload + place), ActionId(first_action + u64::from(place)), slot, at)
        });
        store.commit(at, &lives.collect::<Vec<_>>())?;
    }
    Ok(())
}

fn life(place: u32, workload: WorkloadId, action: ActionId, slot: Slot, at: Timestamp) -> Vec<Entry> {
    let exit = if place.is_multiple_of(17) { Exit::Code(1) } else { Exit::Code(0) };
    let submission = Submission {
        command: vec!["python3".into(), "train.py".into(), format!("--run={place}")],
        directory: "/work".into(),
        environment: [("HOME".to_owned(), "/home/someone".to_owned())].into(),
        name: Some(format!("train-{place}")),
        queue: "default".into(),
        user: Some(format!("user-{}", place % 40)),
        request: Resources { cpu: MilliCpu(100), ..Resources::ZERO },
        grace: Millis::seconds(30),
        ..Submission::default()
    };
    let by = format!("user-{}", place % 40);
    let used = Usage { cpu: Some(Millis(400)), memory_peak: Some(Bytes::mebi(30)) };
    vec![
        Entry::Submitted { workload, submission: Box::new(submission), by },
        Entry::Eligible { workload },
        Entry::Decided { action, workload, slots: vec![slot] },
        Entry::Started { action, workload, since: at },
        Entry::RunEnded { action, workload, ran: Millis::seconds(60), exit, cause: exit.cause(), used },
        Entry::Finished { workload, cause: exit.cause(), reason: None },
    ]
}

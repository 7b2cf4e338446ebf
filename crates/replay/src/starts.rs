//! Every run of a replay as a table, so that anyone can recompute its figures and check that nothing was promised twice,
//! without this code. The columns are promised in docs/STARTS.md.

use std::io::{self, Write};

use fleet::action::Slot;

use crate::history::Recorded;
use crate::outcome::{Fate, Outcome, Stint};
use crate::setup::Setup;

/// The columns, in their order. New ones go to the end.
pub const COLUMNS: [&str; 14] = [
    "id",
    "queue",
    "user",
    "tasks",
    "devices_milli",
    "cpu_milli",
    "memory_bytes",
    "submit_ms",
    "eligible_ms",
    "start_ms",
    "end_ms",
    "run_ms",
    "cause",
    "nodes",
];

/// Writes a line of columns, then a line for every run of every workload, in the history's order; a workload that never ran
/// has one line without start, end, run and nodes.
///
/// # Errors
/// Whatever `out` answers.
pub fn write(setup: &Setup, outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for (recorded, fate) in setup.history.workloads.iter().zip(&outcome.workloads) {
        let asked = asked(setup, recorded, fate);
        for stint in &fate.stints {
            writeln!(out, "{asked},{}", ran(setup, stint))?;
        }
        if fate.stints.is_empty() {
            writeln!(out, "{asked},,,,{},", if fate.withdrawn.is_some() { "withdrawn" } else { "never_started" })?;
        }
    }
    Ok(())
}

/// The columns that are the same for every run of a workload.
fn asked(setup: &Setup, recorded: &Recorded, fate: &Fate) -> String {
    let names = &setup.history.names;
    let workload = &recorded.workload;
    let user = workload.user.map_or(String::new(), |user| field(names.users.name(user.index())));
    format!(
        "{},{},{user},{},{},{},{},{},{}",
        field(&recorded.id),
        field(names.queues.name(workload.queue.index())),
        workload.tasks,
        workload.request.devices.0,
        workload.request.cpu.0,
        workload.request.memory.0,
        setup.moment(recorded.submit).0,
        fate.eligible.0,
    )
}

/// The columns of one run.
fn ran(setup: &Setup, stint: &Stint) -> String {
    let nodes: Vec<String> = stint.slots.iter().map(|slot| place(setup, slot)).collect();
    format!(
        "{},{},{},{},{}",
        stint.start.0,
        stint.end.0,
        stint.end.since(stint.start).0,
        cause(stint),
        field(&nodes.join(";")),
    )
}

/// The cause by the name it has in history files.
fn cause(stint: &Stint) -> String {
    let name = serde_json::to_value(stint.cause).expect("a cause is plain data");
    name.as_str().expect("a cause is written as its name").to_owned()
}

/// `name:tasks:devices`, devices by their indexes with `+` between them.
fn place(setup: &Setup, slot: &Slot) -> String {
    // What stands between parts must not stand within one.
    let name = setup.nodes[slot.node.index()].name.replace('%', "%25").replace(':', "%3A").replace(';', "%3B");
    let devices: Vec<String> =
        (0..u64::BITS).filter(|device| slot.devices >> device & 1 == 1).map(|device| device.to_string()).collect();
    format!("{name}:{}:{}", slot.tasks, devices.join("+"))
}

/// A field as RFC 4180 has it: in quotes where it must be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use fleet::event::EndCause;
    use fleet::history::{Attempt, Header, NodeRecord, Record, WorkloadRecord};
    use fleet::node::Resources;
    use fleet::quantity::{MilliDevice, Millis};
    use fleet::time::Timestamp;

    use super::*;
    use crate::history::History;
    use crate::scenario::Scenario;

    fn node(name: &str) -> Record {
        Record::Node(NodeRecord { name: name.into(), devices: 4, ..NodeRecord::default() })
    }

    fn workload(id: &str, submit_s: i64, tasks: u32, devices_milli: u64, runs_s: &[i64]) -> Record {
        let attempt = |&run: &i64| Attempt {
            start: None,
            run: Some(Millis::seconds(run)),
            cause: EndCause::Completed,
            nodes: Vec::new(),
            ..Attempt::default()
        };
        Record::Workload(Box::new(WorkloadRecord {
            id: id.into(),
            queue: "q, the first".into(),
            user: (id == "a").then(|| "ann".into()),
            submit: Timestamp::from_seconds(submit_s),
            tasks,
            request: Resources { devices: MilliDevice(devices_milli), ..Resources::ZERO },
            attempts: runs_s.iter().map(attempt).collect(),
            withdrawn: runs_s.is_empty().then_some(Timestamp::from_seconds(submit_s + 1)),
            ..WorkloadRecord::default()
        }))
    }

    fn check(records: &[Record], expected: &[&str]) {
        let history = History::from_records(Header::default(), records.iter().cloned());
        let setup = Setup::new(&history, &Scenario::recorded()).expect("there are nodes");
        let mut text = Vec::new();
        write(&setup, &crate::run(&setup, 1), &mut text).expect("memory takes everything");
        let text = String::from_utf8(text).expect("text");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(COLUMNS.join(",").as_str()));
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn every_run_has_a_line_with_its_devices() {
        check(
            &[node("gpu:1"), node("gpu:2"), workload("a", 0, 6, 1_000, &[60]), workload("b", 5, 4, 1_000, &[10, 20])],
            &[
                "a,\"q, the first\",ann,6,1000,0,0,0,0,0,60000,60000,completed,gpu%3A1:4:0+1+2+3;gpu%3A2:2:0+1",
                "b,\"q, the first\",,4,1000,0,0,5000,5000,60000,70000,10000,requeued,gpu%3A1:4:0+1+2+3",
                "b,\"q, the first\",,4,1000,0,0,5000,5000,70000,90000,20000,completed,gpu%3A1:4:0+1+2+3",
            ],
        );
    }

    #[test]
    fn a_share_names_its_device_and_who_never_ran_has_a_line() {
        check(
            &[
                node("n"),
                workload("half", 0, 1, 500, &[60]),
                workload("quarter", 0, 1, 250, &[60]),
                workload("full", 1, 4, 1_000, &[]),
                workload("huge", 2, 9, 1_000, &[60]),
            ],
            &[
                "half,\"q, the first\",,1,500,0,0,0,0,0,60000,60000,completed,n:1:0",
                "quarter,\"q, the first\",,1,250,0,0,0,0,0,60000,60000,completed,n:1:0",
                "full,\"q, the first\",,4,1000,0,0,1000,1000,,,,withdrawn,",
                "huge,\"q, the first\",,9,1000,0,0,2000,2000,,,,never_started,",
            ],
        );
    }
}

//! The example that needs no data: a month of a laboratory with 64 accelerators, drawn from a seed and labelled synthetic.
//!
//! People and their habits are made up ([`habit`]); what they hand in and how long it truly runs is drawn from the seed
//! ([`generate`]). When it starts is not made up: the fleet runs the month under plain backfill in a replay, and the starts
//! that come of it are recorded as a scheduler's log would. Integers alone, so that it is the same on every machine.

mod draw;
mod generate;
mod habit;
#[cfg(test)]
mod tests;

use fleet::fleet_file::FleetFile;
use fleet::history::{Header, NodeChange, NodeEvent, PolicyRecord, Record, WorkloadRecord};
use fleet::quantity::Millis;
use replay::history::History;
use replay::scenario::Scenario;
use replay::setup::Setup;

/// The fleet of the example, as a person would write it.
pub(crate) const FLEET: &str = include_str!("lab.toml");

/// The seed of the example that is shown when no other is asked for.
pub(crate) const SEED: u64 = 64;

/// The example's records, header first.
pub(crate) fn records(seed: u64) -> Vec<Record> {
    let mut workloads = generate::workloads(seed);
    let mut records = furniture(seed);
    record_starts(&mut workloads, &records);
    records.extend(workloads.into_iter().map(|workload| Record::Workload(Box::new(workload))));
    records
}

/// Everything but the workloads.
fn furniture(seed: u64) -> Vec<Record> {
    let fleet = FleetFile::parse(FLEET, "lab.toml").expect("the example's fleet file is one");
    let note = format!(
        "made up: a month of a laboratory with 64 accelerators, drawn from seed {seed}; no one's real work, names or prices"
    );
    let mut records = vec![Record::Header(Header {
        source: "example".into(),
        time_zone: Some(generate::ZONE.into()),
        synthetic: true,
        notes: vec![note, "starts come from a replay of the made-up work under backfill".into()],
        ..Header::default()
    })];
    records.extend(fleet.node_records().map(Record::Node));
    records.extend(fleet.queue_records().map(Record::Queue));
    records.extend(fleet.policy.map(|policy| Record::Policy(PolicyRecord { at: None, policy, completing: None })));
    // A node was taken out for a faulty fan on the ninth and forgotten until the twelfth.
    for (hours, change) in [(8 * 24 + 10, NodeChange::Drained), (11 * 24 + 9, NodeChange::Returned)] {
        records.push(Record::NodeEvent(NodeEvent {
            at: generate::BEGIN + Millis::hours(hours),
            node: "gpu-8".into(),
            change,
            reason: Some("fan".into()),
        }));
    }
    records
}

/// Lets the fleet run the month under its own rules, and writes down when and where everything started.
fn record_starts(workloads: &mut [WorkloadRecord], furniture: &[Record]) {
    let header = Header::default();
    let asked = workloads.iter().map(|workload| Record::Workload(Box::new(workload.clone())));
    let history = History::from_records(header, furniture.iter().cloned().chain(asked));
    let setup = Setup::new(&history, &Scenario::default()).expect("the example's fleet has nodes");
    let outcome = replay::run(&setup, 0);
    // Workloads are in order of submission here and there, and nothing was left out.
    assert_eq!(outcome.workloads.len(), workloads.len(), "every workload of the example can be placed");
    for (recorded, (fate, workload)) in history.workloads.iter().zip(outcome.workloads.iter().zip(workloads)) {
        assert_eq!(recorded.id, workload.id, "a history keeps the order of submission");
        let (stint, attempt) = (fate.stints.first(), workload.attempts.first_mut());
        let (stint, attempt) = stint.zip(attempt).expect("every workload of the example fits on its fleet");
        attempt.start = Some(stint.start);
        attempt.nodes = stint.slots.iter().map(|slot| history.nodes[slot.node.index()].name.clone()).collect();
        attempt.nodes.dedup();
    }
}

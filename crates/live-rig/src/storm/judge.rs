//! What was acknowledged, what the server lists and what workloads wrote down, held against each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Report;
use super::load::{self, Sent};
use super::record::{Record, What};

/// What the workload itself wrote down.
#[derive(Default)]
struct Lived {
    starts: usize,
    ends: usize,
}

pub(super) fn judge(sent: &Sent, listed: &[Value], records: &[Record]) -> Report {
    let mut report = Report { acknowledged: sent.acknowledged.len(), changes: sent.changes, ..Report::default() };
    report.lost.extend(sent.odd.iter().cloned());
    let lived = read_lives(records, &mut report);
    let by_id: BTreeMap<u64, &Value> = listed.iter().map(|row| (row["id"].as_u64().unwrap_or(0), row)).collect();
    for (id, name) in &sent.acknowledged {
        match by_id.get(id) {
            None => report.absent.push(format!("workload {id} ({name}) was acknowledged and is not there")),
            Some(row) if row["name"] != **name => {
                report.absent.push(format!("workload {id} is {}, and was acknowledged as {name}", row["name"]));
            }
            Some(_) => {}
        }
    }
    whole_batches(&by_id, &mut report);
    for (id, row) in &by_id {
        judge_one(*id, row, lived.get(id).unwrap_or(&Lived::default()), sent, &mut report);
    }
    for id in lived.keys().filter(|id| !by_id.contains_key(id)) {
        report.lost.push(format!("workload {id} ran, and is not there"));
    }
    report
}

/// Counts starts and ends; tells of actions that started twice and of runs that overlap.
fn read_lives(records: &[Record], report: &mut Report) -> BTreeMap<u64, Lived> {
    let mut lived: BTreeMap<u64, Lived> = BTreeMap::new();
    let mut actions = BTreeSet::new();
    for Record { what, workload, action } in records {
        let one = lived.entry(*workload).or_default();
        match what {
            What::Start => {
                report.starts += 1;
                one.starts += 1;
                if !actions.insert(*action) {
                    report.twice.push(format!("action {action} started workload {workload} twice"));
                }
            }
            What::Overlap => report.twice.push(format!("workload {workload} was started while it ran")),
            What::End => one.ends += 1,
        }
    }
    lived
}

/// Of what was handed in together all is there, or nothing; acknowledged or not.
fn whole_batches(by_id: &BTreeMap<u64, &Value>, report: &mut Report) {
    let mut batches: BTreeMap<(&str, usize), usize> = BTreeMap::new();
    for name in by_id.values().filter_map(|row| row["name"].as_str()) {
        match load::batch(name) {
            Some(batch) => *batches.entry(batch).or_default() += 1,
            None => report.lost.push(format!("nobody handed in `{name}`")),
        }
    }
    for ((batch, count), found) in batches.into_iter().filter(|((_, count), found)| count != found) {
        report.lost.push(format!("of the {count} workloads of batch {batch} {found} are there"));
    }
}

fn judge_one(id: u64, row: &Value, lived: &Lived, sent: &Sent, report: &mut Report) {
    let (name, state) = (row["name"].as_str().unwrap_or_default(), row["state"].as_str().unwrap_or_default());
    let told = format!("workload {id} ({name}) is {state}, with {} starts and {} ends", lived.starts, lived.ends);
    // What depends on one that was cancelled is cancelled too; whether it does only its batch says.
    let batch = load::batch(name);
    let of_batch = sent.acknowledged.iter().filter(|(_, other)| load::batch(other) == batch).map(|(id, _)| id);
    let may_be_cancelled = sent.cancelled.contains(&id)
        || of_batch.clone().any(|other| sent.cancelled.contains(other) || never(sent, *other));
    let fails = load::fails_once(name);
    match state {
        "completed" if lived.ends > 0 && !load::never_ends(name) => {}
        "cancelled" if may_be_cancelled || load::never_ends(name) || !sent.acknowledged.contains_key(&id) => {}
        _ => report.lost.push(told.clone()),
    }
    let starts_max = 1 + usize::from(fails);
    if lived.starts > starts_max && !sent.preempted.contains(&id) {
        report.twice.push(told);
    }
}

/// Whether it ends only by being cancelled.
fn never(sent: &Sent, id: u64) -> bool {
    sent.acknowledged.get(&id).is_some_and(|name| load::never_ends(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(listed: &[Value], records: &[(What, u64, u64)], expected: [usize; 3]) {
        let mut sent = Sent::default();
        sent.acknowledged.insert(1, "plain-0.0-1-0".to_owned());
        let records: Vec<Record> =
            records.iter().map(|&(what, workload, action)| Record { what, workload, action }).collect();
        let report = judge(&sent, listed, &records);
        let found = [&report.absent, &report.lost, &report.twice].map(Vec::len);
        assert_eq!(found, expected, "{:?}", report.problems());
    }

    #[test]
    fn what_is_wrong_is_found() {
        let row = |state: &str| json!({ "id": 1, "name": "plain-0.0-1-0", "state": state });
        check(&[row("completed")], &[(What::Start, 1, 5), (What::End, 1, 5)], [0, 0, 0]);
        check(&[], &[], [1, 0, 0]);
        check(&[row("completed")], &[], [0, 1, 0]);
        check(&[row("running")], &[(What::Start, 1, 5)], [0, 1, 0]);
        check(&[row("cancelled")], &[], [0, 1, 0]);
        let twice = [(What::Start, 1, 5), (What::Start, 1, 5), (What::End, 1, 5)];
        check(&[row("completed")], &twice, [0, 0, 2]);
        let overlap = [(What::Start, 1, 5), (What::Overlap, 1, 6), (What::End, 1, 5)];
        check(&[row("completed")], &overlap, [0, 0, 1]);
        let part = json!({ "id": 2, "name": "plain-0.1-2-0", "state": "completed" });
        check(
            &[row("completed"), part],
            &[(What::Start, 1, 5), (What::End, 1, 5), (What::Start, 2, 6), (What::End, 2, 6)],
            [0, 1, 0],
        );
    }
}

//! A real Slurm on loopback, two hundred jobs of every end, its export in both forms, and what becomes of it.

use std::collections::BTreeMap;

use connect::import::{BadRows, Options, Report};
use connect::slurm::request::{self, Form, Request};
use connect::slurm::{Printed, QueuesAre};
use fleet::event::EndCause;
use fleet::history::{NodeChange, NodeEvent, NodeRecord, QueueRecord, Record, WorkloadRecord};
use fleet::policy::Order;
use fleet::quantity::{MilliDevice, Millis};
use fleet::time::Timestamp;
use fleet::workload::Spread;
use slurm_rig::scenario::{self, Happened};
use slurm_rig::{Cluster, Layout, Run, Unavailable};
use testkit::Need;

/// What an export came to.
#[derive(Default)]
struct Imported {
    nodes: Vec<NodeRecord>,
    queues: Vec<QueueRecord>,
    orders: Vec<Order>,
    events: Vec<NodeEvent>,
    workloads: BTreeMap<String, WorkloadRecord>,
    report: Report,
}

#[test]
fn two_hundred_jobs_of_every_end_are_read_as_slurm_ran_them() {
    match slurm_rig::unavailable() {
        None => {}
        Some(Unavailable::Program(reason)) => testkit::skip!(Need::Slurm, "{reason}"),
        Some(Unavailable::Privilege(reason)) => testkit::skip!(Need::Privilege, "{reason}"),
    }
    let cluster = Cluster::start(Layout::default()).unwrap();
    let happened = scenario::every_end(&cluster).unwrap();
    if !cluster.holds_jobs_to_their_memory() {
        eprintln!("no job ended as out of memory: this kernel has no cgroup v1 memory controller");
    }

    let exports = [Form::Table, Form::Json].map(|form| export(&cluster, form));
    let of_slurm = waits_as_sacct_tells_them(&cluster);
    drop(cluster);
    let [table, json] = exports.each_ref().map(|export| import(export, QueuesAre::Partitions));

    check_ends(&table, &happened);
    check_times(&table, &happened, &of_slurm);
    check_cluster(&table, &happened);
    check_resources(&table, &happened);
    assert_eq!(table.workloads, json.workloads, "the table and the JSON tell the same jobs");

    let by_qos = import(&exports[0], QueuesAre::Qos);
    let short = by_qos.queues.iter().find(|queue| queue.name == "short").expect("the queue `short`");
    let (all, each) = happened.short_limits;
    assert_eq!(short.limit_milli, Some(MilliDevice::whole(all)));
    assert_eq!(short.limit_per_user_milli, Some(MilliDevice::whole(each)));
    assert_eq!((short.limit_running_per_user, short.time_limit_max_ms), (Some(3), Some(Millis::minutes(10))));
    assert!(by_qos.workloads.values().any(|workload| workload.queue == "short"));
    let by_account = import(&exports[0], QueuesAre::Accounts);
    assert!(by_account.workloads.values().any(|workload| workload.queue == "speech"));
}

fn check_ends(read: &Imported, happened: &Happened) {
    let mut ends: BTreeMap<EndCause, u64> = BTreeMap::new();
    let (mut withdrawn, mut requeued) = (0, 0);
    for workload in read.workloads.values() {
        withdrawn += u64::from(workload.withdrawn.is_some());
        for attempt in &workload.attempts {
            *ends.entry(attempt.cause).or_default() += 1;
        }
        requeued += u64::from(workload.attempts.len() == 2);
    }
    let expected = [
        (EndCause::Completed, happened.completed),
        (EndCause::Failed, happened.failed),
        (EndCause::Cancelled, happened.cancelled_running),
        (EndCause::TimedOut, happened.timed_out),
        (EndCause::OutOfMemory, happened.out_of_memory),
        (EndCause::Requeued, 1),
    ];
    let expected: BTreeMap<EndCause, u64> = expected.into_iter().filter(|(_, count)| *count > 0).collect();
    assert_eq!(ends, expected);
    assert_eq!((withdrawn, requeued), (happened.cancelled_waiting, 1));
    assert_eq!(read.workloads.len() as u64, happened.jobs(), "those that never could have started are not told");
    assert!(read.workloads.len() >= 180, "{} jobs", read.workloads.len());
    assert_eq!(read.report.problems.count(), 0, "{:?}", read.report.problems.kept());

    let again = &read.workloads[&happened.requeued.to_string()];
    let causes: Vec<EndCause> = again.attempts.iter().map(|attempt| attempt.cause).collect();
    assert_eq!(causes, [EndCause::Requeued, EndCause::Completed]);
}

fn check_times(read: &Imported, happened: &Happened, of_slurm: &BTreeMap<String, i64>) {
    let mut compared = 0;
    for (id, wait_s) in of_slurm {
        let workload = &read.workloads[id];
        if workload.attempts.len() != 1 {
            // Slurm tells the wait of the last run only; and of some that were cancelled while they waited, it tells the moment
            // of that as their start. How many those are is counted above.
            continue;
        }
        assert_eq!(wait(workload), Millis::seconds(*wait_s), "job {id}");
        compared += 1;
    }
    assert!(compared > 150, "{compared} waits compared");
    assert!(of_slurm.values().any(|&wait_s| wait_s > 20), "jobs contended");

    let (first, second) = happened.dependency;
    let [first, second] = [first, second].map(|id| &read.workloads[&id.to_string()]);
    let end = first.attempts[0].start.expect("it ran") + first.attempts[0].run.expect("it ended");
    assert!(second.eligible_at() > second.submit, "the second waited for the first, not for room");
    assert!(second.eligible_at() >= end, "{} {end}", second.eligible_at());
    let held = &read.workloads[&happened.held.to_string()];
    assert!(held.eligible_at() > held.submit);

    let tasks: Vec<&WorkloadRecord> =
        read.workloads.values().filter(|workload| workload.array == Some(happened.array.to_string())).collect();
    assert_eq!(tasks.len(), 6);
    assert!(read.workloads.contains_key(&format!("{}_5", happened.array)));
    for workload in read.workloads.values() {
        let run = workload.attempts.first().and_then(|attempt| attempt.run);
        if workload.attempts.first().is_some_and(|attempt| attempt.cause == EndCause::TimedOut) {
            assert!(run >= workload.time_limit_ms, "job {} ran {run:?}", workload.id);
        }
    }
}

fn check_cluster(read: &Imported, happened: &Happened) {
    assert_eq!(read.nodes.len(), 4);
    for node in &read.nodes {
        assert_eq!((node.devices, node.model.as_deref()), (8, Some("a100")));
        assert_eq!((node.cpu_milli, node.memory_bytes), (Some(64_000), Some(512_000 << 20)));
    }
    assert_eq!(read.nodes[3].pools, ["main", "small"]);
    let names: Vec<&str> = read.queues.iter().map(|queue| queue.name.as_str()).collect();
    assert_eq!(names, ["main", "small"]);
    assert_eq!(read.queues[0].time_limit_max_ms, Some(Millis::hours(24)));
    assert_eq!(read.orders, [Order::Backfill]);

    let changes: Vec<NodeChange> =
        read.events.iter().filter(|event| event.node == happened.drained).map(|event| event.change).collect();
    assert_eq!(changes, [NodeChange::Drained, NodeChange::Returned]);
    let remarks: Vec<&str> = read.report.remarks.keys().map(String::as_str).collect();
    assert!(remarks.iter().any(|remark| remark.contains("ran in reservations")), "{remarks:?}");
    assert!(remarks.iter().any(|remark| remark.contains("import with queues by QOS")), "{remarks:?}");
}

fn check_resources(read: &Imported, happened: &Happened) {
    let (burned, seconds) = happened.burned;
    let used = &read.workloads[&burned.to_string()].used;
    let cpu = used.cpu_ms.expect("core time was measured");
    // The machine may be shared: it gets less than a core, never more than it asked for plus what starting costs.
    assert!(cpu > Millis(200) && cpu < Millis::seconds(i64::from(seconds) + 3), "{cpu}");
    for workload in read.workloads.values() {
        let Some(nodes) = workload.attempts.first().map(|attempt| attempt.nodes.len()) else { continue };
        let devices = workload.request.devices.times(workload.tasks);
        assert_eq!(devices.0 % 1_000, 0);
        if devices > MilliDevice::whole(8) {
            assert_eq!((workload.spread, workload.tasks as usize), (Spread::OnePerNode, nodes), "job {}", workload.id);
        } else {
            assert_eq!((workload.tasks, nodes), (1, 1), "job {}", workload.id);
        }
    }
    let reserved = &read.workloads[&happened.reserved.to_string()];
    assert_eq!(reserved.attempts[0].nodes, ["n4"]);
}

fn wait(workload: &WorkloadRecord) -> Millis {
    workload.attempts[0].start.expect("it started").since(workload.eligible_at())
}

/// Waits in Slurm's own words: the column `Reserved` (called `Planned` since 22.05 in its documents) of jobs that ran.
fn waits_as_sacct_tells_them(cluster: &Cluster) -> BTreeMap<String, i64> {
    let said = cluster
        .run("sacct", ["-nPX", "--allusers", "--starttime=now-1hour", "--endtime=now", "--format=JobID,Start,Reserved"])
        .expect("sacct answers");
    let mut waits = BTreeMap::new();
    for line in String::from_utf8(said).expect("sacct prints text").lines() {
        let fields: Vec<&str> = line.split('|').collect();
        if matches!(fields[1], "None" | "Unknown") {
            continue;
        }
        let seconds = fields[2]
            .split(':')
            .fold(0, |sum, part| sum * 60 + part.parse::<i64>().expect("a wait is hours, minutes, seconds"));
        waits.insert(fields[0].to_owned(), seconds);
    }
    waits
}

type Export = Vec<(String, Vec<u8>)>;

fn export(cluster: &Cluster, form: Form) -> Export {
    let now = Timestamp(jiff::Timestamp::now().as_millisecond());
    let ask = |request: Request| {
        let run = Run {
            program: request.program.to_owned(),
            arguments: request.arguments,
            environment: request.environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        };
        (request.file.to_owned(), cluster.answer(&run).expect("Slurm answers"))
    };
    request::all(form, now - Millis::hours(1), now + Millis::minutes(1)).into_iter().map(ask).collect()
}

fn import(export: &Export, queues_are: QueuesAre) -> Imported {
    let printed = export
        .iter()
        .map(|(name, content)| Printed { name: name.clone(), content: Box::new(content.as_slice()) })
        .collect();
    let mut read = Imported::default();
    let options = Options { bad_rows: BadRows::Refuse, ..Options::default() };
    let report = connect::slurm::read(printed, queues_are, &options, &mut |record| {
        match record {
            Record::Node(node) => read.nodes.push(node),
            Record::Queue(queue) => read.queues.push(queue),
            Record::Policy(policy) => read.orders.push(policy.policy.order),
            Record::NodeEvent(event) => read.events.push(event),
            Record::Workload(workload) => {
                let doubled = read.workloads.insert(workload.id.clone(), *workload);
                assert_eq!(doubled, None);
            }
            Record::Header(_) | Record::End(_) => {}
        }
        Ok(())
    });
    read.report = report.expect("every row can be read");
    read
}

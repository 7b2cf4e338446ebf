use fleet::event::EndCause;
use fleet::history::{Attempt, Header, NodeChange, NodeEvent, NodeRecord, QueueRecord, Record, Used, WorkloadRecord};
use fleet::money::{Currency, Money};
use fleet::node::Resources;
use fleet::policy::{Order, Policy};
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::time::Timestamp;
use replay::history::History;
use replay::scenario::Scenario;
use replay::seed::Seed;
use replay::setup::Setup;

use super::*;

const HOUR: i64 = 3_600_000;

fn at(hours: i64) -> Timestamp {
    Timestamp(hours * HOUR)
}

fn node(name: &str, devices: u32) -> Record {
    Record::Node(NodeRecord { name: name.into(), devices, ..NodeRecord::default() })
}

/// A workload of one task for so many devices that ran from one hour to another on the nodes named.
fn ran(id: &str, devices: u64, hours: std::ops::Range<i64>, cause: EndCause, nodes: &[&str]) -> WorkloadRecord {
    WorkloadRecord {
        id: id.into(),
        queue: "q".into(),
        user: Some("ann".into()),
        submit: at(hours.start),
        tasks: 1,
        request: Resources::devices(devices),
        attempts: vec![Attempt {
            start: Some(at(hours.start)),
            run: Some(Millis::hours(hours.end - hours.start)),
            cause,
            nodes: nodes.iter().map(|name| (*name).to_owned()).collect(),
            ..Attempt::default()
        }],
        ..WorkloadRecord::default()
    }
}

/// The same, submitted earlier.
fn waited(from: i64, workload: WorkloadRecord) -> WorkloadRecord {
    WorkloadRecord { submit: at(from), ..workload }
}

fn history(records: Vec<Record>, workloads: Vec<WorkloadRecord>) -> History {
    let workloads = workloads.into_iter().map(|workload| Record::Workload(Box::new(workload)));
    History::from_records(Header::default(), records.into_iter().chain(workloads))
}

fn account_of(history: &History, hours: i64) -> Account {
    account(history, &Timeline::recorded(history), Window { from: at(0), until: at(hours) })
}

/// Draws up the account of the first hours, and compares the parts of its capacity that are not empty, in hours.
fn check(records: Vec<Record>, workloads: Vec<WorkloadRecord>, hours: i64, expected: &[(&str, f64)]) -> Account {
    let history = history(records, workloads);
    let account = account_of(&history, hours);
    let capacity = account.capacity.as_ref().expect("nodes are described");
    assert!(capacity.balances());
    let parts: Vec<(&str, f64)> = capacity
        .parts
        .iter()
        .filter(|part| !part.hours.is_zero())
        .map(|part| (part.part.text(), part.hours.as_hours()))
        .collect();
    assert_eq!(parts, expected);
    account
}

use EndCause::{Cancelled, Completed, Failed, Requeued};

#[test]
fn what_ran_is_told_by_how_it_ended() {
    let account = check(
        vec![node("a", 4)],
        vec![
            ran("1", 2, 0..5, Completed, &["a"]),
            ran("2", 2, 0..3, Failed, &["a"]),
            ran("3", 1, 4..6, Cancelled, &["a"]),
        ],
        10,
        &[("idle_nothing_waited", 22.0), ("completed", 10.0), ("failed", 6.0), ("cancelled", 2.0)],
    );
    assert_eq!(account.spent[1].evidence[0].workload, "2");
    assert_eq!(account.words()[2], "6.0 of 40 device-hours (15 %) were spent on runs that failed");
    assert_eq!(account.runs_placed, Known { jobs: 3, of: 3 });
}

#[test]
fn the_window_cuts_runs_at_both_ends() {
    let history = history(vec![node("a", 1)], vec![ran("1", 1, 0..10, Completed, &["a"])]);
    let window = Window { from: at(4), until: at(6) };
    let account = account(&history, &Timeline::recorded(&history), window);
    assert_eq!(account.allocated_hours.as_hours() as i64, 2);
    assert_eq!(account.capacity.map(|capacity| capacity.capacity_hours.as_hours() as i64), Some(2));
}

#[test]
fn no_more_is_blamed_than_waits() {
    // Two of eight devices idle for want of a decision; six were not asked for.
    check(
        vec![node("a", 8)],
        vec![waited(0, ran("1", 2, 3..4, Completed, &["a"]))],
        4,
        &[("idle_nothing_waited", 24.0), ("idle_enough_was_free", 6.0), ("completed", 2.0)],
    );
}

#[test]
fn a_queue_s_limit_is_told_from_a_full_fleet() {
    let limited = Record::Queue(QueueRecord {
        name: "q".into(),
        limit_milli: Some(MilliDevice::whole(2)),
        ..QueueRecord::default()
    });
    let workloads = vec![ran("1", 2, 0..4, Completed, &["a"]), waited(0, ran("2", 1, 4..5, Completed, &["a"]))];
    let expected = [("idle_nothing_waited", 4.0 + 3.0), ("idle_behind_limits", 4.0), ("completed", 9.0)];
    let account = check(vec![limited, node("a", 4)], workloads, 5, &expected);
    let part = &account.capacity.expect("nodes").parts[4];
    assert_eq!((part.part, part.evidence[0].workload.as_str()), (Name::IdleBecause(Why::BehindLimits), "2"));
}

#[test]
fn limits_of_a_user_hold_that_user_only() {
    let limited = |name: &str| {
        Record::Queue(QueueRecord { name: name.into(), limit_running_per_user: Some(1), ..QueueRecord::default() })
    };
    let of = |user: &str, workload| WorkloadRecord { user: Some(user.into()), ..workload };
    let workloads = vec![
        ran("1", 1, 0..2, Completed, &["a"]),
        waited(0, ran("2", 1, 2..3, Completed, &["a"])),
        of("bob", waited(0, ran("3", 1, 1..2, Completed, &["a"]))),
    ];
    check(
        vec![limited("q"), node("a", 3)],
        workloads,
        3,
        &[("idle_nothing_waited", 2.0), ("idle_enough_was_free", 1.0), ("idle_behind_limits", 2.0), ("completed", 4.0)],
    );
}

#[test]
fn pieces_on_several_nodes_are_fragments() {
    // One device free on each of two nodes, and a task that wants two together.
    check(
        vec![node("a", 2), node("b", 2)],
        vec![
            ran("1", 1, 0..2, Completed, &["a"]),
            ran("2", 1, 0..2, Completed, &["b"]),
            waited(0, ran("3", 2, 2..3, Completed, &["a"])),
        ],
        3,
        &[("idle_nothing_waited", 2.0), ("idle_fragmented", 4.0), ("completed", 6.0)],
    );
}

#[test]
fn a_gang_over_several_nodes_needs_them_whole() {
    let gang = WorkloadRecord { tasks: 4, ..ran("3", 1, 2..3, Completed, &["a", "b"]) };
    check(
        vec![node("a", 2), node("b", 2), node("c", 2)],
        vec![ran("1", 1, 0..2, Completed, &["a"]), ran("2", 1, 0..2, Completed, &["b"]), waited(0, gang)],
        3,
        &[("idle_nothing_waited", 2.0), ("idle_fragmented", 8.0), ("completed", 8.0)],
    );
}

#[test]
fn too_little_in_sum_is_no_fragment() {
    check(
        vec![node("a", 4)],
        vec![ran("1", 3, 0..2, Completed, &["a"]), waited(0, ran("2", 4, 2..3, Completed, &["a"]))],
        3,
        &[("idle_too_little_free", 2.0), ("completed", 10.0)],
    );
}

#[test]
fn devices_without_cores_beside_them_are_blocked() {
    let with_cores = |cores, workload: WorkloadRecord| WorkloadRecord {
        request: Resources { cpu: MilliCpu::whole(cores), ..workload.request },
        ..workload
    };
    let node =
        Record::Node(NodeRecord { name: "a".into(), devices: 4, cpu_milli: Some(16_000), ..NodeRecord::default() });
    let account = check(
        vec![node],
        vec![
            with_cores(16, ran("1", 1, 0..2, Completed, &["a"])),
            with_cores(4, waited(0, ran("2", 1, 2..3, Completed, &["a"]))),
        ],
        3,
        &[("idle_nothing_waited", 4.0 + 3.0), ("idle_blocked_by_cpu_or_memory", 2.0), ("completed", 3.0)],
    );
    let cores = account.cores.expect("all cores are known");
    assert!(cores.balances());
    assert_eq!((cores.capacity_hours.as_hours() as i64, cores.idle_hours().as_hours() as i64), (48, 12));
}

#[test]
fn without_nodes_of_runs_only_sums_are_judged() {
    let account = check(
        vec![node("a", 2), node("b", 2)],
        vec![ran("1", 2, 0..2, Completed, &[]), waited(0, ran("2", 2, 2..3, Completed, &[]))],
        3,
        &[("idle_nothing_waited", 2.0), ("idle_enough_was_free", 4.0), ("completed", 6.0)],
    );
    assert_eq!(account.runs_placed, Known { jobs: 0, of: 2 });
    assert!(account.words().iter().any(|line| line.starts_with("The source does not tell on which nodes any run was")));
}

#[test]
fn lost_and_drained_nodes_are_their_own_parts() {
    let event = |hours, change| Record::NodeEvent(NodeEvent { at: at(hours), node: "a".into(), change, reason: None });
    check(
        vec![node("a", 4), event(1, NodeChange::Drained), event(2, NodeChange::Lost), event(4, NodeChange::Returned)],
        vec![ran("1", 1, 0..2, EndCause::NodeFailed, &["a"])],
        5,
        &[("lost", 8.0), ("drained", 3.0), ("idle_nothing_waited", 7.0), ("node_failed", 2.0)],
    );
}

#[test]
fn what_no_node_holds_is_beyond_capacity() {
    let account = check(
        vec![node("a", 1)],
        vec![ran("1", 1, 0..2, Completed, &["a"]), ran("2", 1, 0..2, Completed, &["elsewhere"])],
        2,
        &[("completed", 4.0)],
    );
    assert_eq!(account.capacity.expect("nodes").beyond_capacity_hours.as_hours() as i64, 2);
}

#[test]
fn a_run_that_was_put_back_waits_again() {
    let mut workload = ran("1", 1, 0..1, Requeued, &["a"]);
    workload.attempts.push(Attempt {
        start: Some(at(3)),
        run: Some(Millis::hours(1)),
        cause: Completed,
        nodes: vec!["a".into()],
        ..Attempt::default()
    });
    check(
        vec![node("a", 1)],
        vec![workload],
        4,
        &[("idle_enough_was_free", 2.0), ("completed", 1.0), ("requeued", 1.0)],
    );
}

#[test]
fn what_was_measured_is_held_against_what_was_asked() {
    let mut known = ran("1", 0, 0..4, Completed, &[]);
    known.tasks = 2;
    known.request = Resources { cpu: MilliCpu::whole(1), memory: Bytes::gibi(4), ..Resources::ZERO };
    known.used = Used { cpu_ms: Some(Millis::hours(3)), memory_peak_bytes: Some(Bytes::gibi(2)), device_busy_ms: None };
    let unknown = WorkloadRecord { id: "2".into(), used: Used::default(), ..known.clone() };
    let history = history(Vec::new(), vec![known, unknown]);
    let account = account_of(&history, 4);
    assert_eq!((account.resource, account.capacity), (Resource::Cores, None));
    let told: Vec<(What, i64, i64)> = account
        .unused
        .iter()
        .map(|unused| (unused.what, unused.held_hours.as_hours() as i64, unused.unused_hours.as_hours() as i64))
        .collect();
    assert_eq!(told, [(What::Cores, 8, 5), (What::Memory, 32, 24)]);
    assert_eq!(account.unused[0].known, Known { jobs: 1, of: 2 });
    assert_eq!(
        account.unused[0].words(),
        "Cores: 5.0 of 8.0 core-hours (62 %) that were held were not used. Known of 50 % of jobs."
    );
}

#[test]
fn limits_are_held_against_runs() {
    let limit = |hours, workload| WorkloadRecord { time_limit_ms: Some(Millis::hours(hours)), ..workload };
    let history = history(
        vec![node("a", 8)],
        vec![
            limit(6, ran("1", 2, 0..2, Completed, &["a"])),
            limit(2, ran("2", 1, 0..2, EndCause::TimedOut, &["a"])),
            ran("3", 1, 0..2, Completed, &["a"]),
        ],
    );
    let limits = account_of(&history, 4).limits;
    assert_eq!((limits.asked, limits.reached), (Known { jobs: 2, of: 3 }, 1));
    assert_eq!(limits.unused_mean_ms, Some(Millis::hours(2)));
    assert_eq!((limits.unused_hours.as_hours() as i64, limits.evidence.len()), (8, 1));
    assert_eq!(limits.ratio.map(|ratio| (ratio.p50 as i64, ratio.max as i64)), Some((1, 3)));
}

#[test]
fn costs_add_up_to_what_the_fleet_cost() {
    let dollars = |units: i64| Money { micros: units * 1_000_000, currency: Currency::USD };
    let priced = |name: &str, price| {
        Record::Node(NodeRecord {
            name: name.into(),
            devices: 4,
            price_per_hour: Some(dollars(price)),
            ..NodeRecord::default()
        })
    };
    let account = check(
        vec![priced("a", 40), priced("b", 4)],
        vec![ran("1", 2, 0..2, Failed, &["a"]), ran("2", 4, 0..2, Completed, &["b"])],
        4,
        &[("idle_nothing_waited", 20.0), ("completed", 8.0), ("failed", 4.0)],
    );
    let capacity = account.capacity.expect("nodes");
    assert_eq!(capacity.cost, Some(dollars(176)));
    let cost = |name| capacity.parts.iter().find(|part| part.part == name).and_then(|part| part.cost);
    assert_eq!(cost(Name::Spent(crate::timeline::Ending::Ended(Failed))), Some(dollars(40)));
    assert_eq!(cost(Name::Spent(crate::timeline::Ending::Ended(Completed))), Some(dollars(8)));
    assert_eq!(cost(Name::IdleBecause(Why::NothingWaited)), Some(dollars(128)));
}

#[test]
fn groups_and_points_add_up_to_the_whole() {
    let mut other = ran("2", 2, 1..3, Failed, &["a"]);
    (other.queue, other.user) = ("r".into(), None);
    let history = history(vec![node("a", 4)], vec![ran("1", 2, 0..4, Completed, &["a"]), waited(0, other)]);
    let account = account_of(&history, 5);
    for groups in [&account.queues, &account.users] {
        let sum: Hours = groups.largest.iter().map(|group| group.allocated_hours).sum();
        assert_eq!(sum, account.allocated_hours);
    }
    let names: Vec<Option<&str>> = account.users.largest.iter().map(|group| group.name.as_deref()).collect();
    assert_eq!(names, [Some("ann"), None]);
    assert_eq!(account.queues.largest[1].spent_hours["failed"].as_hours() as i64, 4);
    assert_eq!(account.queues.largest[1].waiting_hours.as_hours() as i64, 2);
    let sum = |part: fn(&Point) -> Hours| account.series.points.iter().map(part).sum::<Hours>().as_hours() as i64;
    assert_eq!(account.series.points.len(), 5);
    assert_eq!(
        (sum(|p| p.capacity_hours), sum(|p| p.allocated_hours), sum(|p| p.idle_hours), sum(|p| p.waiting_hours)),
        (20, 12, 8, 2)
    );
}

#[test]
fn without_recorded_starts_the_replay_tells_and_it_is_said() {
    let unstarted = |id: &str| {
        let mut workload = ran(id, 1, 0..2, Completed, &[]);
        workload.attempts[0].start = None;
        workload
    };
    let policy =
        Record::Policy(fleet::history::PolicyRecord { at: None, policy: Policy::new(Order::Fifo), completing: None });
    let history = history(vec![policy, node("a", 1)], vec![unstarted("1"), unstarted("2")]);
    let setup = Setup::new(&history, &Scenario::default()).expect("nodes are described");
    let timeline = Timeline::of(&history, &replay::run(&setup, 1));
    let window = Window::of(&history, &timeline);
    assert_eq!(window.length(), Millis::hours(4));
    let account = account(&history, &timeline, window);
    assert_eq!(account.basis, Basis::Replayed);
    assert_eq!(
        account.words()[0],
        "4.0 of 4.0 device-hours (100 %) were spent on runs that completed, according to the baseline replay, since the \
         source records no starts"
    );
    let recorded = account_of(&history, 4);
    assert_eq!((recorded.allocated_hours, recorded.untimed.runs), (Hours::ZERO, 2));
}

#[test]
fn an_account_is_plain_json() {
    let history = history(vec![node("a", 4)], vec![ran("1", 2, 0..5, Failed, &["a"])]);
    let json = serde_json::to_value(account_of(&history, 10)).expect("plain data");
    assert_eq!(json["capacity"]["capacity_hours"], 40.0);
    assert_eq!(json["spent"][0]["ending"], "failed");
    assert_eq!(json["spent"][0]["cost"], serde_json::Value::Null);
    assert_eq!(json["basis"], "recorded");
}

/// A history that contradicts itself freely: runs overlap, pass their nodes, lie on nodes that are lost or not described.
fn anything(seed: &mut Seed) -> History {
    let mut below = |most: u64| seed.below(most);
    let mut records = Vec::new();
    let nodes = below(4);
    for index in 0..nodes {
        records.push(Record::Node(NodeRecord {
            name: format!("n{index}"),
            at: (below(3) == 0).then(|| Timestamp(below(50) as i64)),
            devices: below(5) as u32,
            cpu_milli: (below(2) == 0).then(|| below(8) * 1_000),
            price_per_hour: (below(4) > 0).then(|| Money { micros: below(10_000_000) as i64, currency: Currency::USD }),
            ..NodeRecord::default()
        }));
    }
    for _ in 0..below(6) {
        records.push(Record::NodeEvent(NodeEvent {
            at: Timestamp(below(120) as i64 - 10),
            node: format!("n{}", below(nodes + 1)),
            change: [NodeChange::Lost, NodeChange::Drained, NodeChange::Returned][below(3) as usize],
            reason: None,
        }));
    }
    if below(2) == 0 {
        records.push(Record::Queue(QueueRecord {
            name: "q0".into(),
            limit_milli: (below(2) == 0).then(|| MilliDevice::whole(below(5))),
            limit_running_per_user: (below(2) == 0).then(|| below(3) as u32),
            ..QueueRecord::default()
        }));
    }
    let workloads = (0..below(12)).map(|id| {
        let attempts = (0..below(3)).map(|_| Attempt {
            start: (below(8) > 0).then(|| Timestamp(below(100) as i64)),
            run: (below(8) > 0).then(|| Millis(below(40) as i64)),
            cause: EndCause::ALL[below(8) as usize],
            nodes: (0..below(3)).map(|_| format!("n{}", below(nodes + 1))).collect(),
            ..Attempt::default()
        });
        WorkloadRecord {
            attempts: attempts.collect(),
            id: id.to_string(),
            queue: format!("q{}", below(2)),
            user: (below(3) > 0).then(|| format!("u{}", below(2))),
            submit: Timestamp(below(60) as i64),
            tasks: below(5) as u32 + 1,
            request: Resources { cpu: MilliCpu::whole(below(3)), ..Resources::devices(below(3)) },
            withdrawn: (below(3) == 0).then(|| Timestamp(below(100) as i64)),
            ..WorkloadRecord::default()
        }
    });
    let workloads = workloads.collect();
    history(records, workloads)
}

/// The parts add up whatever the source says, over any window; what failed is shown with its seed.
#[test]
fn parts_always_add_up_to_capacity() {
    for seed in 0..3_000 {
        let mut random = Seed::new(seed);
        let history = anything(&mut random);
        let from = random.below(60) as i64 - 5;
        let window = Window { from: Timestamp(from), until: Timestamp(from + random.below(90) as i64) };
        let account = account(&history, &Timeline::recorded(&history), window);
        for capacity in [&account.capacity, &account.cores].into_iter().flatten() {
            assert!(capacity.balances(), "seed {seed}: {capacity:?}");
            assert!(capacity.parts.iter().all(|part| part.hours >= Hours::ZERO), "seed {seed}: {capacity:?}");
            assert!(capacity.parts.iter().all(|part| part.cost.is_none_or(|cost| cost.micros >= 0)), "seed {seed}");
        }
        if let Some(capacity) = &account.capacity {
            assert_eq!(capacity.allocated_hours(), account.allocated_hours, "seed {seed}");
            let points: Hours = account.series.points.iter().map(|point| point.idle_hours).sum();
            assert_eq!(points, capacity.idle_hours(), "seed {seed}");
        }
        let queues: Hours = account.queues.largest.iter().map(|queue| queue.allocated_hours).sum();
        assert_eq!(queues, account.allocated_hours, "seed {seed}");
    }
}

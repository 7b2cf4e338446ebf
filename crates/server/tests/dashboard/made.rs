//! Stores that tests look at.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use fleet::action::Slot;
use fleet::event::EndCause;
use fleet::finding::{Evidence, Finding, Place, Since};
use fleet::history::{NodeChange, NodeRecord, QueueRecord};
use fleet::ids::{ActionId, FindingId, NodeId, WorkloadId};
use fleet::kept_finding::KeptFinding;
use fleet::live::{Entry, Exit, Submission, Usage};
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::recommendation::{Effect, Interval, Proof, Recommendation, Step, Worth};
use fleet::time::Timestamp;
use store::{Noted, Retention, Sample, Scrape, Scrapes, Series, Store};

/// What a name must never become.
pub(crate) const HTML: &str = "<script>alert(1)</script><img src=x onerror=\"alert(2)\">'&amp;";

/// The same as a form sends it, and as an address has it.
pub(crate) const HTML_IN_FORM: &str =
    "%3Cscript%3Ealert(1)%3C/script%3E%3Cimg%20src=x%20onerror=%22alert(2)%22%3E%27%26amp;";

pub(crate) fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64)
}

fn node(id: u32, name: String, devices: u32) -> Entry {
    let facts = NodeRecord {
        name,
        devices,
        cpu_milli: Some(64_000),
        memory_bytes: Some(512 << 30),
        model: Some(format!("H100 {HTML}")),
        ..NodeRecord::default()
    };
    Entry::NodeFound { node: NodeId(id), facts }
}

fn asked(id: u32, name: &str, queue: &str, user: &str, devices: u64) -> [Entry; 2] {
    let request = Resources { devices: MilliDevice::whole(devices), cpu: MilliCpu::whole(4), memory: Bytes::gibi(16) };
    let submission = Submission {
        command: vec!["python3".into(), "train.py".into(), name.into()],
        directory: format!("/home/{user}"),
        name: Some(name.into()),
        queue: queue.into(),
        user: Some(user.into()),
        request,
        time_limit_ms: Some(Millis::hours(12)),
        ..Submission::default()
    };
    let workload = WorkloadId(id);
    [Entry::Submitted { workload, submission: Box::new(submission), by: user.into() }, Entry::Eligible { workload }]
}

fn begun(id: u32, action: u64, node: u32, devices: u64, since: Timestamp) -> [Entry; 2] {
    let (action, workload) = (ActionId(action), WorkloadId(id));
    let slots = vec![Slot { node: NodeId(node), tasks: 1, devices }];
    [Entry::Decided { action, workload, slots }, Entry::Started { action, workload, since }]
}

fn over(id: u32, action: u64, ran: Millis, exit: Exit) -> [Entry; 2] {
    let (action, workload, cause) = (ActionId(action), WorkloadId(id), exit.cause());
    let used = Usage { cpu: Some(Millis(ran.0 * 3)), memory_peak: Some(Bytes::gibi(11)) };
    [Entry::RunEnded { action, workload, ran, exit, cause, used }, Entry::Finished { workload, cause, reason: None }]
}

/// A few workloads on two nodes over three hours, with markup in every name.
pub(crate) fn hostile(store: &mut Store) {
    let now = now();
    let ago = |minutes| now - Millis::minutes(minutes);
    let mut commit = |at, entries: &[Entry]| drop(store.commit(at, entries).unwrap());
    let rules = QueueRecord {
        name: HTML.into(),
        quota_milli: Some(MilliDevice::whole(2)),
        limit_milli: Some(MilliDevice(2_500)),
        limit_running: Some(3),
        ..QueueRecord::default()
    };
    let queue = Entry::QueueSet { rules, by: Some(HTML.into()) };
    let nightly = QueueRecord { name: "nightly".into(), limit_running: Some(1), ..QueueRecord::default() };
    let nightly = Entry::QueueSet { rules: nightly, by: None };
    commit(ago(180), &[queue, nightly, node(0, format!("node {HTML}"), 4), node(1, "../../n/1".into(), 4)]);
    commit(ago(179), &asked(1, HTML, HTML, HTML, 1));
    commit(ago(170), &begun(1, 1, 0, 1, ago(170)));
    commit(ago(169), &asked(2, &format!("{HTML} {}", "a-long-name-".repeat(14)), "default", HTML, 2));
    commit(ago(168), &begun(2, 2, 0, 6, ago(168)));
    commit(ago(90), &over(1, 1, Millis::minutes(80), Exit::Code(0)));
    let drained = |node| Entry::NodeChanged { node: NodeId(node), change: NodeChange::Drained, by: Some(HTML.into()) };
    commit(ago(80), &[drained(1)]);
    commit(ago(70), &asked(3, "fails", "default", "ada", 1));
    commit(ago(60), &begun(3, 3, 0, 8, ago(60)));
    commit(ago(30), &over(3, 3, Millis::minutes(30), Exit::Code(3)));
    commit(ago(20), &asked(4, "waits", HTML, HTML, 4));
    let cancelled = Entry::Finished { workload: WorkloadId(5), cause: EndCause::Cancelled, reason: Some(HTML.into()) };
    let [submitted, eligible] = asked(5, HTML, "default", HTML, 1);
    commit(ago(10), &[submitted, eligible, cancelled]);
    measured(store, now);
}

/// The address of the first node's page in [`hostile`]: that which is measured.
pub(crate) fn measured_node() -> String {
    let name: String = format!("node {HTML}").bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/node?name={name}")
}

/// The last hour of the first node, with a time in which nothing was measured. Its devices: free, at work, given and left idle, and one that
/// cannot be read.
fn measured(store: &mut Store, now: Timestamp) {
    let mut samples = Vec::new();
    let mut measure = |at: Timestamp, step: i64| {
        let wave = (step as f64 / 40.0).sin();
        let mut add = |device, metric: &str, value| {
            samples.push(Sample { at, node: NodeId(0), device, metric: metric.into(), value });
        };
        add(None, "cpu_busy_cores", Some(24.0 + 18.0 * wave));
        add(None, "memory_used_bytes", Some(180.0 * (1_u64 << 30) as f64));
        add(None, "load_1m", Some(25.0));
        for (device, ratio) in (0..).zip([Some(0.0), Some(0.84 + 0.12 * wave), Some(0.004), None]) {
            add(Some(device), "device_busy_ratio", ratio);
            add(Some(device), "device_memory_used_bytes", ratio.map(|ratio| ratio * 70.0e9));
        }
    };
    for step in (0..720).filter(|step| !(300..400).contains(step)) {
        measure(now - Millis::seconds(3_600 - step * 5), step);
    }
    // The last of all is of a moment to come, so that it is not too old while a test looks at it.
    measure(now + Millis::hours(1), 720);
    store.append_samples(&samples, Retention::default()).unwrap();
}

fn recommendation(id: &str, title: &str, change: Step, undo: Step) -> Recommendation {
    let wait_s = Some(Interval { low: -2_640.0, value: -2_100.0, high: -1_500.0 });
    Recommendation {
        id: id.into(),
        rule: "queue-limit".into(),
        title: title.into(),
        because: vec![format!("Its workloads waited {HTML} though room was free for 61 of 100 hours.")],
        effect: Effect { wait_s, p95_wait_s: Some((9_000.0, 1_200.0)), better: 412, worse: 17, ..Effect::default() },
        worth: Worth::default(),
        worse_for: vec![format!("queue {HTML}: 4m 10s longer on average"), "queue `default`: 1m 5s longer".into()],
        risks: vec!["People who wait less hand in more; a replay cannot tell how much.".into()],
        change: vec![change],
        undo: vec![undo],
        proof: Proof {
            history: "3f9c1c0a72de".into(),
            baseline: "000000".into(),
            candidate: "1a2b3c".into(),
            seed: 1,
            engine: "3".into(),
            command: "trimtab replay histories/3f9c1c0a72de.zst --candidate 1a2b3c".into(),
        },
    }
}

/// One of each kind: what can be applied, what is refused, what is done elsewhere, what is no command of ours, what has changed since.
pub(crate) fn recommended(folder: &Path) {
    let step = |system: &str, text: &str| Step { system: system.into(), text: text.into() };
    let nightly = |limit: u32| step(Step::TRIMTAB, &format!("trimtab queues set nightly --limit-running {limit}"));
    // No queue can be called so.
    let named = |limit: &str| step(Step::TRIMTAB, &format!("trimtab queues set lab {HTML}{limit}"));
    let all = [
        recommendation("queue-limit-1a2b3c", "Raise the limits of queue `nightly`", nightly(8), nightly(1)),
        recommendation(HTML, &format!("Limit queue {HTML}"), named(" --limit-running 6"), named("")),
        recommendation("policy-4d5e6f", "Backfill", step("slurm.conf", HTML), step("slurm.conf", "as before")),
        recommendation("unclear", "Do anything at all", step(Step::TRIMTAB, "trimtab cancel 1"), nightly(1)),
        recommendation("changed", "Widen what was widened since", nightly(4), nightly(2)),
    ];
    std::fs::write(folder.join(server::RECOMMENDATIONS), serde_json::to_string(&all).unwrap()).unwrap();
}

/// So many workloads of a day on 1,250 nodes of eight devices; the last 9,000 of them run, and the last 2,000 wait.
pub(crate) fn large(store: &mut Store, workloads: u32) {
    const NODES: u32 = 1_250;
    let end = now();
    let running = (NODES * 8 - 1_000).min(workloads / 2);
    let waiting = (workloads / 50).min(2_000);
    let at = |id: u32| end - Millis::hours(24) + Millis(86_000_000 * i64::from(id) / i64::from(workloads));
    let names: Vec<Entry> = (0..NODES).map(|id| node(id, format!("gpu-{id:04}"), 8)).collect();
    store.commit(at(0), &names).unwrap();
    let queues = ["research", "production", "default", "students"];
    let users = ["ada", "grace", "edsger", "barbara", "alan"];
    let mut batch = Vec::new();
    for id in 1..=workloads {
        let pick = id as usize;
        batch.extend(asked(id, &format!("train-{}-{id}", queues[pick % 4]), queues[pick % 4], users[pick % 5], 1));
        if id <= workloads - waiting {
            let (place, action) = (id % (NODES * 8 - 1_000), u64::from(id));
            batch.extend(begun(id, action, place % NODES, 1 << (place / NODES), at(id)));
        }
        // Half an hour later, each is over.
        if let Some(id) = id.checked_sub(workloads / 48).filter(|id| (1..=workloads - waiting - running).contains(id)) {
            let exit = if id % 9 == 0 { Exit::Code(1) } else { Exit::Code(0) };
            batch.extend(over(id, u64::from(id), Millis::minutes(30), exit));
        }
        if id % 100 == 0 || id == workloads {
            store.commit(at(id), &batch).unwrap();
            batch.clear();
        }
    }
    let drained = |node| Entry::NodeChanged { node: NodeId(node), change: NodeChange::Drained, by: Some("ada".into()) };
    let lost = |node| Entry::NodeChanged { node: NodeId(node), change: NodeChange::Lost, by: None };
    let gone: Vec<Entry> =
        (0..12).map(|step| drained(step * 97)).chain((0..5).map(|step| lost(step * 201 + 40))).collect();
    store.commit(end, &gone).unwrap();
    // As many samples as a machine with 64 devices takes in ten minutes; a seventh of the devices does nothing.
    let mut samples = Vec::new();
    for minutes in (0..=10).rev().step_by(2) {
        let at = end - Millis::minutes(minutes);
        for place in 0..NODES * 8 {
            let (device, value) = (Some(place % 8), Some(if place % 7 == 0 { 0.0 } else { 0.9 }));
            samples.push(Sample { at, node: NodeId(place / 8), device, metric: "device_busy_ratio".into(), value });
        }
    }
    store.append_samples(&samples, Retention::default()).unwrap();
}

/// Something that is wrong with workload 2, with what shows it, and something that was; names are markup.
pub(crate) fn wrong(store: &mut Store) {
    let ago = |seconds| now() - Millis::seconds(seconds);
    let mut finding = Finding::new("stopped", format!("Rank 1 is stopped, of {HTML}"));
    finding.places = vec![Place::new("job", HTML), Place::new("rank", 1)];
    finding.since = Some(Since::Time(ago(60)));
    finding.evidence =
        vec![Evidence::new(format!("rank 1 of {HTML} was found stopped"), 50.0, "% of looks").beside("usually", 0.0)];
    finding.advice = vec!["Find who stops it.".to_owned()];
    finding.speedup = Some(Interval { low: 1.9, value: 2.0, high: 2.1 });
    let kept = KeptFinding {
        id: FindingId(1),
        finding,
        workload: Some(WorkloadId(2)),
        opened: ago(58),
        seen: ago(1),
        closed: None,
        returns: 2,
        mute: None,
    };
    let mut was = Finding::new("slow-worker", "It was slow");
    was.places = vec![Place::new("job", "other")];
    let (opened, closed) = (ago(900), Some(ago(800)));
    let over = KeptFinding { id: FindingId(2), finding: was, opened, closed, returns: 0, ..kept.clone() };
    let of = |name: &str, rank: &str| Series {
        name: name.into(),
        labels: [("rank".to_owned(), rank.to_owned())].into(),
        unit: String::new(),
    };
    let series =
        ["0", "1"].iter().flat_map(|rank| [of("step_seconds", rank), of("process_stopped_ratio", rank)]).collect();
    let at = |second: i64| {
        let stopped = if second > 60 { 0.0 } else { 0.5 };
        Scrape { at: ago(second), values: vec![Some(0.1), Some(0.0), Some(0.2), Some(stopped)] }
    };
    let scrapes = Scrapes { source: "job/a".into(), series, scrapes: (0..170).rev().map(at).collect() };
    let noted = |finding: KeptFinding, source: &str| Noted { finding, sources: vec![source.to_owned()] };
    store.note(&[scrapes], &[noted(kept, "job/a"), noted(over, "job/other")]).unwrap();
}

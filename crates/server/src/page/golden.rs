//! Fragments of pages, with markup in every name, as they were looked at and found right: `golden/*.html`, a tag a line. With
//! `TRIMTAB_GOLDEN=write` in the environment they are written anew, to be read in the difference.

use std::collections::BTreeMap;

use fleet::action::Slot;
use fleet::event::EndCause;
use fleet::finding::{Evidence, Finding, Place, Since};
use fleet::history::{NodeRecord, QueueRecord};
use fleet::ids::{ActionId, FindingId, NodeId, WorkloadId};
use fleet::kept_finding::{FindingState, KeptFinding, Mute};
use fleet::live::{Entry, Exit, Logged, StopReason, Submission, Usage};
use fleet::money::{Currency, Money};
use fleet::node::Resources;
use fleet::quantity::{MilliDevice, Millis};
use fleet::recommendation::{Effect, Interval, Recommendation, Step};
use fleet::time::Timestamp;
use maud::Markup;
use store::{Consent, ConsentId, Lately, LedgerLine, NodeStanding, Row, State, StoredAgent, StoredNode};

use super::{
    agents, finding, findings, fleet as fleet_page, job, jobs, ledger, queues, recommendation, recommendations,
};
use crate::access::Rights;
use crate::agents::Agent;
use crate::busy::{DeviceNow, Now, OfLate};
use crate::dry_run::Difference;
use crate::found::{Cost, Found};
use crate::made;
use crate::recommended::{Recommended, Stands};
use crate::running::Given;

const HTML: &str = "<script>alert(1)</script>\"'&";
const NOW: Timestamp = Timestamp(1_795_000_000_000);

fn check(name: &str, fragment: &Markup) {
    let path = format!("{}/src/page/golden/{name}.html", env!("CARGO_MANIFEST_DIR"));
    let text = fragment.0.replace("><", ">\n<") + "\n";
    assert!(!text.contains("<script>"), "{text}");
    if std::env::var_os("TRIMTAB_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(
        text,
        std::fs::read_to_string(&path).unwrap_or_default(),
        "{path} differs: TRIMTAB_GOLDEN=write writes it"
    );
}

fn slot() -> Slot {
    Slot { node: NodeId(0), tasks: 1, devices: 0b101 }
}

fn running(id: u32) -> Row {
    Row {
        id: WorkloadId(id),
        state: State::Running,
        queue: HTML.into(),
        user: HTML.into(),
        name: id.is_multiple_of(2).then(|| HTML.into()),
        command: format!("echo {HTML}"),
        priority: 0,
        request: Resources::devices(2),
        submitted: NOW - Millis::minutes(90),
        eligible: None,
        started: None,
        finished: None,
        runs: 1,
        slots: vec![slot()],
    }
}

#[test]
fn a_table_of_jobs() {
    let ago = |minutes: Option<i64>| minutes.map(|ago| NOW - Millis::minutes(ago));
    let row =
        |id, state, started, finished| Row { state, started: ago(started), finished: ago(finished), ..running(id) };
    let rows = [
        row(4, State::Waiting, None, None),
        row(3, State::Running, Some(60), None),
        row(2, State::Finished(EndCause::OutOfMemory), Some(60), Some(20)),
    ];
    check("jobs", &jobs::table(&rows, NOW));
}

/// One that is muted, with everything that can be said of one.
fn found() -> Found {
    let mut finding = Finding::new("stopped", HTML);
    finding.places = vec![Place::new("job", HTML), Place::new("rank", 3)];
    finding.since = Some(Since::Time(NOW - Millis::minutes(3)));
    finding.evidence = vec![Evidence::new(HTML, 12.5, "ms").beside(HTML, 0.25), Evidence::new("ranks", 2.0, "")];
    finding.advice = vec![HTML.into()];
    finding.speedup = Some(Interval { low: 1.5, value: 2.0, high: 2.25 });
    let mute = Mute { reason: HTML.into(), until: NOW + Millis::hours(1), by: HTML.into(), at: NOW };
    let kept = KeptFinding {
        id: FindingId(12),
        finding,
        workload: Some(WorkloadId(7)),
        opened: NOW - Millis::minutes(2),
        seen: NOW,
        closed: None,
        returns: 1,
        mute: Some(mute),
    };
    let money_a_day = Some(Money { micros: 96_000_000, currency: Currency::USD });
    let cost = Some(Cost { device_hours_a_day: 48.0, money_a_day });
    Found { kept, state: FindingState::Muted, cost, unheard: None }
}

#[test]
fn a_table_of_findings() {
    let mut over = found();
    (over.kept.closed, over.kept.workload, over.kept.finding.speedup) = (Some(NOW), None, None);
    (over.state, over.cost) = (FindingState::Closed, None);
    let mut elsewhere = found();
    elsewhere.kept.finding.places.insert(0, Place::new("node", HTML));
    (elsewhere.state, elsewhere.unheard) = (FindingState::Open, Some(NOW - Millis::minutes(3)));
    check("findings", &findings::table(&[found(), over, elsewhere], NOW));
}

#[test]
fn a_table_of_agents() {
    let agent = |heard: i64, told: i64, reported: Option<i64>, lost: u64| {
        let at = |seconds: i64| NOW - Millis::seconds(seconds);
        let stored = StoredAgent {
            node: HTML.into(),
            version: HTML.into(),
            first: at(9_000),
            heard: at(heard),
            told: at(told),
            reported: reported.map(at),
            taken: 900,
            lost,
            refused: 1,
        };
        Agent { stored, is_silent: heard > 30, open: lost }
    };
    let all = [agent(4, 4, Some(9), 0), agent(90, 20, Some(3_620), 7), agent(2, 40, None, 0)];
    check("agents", &agents::table(&all, NOW));
}

#[test]
fn a_finding_for_who_may_operate_and_for_who_may_look() {
    check("finding-operate", &finding::told(&found(), Rights::Operate, NOW));
    let unheard = Found { unheard: Some(NOW - Millis::minutes(3)), ..found() };
    check("finding-unheard", &finding::told(&unheard, Rights::View, NOW));
    check("finding-view", &finding::told(&found(), Rights::View, NOW));
}

#[test]
fn a_timeline() {
    let (workload, action) = (WorkloadId(1), ActionId(1));
    let submission = Submission { queue: HTML.into(), ..Submission::default() };
    let (ran, used) = (Millis::minutes(5), Usage::default());
    let entries = [
        Entry::Submitted { workload, submission: Box::new(submission), by: HTML.into() },
        Entry::Eligible { workload },
        Entry::Decided { action, workload, slots: vec![slot()] },
        Entry::StartFailed { action, workload, reason: HTML.into() },
        Entry::StopAsked { workload, why: StopReason::Preempt, by: Some(HTML.into()) },
        Entry::StopAsked { workload, why: StopReason::Cancel, by: None },
        Entry::RunEnded { action, workload, ran, exit: Exit::Signal(9), cause: EndCause::Failed, used },
        Entry::Retrying { workload, after: NOW },
        Entry::Finished { workload, cause: EndCause::Failed, reason: Some(HTML.into()) },
    ];
    let entries: Vec<Logged> = (1..).zip(entries).map(|(seq, entry)| Logged { seq, at: NOW, entry }).collect();
    check("timeline", &job::timeline(&entries, &BTreeMap::from([(NodeId(0), HTML.to_owned())])));
}

#[test]
fn a_grid_of_nodes() {
    let node = |id, devices, standing| StoredNode {
        id: NodeId(id),
        facts: NodeRecord { name: format!("{id} {HTML}"), devices, cpu_milli: Some(8_000), ..NodeRecord::default() },
        found: NOW,
        standing,
        since: NOW,
        by: None,
    };
    let nodes = [node(0, 4, NodeStanding::Usable), node(1, 2, NodeStanding::Drained), node(2, 0, NodeStanding::Lost)];
    let given = Given { amount: Resources::devices(2), devices: 0b101, workloads: vec![WorkloadId(1)] };
    let (given, idle) = (BTreeMap::from([(NodeId(0), given)]), BTreeMap::from([(NodeId(0), 0b100)]));
    check("grid", &fleet_page::grid::grid(&nodes, &fleet_page::grid::Devices { given: &given, idle: &idle }));
}

#[test]
fn a_table_of_devices() {
    let facts = NodeRecord { name: HTML.into(), devices: 3, ..NodeRecord::default() };
    let standing = NodeStanding::Usable;
    let node = StoredNode { id: NodeId(0), facts, found: NOW, standing, since: NOW, by: None };
    let started = Some(NOW - Millis::minutes(60));
    let row = |id| Row { id: WorkloadId(id), started, ..running(id) };
    let rows: Vec<Row> = (1..=6).map(row).collect();
    let device = |ratio, memory| DeviceNow { ratio, memory };
    let devices = [(0, device(Some(0.976), Some(3 << 30))), (2, device(Some(0.002), None))];
    let now = Now { devices: devices.into(), ..Now::default() };
    let lately = |device, mean| Lately { node: NodeId(0), device, mean, mean_of_late: mean, known_since: started };
    let of_late = OfLate::of(vec![lately(0, Some(0.5)), lately(2, Some(0.0))], NOW);
    check(
        "devices",
        &fleet_page::devices::table(&node, &fleet_page::devices::Devices { rows: &rows, now: &now, of_late: &of_late }),
    );
}

#[test]
fn a_table_of_queues() {
    let rules = QueueRecord {
        name: HTML.into(),
        quota_milli: Some(MilliDevice::whole(8)),
        limit_running: Some(1_000),
        ..QueueRecord::default()
    };
    let counts = [(State::Running, 3), (State::Waiting, 12_345), (State::Held, 1)].into();
    check("queues", &queues::table(&[queues::Queue { rules, counts, used: 2_500 }]));
}

#[test]
fn a_ledger() {
    let text = || HTML.to_owned();
    let at = NOW - Millis::hours(30);
    let effect = |value: f64| Effect {
        wait_s: Some(Interval { low: value - 60.0, value, high: value + 60.0 }),
        ..Effect::default()
    };
    let line = |undone: Option<(Timestamp, String)>, measured, undo| ledger::Line {
        line: LedgerLine {
            consent: Consent { id: ConsentId(1), recommendation: made::recommendation(), who: text(), at, undone },
            promised: effect(-600.0),
            measured,
        },
        undo,
    };
    let lines = [
        line(Some((NOW, text())), None, None),
        line(None, Some((NOW, effect(30.0))), Some(vec![difference()])),
        line(None, None, None),
    ];
    check("ledger", &ledger::ledger(&lines, Rights::Operate, NOW));
    check("ledger-looked-at", &ledger::ledger(&lines[1..], Rights::View, NOW));
    check("ledger-empty", &ledger::ledger(&[], Rights::Operate, NOW));
}

fn difference() -> Difference {
    Difference { of: format!("queue `{HTML}`"), setting: "quota", now: "none".into(), then: "2.5".into() }
}

#[test]
fn recommendations() {
    let step = |system: &str| Step { system: system.into(), text: HTML.into() };
    let made = Some(NOW - Millis::hours(2));
    let one = |system: &str| Recommendation {
        worse_for: vec![HTML.into()],
        risks: vec![HTML.into()],
        change: vec![step(system)],
        undo: vec![step(system)],
        ..made::recommendation()
    };
    let own = one(Step::TRIMTAB);
    let all = vec![own.clone(), own.clone(), one(HTML), made::recommendation()];
    let consent = Consent {
        id: ConsentId(1),
        recommendation: made::recommendation(),
        who: HTML.into(),
        at: NOW - Millis::hours(1),
        undone: None,
    };
    let stands = [Stands::Open, Stands::Applied(Box::new(consent)), Stands::Elsewhere, Stands::Unclear(HTML.into())];
    check("recommendations", &recommendations::list(&all, &stands, NOW));
    let found = Recommended { made, all };
    check("recommendations-summary", &recommendations::summary(&found, &stands, NOW));
    check("recommendations-short", &recommendations::short(Ok(&found), NOW));
    let none = Recommended { made, all: Vec::new() };
    check("recommendations-none", &recommendations::summary(&none, &[], NOW));
    check("recommendations-empty", &recommendations::short(Ok(&Recommended::default()), NOW));

    check("recommendation-fixed", &recommendation::fixed(&own));
    check("recommendation", &recommendation::below(&own, made, NOW));
    let live = |name: &str, stands: Stands, rights| {
        let dry = [
            (&own.change[0], Some(vec![difference()])),
            (&own.change[0], Some(Vec::new())),
            (&found.all[2].change[0], None),
        ];
        check(name, &recommendation::live(&own, &dry, &stands, rights, NOW));
    };
    live("recommendation-open", Stands::Open, Rights::Operate);
    live("recommendation-looked-at", Stands::Open, Rights::View);
    live("recommendation-changed", Stands::Changed(vec![difference()]), Rights::Operate);
    live("recommendation-unclear", Stands::Unclear(HTML.into()), Rights::Operate);
}

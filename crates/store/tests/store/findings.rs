//! Findings: noted, muted, let go, with what shows them.

use fleet::finding::{Finding, Place, Since};
use fleet::ids::{FindingId, WorkloadId};
use fleet::kept_finding::{FindingState, KeptFinding, Mute};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use store::{FindingQuery, FindingRetention, Noted, Reader, Scrape, Scrapes, Series, Store};

use crate::story::Folder;

const MINUTE: i64 = 60_000;

fn kept(id: u64, opened: i64) -> KeptFinding {
    let mut finding = Finding::new("slow-disk", format!("Number {id} is slow"));
    finding.places.push(Place::new("job", id));
    finding.since = Some(Since::Time(Timestamp(opened)));
    let (opened, workload) = (Timestamp(opened), (id == 2).then_some(WorkloadId(7)));
    KeptFinding { id: FindingId(id), finding, workload, opened, seen: opened, closed: None, returns: 0, mute: None }
}

fn noted(finding: &KeptFinding) -> Noted {
    Noted { finding: finding.clone(), sources: vec!["node".into(), "nowhere".into()] }
}

fn scrapes(at: i64) -> Scrapes {
    let scrapes = vec![Scrape { at: Timestamp(at), values: vec![Some(1.0)] }];
    Scrapes { source: "node".into(), series: vec![Series::named("busy")], scrapes }
}

fn ids(reader: &Reader, state: Option<FindingState>, workload: Option<u32>, now: i64) -> Vec<u64> {
    let workload = workload.map(WorkloadId);
    let query = FindingQuery { state, workload, now: Timestamp(now), limit: 10 };
    reader.findings(&query).unwrap().into_iter().map(|kept| kept.id.0).collect()
}

#[test]
fn findings_are_noted_muted_and_closed_and_what_shows_them_is_pinned() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let (mut first, second) = (kept(1, 10 * MINUTE), kept(2, 11 * MINUTE));
    store.note(&[scrapes(10 * MINUTE)], &[noted(&first), noted(&second)]).unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.finding(FindingId(1)).unwrap().as_ref(), Some(&first));
    assert_eq!(ids(&reader, Some(FindingState::Open), None, 0), [2, 1]);
    assert_eq!(ids(&reader, None, Some(7), 0), [2]);
    let span = || {
        let pins = reader.pins_of("1").unwrap();
        pins.iter().map(|pin| (pin.source.clone(), pin.from.0, pin.until.0)).collect::<Vec<_>>()
    };
    assert_eq!(span(), [("node".to_owned(), 8 * MINUTE, i64::MAX)]);
    let mute = Mute { reason: "known".into(), until: Timestamp(50 * MINUTE), by: "ada".into(), at: Timestamp(1) };
    first.mute = Some(mute.clone());
    assert_eq!(store.mute(FindingId(1), Some(&mute)).unwrap(), Some(first.clone()));
    assert_eq!(store.mute(FindingId(9), Some(&mute)).unwrap(), None);
    assert_eq!(ids(&reader, Some(FindingState::Muted), None, 49 * MINUTE), [1]);
    assert_eq!(ids(&reader, Some(FindingState::Open), None, 50 * MINUTE), [2, 1], "a mute ends");
    first.closed = Some(Timestamp(20 * MINUTE));
    store.note(&[], &[noted(&first)]).unwrap();
    assert_eq!(ids(&reader, Some(FindingState::Closed), None, 0), [1]);
    assert_eq!(span(), [("node".to_owned(), 8 * MINUTE, 20 * MINUTE)]);
    // It is back: the span grows at its end.
    let back = KeptFinding { closed: None, returns: 1, ..first.clone() };
    store.note(&[], &[noted(&back)]).unwrap();
    assert_eq!(span(), [("node".to_owned(), 8 * MINUTE, i64::MAX)]);
    assert_eq!(store.mute(FindingId(1), None).unwrap().unwrap().mute, None);
    drop(store);
    let report = store::check(folder.file()).unwrap();
    assert!(report.is_sound(), "{report}");
}

#[test]
fn a_start_goes_on_from_what_is_open_or_lately_over_or_muted() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    assert_eq!(store.lately_found(Timestamp(0)).unwrap(), (Vec::new(), FindingId(1)));
    let closed = |id, at: i64| KeptFinding { closed: Some(Timestamp(at)), ..kept(id, 0) };
    let mute = Mute { reason: "known".into(), until: Timestamp(60), by: "ada".into(), at: Timestamp(1) };
    let muted = KeptFinding { mute: Some(mute), ..closed(4, 1) };
    let all = [kept(1, 0), closed(2, 5), closed(3, 50), muted, closed(5, 1)];
    store.note(&[], &all.each_ref().map(noted)).unwrap();
    let (found, next) = store.lately_found(Timestamp(40)).unwrap();
    assert_eq!(found.iter().map(|kept| kept.id.0).collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(next, FindingId(6));
}

#[test]
fn what_is_over_for_long_or_too_much_is_let_go_with_its_pins_and_no_id_comes_twice() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let closed = |id, at: i64| KeptFinding { closed: Some(Timestamp(at)), ..kept(id, at) };
    let all = [kept(1, 0), closed(2, MINUTE), closed(3, 5 * MINUTE), closed(4, 6 * MINUTE), closed(5, MINUTE)];
    store.note(&[scrapes(0)], &all.each_ref().map(noted)).unwrap();
    let reader = store.reader().unwrap();
    let keep = |minutes, max| FindingRetention { keep: Millis::minutes(minutes), max };
    assert_eq!(store.keep_findings(Timestamp(10 * MINUTE), keep(8, 10)).unwrap(), 1);
    assert_eq!(ids(&reader, None, None, 0), [4, 3, 5, 1]);
    assert_eq!(store.keep_findings(Timestamp(10 * MINUTE), keep(8, 1)).unwrap(), 1);
    assert_eq!(ids(&reader, None, None, 0), [4, 5, 1]);
    let pinned: Vec<String> = reader.pins().unwrap().into_iter().map(|pin| pin.finding).collect();
    assert_eq!(pinned, ["1", "4", "5"]);
    assert_eq!(store.lately_found(Timestamp(0)).unwrap().1, FindingId(6));
}

#[test]
fn scrapes_that_cannot_be_kept_leave_findings_as_they_were() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let twice = Scrapes { series: vec![Series::named("busy"); 2], ..scrapes(0) };
    store.note(&[twice], &[noted(&kept(1, 0))]).unwrap_err();
    assert_eq!(store.reader().unwrap().finding(FindingId(1)).unwrap(), None);
}

#[test]
fn a_damaged_finding_is_named() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    store.note(&[], &[noted(&kept(1, 0)), noted(&kept(2, 0))]).unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(folder.file()).unwrap();
    connection.execute("UPDATE findings SET version = 9 WHERE id = 1", []).unwrap();
    connection.execute("UPDATE findings SET body = '{}' WHERE id = 2", []).unwrap();
    drop(connection);
    let report = store::check(folder.file()).unwrap().to_string();
    assert!(report.contains("finding 1 is of version 9") && report.contains("finding 2 cannot be read"), "{report}");
}

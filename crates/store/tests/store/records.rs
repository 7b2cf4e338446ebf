//! Samples, consents and the ledger.

use fleet::history::QueueRecord;
use fleet::ids::{NodeId, WorkloadId};
use fleet::live::Entry;
use fleet::quantity::Millis;
use fleet::recommendation::{Effect, Proof, Recommendation, Worth};
use fleet::time::Timestamp;
use store::{ConsentId, Deed, DeviceFilter, Fault, MeanQuery, Retention, Sample, SampleQuery, Store};

use crate::story::Folder;

fn sample(at: i64, device: Option<u32>, value: Option<f64>) -> Sample {
    Sample { at: Timestamp(at), node: NodeId(0), device, metric: "busy_ratio".into(), value }
}

#[test]
fn samples_are_told_apart_and_what_is_unknown_is_not_zero() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let nan = sample(30, Some(1), Some(f64::NAN));
    let samples = [sample(10, None, Some(0.0)), sample(20, Some(1), None), nan, sample(40, Some(2), Some(0.5))];
    store.append_samples(&samples, Retention::default()).unwrap();
    let reader = store.reader().unwrap();
    let check = |query: SampleQuery, expected: &[(i64, Option<f64>)]| {
        let found = reader.samples(&query).unwrap();
        assert_eq!(found.iter().map(|sample| (sample.at.0, sample.value)).collect::<Vec<_>>(), expected, "{query:?}");
    };
    let all = || SampleQuery::of("busy_ratio");
    check(all(), &[(10, Some(0.0)), (20, None), (30, None), (40, Some(0.5))]);
    check(SampleQuery { device: DeviceFilter::Whole, ..all() }, &[(10, Some(0.0))]);
    check(SampleQuery { device: DeviceFilter::Device(1), ..all() }, &[(20, None), (30, None)]);
    check(SampleQuery { from: Timestamp(20), until: Timestamp(40), ..all() }, &[(20, None), (30, None)]);
    check(SampleQuery { limit: 1, ..all() }, &[(40, Some(0.5))]);
    check(SampleQuery { node: Some(NodeId(1)), ..all() }, &[]);
    check(SampleQuery::of("other"), &[]);
    let latest = |node| -> Vec<i64> {
        reader.latest_samples(node, Timestamp(20)).unwrap().iter().map(|sample| sample.at.0).collect()
    };
    assert_eq!(latest(None), [30, 40]);
    assert_eq!(latest(Some(NodeId(1))), [0; 0]);
}

#[test]
fn samples_are_taken_together_by_intervals_and_of_late() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let samples = [
        sample(0, Some(0), Some(9.0)),
        sample(10, Some(0), Some(1.0)),
        sample(14, Some(0), None),
        sample(19, Some(0), Some(2.0)),
        sample(10, Some(1), None),
        sample(31, Some(1), Some(4.0)),
        sample(40, Some(1), Some(9.0)),
    ];
    store.append_samples(&samples, Retention::default()).unwrap();
    let reader = store.reader().unwrap();
    let check = |device, expected: &[(i64, u32, Option<f64>, u64)]| {
        let (from, until, interval) = (Timestamp(10), Timestamp(40), Millis(10));
        let query = MeanQuery { metric: "busy_ratio".into(), node: NodeId(0), device, from, until, interval };
        let found = reader.means(&query).unwrap();
        let found: Vec<_> = found.iter().map(|mean| (mean.at.0, mean.device.unwrap(), mean.mean, mean.known)).collect();
        assert_eq!(found, expected);
    };
    check(None, &[(10, 0, Some(1.5), 2), (10, 1, None, 0), (30, 1, Some(4.0), 1)]);
    check(Some(1), &[(10, 1, None, 0), (30, 1, Some(4.0), 1)]);
    let lately = |node| reader.lately("busy_ratio", node, Timestamp(10), Timestamp(19)).unwrap();
    let found: Vec<_> =
        lately(None).iter().map(|of| (of.device, of.mean, of.mean_of_late, of.known_since.unwrap().0)).collect();
    assert_eq!(found, [(0, Some(1.5), Some(2.0), 10), (1, Some(6.5), Some(6.5), 31)]);
    assert_eq!((lately(Some(NodeId(0))).len(), lately(Some(NodeId(1))).len()), (2, 0));
}

#[test]
fn old_samples_go_by_age_and_by_number() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let check = |store: &mut Store, at: i64, retention: Retention, expected: &[i64]| {
        store.append_samples(&[sample(at, None, Some(1.0))], retention).unwrap();
        let found = store.reader().unwrap().samples(&SampleQuery::of("busy_ratio")).unwrap();
        assert_eq!(found.iter().map(|sample| sample.at.0).collect::<Vec<_>>(), expected);
    };
    let by_age = Retention { age_max: Millis(100), rows_max: 1_000 };
    check(&mut store, 0, by_age, &[0]);
    check(&mut store, 100, by_age, &[0, 100]);
    check(&mut store, 150, by_age, &[100, 150]);
    check(&mut store, 900, by_age, &[900]);
    let by_number = Retention { age_max: Millis::hours(1), rows_max: 2 };
    check(&mut store, 901, by_number, &[900, 901]);
    check(&mut store, 902, by_number, &[901, 902]);
    store.append_samples(&[], by_number).unwrap();
}

#[test]
fn the_ledger_sets_the_promised_beside_the_measured() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let recommendation = recommendation();
    let agreed = |by: &str| Deed::Agreed { to: Box::new(recommendation.clone()), by: by.into() };
    let undone = |consent, by: &str| Deed::TakenBack { consent, by: by.into() };
    let [first, second] = store.commit_with(Timestamp(1), &[], &[agreed("ann"), agreed("bob")]).unwrap().1[..] else {
        panic!("a consent for each")
    };
    let effect = Effect { better: 3, p95_wait_s: Some((0.1, 0.2)), ..Effect::default() };
    store.measured(Timestamp(3), second, &effect).unwrap();
    store.commit_with(Timestamp(4), &[], &[undone(first, "eve")]).unwrap();
    store.commit_with(Timestamp(5), &[], &[undone(first, "bob")]).unwrap();
    for error in [
        store.commit_with(Timestamp(6), &[], &[undone(ConsentId(9), "ann")]).unwrap_err(),
        store.measured(Timestamp(6), ConsentId(9), &effect).unwrap_err(),
    ] {
        assert!(matches!(error.fault, Fault::Unknown { .. }), "{error}");
    }
    drop(store);

    let reader = Store::open(folder.file()).unwrap().reader().unwrap();
    let lines = reader.ledger().unwrap();
    assert_eq!(lines[0].consent.recommendation, recommendation);
    assert_eq!((lines[0].consent.id, lines[0].consent.undone.clone()), (first, Some((Timestamp(4), "eve".into()))));
    assert_eq!((&lines[0].promised, &lines[0].measured), (&recommendation.effect, &None), "not yet known");
    assert_eq!(lines[1].measured, Some((Timestamp(3), effect)));
    assert_eq!(reader.consents().unwrap()[1].who, "bob");
}

#[test]
fn a_consent_and_what_it_led_to_are_written_together_or_not_at_all() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let deeds = || [Deed::Agreed { to: Box::new(recommendation()), by: "ann".into() }];
    let rules =
        |name: &str| Entry::QueueSet { rules: QueueRecord { name: name.into(), ..QueueRecord::default() }, by: None };
    // One that cannot follow: of a workload that is not there.
    let wrong = Entry::Eligible { workload: WorkloadId(7) };
    let error = store.commit_with(Timestamp(1), &[rules("a"), wrong], &deeds()).unwrap_err();
    assert!(matches!(error.fault, Fault::OutOfPlace { .. }), "{error}");
    let undone = Deed::TakenBack { consent: ConsentId(1), by: "ann".into() };
    store.commit_with(Timestamp(1), &[rules("a")], &[undone]).unwrap_err();
    let reader = store.reader().unwrap();
    assert_eq!((reader.consents().unwrap().len(), reader.queues().unwrap().len()), (0, 0));
    let (logged, consents) = store.commit_with(Timestamp(2), &[rules("b")], &deeds()).unwrap();
    assert_eq!((logged.len(), consents), (1, vec![ConsentId(1)]));
    assert_eq!((store.consents().unwrap(), reader.queues().unwrap().len()), (reader.consents().unwrap(), 1));
}

fn recommendation() -> Recommendation {
    Recommendation {
        id: "order-1".into(),
        rule: "order".into(),
        title: "Let short work pass".into(),
        because: vec!["it waits".into()],
        effect: Effect { better: 7, ..Effect::default() },
        worth: Worth::default(),
        worse_for: vec![],
        risks: vec![],
        change: vec![],
        undo: vec![],
        proof: Proof {
            history: "h".into(),
            baseline: "b".into(),
            candidate: "c".into(),
            seed: 1,
            engine: "1".into(),
            command: "trimtab replay".into(),
        },
    }
}

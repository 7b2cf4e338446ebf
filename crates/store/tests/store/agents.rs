//! Reports of agents: taken whole, once, and remembered.

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use store::{AGENTS_MAX, Fault, SPOOLS_MAX, Scrape, Scrapes, Series, SeriesQuery, Store, Taken, ValueQuery};

use crate::story::Folder;

fn taken(node: &str, spool: &str, number: Option<u64>, heard: i64) -> Taken {
    let scrapes = number.map(|number| Scrapes {
        source: node.into(),
        series: vec![Series::named("busy")],
        scrapes: vec![Scrape { at: Timestamp(heard), values: vec![Some(number as f64)] }],
    });
    Taken {
        node: node.into(),
        version: "1".into(),
        spool: spool.into(),
        number,
        heard: Timestamp(heard),
        told: Timestamp(heard + 5),
        reported: number.map(|_| Timestamp(heard - 10)),
        taken: u64::from(number.is_some()),
        lost: 2,
        refused: 0,
        scrapes: scrapes.into_iter().collect(),
        findings: Vec::new(),
    }
}

#[test]
fn what_was_taken_last_is_remembered_with_what_it_held() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    assert_eq!(store.last_report("a", "s").unwrap(), None);
    store.take_reports(&[taken("a", "s", None, 100)]).unwrap();
    assert_eq!(store.last_report("a", "s").unwrap(), None, "it has handed in nothing");
    store.take_reports(&[taken("a", "s", Some(7), 200), taken("b", "s", Some(9), 200)]).unwrap();
    assert_eq!((store.last_report("a", "s").unwrap(), store.last_report("b", "s").unwrap()), (Some(7), Some(9)));
    // One that cannot be kept takes the others of its call with it.
    let mut misshapen = taken("a", "s", Some(8), 300);
    misshapen.scrapes[0].scrapes[0].values.clear();
    let error = store.take_reports(&[taken("b", "s", Some(10), 300), misshapen]).unwrap_err();
    assert!(matches!(error.fault, Fault::Misshapen { .. }), "{error}");
    drop(store);
    let store = Store::open(folder.file()).unwrap();
    assert_eq!((store.last_report("a", "s").unwrap(), store.last_report("b", "s").unwrap()), (Some(7), Some(9)));
    let reader = store.reader().unwrap();
    let agents = reader.agents().unwrap();
    let a = &agents[0];
    assert_eq!((agents.len(), a.node.as_str(), a.first, a.heard), (2, "a", Timestamp(100), Timestamp(200)));
    assert_eq!((a.taken, a.lost, a.ahead(), a.behind()), (1, 4, Millis(5), Some(Millis(15))));
    let of = SeriesQuery { source: Some("b".into()), ..SeriesQuery::default() };
    let query = ValueQuery { of, from: Timestamp(0), until: Timestamp(1_000), limit: 10 };
    assert_eq!(reader.values(&query).unwrap()[0].points.len(), 1);
    drop(store);
    let report = store::check(folder.file()).unwrap();
    assert!(report.is_sound(), "{report}");
}

#[test]
fn there_are_so_many_agents_and_so_many_spools_of_each_and_old_ones_are_forgotten() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let all: Vec<Taken> = (0..AGENTS_MAX).map(|node| taken(&format!("n{node}"), "s", Some(1), node as i64)).collect();
    assert!(store.has_room_for("n0").unwrap());
    store.take_reports(&all).unwrap();
    assert!(store.has_room_for("n0").unwrap() && !store.has_room_for("other").unwrap());
    for spool in 0..=SPOOLS_MAX {
        store.take_reports(&[taken("n5", &spool.to_string(), Some(3), 10_000 + spool as i64)]).unwrap();
    }
    assert_eq!((store.last_report("n5", "0").unwrap(), store.last_report("n5", "1").unwrap()), (None, Some(3)));
    assert_eq!(store.forget_agents(Timestamp(500) + Millis::hours(90 * 24)).unwrap(), 499);
    assert!(store.has_room_for("other").unwrap());
    assert_eq!((store.last_report("n1", "s").unwrap(), store.last_report("n600", "s").unwrap()), (None, Some(1)));
}

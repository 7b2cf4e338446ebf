//! Damaged files: an error, or a report; never a panic, and never a wrong answer that is called sound.

use fleet::history::QueueRecord;
use fleet::live::Entry;
use fleet::policy::Policy;
use fleet::time::Timestamp;
use rusqlite::Connection;
use store::{
    CHUNK_SCRAPES, Line, Loaded, Point, Query, Reader, Scrape, Scrapes, Series, SeriesQuery, SeriesRules, Store,
    ValueQuery, check,
};

use crate::story::{Folder, Noise, life, node, submission, submitted};

const PAGE: usize = 4_096;

fn store_with_a_bit_of_everything(folder: &Folder) -> Loaded {
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let queue = QueueRecord { name: "default".into(), ..QueueRecord::default() };
    let mut entries = vec![
        node(0, "here"),
        Entry::QueueSet { rules: queue, by: None },
        Entry::PolicySet { policy: Policy::default(), by: None },
    ];
    for id in 0..10 {
        entries.extend(life(id, id.into(), submission("done")));
    }
    entries.extend((10..20).map(|id| submitted(id, submission("held"))));
    store.commit(Timestamp(7), &entries).unwrap();
    store.append_scrapes(&[scrapes()]).unwrap();
    store.load(100).unwrap()
}

/// A chunk of two series, and three scrapes in the head.
fn scrapes() -> Scrapes {
    let mut noise = Noise(5);
    let scrape = |at: i64| {
        let mut value = || Some(noise.below(1_000) as f64 / 8.0);
        (at, vec![value(), if at % 9 == 0 { None } else { value() }])
    };
    let scrapes = (0..CHUNK_SCRAPES as i64 + 3).map(scrape);
    Scrapes {
        source: "agent".into(),
        series: vec![Series::named("a"), Series::named("b")],
        scrapes: scrapes.map(|(at, values)| Scrape { at: Timestamp(at), values }).collect(),
    }
}

fn values(reader: &Reader) -> Option<Vec<Line>> {
    let of = SeriesQuery { source: Some("agent".into()), ..SeriesQuery::default() };
    let query = ValueQuery { of, from: Timestamp(0), until: Timestamp(9_999), limit: 9_999 };
    reader.values(&query).ok()
}

fn expected_values() -> Vec<Line> {
    let Scrapes { source, series, scrapes } = scrapes();
    let line = |(index, series): (usize, Series)| {
        let point = |scrape: &Scrape| Point { at: scrape.at, value: scrape.values[index] };
        Line { source: source.clone(), series, points: scrapes.iter().map(point).collect(), is_cut: false }
    };
    series.into_iter().enumerate().map(line).collect()
}

/// Does all that anyone does with a file. Whoever calls it sound answers as if nothing had been done to it.
fn survives(bytes: &[u8], sound: &Loaded, what: &str) -> bool {
    let folder = Folder::new();
    std::fs::write(folder.file(), bytes).unwrap();
    let is_sound = check(folder.file()).is_ok_and(|report| report.is_sound());
    if let Ok(reader) = Reader::open(folder.file()) {
        let _page = reader.page(&Query { limit: 500, ..Query::default() });
        let _entries = reader.entries_since(0, 1_000);
        let _samples = reader.latest_samples(None, Timestamp::MIN);
        let _ledger = reader.ledger();
        let _latest = reader.latest_values("agent", Timestamp(0));
        let read = values(&reader);
        if is_sound {
            assert_eq!(read, Some(expected_values()), "{what} went unseen in series");
        }
    }
    if let Ok(mut store) = Store::open(folder.file()) {
        let loaded = store.load(100);
        if is_sound {
            assert_eq!(loaded.as_ref().ok(), Some(sound), "{what} went unseen");
        }
        let _kept = store.keep_series(Timestamp(i64::MAX), SeriesRules::default());
        let few = Scrapes { scrapes: scrapes().scrapes[..3].to_vec(), ..scrapes() };
        let _appended = store.append_scrapes(&[few]);
        let _committed = store.commit(Timestamp(8), &[submitted(20, submission("more"))]);
    }
    is_sound
}

#[test]
fn every_page_in_turn() {
    let folder = Folder::new();
    let sound = store_with_a_bit_of_everything(&folder);
    let bytes = std::fs::read(folder.file()).unwrap();
    assert!(survives(&bytes, &sound, "nothing"));
    for page in 0..bytes.len() / PAGE {
        let damaged = |damage: &dyn Fn(usize, u8) -> u8| {
            let mut bytes = bytes.clone();
            let place = page * PAGE..(page + 1) * PAGE;
            bytes[place].iter_mut().enumerate().for_each(|(at, byte)| *byte = damage(at, *byte));
            bytes
        };
        assert!(!survives(&damaged(&|_, _| 0), &sound, "zeros"), "page {page} of zeros went unseen");
        assert!(!survives(&damaged(&|_, byte| !byte), &sound, "flips"), "page {page} turned over went unseen");
        for bit in 0..24 {
            // Spread over the page; the beginning, where its structure is, more densely.
            let at = if bit < 8 { bit * 2 } else { (bit * 997 + page * 31) % PAGE };
            let flip = |place: usize, byte: u8| if place == at { byte ^ (1 << (bit % 8)) } else { byte };
            survives(&damaged(&flip), &sound, &format!("a bit of byte {at} of page {page}"));
        }
    }
}

#[test]
fn cut_off_anywhere() {
    let folder = Folder::new();
    let sound = store_with_a_bit_of_everything(&folder);
    let bytes = std::fs::read(folder.file()).unwrap();
    for page in 0..bytes.len() / PAGE {
        for rest in [0, 1, PAGE / 2] {
            let kept = page * PAGE + rest;
            assert!(!survives(&bytes[..kept], &sound, "a cut"), "a cut at {kept} went unseen");
        }
    }
}

#[test]
fn a_row_that_was_tampered_with_is_found() {
    let tampered = |statement: &str, expected: &str| {
        let folder = Folder::new();
        store_with_a_bit_of_everything(&folder);
        let changed = Connection::open(folder.file()).unwrap().execute(statement, []).unwrap();
        assert_eq!(changed, 1, "{statement}");
        let report = check(folder.file()).unwrap();
        assert!(!report.is_sound(), "{statement} went unseen");
        assert!(report.to_string().contains(expected), "{statement}: {report}");
    };
    tampered("UPDATE workloads SET state = 'running' WHERE id = 3", "table workloads, row 3: state is \"running\"");
    tampered("UPDATE workloads SET user = 'eve' WHERE id = 3", "user is \"eve\", and by the log it is \"ann\"");
    tampered("UPDATE lives SET body = replace(body, '500', '501') WHERE id = 3", "table lives, row 3: body");
    tampered("UPDATE counts SET workloads = 11 WHERE state = 'held'", "workloads is 11, and by the log it is 10");
    tampered("UPDATE log SET body = replace(body, 'train', 'drain') WHERE seq = 4", "entry 4 of the log is not as");
    tampered("UPDATE log SET at = 6 WHERE seq = 4", "entry 4 of the log is not as it was written");
    tampered("DELETE FROM log WHERE seq = 5", "entry 5 of the log is absent");
    tampered("UPDATE nodes SET standing = 'lost'", "standing is \"lost\", and by the log it is \"usable\"");
    tampered("DELETE FROM policy", "table policy: row 1 is absent");
    tampered("INSERT INTO queues VALUES ('x', '{}')", "table queues: row \"x\" is nowhere in the log");
    let moments = "cannot be read: it has no moments";
    tampered(
        "UPDATE pieces SET body = zeroblob(9) WHERE id = 65537",
        "chunk 1 of the series cannot be read: it is not as",
    );
    tampered(
        "UPDATE pieces SET body = zeroblob(9) WHERE id = 65536",
        "chunk 1 of the series cannot be read: it is not as",
    );
    tampered("UPDATE pieces SET id = 65538 WHERE id = 65537", "chunk 1 of the series cannot be read: it is not as");
    tampered("UPDATE pieces SET id = 65536 * 2 WHERE id = 65536", moments);
    tampered("DELETE FROM pieces WHERE id = 65537", "chunk 1 of the series takes another room");
    tampered("UPDATE chunks SET first = 1", "chunk 1 of the series has other moments");
    tampered("UPDATE chunks SET count = 1000000000", "chunk 1 of the series has an impossible count");
    tampered("UPDATE chunks SET id = 9223372036854775807", "the impossible id 9223372036854775807");
    tampered("UPDATE chunks SET step = 60000", "chunk 1 of the series cannot be read");
    tampered("UPDATE scrapes SET at = 1 WHERE id = 65536 + 1", "scrape 1 of source 1 of the series cannot be read");
    tampered("UPDATE scrapes SET id = 65536 * 9 WHERE id = 65536", "row 589824 of table scrapes belongs to nothing");
    tampered("DELETE FROM series WHERE slot = 2", "chunk 1 of the series holds a series that has no name");
    tampered("UPDATE head SET last_action = 4", "last_action is 4, and by the log it is 9");
}

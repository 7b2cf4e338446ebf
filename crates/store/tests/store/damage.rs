//! Damaged files: an error, or a report; never a panic, and never a wrong answer that is called sound.

use fleet::history::QueueRecord;
use fleet::live::Entry;
use fleet::policy::Policy;
use fleet::time::Timestamp;
use rusqlite::Connection;
use store::{Loaded, Query, Reader, Store, check};

use crate::story::{Folder, life, node, submission, submitted};

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
    store.load(100).unwrap()
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
    }
    if let Ok(mut store) = Store::open(folder.file()) {
        let loaded = store.load(100);
        if is_sound {
            assert_eq!(loaded.as_ref().ok(), Some(sound), "{what} went unseen");
        }
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
    tampered("UPDATE head SET last_action = 4", "last_action is 4, and by the log it is 9");
}

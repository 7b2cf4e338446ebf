//! Copies of a store that is in use.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use fleet::time::Timestamp;
use store::{Existing, Fault, Reader, Store, backup, check};

use crate::story::{Folder, eligible, submission, submitted};

#[test]
fn a_copy_of_a_live_store_is_whole_and_holds_up_nobody() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    store.commit(Timestamp(0), &[submitted(0, submission("first"))]).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writes = scope.spawn(|| {
            let mut id = 1;
            while !stop.load(Ordering::Relaxed) {
                let batch = [submitted(id, submission("more")), eligible(id)];
                store.commit(Timestamp(i64::from(id)), &batch).unwrap();
                id += 1;
            }
            store.reader().unwrap().last_seq().unwrap()
        });
        let reader = Reader::open(folder.file()).unwrap();
        let mut last = 0;
        for number in 0..8 {
            let copy = folder.path().join(format!("copy-{number}.db"));
            let before = reader.last_seq().unwrap();
            backup(folder.file(), &copy, Existing::Keep).unwrap();
            let report = check(&copy).unwrap();
            assert!(report.is_sound(), "{report}");
            assert!(report.entries >= before.max(last), "a copy has what was acknowledged before it began");
            last = report.entries;
            let copied = Store::open(&copy).unwrap();
            assert_eq!(copied.load(0).unwrap().seq, report.entries, "and work can go on with it");
        }
        stop.store(true, Ordering::Relaxed);
        assert!(writes.join().unwrap() >= last);
    });
}

#[test]
fn nothing_is_overwritten_unless_asked() {
    let folder = Folder::new();
    drop(Store::create_or_open(folder.file()).unwrap());
    let copy = folder.path().join("copy.db");
    std::fs::write(&copy, "precious").unwrap();
    let error = backup(folder.file(), &copy, Existing::Keep).unwrap_err();
    assert!(matches!(error.fault, Fault::Exists), "{error}");
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "precious");
    backup(folder.file(), &copy, Existing::Replace).unwrap();
    assert!(check(&copy).unwrap().is_sound());
    let error = backup(folder.file(), folder.file(), Existing::Replace).unwrap_err();
    assert!(matches!(error.fault, Fault::Unknown { .. }), "{error}");
    let nowhere = folder.path().join("none/copy.db");
    assert!(matches!(backup(folder.file(), nowhere, Existing::Keep).unwrap_err().fault, Fault::Unknown { .. }));
    assert!(names(&folder).iter().all(|name| !name.contains(".part")), "nothing half written is left");
}

#[test]
fn a_copy_takes_the_place_of_another_store_with_all_that_lies_beside_it() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    store.commit(Timestamp(1), &[submitted(0, submission("kept"))]).unwrap();
    let copy = folder.path().join("copy.db");
    let mut other = Store::create_or_open(&copy).unwrap();
    other.commit(Timestamp(2), &[submitted(0, submission("other")), submitted(1, submission("other"))]).unwrap();
    let error = backup(folder.file(), &copy, Existing::Replace).unwrap_err();
    assert!(matches!(error.fault, Fault::InUse { .. }), "{error}");
    // As after a crash: its write-ahead log holds what the file does not.
    let wal = folder.path().join("copy.db-wal");
    let left = std::fs::read(&wal).unwrap();
    assert!(!left.is_empty());
    drop(other);
    std::fs::write(&wal, &left).unwrap();
    backup(folder.file(), &copy, Existing::Replace).unwrap();
    let copied = Store::open(&copy).unwrap();
    assert_eq!(copied.load(0).unwrap(), store.load(0).unwrap());
    drop(copied);
    std::fs::remove_file(&copy).unwrap();
    std::fs::write(&wal, &left).unwrap();
    let error = backup(folder.file(), &copy, Existing::Keep).unwrap_err();
    assert!(matches!(error.fault, Fault::Exists), "{error}");
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

//! Disks without room, and disks that may not be written.

use std::path::Path;
use std::process::Command;

use fleet::live::Entry;
use fleet::quantity::Bytes;
use fleet::time::Timestamp;
use store::{Existing, Fault, Reader, Scrape, Scrapes, Series, SeriesQuery, Store, ValueQuery, backup, check};

use crate::story::{Folder, Noise, submission, submitted};

fn large(id: u32) -> Entry {
    let mut asked = submission("large");
    asked.environment.insert("LARGE".into(), "x".repeat(20_000));
    submitted(id, asked)
}

/// Commits until there is no room; returns the id that found none.
fn fill(store: &mut Store, from: u32) -> u32 {
    for id in from..from + 10_000 {
        match store.commit(Timestamp(1), &[large(id)]) {
            Ok(_) => {}
            Err(error) => {
                assert!(matches!(error.fault, Fault::Full), "{error}");
                assert!(error.to_string().contains("no room"), "{error}");
                return id;
            }
        }
    }
    panic!("10,000 commits of 20 kB found room");
}

fn holds(store: &Store, workloads: u32) {
    let loaded = store.load(0).unwrap();
    assert_eq!((loaded.seq, loaded.next_workload.0), (u64::from(workloads), workloads));
    assert_eq!(loaded.unfinished.len(), workloads as usize);
}

#[test]
fn a_file_at_its_bound_takes_nothing_in_and_goes_on_once_there_is_room() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    store.bound_size(Bytes::mebi(1)).unwrap();
    let full = fill(&mut store, 0);
    holds(&store, full);
    fill(&mut store, full);
    holds(&store, full);
    store.bound_size(Bytes::mebi(64)).unwrap();
    store.commit(Timestamp(1), &[large(full), large(full + 1)]).unwrap();
    holds(&store, full + 2);
    drop(store);
    assert!(check(folder.file()).unwrap().is_sound());
}

#[test]
fn scrapes_that_find_no_room_are_not_there_in_part() {
    let folder = Folder::new();
    let mut store = Store::create_or_open(folder.file()).unwrap();
    let mut noise = Noise(1);
    // As wide as a node's: a head takes 100 kB and more.
    let names: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    let mut append = |store: &mut Store, from: i64, count: i64| {
        let mut value = || Some(f64::from_bits(noise.below(1 << 62)));
        let scrape = |at: i64| Scrape { at: Timestamp(at), values: names.iter().map(|_| value()).collect() };
        let scrapes = (from..from + count).map(scrape).collect();
        let series = names.iter().map(|name| Series::named(name)).collect();
        store.append_scrapes(&[Scrapes { source: "s".into(), series, scrapes }])
    };
    let there = |store: &Store| {
        let of = SeriesQuery { name: Some("s7".into()), ..SeriesQuery::default() };
        let query = ValueQuery { of, from: Timestamp(0), until: Timestamp::MAX, limit: 100_000 };
        let lines = store.reader().unwrap().values(&query).unwrap();
        let moments: Vec<i64> = lines[0].points.iter().map(|point| point.at.0).collect();
        assert!(moments.iter().copied().eq(0..moments.len() as i64));
        moments.len() as i64
    };
    store.bound_size(Bytes::mebi(1)).unwrap();
    let mut at = 0;
    let error = loop {
        match append(&mut store, at, 300) {
            Ok(()) => at += 300,
            Err(error) => break error,
        }
    };
    assert!(matches!(error.fault, Fault::Full), "{error}");
    assert!(at > 1_024, "a chunk was written");
    assert_eq!(there(&store), at);
    store.bound_size(Bytes::mebi(64)).unwrap();
    append(&mut store, at, 300).unwrap();
    assert_eq!(there(&store), at + 300);
    drop(store);
    assert!(check(folder.file()).unwrap().is_sound());
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let folder = Folder::new();
    let Some(disk) = Disk::of(folder.path(), "size=3m") else {
        testkit::skip!(testkit::Need::Privilege, "mounting a small file system takes root");
    };
    let file = folder.path().join("trimtab.db");
    let filler = folder.path().join("filler");
    std::fs::write(&filler, vec![0; 1 << 20]).unwrap();
    let mut store = Store::create_or_open(&file).unwrap();
    let full = fill(&mut store, 0);
    holds(&store, full);
    let error = backup(&file, folder.path().join("copy.db"), Existing::Keep).unwrap_err();
    assert!(matches!(error.fault, Fault::Full), "{error}");
    let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("copy")), "nothing half written is left");
    drop(store);

    let mut store = Store::open(&file).unwrap();
    holds(&store, full);
    std::fs::remove_file(filler).unwrap();
    store.commit(Timestamp(1), &[large(full)]).unwrap();
    holds(&store, full + 1);
    drop(store);
    assert!(check(&file).unwrap().is_sound());
    drop(disk);
}

#[test]
fn a_disk_that_may_not_be_written_says_so() {
    let folder = Folder::new();
    let Some(disk) = Disk::of(folder.path(), "size=3m") else {
        testkit::skip!(testkit::Need::Privilege, "mounting a file system takes root");
    };
    let file = folder.path().join("trimtab.db");
    drop(Store::create_or_open(&file).unwrap());
    disk.make_read_only();
    let fresh = folder.path().join("fresh.db");
    for error in [
        Store::open(&file).err().unwrap(),
        Store::create_or_open(&fresh).err().unwrap(),
        backup(&file, &fresh, Existing::Keep).unwrap_err(),
        Reader::open(&file).err().unwrap(),
    ] {
        assert!(matches!(error.fault, Fault::ReadOnly), "{error}");
        assert!(error.to_string().contains("may not be written"), "{error}");
    }
}

/// A small file system in memory, mounted over a folder until dropped.
pub(crate) struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    pub(crate) fn of(folder: &'a Path, options: &str) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }

    fn make_read_only(&self) {
        let status = Command::new("mount").args(["-o", "remount,ro"]).arg(self.0).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _status = Command::new("umount").arg(self.0).status();
    }
}

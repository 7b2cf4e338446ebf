//! Disks without room, and disks that may not be written.

use std::path::Path;
use std::process::Command;

use fleet::live::Entry;
use fleet::quantity::Bytes;
use fleet::time::Timestamp;
use store::{Existing, Fault, Reader, Store, backup, check};

use crate::story::{Folder, submission, submitted};

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
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn of(folder: &'a Path, options: &str) -> Option<Self> {
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

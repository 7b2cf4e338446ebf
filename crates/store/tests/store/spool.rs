//! The spool of an agent: in order, bounded, and there after whatever ends its process.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fleet::quantity::Bytes;
use fleet::time::Timestamp;
use store::{Batch, Fault, Frames, SPOOL_MIN, Spool};

use crate::room::Disk;
use crate::story::Folder;

/// What waits, as number, how many were lost before, and the first byte of what it holds.
fn told(batch: &Batch) -> Vec<(u64, u64, u8)> {
    let frames = Frames::of(&batch.bytes).map(|frame| frame.unwrap());
    let all: Vec<_> = frames.map(|frame| (frame.number, frame.lost, frame.body[0])).collect();
    assert_eq!(all.last().map(|last| last.0), batch.last);
    all
}

fn open(folder: &Path, now: i64) -> (Spool, Vec<String>) {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        match Spool::open(folder, SPOOL_MIN, Timestamp(now)) {
            // A program that another test starts holds all that is open here until it has begun.
            Err(Fault::InUse { .. }) if Instant::now() < until => std::thread::sleep(Duration::from_millis(1)),
            opened => return opened.unwrap(),
        }
    }
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|is| is == "spool")).collect();
    files.sort();
    files
}

#[test]
fn records_wait_in_order_and_are_let_go_once_they_are_taken() {
    let folder = Folder::new();
    let (mut spool, notices) = open(folder.path(), 100);
    assert!(notices.is_empty() && spool.batch(9).unwrap().last.is_none());
    (1..=5_u8).for_each(|byte| assert_eq!(spool.append(vec![byte; 10]), 99 + u64::from(byte)));
    assert!(matches!(Spool::open(folder.path(), SPOOL_MIN, Timestamp(0)), Err(Fault::InUse { .. })));
    let batch = spool.batch(80).unwrap();
    assert_eq!(told(&batch), [(100, 0, 1), (101, 0, 2)]);
    assert_eq!(spool.batch(80).unwrap(), batch, "until it is taken");
    assert_eq!(told(&spool.batch(1).unwrap()), [(100, 0, 1)], "one at least");
    spool.acknowledge(101).unwrap();
    assert_eq!((told(&spool.batch(999).unwrap()).len(), spool.waiting().records), (3, 3));
    let identity = spool.identity().to_owned();
    drop(spool);

    // What is taken is not known to a start; whoever took it tells.
    let (mut spool, _) = open(folder.path(), 50);
    assert_eq!((spool.identity(), spool.waiting().records), (identity.as_str(), 5));
    spool.acknowledge(103).unwrap();
    assert_eq!(spool.append(vec![6]), 105, "never below what there was, whatever the clock says");
    assert_eq!(told(&spool.batch(999).unwrap()), [(104, 0, 5), (105, 0, 6)]);
    spool.acknowledge(105).unwrap();
    assert_eq!((spool.waiting().records, segments(folder.path()).len()), (0, 1));
    spool.acknowledge(400).unwrap();
    assert_eq!(spool.append(vec![7]), 401, "above what is known of it elsewhere");
    drop(spool);
    assert_eq!(open(folder.path(), 9_000).0.append(vec![8]), 9_000);
}

#[test]
fn a_record_that_was_cut_off_is_dropped_and_nothing_else() {
    let folder = Folder::new();
    let (mut spool, _) = open(folder.path(), 1);
    (1..=3_u8).for_each(|byte| {
        spool.append(vec![byte; 100]);
    });
    drop(spool);
    let segment = segments(folder.path()).remove(0);
    let whole = fs::read(&segment).unwrap();
    for cut in 1..128 {
        fs::write(&segment, &whole[..whole.len() - cut]).unwrap();
        let (mut spool, notices) = open(folder.path(), 1);
        let notice = notices.join("");
        let left = format!("the last {} bytes", 128 - cut);
        assert!(notice.contains(&left) && notice.contains("the 2 before it are kept"), "{cut}: {notice}");
        assert_eq!(told(&spool.batch(9_999).unwrap()), [(1, 0, 1), (2, 0, 2)], "{cut}");
    }
    // What follows goes to a file of its own.
    fs::write(&segment, &whole[..whole.len() - 1]).unwrap();
    let (mut spool, _) = open(folder.path(), 1);
    spool.append(vec![4]);
    assert_eq!(told(&spool.batch(9_999).unwrap()), [(1, 0, 1), (2, 0, 2), (3, 0, 4)]);
}

#[test]
fn a_record_that_decayed_is_passed_over_and_counted() {
    let folder = Folder::new();
    let (mut spool, _) = open(folder.path(), 1);
    (1..=4_u8).for_each(|byte| {
        spool.append(vec![byte; 100]);
    });
    drop(spool);
    let segment = segments(folder.path()).remove(0);
    let whole = fs::read(&segment).unwrap();
    let decayed = |records: &[usize]| {
        let mut bytes = whole.clone();
        records.iter().for_each(|record| bytes[8 + record * 128 + 60] ^= 1);
        fs::write(&segment, bytes).unwrap();
        let (mut spool, notices) = open(folder.path(), 1);
        assert!(notices.is_empty());
        let first = told(&spool.batch(9_999).unwrap());
        spool.append(vec![5]);
        let lost = spool.waiting().lost;
        let last = told(&spool.batch(9_999).unwrap()).last().copied();
        segments(folder.path()).iter().skip(1).for_each(|other| fs::remove_file(other).unwrap());
        (first, last, lost)
    };
    assert_eq!(decayed(&[1]), (vec![(1, 0, 1), (3, 1, 3), (4, 0, 4)], Some((5, 0, 5)), 0));
    assert_eq!(decayed(&[0]), (vec![(2, 0, 2), (3, 0, 3), (4, 0, 4)], Some((5, 1, 5)), 1));
    assert_eq!(decayed(&[0, 1, 2, 3]), (vec![], Some((5, 4, 5)), 4));
    fs::write(&segment, b"something else").unwrap();
    let (mut spool, notices) = open(folder.path(), 1);
    assert!(notices[0].contains("no segment of a spool"), "{notices:?}");
    assert_eq!(spool.batch(9_999).unwrap().last, None);
}

#[test]
fn at_its_bound_the_oldest_give_way_and_the_next_says_how_many() {
    let folder = Folder::new();
    let (mut spool, _) = open(folder.path(), 1);
    for _ in 0..300 {
        spool.append(vec![1; 10_000]);
        let bytes: u64 = segments(folder.path()).iter().map(|path| path.metadata().unwrap().len()).sum();
        assert!(bytes <= SPOOL_MIN.0 && spool.waiting().bytes == bytes, "{bytes}");
    }
    let waiting = spool.waiting();
    assert_eq!(waiting.lost + waiting.records, 300);
    assert!(waiting.records > 90, "{waiting:?}");
    let all = told(&spool.batch(usize::MAX).unwrap());
    let numbers: Vec<u64> = all.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (waiting.lost + 1..=300).collect::<Vec<_>>(), "the latest, without a gap");
    // Those that were told with records that gave way themselves are told again.
    spool.append(vec![2]);
    let lost: u64 = told(&spool.batch(usize::MAX).unwrap()).iter().map(|(_, lost, _)| lost).sum();
    assert_eq!(lost, spool.waiting().lost);
}

#[test]
fn on_a_full_disk_records_wait_in_memory_then_the_oldest_give_way_and_all_are_counted() {
    let folder = Folder::new();
    let Some(_disk) = Disk::of(folder.path(), "size=512k") else {
        testkit::skip!(testkit::Need::Privilege, "mounting a small file system takes root");
    };
    let (mut spool, _) = Spool::open(folder.path(), Bytes::mebi(64), Timestamp(1)).unwrap();
    (0..20).for_each(|_| {
        spool.append(vec![1; 4_000]);
    });
    assert_eq!(spool.trouble(), None);
    let filler = folder.path().join("filler");
    let _full = fs::write(&filler, vec![0; 1 << 20]);
    while spool.trouble().is_none() {
        spool.append(vec![2; 4_000]);
    }
    assert_eq!(spool.trouble(), Some(std::io::ErrorKind::StorageFull));
    let waiting = spool.waiting();
    assert_eq!(waiting.lost, 0);
    let all = told(&spool.batch(usize::MAX).unwrap());
    let first: Vec<u64> = (1..=waiting.records).collect();
    assert_eq!(all.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), first, "in order, also those in memory");

    // Longer than memory has room for.
    (0..200).for_each(|_| {
        spool.append(vec![3; 4_000]);
    });
    let waiting = spool.waiting();
    assert!(waiting.lost > 0 && waiting.records <= 200, "{waiting:?}");
    let made = first.len() as u64 + 200;
    assert_eq!(waiting.lost + waiting.records, made);
    fs::remove_file(filler).unwrap();
    spool.append(vec![4]);
    assert_eq!(spool.trouble(), None, "there is room");
    let all = told(&spool.batch(usize::MAX).unwrap());
    assert_eq!(all.iter().map(|(_, lost, _)| lost).sum::<u64>(), waiting.lost);
    assert_eq!(all.last().map(|last| (last.0, last.2)), Some((made + 1, 4)));
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    drop(spool);
    // Nothing of it was in memory any more.
    assert_eq!(told(&open(folder.path(), 1).0.batch(usize::MAX).unwrap()), all);
}

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use train_rig::{Fault, Kind, Limit, Phase, Run};

use crate::{PATIENCE, alone, small, start};

/// Processes that work below a folder.
fn processes(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let below = |entry: &fs::DirEntry| fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    entries.filter(below).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Control groups of a rig.
fn groups(rig: u32) -> Vec<String> {
    let start = format!("trimtab-train-{rig}-");
    let tops = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten().map(|entry| entry.path());
    let names =
        tops.flat_map(fs::read_dir).flatten().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(&start)).collect()
}

fn check_nothing_left(run_of: impl FnOnce(Run)) {
    let folder = tempfile::tempdir().unwrap();
    let run = start(&small(), Limit::default(), None, folder.path());
    run.watch(8, PATIENCE).unwrap();
    assert_eq!(processes(folder.path()).len(), 3);
    if run.lacks_limits().is_none() {
        assert!(!groups(std::process::id()).is_empty());
    }
    run_of(run);
    assert_eq!(processes(folder.path()), Vec::<String>::new());
    assert_eq!(groups(std::process::id()), Vec::<String>::new());
}

#[test]
fn nothing_is_left_of_a_run_that_was_dropped_in_the_middle_of_a_fault() {
    let _alone = alone();
    check_nothing_left(|run| {
        let hang = Fault { kind: Kind::HangStopped, rank: Some(1), slowdown: 2.0, stuck_in: Phase::Other };
        let injected = run.inject(&hang).unwrap();
        drop(run);
        drop(injected);
    });
}

#[test]
fn nothing_is_left_after_a_panic() {
    let _alone = alone();
    check_nothing_left(|run| {
        let stopped = Fault { kind: Kind::Stopped, rank: Some(0), slowdown: 3.0, stuck_in: Phase::Other };
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            let _injected = run.inject(&stopped).unwrap();
            panic!("as somebody might");
        }));
        assert!(panicked.is_err());
    });
}

#[test]
fn ranks_die_with_a_rig_that_is_killed_and_the_next_run_removes_its_groups() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Command::new(env!("CARGO_BIN_EXE_train-rig"))
        .arg("run")
        .arg(folder.path().join("run"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + PATIENCE;
    while processes(folder.path()).len() < 4 {
        assert!(Instant::now() < until, "its ranks do not run");
        sleep(Duration::from_millis(20));
    }
    rig.kill().unwrap();
    rig.wait().unwrap();
    while !processes(folder.path()).is_empty() {
        assert!(Instant::now() < until, "ranks outlive their rig");
        sleep(Duration::from_millis(20));
    }
    drop(start(&small(), Limit::default(), None, &folder.path().join("next")));
    assert_eq!(groups(rig.id()), Vec::<String>::new());
}

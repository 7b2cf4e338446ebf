//! Control planes and watchers that are killed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use connect::machine::{Runner, Settled};
use fleet::ids::ActionId;
use fleet::live::{Exit, Told};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::Test;
use crate::owner::{self, Book};
use crate::rig::{Rig, launch, line_of, lives, options, until};

pub(crate) const ALL: &[Test] = &[
    (
        "a killed control plane loses nothing and doubles nothing",
        a_killed_control_plane_loses_nothing_and_doubles_nothing,
    ),
    ("a run is taken up by the next control plane", a_run_is_taken_up_by_the_next_control_plane),
    ("a watcher that comes late starts nothing", a_watcher_that_comes_late_starts_nothing),
    ("a run dies with its watcher", a_run_dies_with_its_watcher),
    ("a run lost while nobody looked is told", a_run_lost_while_nobody_looked_is_told),
    ("after a restart of the machine nothing is certain", after_a_restart_of_the_machine_nothing_is_certain),
];

fn a_killed_control_plane_loses_nothing_and_doubles_nothing() {
    const COUNT: u64 = 400;
    let folder = TempDir::new().unwrap();
    let (mut random, mut kills) = (0x9e37_79b9_7f4a_7c15_u64, 0);
    loop {
        let mut child = owner::spawn(folder.path(), COUNT);
        // xorshift: the same kills in every run, as far as the machine is the same.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(2_000 + random % 120_000));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        assert!(kills < 2_000);
    }
    let book = Book::read(folder.path());
    assert_eq!(book.decided, (1..=COUNT).collect::<Vec<_>>());
    let mut starts = BTreeMap::<u64, u32>::new();
    for line in fs::read_to_string(folder.path().join("starts")).unwrap().lines() {
        *starts.entry(line.parse().unwrap()).or_default() += 1;
    }
    let over: BTreeMap<u64, String> = book.over.into_iter().collect();
    let mut sums = BTreeMap::<&str, u32>::new();
    for action in 1..=COUNT {
        let (words, started) = (over[&action].as_str(), starts.get(&action).copied().unwrap_or(0));
        *sums.entry(words).or_default() += 1;
        match words {
            "exit code 0" => assert_eq!(started, 1, "{action}"),
            "stopped on request" => assert!(started <= 1, "{action}"),
            _ => assert!(words == "not begun" && started == 0, "{action}: {words}, started {started} times"),
        }
    }
    println!("{kills} kills: {sums:?}");
    assert!(kills > 5, "it was hardly killed");
    assert_eq!(processes_of(folder.path()), Vec::<String>::new());
    assert_eq!(fs::read_dir(folder.path().join("runs/ask")).unwrap().count(), 0);
}

/// Every process that belongs to a run of this folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let mark = format!("TRIMTAB_RUN={}", folder.display());
    let is_of = |pid: &str| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable.starts_with(mark.as_bytes())) && lives(pid)
    };
    let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.parse::<u32>().is_ok() && is_of(name)).collect()
}

fn a_run_is_taken_up_by_the_next_control_plane() {
    let rig = Rig::new();
    let ready = rig.path("ready");
    let runs = rig.shell(&format!("echo $$ > {}; sleep 600", ready.display()));
    let ends = rig.shell("exit 3");
    rig.start(&runs);
    rig.start(&ends);
    let pid = line_of(&ready);
    // A run may come this far before its watcher has told of its start.
    until("its start was told", || rig.path("runs/1.started").exists());
    until("it ended", || rig.path("runs/2.ended").exists());
    let folder = rig.folder;
    drop(rig.runner);
    let runner = Runner::open(options(folder.path())).unwrap();
    assert_eq!(runner.present().unwrap(), [runs.action, ends.action]);
    let Settled::Runs(Some(started)) = runner.settle(runs.action).unwrap() else { panic!() };
    assert_eq!(started.told, Told::Started);
    let Settled::Over(ended) = runner.settle(ends.action).unwrap() else { panic!() };
    assert!(matches!(ended.told, Told::Ended { exit: Exit::Code(3), .. }));
    assert!(lives(&pid));
    runner.stop(runs.action).unwrap();
    let outcomes = runner.outcomes(Duration::from_secs(30)).unwrap();
    assert!(matches!(outcomes[0].told, Told::Ended { exit: Exit::Stopped, .. }), "{outcomes:?}");
}

fn a_watcher_that_comes_late_starts_nothing() {
    let folder = TempDir::new().unwrap();
    let (slow, late) = (folder.path().join("slow"), folder.path().join("late"));
    let program = std::env::current_exe().unwrap();
    let script = format!("#!/bin/sh\nsleep 0.4\n'{}' \"$@\"\necho $? >> '{}'\n", program.display(), late.display());
    fs::write(&slow, script).unwrap();
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o755)).unwrap();
    let mut slow_options = options(folder.path());
    slow_options.program = slow;
    let starts = folder.path().join("starts");
    let launches = [1, 2].map(|action| launch(action, &["/usr/bin/touch", starts.to_str().unwrap()]));
    let runner = Runner::open(slow_options).unwrap();
    launches.iter().for_each(|launch| runner.start(launch).unwrap());
    drop(runner);
    let runner = Runner::open(options(folder.path())).unwrap();
    for launch in &launches {
        let Settled::Over(outcome) = runner.settle(launch.action).unwrap() else { panic!() };
        assert!(matches!(outcome.told, Told::NotBegun));
    }
    // Even when nothing is known of it any more.
    runner.forget(launches[1].action).unwrap();
    until("both watchers came", || fs::read_to_string(&late).unwrap_or_default() == "0\n0\n");
    assert!(!starts.exists());
    assert_eq!(runner.present().unwrap(), [launches[0].action]);
}

/// Kills the watcher of the process `pid`.
fn kill_watcher(pid: &str) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let parent: i32 = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap();
    kill(Pid::from_raw(parent), Signal::SIGKILL).unwrap();
}

/// A run with a child in its group, one that left its session, and one that left its group and cleared its environment.
fn family(rig: &Rig) -> (connect::machine::Launch, Vec<String>) {
    let paths = ["leader", "near", "far", "bare"].map(|name| rig.path(name));
    let [leader, near, far, bare] = paths.each_ref().map(|path| path.display());
    let launch = rig.shell(&format!(
        "sh -c 'echo $$ > {near}; exec sleep 600' & setsid sh -c 'echo $$ > {far}; exec sleep 600' & \
         set -m; env -i /bin/sh -c 'echo $$ > {bare}; exec /bin/sleep 600' & echo $$ > {leader}; wait"
    ));
    rig.start(&launch);
    (launch, paths.iter().map(|path| line_of(path)).collect())
}

fn a_run_dies_with_its_watcher() {
    let rig = Rig::new();
    let (launch, pids) = family(&rig);
    kill_watcher(&pids[0]);
    assert_eq!(rig.end(launch.action).exit(), Exit::Lost);
    for pid in &pids {
        assert!(!lives(pid), "{pid} of {pids:?}");
    }
    // It is still known later.
    assert!(matches!(rig.runner.settle(launch.action).unwrap(), Settled::Over(_)));
}

fn a_run_lost_while_nobody_looked_is_told() {
    let rig = Rig::new();
    let (launch, pids) = family(&rig);
    let folder = rig.folder;
    drop(rig.runner);
    kill_watcher(&pids[0]);
    until("it is dead", || !lives(&pids[0]));
    let runner = Runner::open(options(folder.path())).unwrap();
    let Settled::Over(outcome) = runner.settle(launch.action).unwrap() else { panic!() };
    assert!(matches!(outcome.told, Told::Ended { exit: Exit::Lost, .. }));
    for pid in &pids {
        assert!(!lives(pid), "{pid} of {pids:?}");
    }
}

fn after_a_restart_of_the_machine_nothing_is_certain() {
    let rig = Rig::new();
    rig.run(&rig.shell("true"));
    let folder = rig.folder;
    drop(rig.runner);
    fs::write(folder.path().join("runs/boot"), "\"an earlier one\"").unwrap();
    let runner = Runner::open(options(folder.path())).unwrap();
    let Settled::Over(outcome) = runner.settle(ActionId(99)).unwrap() else { panic!() };
    assert!(matches!(outcome.told, Told::Ended { exit: Exit::Lost, .. }), "its files may have gone with the power");
}

//! How runs end, and how that is told.

use std::time::{Duration, Instant};

use connect::machine::{Options, Runner};
use fleet::live::Exit;
use fleet::quantity::{Bytes, Millis};

use crate::Test;
use crate::rig::{Rig, launch, lives};

pub(crate) const ALL: &[Test] = &[
    ("exit codes are told", exit_codes_are_told),
    ("signals are told", signals_are_told),
    ("what cannot start says why", what_cannot_start_says_why),
    ("use is measured", use_is_measured),
    ("an action starts once", an_action_starts_once),
    ("nothing outlives its leader", nothing_outlives_its_leader),
    ("a forgotten run leaves no file but its log", a_forgotten_run_leaves_no_file_but_its_log),
    ("a second control plane is refused", a_second_control_plane_is_refused),
    ("root is refused unless it was allowed", root_is_refused_unless_it_was_allowed),
    ("waiting can be cut short", waiting_can_be_cut_short),
];

fn exit_codes_are_told() {
    let rig = Rig::new();
    for code in [0, 1, 3, 255] {
        let end = rig.run(&rig.shell(&format!("exit {code}")));
        assert_eq!((end.started, end.exit()), (true, Exit::Code(code)));
    }
}

fn signals_are_told() {
    let rig = Rig::new();
    for signal in [6, 9, 11, 15] {
        assert_eq!(rig.run(&rig.shell(&format!("kill -{signal} $$"))).exit(), Exit::Signal(signal));
    }
}

fn what_cannot_start_says_why() {
    let rig = Rig::new();
    let check = |action: u64, word: &str, directory: &str, expected: &str| {
        let mut launch = launch(action, &[word]);
        launch.submission.directory = directory.into();
        let end = rig.run(&launch);
        assert!(!end.started && end.reason().contains(expected), "{end:?}");
    };
    check(101, "no-such-program", "/", "cannot execute no-such-program: No such file");
    check(102, "/etc/passwd", "/", "cannot execute /etc/passwd: Permission denied");
    check(103, "true", "/no/such/folder", "cannot enter its directory /no/such/folder");
    let mut empty = launch(104, &["true"]);
    empty.submission.command.clear();
    assert!(rig.runner.start(&empty).unwrap_err().contains("no program"));
}

fn use_is_measured() {
    let rig = Rig::new();
    let script =
        "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; head -c 50000000 /dev/zero | tail -c 50000000 >/dev/null";
    let (ran, used) = rig.run(&rig.shell(script)).used();
    let (cpu, memory) = (used.cpu.unwrap(), used.memory_peak.unwrap());
    assert!(cpu > Millis(20) && ran > Millis(20), "{ran:?} {cpu:?}");
    assert!(memory > Bytes(40 << 20) && memory < Bytes(200 << 20), "{memory:?}");
}

fn an_action_starts_once() {
    let rig = Rig::new();
    let launch = rig.shell(&format!("echo started >> {}", rig.path("starts").display()));
    rig.start(&launch);
    rig.start(&launch);
    rig.end(launch.action);
    rig.start(&launch);
    rig.run(&rig.shell("sleep 0.3"));
    assert_eq!(std::fs::read_to_string(rig.path("starts")).unwrap(), "started\n");
}

fn nothing_outlives_its_leader() {
    let rig = Rig::new();
    let (near, far) = (rig.path("near"), rig.path("far"));
    // One child stays in the group, one leaves it and its session; both ignore what asks them to end.
    let script = format!(
        "trap '' TERM HUP; sh -c 'echo $$ > {}; sleep 600' & setsid sh -c 'echo $$ > {}; sleep 600' & \
         while ! [ -s {} ] || ! [ -s {} ]; do sleep 0.01; done; exit 4",
        near.display(),
        far.display(),
        near.display(),
        far.display()
    );
    assert_eq!(rig.run(&rig.shell(&script)).exit(), Exit::Code(4));
    for path in [near, far] {
        assert!(!lives(&std::fs::read_to_string(&path).unwrap()), "{}", path.display());
    }
}

fn a_forgotten_run_leaves_no_file_but_its_log() {
    let rig = Rig::new();
    let launch = rig.shell("echo kept");
    rig.run(&launch);
    assert_eq!(rig.runner.present().unwrap(), [launch.action]);
    rig.runner.forget(launch.action).unwrap();
    assert_eq!(rig.runner.present().unwrap(), []);
    assert_eq!(std::fs::read_dir(rig.path("runs/ask")).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(rig.path("runs/part")).unwrap().count(), 0);
    assert_eq!(rig.log(&launch), "kept\n");
}

fn a_second_control_plane_is_refused() {
    let rig = Rig::new();
    let error = Runner::open(crate::rig::options(rig.folder.path())).unwrap_err();
    assert!(error.to_string().contains("is in use by another trimtab"), "{error}");
}

fn root_is_refused_unless_it_was_allowed() {
    if !nix::unistd::geteuid().is_root() {
        testkit::skip!(testkit::Need::Privilege, "only root can be refused");
    }
    let folder = tempfile::TempDir::new().unwrap();
    let error = Runner::open(Options::new(folder.path(), vec![])).unwrap_err();
    assert!(error.to_string().contains("refusing to run workloads as root"), "{error}");
}

fn waiting_can_be_cut_short() {
    let rig = Rig::new();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| rig.runner.outcomes(Duration::from_secs(50)).unwrap());
        std::thread::sleep(Duration::from_millis(20));
        rig.runner.wake();
        assert_eq!(waiting.join().unwrap(), []);
    });
    assert!(begun.elapsed() < Duration::from_secs(40));
}

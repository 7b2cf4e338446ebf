//! Asking runs to stop, and their time limit.

use std::fs;
use std::time::{Duration, Instant};

use fleet::live::Exit;
use fleet::quantity::Millis;

use crate::Test;
use crate::rig::{Rig, line_of, lives};

pub(crate) const ALL: &[Test] = &[
    ("a run has its grace for a checkpoint", a_run_has_its_grace_for_a_checkpoint),
    ("a child of a shell has the grace too", a_child_of_a_shell_has_the_grace_too),
    ("who ignores the request is killed", who_ignores_the_request_is_killed),
    ("a stopped process stops too", a_stopped_process_stops_too),
    ("a time limit ends a run", a_time_limit_ends_a_run),
    ("a stop right behind the start holds", a_stop_right_behind_the_start_holds),
    ("a stop after the end changes nothing", a_stop_after_the_end_changes_nothing),
];

fn a_run_has_its_grace_for_a_checkpoint() {
    let rig = Rig::new();
    let (ready, checkpoint) = (rig.path("ready"), rig.path("checkpoint"));
    let launch = rig.shell(&format!(
        "trap 'sleep 0.3; echo saved > {}; exit 0' TERM; echo $$ > {}; while :; do sleep 0.02; done",
        checkpoint.display(),
        ready.display()
    ));
    rig.start(&launch);
    line_of(&ready);
    rig.runner.stop(launch.action).unwrap();
    rig.runner.stop(launch.action).unwrap();
    assert_eq!(rig.end(launch.action).exit(), Exit::Stopped);
    assert_eq!(fs::read_to_string(checkpoint).unwrap(), "saved\n");
}

/// The shell dies of the signal at once; the training that it started still writes.
fn a_child_of_a_shell_has_the_grace_too() {
    let rig = Rig::new();
    let (ready, checkpoint) = (rig.path("ready"), rig.path("checkpoint"));
    let training = format!(
        "trap \"sleep 0.3; echo saved > {}; exit 0\" TERM; echo $$ > {}; while :; do sleep 0.02; done",
        checkpoint.display(),
        ready.display()
    );
    let launch = rig.shell(&format!("sh -c '{training}'; echo after"));
    rig.start(&launch);
    let pid = line_of(&ready);
    rig.runner.stop(launch.action).unwrap();
    assert_eq!(rig.end(launch.action).exit(), Exit::Stopped);
    assert_eq!(fs::read_to_string(checkpoint).unwrap(), "saved\n");
    assert!(!lives(&pid));
}

fn who_ignores_the_request_is_killed() {
    let rig = Rig::new();
    let ready = rig.path("ready");
    let mut launch = rig.shell(&format!("trap '' TERM; echo $$ > {}; while :; do sleep 0.02; done", ready.display()));
    launch.submission.grace = Millis(300);
    rig.start(&launch);
    let pid = line_of(&ready);
    let begun = Instant::now();
    rig.runner.stop(launch.action).unwrap();
    assert_eq!(rig.end(launch.action).exit(), Exit::Stopped);
    assert!(begun.elapsed() >= Duration::from_millis(300) && !lives(&pid));
}

fn a_stopped_process_stops_too() {
    let rig = Rig::new();
    let ready = rig.path("ready");
    let launch = rig.shell(&format!("echo $$ > {}; kill -STOP $$", ready.display()));
    rig.start(&launch);
    line_of(&ready);
    rig.runner.stop(launch.action).unwrap();
    assert_eq!(rig.end(launch.action).exit(), Exit::Stopped);
}

fn a_time_limit_ends_a_run() {
    let rig = Rig::new();
    let mut launch = rig.shell("trap '' TERM; while :; do sleep 0.02; done");
    launch.submission.time_limit_ms = Some(Millis(200));
    launch.submission.grace = Millis(100);
    let end = rig.run(&launch);
    let (ran, _) = end.used();
    assert_eq!(end.exit(), Exit::TimeLimit);
    assert!(ran >= Millis(300) && ran < Millis(20_000), "{ran:?}");
}

fn a_stop_right_behind_the_start_holds() {
    let rig = Rig::new();
    for pause_us in (0..6_000).step_by(200) {
        let launch = rig.shell("sleep 600");
        rig.start(&launch);
        std::thread::sleep(Duration::from_micros(pause_us));
        rig.runner.stop(launch.action).unwrap();
        assert_eq!(rig.end(launch.action).exit(), Exit::Stopped);
    }
}

fn a_stop_after_the_end_changes_nothing() {
    let rig = Rig::new();
    let launch = rig.shell("exit 7");
    assert_eq!(rig.run(&launch).exit(), Exit::Code(7));
    rig.runner.stop(launch.action).unwrap();
    assert_eq!(rig.runner.outcomes(Duration::from_millis(50)).unwrap(), []);
}

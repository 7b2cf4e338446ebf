//! What a run finds around it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use connect::machine::cgroup::Groups;
use connect::machine::{Launch, Vendor, Visible};
use fleet::ids::WorkloadId;
use fleet::live::{ArrayPlace, Exit, Submission};
use fleet::quantity::{Bytes, MilliCpu, Millis};

use crate::Test;
use crate::rig::{PATIENCE, Rig, launch};

pub(crate) const ALL: &[Test] = &[
    ("the environment is what was set", the_environment_is_what_was_set),
    ("a run is told where to tell its steps", a_run_is_told_where_to_tell_its_steps),
    ("a process is known by its workload", a_process_is_known_by_its_workload),
    ("a run sees the devices it was given", a_run_sees_the_devices_it_was_given),
    ("nothing else is inherited", nothing_else_is_inherited),
    ("memory is limited where it can be", memory_is_limited_where_it_can_be),
    ("cpu is limited where it can be", cpu_is_limited_where_it_can_be),
];

/// What `env` prints in a run.
fn printed(rig: &Rig, launch: &Launch) -> BTreeMap<String, String> {
    rig.run(launch);
    let log = rig.log(launch);
    log.lines().map(|line| line.split_once('=').unwrap()).map(|(name, value)| (name.into(), value.into())).collect()
}

fn the_environment_is_what_was_set() {
    let rig = Rig::new();
    let mut launch = launch(7, &["/usr/bin/env"]);
    let set =
        [("A", "1"), ("HOME", "/my home"), ("PATH", "/bin"), ("TRIMTAB_ACTION", "99"), ("ROCR_VISIBLE_DEVICES", "5")];
    launch.submission.environment = set.map(|(name, value)| (name.into(), value.into())).into();
    launch.submission.array = Some(ArrayPlace { index: 3, count: 5 });
    launch.attempt = 2;
    let mark = rig.path("runs/7").display().to_string();
    let expected = [
        ("A", "1"),
        ("CUDA_VISIBLE_DEVICES", "-1"),
        ("HIP_VISIBLE_DEVICES", "-1"),
        ("HOME", "/my home"),
        ("PATH", "/bin"),
        ("ROCR_VISIBLE_DEVICES", "-1"),
        ("TRIMTAB_ACTION", "7"),
        ("TRIMTAB_ARRAY_COUNT", "5"),
        ("TRIMTAB_ARRAY_INDEX", "3"),
        ("TRIMTAB_ATTEMPT", "2"),
        ("TRIMTAB_RUN", &mark),
        ("TRIMTAB_WORKLOAD", "7"),
    ];
    assert_eq!(printed(&rig, &launch), expected.map(|(name, value)| (name.into(), value.into())).into());
}

fn a_run_is_told_where_to_tell_its_steps() {
    let rig = Rig::with(|options| options.steps = Some("/x/steps.sock".into()));
    let check = |action, set: &[(&str, &str)], expected: [Option<&str>; 2]| {
        let mut launch = launch(action, &["/usr/bin/env"]);
        launch.submission.name = Some("a b/é".into());
        launch.submission.environment = set.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let environment = printed(&rig, &launch);
        assert_eq!(["TRIMTAB_STEPS", "TRIMTAB_JOB"].map(|name| environment.get(name).map(String::as_str)), expected);
    };
    check(7, &[], [Some("/x/steps.sock"), Some("a_b_é-7")]);
    check(8, &[("TRIMTAB_STEPS", "/mine"), ("TRIMTAB_JOB", "mine")], [Some("/mine"), Some("mine")]);
    // Handed in by a run, with all that it has.
    let of_another = [("TRIMTAB_WORKLOAD", "7"), ("TRIMTAB_STEPS", "/y"), ("TRIMTAB_JOB", "a_b_é-7")];
    check(9, &of_another, [Some("/x/steps.sock"), Some("a_b_é-9")]);
}

fn a_process_is_known_by_its_workload() {
    let (rig, other) = (Rig::new(), Rig::new());
    let launch = rig.shell("echo $$; read -r line <go");
    let made = Command::new("mkfifo").arg(rig.path("go")).status().unwrap();
    assert!(made.success());
    let launch = Launch {
        workload: WorkloadId(5),
        submission: Submission { directory: rig.path("").display().to_string(), ..launch.submission },
        ..launch
    };
    rig.start(&launch);
    let told = || std::fs::read_to_string(rig.runner.log(&launch)).unwrap_or_default();
    let begun = Instant::now();
    while !told().ends_with('\n') {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid: u32 = told().trim().parse().unwrap();
    assert_eq!(rig.runner.workload_of(pid), Some(WorkloadId(5)));
    assert_eq!(other.runner.workload_of(pid), None, "that is a run of another installation");
    assert_eq!(rig.runner.workload_of(std::process::id()), None);
    std::fs::write(rig.path("go"), "\n").unwrap();
    rig.end(launch.action);
}

fn a_run_sees_the_devices_it_was_given() {
    let names: Vec<String> = ["GPU-a", "GPU-b", "GPU-c"].map(String::from).into();
    let rig = Rig::with(|options| options.visible = Visible { vendor: Some(Vendor::Nvidia), names });
    let mut launch = launch(1, &["/usr/bin/env"]);
    launch.devices = 0b101;
    let environment = printed(&rig, &launch);
    assert_eq!(environment["CUDA_VISIBLE_DEVICES"], "GPU-a,GPU-c");
    assert!(environment.contains_key("PATH") && environment.contains_key("HOME"));
    assert!(!environment.contains_key("ROCR_VISIBLE_DEVICES"));
}

fn nothing_else_is_inherited() {
    let rig = Rig::new();
    let script =
        "ls /proc/self/fd; readlink /proc/self/fd/0; grep -E '^SigBlk' /proc/self/status; ps -o pgid= -p $$; echo $$";
    // Descriptors that whoever started this test left open are in every child of it.
    let plain = Command::new("/bin/sh").args(["-c", "ls /proc/self/fd"]).stdin(Stdio::null()).output().unwrap();
    let plain = String::from_utf8(plain.stdout).unwrap();
    let launch = rig.shell(script);
    rig.run(&launch);
    let log = rig.log(&launch);
    let rest = log.strip_prefix(&plain).unwrap_or_else(|| panic!("{plain}, but {log}"));
    let lines: Vec<&str> = rest.lines().map(str::trim).collect();
    assert_eq!(lines[..2], ["/dev/null", "SigBlk:\t0000000000000000"]);
    assert_eq!(lines[2], lines[3], "it leads its process group");
}

fn memory_is_limited_where_it_can_be() {
    let rig = Rig::new();
    let Some(group) = Groups::own(Path::new("/")).usable().memory else {
        testkit::skip!(testkit::Need::Privilege, "this user may not make control groups for memory");
    };
    let begun = std::time::SystemTime::now();
    let mut launch = rig.shell("head -c 100000000 /dev/zero | tail -c 100000000 >/dev/null");
    launch.submission.request.memory = Bytes(32 << 20);
    let end = rig.run(&launch);
    assert_eq!(end.exit(), Exit::OutOfMemory);
    let peak = end.used().1.memory_peak.unwrap();
    assert!(peak > Bytes(24 << 20) && peak <= Bytes(32 << 20), "{peak:?}");
    // Of this installation, whose name is in the group's by its hash: no group of this action is younger than the test.
    let left = std::fs::read_dir(group.path).unwrap().flatten();
    let young = left.filter(|entry| entry.metadata().and_then(|data| data.modified()).is_ok_and(|at| at > begun));
    let names: Vec<_> = young.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    assert!(!names.iter().any(|name| name.starts_with("trimtab-") && name.ends_with("-1")), "{names:?}");
}

fn cpu_is_limited_where_it_can_be() {
    let rig = Rig::new();
    if Groups::own(Path::new("/")).usable().cpu.is_none() {
        testkit::skip!(testkit::Need::Privilege, "this user may not make control groups for CPU");
    }
    let mut launch = rig.shell("while :; do :; done");
    launch.submission.request.cpu = MilliCpu(100);
    launch.submission.time_limit_ms = Some(Millis(1_000));
    let (ran, used) = rig.run(&launch).used();
    // A tenth of a core, and the start of the first process before it is in the group.
    assert!(used.cpu.unwrap() < Millis(ran.0 / 3), "{used:?} of {ran:?}");
}

//! What runs print.

use std::fs;

use crate::Test;
use crate::rig::Rig;

pub(crate) const ALL: &[Test] = &[
    ("output larger than a pipe arrives whole", output_larger_than_a_pipe_arrives_whole),
    ("both outputs keep their order", both_outputs_keep_their_order),
    ("logs are rotated at line ends", logs_are_rotated_at_line_ends),
];

fn output_larger_than_a_pipe_arrives_whole() {
    let rig = Rig::new();
    let launch = rig.shell("i=0; while [ $i -lt 50000 ]; do echo line $i; i=$((i+1)); done");
    rig.run(&launch);
    let expected: String = (0..50_000).map(|number| format!("line {number}\n")).collect();
    assert!(rig.log(&launch) == expected);
}

fn both_outputs_keep_their_order() {
    let rig = Rig::new();
    let launch = rig.shell("echo one; echo two >&2; echo three; printf four");
    rig.run(&launch);
    assert_eq!(rig.log(&launch), "one\ntwo\nthree\nfour");
}

fn logs_are_rotated_at_line_ends() {
    let rig = Rig::with(|options| {
        options.log_file_bytes_max = 64 << 10;
        options.log_files_max = 3;
    });
    let launch = rig.shell("i=100000; while [ $i -lt 150000 ]; do echo $i; i=$((i+1)); done");
    rig.run(&launch);
    let path = rig.runner.log(&launch);
    let names = fs::read_dir(path.parent().unwrap()).unwrap();
    assert_eq!(names.count(), 3);
    let older = |suffix: &str| fs::read_to_string(format!("{}{suffix}", path.display())).unwrap();
    let all = format!("{}{}{}", older(".2"), older(".1"), older(""));
    let lines: Vec<u32> = all.lines().map(|line| line.parse().unwrap()).collect();
    assert!(older(".1").len() <= 64 << 10 && older(".1").len() > 60 << 10);
    assert_eq!(lines.last(), Some(&149_999));
    assert!(lines.windows(2).all(|pair| pair[0] + 1 == pair[1]), "nothing is missing between the files");
}

//! Many runs at once.

use std::time::Instant;

use fleet::live::Exit;

use crate::Test;
use crate::rig::{Rig, launch};

pub(crate) const ALL: &[Test] = &[("two hundred run at once", two_hundred_run_at_once)];

fn two_hundred_run_at_once() {
    let rig = Rig::new();
    let launches: Vec<_> = (1..=200).map(|action| launch(action, &["/bin/sleep", "0.2"])).collect();
    let begun = Instant::now();
    launches.iter().for_each(|launch| rig.start(launch));
    let actions: Vec<_> = launches.iter().map(|launch| launch.action).collect();
    let ends = rig.ends(&actions);
    println!("200 runs of 0.2 s: {:?}", begun.elapsed());
    assert!(ends.values().all(|end| end.started && end.exit() == Exit::Code(0)));
}

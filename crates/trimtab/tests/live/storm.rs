//! Killed again and again in the middle of everything. `cargo xtask bench live` does it 500 times.

use live_rig::Installation;
use live_rig::storm::{self, Plan};

#[test]
fn no_kill_loses_doubles_or_orphans_anything() {
    let mut installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let report = storm::run(&mut installation, Plan { kills: 20, seed: 1 }).unwrap();
    let problems = report.problems();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(report.acknowledged > 40 && report.starts > 20, "there was hardly a storm: {report:?}");
    let sound = store::check(installation.store()).unwrap();
    assert!(sound.is_sound(), "{sound}");
}

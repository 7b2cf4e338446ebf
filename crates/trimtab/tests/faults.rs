//! A dozen trials of the agent: faults done to a real trainer by the kernel, and trainers that are sound. `cargo xtask bench diagnose` has hundreds
//! of them, and says how fast each was found and what was promised; this sees to it that nothing is quite broken.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::Need;
use train_rig::Kind;
use train_rig::trial::{Case, live};

/// One of nearly each kind.
const FAULTS: [Kind; 9] = [
    Kind::CpuQuota,
    Kind::SlowDisk,
    Kind::TightMemory,
    Kind::SlowLink,
    Kind::SlowRank,
    Kind::NoisyNeighbour,
    Kind::SlowLoader,
    Kind::HangStopped,
    Kind::Crash,
];
/// A machine where other things run may spoil so many.
const SPOILT_MAX: usize = 2;

fn trainer() -> PathBuf {
    train_rig::program().unwrap_or_else(|| {
        let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--package", "train-rig"]).status();
        assert!(built.is_ok_and(|status| status.success()), "the trainer cannot be built");
        train_rig::program().expect("it was built")
    })
}

#[test]
fn a_dozen_trials_are_told_right() {
    if !rustix::process::geteuid().is_root() {
        testkit::skip!(Need::Privilege, "faults are done by control groups and namespaces, which need root");
    }
    let (trimtab, trainer) = (Path::new(env!("CARGO_BIN_EXE_trimtab")), trainer());
    let faulty = FAULTS.into_iter().map(|kind| Case { kind: Some(kind), seed: 0 });
    let sound = (0..3).map(|seed| Case { kind: None, seed: 1_000 + seed });
    let mut wrong = Vec::new();
    for case in faulty.chain(sound) {
        let outcome = live(&case, trimtab, &trainer).unwrap_or_else(|error| panic!("{}: {error:#}", case.name()));
        println!("{}", outcome.line());
        if !outcome.is_right() {
            wrong.push(outcome.line());
        }
    }
    assert!(wrong.len() <= SPOILT_MAX, "{}", wrong.join("\n"));
}

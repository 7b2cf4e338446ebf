use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;
use std::time::Duration;

use testkit::Need;
use train_rig::{Fault, Injected, Kind, Limit, Loss, Phase, Run, Shape, Storage};

use crate::healthy::{fields, listen};
use crate::{PATIENCE, alone, small, start};

fn fault(kind: Kind, rank: Option<u32>) -> Fault {
    Fault { kind, rank, slowdown: 2.5, stuck_in: Phase::Backward }
}

/// What a kind needs and this run lacks.
fn lacking(kind: Kind, run: &Run) -> Option<String> {
    match kind {
        Kind::SlowLink => run.lacks_network(),
        Kind::CpuQuota | Kind::NoisyNeighbour => run.lacks_limits(),
        Kind::ColdDisk | Kind::SlowDisk | Kind::TightMemory => run.lacks_disk(),
        _ => None,
    }
}

/// A step takes much longer while the fault lasts, and what it took before when it is over. The bounds are wide: other work of the
/// machine is in these times.
macro_rules! slows {
    ($($name:ident: $kind:expr, $rank:expr;)+) => {$(
        #[test]
        fn $name() {
            let _alone = alone();
            let folder = tempfile::tempdir().unwrap();
            let storage = if $kind == Kind::SlowDisk { Storage::Streamed } else { Storage::Cached };
            let read_bytes_per_s = if $kind == Kind::SlowDisk { 16 << 20 } else { 1 << 20 };
            let mut shape = Shape { storage, read_bytes_per_s, ..small() };
            if $kind == Kind::TightMemory {
                // Small samples would all lie in what the kernel leaves a group besides.
                shape = Shape { sample_bytes: 512 << 10, read_bytes_per_s: 4 << 20, ..shape };
            }
            let run = start(&shape, Limit::default(), None, folder.path());
            if let Some(reason) = lacking($kind, &run) {
                testkit::skip!(Need::Privilege, "{} needs root and more: {reason}", $kind.name());
            }
            run.watch(20, PATIENCE).unwrap();
            let healthy = run.healthy().unwrap().step_s;
            let injected = run.inject(&fault($kind, $rank)).unwrap();
            run.watch(3, PATIENCE).unwrap();
            let harmed = run.watch(10, PATIENCE).unwrap().step_s;
            injected.remove().unwrap();
            run.watch(4, PATIENCE).unwrap();
            // Once more where the first look met something else.
            let after = run.watch(10, PATIENCE).unwrap().step_s.min(run.watch(10, PATIENCE).unwrap().step_s);
            println!("{}: {:.2} times as long, then {:.2}", $kind.name(), harmed / healthy, after / healthy);
            assert!(harmed > 1.4 * healthy, "healthy {healthy} s, harmed {harmed} s");
            assert!(after < 1.35 * healthy, "healthy {healthy} s, afterwards {after} s");
        }
    )+};
}

slows! {
    a_quota_slows_a_step: Kind::CpuQuota, Some(1);
    a_process_that_is_stopped_now_and_then_slows_a_step: Kind::Stopped, Some(2);
    a_cold_disk_slows_a_step: Kind::ColdDisk, Some(0);
    a_slow_disk_slows_a_step: Kind::SlowDisk, None;
    tight_memory_slows_a_step: Kind::TightMemory, Some(1);
    a_slow_link_slows_a_step: Kind::SlowLink, Some(2);
    a_network_that_is_slow_for_all_slows_a_step: Kind::SlowLink, None;
    a_slow_device_slows_a_step: Kind::SlowRank, Some(0);
    neighbours_slow_a_step: Kind::NoisyNeighbour, None;
    a_slow_loader_slows_a_step: Kind::SlowLoader, Some(1);
    checkpoints_out_of_proportion_slow_a_step: Kind::CheckpointBursts, Some(0);
}

/// That no rank gets further while a rank hangs.
fn check_hangs(run: &Run, injected: Injected) {
    // Steps under way may still end: a rank may have given its part of the next one already.
    sleep(Duration::from_millis(500));
    let steps = run.steps().unwrap();
    sleep(Duration::from_millis(1_500));
    assert_eq!(run.steps().unwrap(), steps);
    assert!(run.statuses().iter().all(Option::is_none), "a rank that hangs has not ended, and nobody has left");
    injected.remove().unwrap();
    run.watch(5, PATIENCE).unwrap();
}

#[test]
fn a_process_that_is_stopped_for_good_holds_all_up() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = start(&small(), Limit::default(), None, folder.path());
    run.watch(8, PATIENCE).unwrap();
    let injected = run.inject(&fault(Kind::HangStopped, Some(1))).unwrap();
    check_hangs(&run, injected);
}

#[test]
fn a_rank_that_is_stuck_lives_and_says_where_while_others_wait_for_it() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("steps");
    let told = listen(&socket, 3);
    let run = start(&small(), Limit::default(), Some(&socket), &folder.path().join("run"));
    run.watch(8, PATIENCE).unwrap();
    let injected = run.inject(&fault(Kind::HangStuck, Some(1))).unwrap();
    check_hangs(&run, injected);
    run.kill();
    for (rank, lines) in told.join().unwrap() {
        let expected = if rank == 1 { "in=backward" } else { "in=communication" };
        let now: Vec<_> = lines.iter().filter(|line| line.starts_with("now ") && line.contains(expected)).collect();
        // Told again a second later, since when it has been the same.
        assert!(now.windows(2).any(|two| two[0] == two[1]), "rank {rank}: {lines:?}");
        assert!(now.iter().all(|line| fields(line)["since"] >= fields(line)["step_since"]), "rank {rank}: {lines:?}");
        assert!(!lines.iter().any(|line| line == "end"), "rank {rank} was killed");
    }
}

fn crash(on_loss: Loss) -> Vec<Option<std::process::ExitStatus>> {
    let folder = tempfile::tempdir().unwrap();
    let run = start(&Shape { on_loss, ..small() }, Limit::default(), None, folder.path());
    run.watch(8, PATIENCE).unwrap();
    let injected = run.inject(&fault(Kind::Crash, Some(1))).unwrap();
    assert!(injected.remove().unwrap_err().to_string().contains("crash"));
    let patience = if on_loss == Loss::Leave { PATIENCE } else { Duration::from_secs(1) };
    run.wait(patience)
}

#[test]
fn who_loses_a_rank_leaves_with_an_error_or_waits() {
    let _alone = alone();
    let left = crash(Loss::Leave);
    assert_eq!(left[1].unwrap().signal(), Some(9));
    for rank in [0, 2] {
        assert!(left[rank].is_some_and(|status| status.code() == Some(1)), "{left:?}");
    }
    let wait = crash(Loss::Wait);
    assert_eq!(wait[1].unwrap().signal(), Some(9));
    assert!(wait[0].is_none() && wait[2].is_none(), "{wait:?}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let run = start(&small(), Limit::default(), None, folder.path());
    assert!(run.inject(&fault(Kind::SlowRank, Some(0))).unwrap_err().to_string().contains("after the start"));
    run.watch(8, PATIENCE).unwrap();
    let refused = |fault: &Fault, words: &str| {
        let error = format!("{:#}", run.inject(fault).unwrap_err());
        assert!(error.contains(words), "{error}");
    };
    refused(&fault(Kind::SlowDisk, Some(0)), "whose samples are Cached");
    refused(&fault(Kind::SlowRank, Some(7)), "there is no rank 7");
    refused(&fault(Kind::Crash, None), "done to one rank");
    refused(&Fault { slowdown: 0.5, ..fault(Kind::SlowRank, Some(0)) }, "a slowdown of 0.5 is none");
}

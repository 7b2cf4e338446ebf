use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{self, JoinHandle};

use train_rig::{Limit, Phase, Shape, Writers};

use crate::{PATIENCE, alone, small, start};

/// What ranks told, by rank: the lines of each after its first.
pub(crate) fn listen(socket: &Path, ranks: u32) -> JoinHandle<BTreeMap<u64, Vec<String>>> {
    let listener = UnixListener::bind(socket).unwrap();
    thread::spawn(move || {
        let readers: Vec<_> =
            (0..ranks).map(|_| listener.accept().unwrap().0).map(|it| thread::spawn(|| read(it))).collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    })
}

fn read(stream: UnixStream) -> (u64, Vec<String>) {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    assert!(first.starts_with("trimtab-steps 1 job=test rank="), "{first}");
    let fields = fields(&first);
    assert_eq!(fields["local_rank"], fields["rank"]);
    assert!(fields["pid"] > 1);
    (fields["rank"], lines.collect())
}

/// The numbers that a line gives to names.
pub(crate) fn fields(line: &str) -> BTreeMap<&str, u64> {
    let pairs = line.split(' ').filter_map(|field| field.split_once('='));
    pairs.filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect()
}

#[test]
fn a_healthy_run_tells_its_steps_and_ends_well() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("steps");
    let shape = Shape { checkpoint_by: Writers::All, ..small() };
    let told = listen(&socket, shape.ranks);
    let limit = Limit { steps: Some(25), seconds: None };
    let run = start(&shape, limit, Some(&socket), &folder.path().join("run"));
    let statuses = run.wait(PATIENCE);
    assert!(
        statuses.iter().all(|status| status.is_some_and(|status| status.success())),
        "{statuses:?} {}",
        run.said(0)
    );
    let truths = run.truths().unwrap();
    let told = told.join().unwrap();
    assert_eq!(told.len(), 3);
    for (rank, lines) in told {
        assert_eq!(lines.last().unwrap(), "end");
        let steps: Vec<_> = lines.iter().filter(|line| line.starts_with("step ")).collect();
        assert_eq!(steps.len(), 25);
        let truth = &truths[rank as usize];
        assert!(truth.weights.is_some() && truth.weights == truths[0].weights, "ranks came to different weights");
        for (number, (line, step)) in steps.iter().zip(&truth.steps).enumerate() {
            assert!(line.starts_with(&format!("step {number} ")), "{line}");
            let fields = fields(line);
            assert_eq!((fields["at"], fields["us"]), (step.at_us, step.us));
            let phases: u64 = Phase::TOLD.iter().map(|phase| fields[phase.name()]).sum();
            assert!(phases <= fields["us"], "{line}");
            assert!(phases * 10 >= fields["us"] * 9, "a tenth of a step is nowhere: {line}");
            assert!(fields["backward"] >= 29_000 && fields["forward"] >= 14_000, "no device ends early: {line}");
            assert_eq!(fields["checkpoint"] > 0, number == 9 || number == 19, "{line}");
        }
    }
}

#[test]
fn a_run_ends_after_its_seconds_and_leaves_cores_idle() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let limit = Limit { steps: None, seconds: Some(1.5) };
    let run = start(&small(), limit, None, folder.path());
    let statuses = run.wait(PATIENCE);
    assert!(statuses.iter().all(|status| status.is_some_and(|status| status.success())), "{statuses:?}");
    let counts: Vec<_> = run.truths().unwrap().iter().map(|truth| truth.steps.len()).collect();
    assert!(counts.iter().all(|count| *count == counts[0] && *count > 3), "{counts:?}");
    let pace = run.healthy().unwrap();
    assert!(pace.processor_share(2) < 0.6, "{pace:?}");
}

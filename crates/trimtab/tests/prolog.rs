//! A real Slurm whose nodes are tested before each job, as docs/DIAGNOSE.md says: one that fails is drained, and its job runs elsewhere.

#![expect(clippy::unwrap_used, reason = "the helpers of tests panic as tests do")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use slurm_rig::{Cluster, Job, Layout, Unavailable};
use testkit::Need;

const PATIENCE: Duration = Duration::from_secs(60);

/// What is said of a node or a job.
fn said(cluster: &Cluster, kind: &str, name: &str) -> String {
    let said = cluster.run("scontrol", ["--oneliner", "show", kind, name]).unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_node_whose_prolog_fails_is_drained_and_its_job_runs_elsewhere() {
    match slurm_rig::unavailable() {
        None => {}
        Some(Unavailable::Program(reason)) => testkit::skip!(Need::Slurm, "{reason}"),
        Some(Unavailable::Privilege(reason)) => testkit::skip!(Need::Privilege, "{reason}"),
    }
    let folder = tempfile::TempDir::new().unwrap();
    // The disk of the first node is gone, and that of the second is there.
    fs::create_dir(folder.path().join("n2")).unwrap();
    let prolog = folder.path().join("prolog");
    let (program, place) = (env!("CARGO_BIN_EXE_trimtab"), folder.path().display());
    let script =
        format!("#!/bin/sh\n{program} --quiet health --quick --folder {place}/$SLURMD_NODENAME >&2\n[ $? -ne 3 ]\n");
    fs::write(&prolog, script).unwrap();
    fs::set_permissions(&prolog, fs::Permissions::from_mode(0o755)).unwrap();
    let usual = Layout::default();
    let scheduler_parameters = format!("{},nohold_on_prolog_fail", usual.scheduler_parameters);
    let layout = Layout { nodes: 2, prolog: Some(prolog), scheduler_parameters, ..usual };
    let cluster = Cluster::start(layout).unwrap();

    let id = cluster.submit(&Job::sleeping("fit", 8, 1, 5)).unwrap().to_string();
    let until = Instant::now() + PATIENCE;
    while !said(&cluster, "job", &id).contains("JobState=COMPLETED") {
        assert!(Instant::now() < until, "{}\n{}", said(&cluster, "job", &id), said(&cluster, "node", "n1"));
        std::thread::sleep(Duration::from_millis(200));
    }
    let (job, n1, n2) = (said(&cluster, "job", &id), said(&cluster, "node", "n1"), said(&cluster, "node", "n2"));
    assert!(job.contains("NodeList=n2") && job.contains("Restarts=1"), "{job}");
    assert!(n1.contains("DRAIN") && n1.contains("Prolog error"), "{n1}");
    assert!(!n2.contains("DRAIN"), "{n2}");
}

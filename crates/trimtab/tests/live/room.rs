//! A disk that is full: whoever hands in is told, and what was acknowledged is kept.

use std::process::Command;
use std::time::{Duration, Instant};

use live_rig::{Client, Installation};
use serde_json::json;

/// A small file system in memory, over the installation's folder until dropped.
struct Disk(std::path::PathBuf);

impl Disk {
    fn over(folder: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(&folder);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What ran there is gone by then, and what is not lets go of it later.
        let _status = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn submit(client: &mut Client, bytes: usize) -> live_rig::Answer {
    let workload = json!({ "command": ["true"], "directory": "/", "environment": { "LARGE": "x".repeat(bytes) } });
    client.post("workloads", &json!({ "workloads": [workload] })).unwrap()
}

#[test]
fn a_full_disk_loses_nothing_and_is_gone_on_from_once_there_is_room() {
    let mut installation = Installation::new(env!("CARGO_BIN_EXE_trimtab")).unwrap();
    let Some(disk) = Disk::over(installation.folder()) else {
        testkit::skip!(testkit::Need::Privilege, "mounting a small file system takes root");
    };
    let mut client = installation.up().unwrap();
    let filler = disk.0.join("filler");
    std::fs::write(&filler, vec![0; 3 << 20]).unwrap();
    let mut acknowledged = Vec::new();
    let refused = loop {
        let answer = submit(&mut client, 100_000);
        match answer.status {
            201 => acknowledged.push(answer.json()["ids"][0].as_u64().unwrap()),
            _ => break answer,
        }
        assert!(acknowledged.len() < 200, "20 MB fit into 6");
    };
    assert_eq!(refused.status, 503, "{}", refused.json());
    let words = refused.json().to_string();
    assert!(words.contains("no room") && words.contains("nothing was changed"), "{words}");
    assert!(!acknowledged.is_empty());

    std::fs::remove_file(filler).unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = submit(&mut client, 10);
        if answer.status == 201 {
            acknowledged.push(answer.json()["ids"][0].as_u64().unwrap());
            break;
        }
        assert!(Instant::now() < until, "{}", answer.json());
        std::thread::sleep(Duration::from_millis(50));
    }
    loop {
        let states: Vec<String> = acknowledged
            .iter()
            .map(|id| client.read(&format!("workloads/{id}")).unwrap()["state"].as_str().unwrap().to_owned())
            .collect();
        if states.iter().all(|state| state == "completed") {
            break;
        }
        assert!(Instant::now() < until, "{states:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    installation.stop().unwrap();
    let report = store::check(installation.store()).unwrap();
    assert!(report.is_sound(), "{report}");
    // Before the folder that it lies over.
    drop(disk);
}

//! A place for a store, and entries to put there.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use fleet::action::Slot;
use fleet::event::EndCause;
use fleet::history::NodeRecord;
use fleet::ids::{ActionId, NodeId, WorkloadId};
use fleet::live::{Entry, Exit, Submission, Usage};
use fleet::quantity::{Bytes, Millis};
use fleet::time::Timestamp;

/// A folder that is gone when the test is over.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("trimtab-store-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("trimtab.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// Numbers that look drawn, the same each time.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

pub(crate) fn node(id: u32, name: &str) -> Entry {
    let facts = NodeRecord { name: name.into(), cpu_milli: Some(8_000), devices: 4, ..NodeRecord::default() };
    Entry::NodeFound { node: NodeId(id), facts }
}

pub(crate) fn submission(name: &str) -> Submission {
    Submission {
        command: vec!["python3".into(), "train.py".into(), name.into()],
        directory: "/work".into(),
        environment: [("HOME".to_owned(), "/home/ann".to_owned())].into(),
        name: Some(name.into()),
        queue: "default".into(),
        grace: Millis::seconds(30),
        ..Submission::default()
    }
}

pub(crate) fn submitted(workload: u32, submission: Submission) -> Entry {
    Entry::Submitted { workload: WorkloadId(workload), submission: Box::new(submission), by: "ann".into() }
}

pub(crate) fn eligible(workload: u32) -> Entry {
    Entry::Eligible { workload: WorkloadId(workload) }
}

pub(crate) fn decided(action: u64, workload: u32) -> Entry {
    let slots = vec![Slot { node: NodeId(0), tasks: 1, devices: 0b10 }];
    Entry::Decided { action: ActionId(action), workload: WorkloadId(workload), slots }
}

pub(crate) fn started(action: u64, workload: u32, since: i64) -> Entry {
    Entry::Started { action: ActionId(action), workload: WorkloadId(workload), since: Timestamp(since) }
}

pub(crate) fn ended(action: u64, workload: u32, exit: Exit) -> Entry {
    Entry::RunEnded {
        action: ActionId(action),
        workload: WorkloadId(workload),
        ran: Millis(500),
        exit,
        cause: exit.cause(),
        used: Usage { cpu: Some(Millis(400)), memory_peak: Some(Bytes::mebi(3)) },
    }
}

pub(crate) fn finished(workload: u32, cause: EndCause) -> Entry {
    Entry::Finished { workload: WorkloadId(workload), cause, reason: None }
}

/// A whole life of one workload with one run, that needs node 0.
pub(crate) fn life(workload: u32, action: u64, submission: Submission) -> Vec<Entry> {
    vec![
        submitted(workload, submission),
        eligible(workload),
        decided(action, workload),
        started(action, workload, 5),
        ended(action, workload, Exit::Code(0)),
        finished(workload, EndCause::Completed),
    ]
}

//! A folder with a runner, and what tests ask of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use connect::machine::{AsRoot, Launch, Options, Runner};
use fleet::ids::{ActionId, WorkloadId};
use fleet::live::{Exit, Outcome, Submission, Told, Usage};
use fleet::quantity::Millis;
use tempfile::TempDir;

/// The argument that makes this program a watcher.
pub(crate) const WATCHER: &str = "watch-a-run";
/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Rig {
    pub(crate) runner: Runner,
    pub(crate) folder: TempDir,
    next: AtomicU64,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) started: bool,
    pub(crate) told: Told,
}

pub(crate) fn options(folder: &Path) -> Options {
    let mut options = Options::new(folder, vec![WATCHER.into()]);
    options.as_root = AsRoot::Allow;
    options
}

pub(crate) fn launch(action: u64, words: &[&str]) -> Launch {
    let submission = Submission {
        command: words.iter().map(ToString::to_string).collect(),
        directory: "/".into(),
        queue: "default".into(),
        grace: Millis::seconds(30),
        ..Submission::default()
    };
    Launch { action: ActionId(action), workload: WorkloadId(action as u32), submission, attempt: 1, devices: 0 }
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut options = options(folder.path());
        change(&mut options);
        Self { runner: Runner::open(options).unwrap(), folder, next: AtomicU64::new(1) }
    }

    /// A launch of a shell with this script; tests want shells, Trimtab has none.
    pub(crate) fn shell(&self, script: &str) -> Launch {
        launch(self.next.fetch_add(1, Ordering::Relaxed), &["/bin/sh", "-c", script])
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn start(&self, launch: &Launch) {
        self.runner.start(launch).unwrap();
    }

    /// Waits for the end of an action.
    pub(crate) fn end(&self, action: ActionId) -> End {
        self.ends(&[action]).remove(&action).unwrap()
    }

    /// Waits for the ends of actions.
    pub(crate) fn ends(&self, actions: &[ActionId]) -> BTreeMap<ActionId, End> {
        let (mut started, mut ends) = (Vec::new(), BTreeMap::new());
        let begun = Instant::now();
        while !actions.iter().all(|action| ends.contains_key(action)) {
            assert!(begun.elapsed() < PATIENCE, "{} of {} ended", ends.len(), actions.len());
            for Outcome { action, told, .. } in self.runner.outcomes(Duration::from_secs(5)).unwrap() {
                match told {
                    Told::Started => started.push(action),
                    told => drop(ends.insert(action, End { started: started.contains(&action), told })),
                }
            }
        }
        ends
    }

    pub(crate) fn run(&self, launch: &Launch) -> End {
        self.start(launch);
        self.end(launch.action)
    }

    pub(crate) fn log(&self, launch: &Launch) -> String {
        fs::read_to_string(self.runner.log(launch)).unwrap()
    }
}

impl End {
    pub(crate) fn exit(&self) -> Exit {
        match &self.told {
            Told::Ended { exit, .. } => *exit,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn used(&self) -> (Millis, Usage) {
        match &self.told {
            Told::Ended { ran, used, .. } => (*ran, *used),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn reason(&self) -> &str {
        match &self.told {
            Told::StartFailed { reason } => reason,
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Whether a process lives; one that waits to be reaped does not.
pub(crate) fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// A file's text once it is there and ends with a whole line.
pub(crate) fn line_of(path: &Path) -> String {
    let mut text = String::new();
    until(&format!("{} is written", path.display()), || {
        text = fs::read_to_string(path).unwrap_or_default();
        text.ends_with('\n')
    });
    text.trim_end().to_owned()
}

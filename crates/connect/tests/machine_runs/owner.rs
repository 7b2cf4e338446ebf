//! A control plane of the smallest kind, in a process that the tests kill: it writes down what it decides before it does it, and
//! what it hears, and takes up after a kill where that ends.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use connect::machine::{Runner, Settled};
use fleet::ids::ActionId;
use fleet::live::{Outcome, Told};

use crate::rig::{launch, options};

pub(crate) const OWNER: &str = "own-runs";
/// How many it lets run at once.
const OPEN_MAX: usize = 12;

/// What it wrote down.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) decided: Vec<u64>,
    /// With the words of how they ended.
    pub(crate) over: Vec<(u64, String)>,
}

impl Book {
    pub(crate) fn read(folder: &Path) -> Self {
        let mut book = Self::default();
        for line in fs::read_to_string(folder.join("book")).unwrap_or_default().lines() {
            match line.split_once(' ').unwrap() {
                ("decided", action) => book.decided.push(action.parse().unwrap()),
                (action, words) => book.over.push((action.parse().unwrap(), words.into())),
            }
        }
        book
    }
}

/// Spawns one that has `count` actions to bring to their ends.
pub(crate) fn spawn(folder: &Path, count: u64) -> Child {
    let program = std::env::current_exe().unwrap();
    let arguments = [OWNER.into(), folder.display().to_string(), count.to_string()];
    Command::new(program).args(arguments).stdin(Stdio::null()).spawn().unwrap()
}

/// What such a process does.
pub(crate) fn own(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<String> = arguments.map(|word| word.into_string().unwrap()).collect();
    let [folder, count] = arguments.as_slice() else { return ExitCode::FAILURE };
    let folder = PathBuf::from(folder);
    let runner = Runner::open(options(&folder)).unwrap();
    let book = Book::read(&folder);
    let mut owner = Owner { open: book.decided.iter().copied().collect(), next: 1, runner, folder };
    for (action, _) in &book.over {
        owner.open.remove(action);
        owner.runner.forget(ActionId(*action)).unwrap();
    }
    owner.next = book.decided.len() as u64 + 1;
    for action in owner.open.clone() {
        match owner.runner.settle(ActionId(action)).unwrap() {
            Settled::Over(outcome) => owner.hear(&outcome),
            Settled::Runs(_) if is_endless(action) => owner.runner.stop(ActionId(action)).unwrap(),
            Settled::Runs(_) => {}
        }
    }
    owner.go_on(count.parse().unwrap());
    ExitCode::SUCCESS
}

struct Owner {
    runner: Runner,
    folder: PathBuf,
    open: BTreeSet<u64>,
    next: u64,
}

impl Owner {
    fn go_on(&mut self, count: u64) {
        while self.next <= count || !self.open.is_empty() {
            while self.next <= count && self.open.len() < OPEN_MAX {
                self.begin();
            }
            if self.next > count {
                self.open
                    .iter()
                    .filter(|action| is_endless(**action))
                    .for_each(|action| self.runner.stop(ActionId(*action)).unwrap());
            }
            for outcome in self.runner.outcomes(Duration::from_millis(500)).unwrap() {
                self.hear(&outcome);
            }
        }
    }

    fn begin(&mut self) {
        let action = self.next;
        self.next += 1;
        self.write(&format!("decided {action}\n"));
        self.open.insert(action);
        // Every run records its start; some leave children behind, every fifth would run for ever and is stopped.
        let length = if is_endless(action) { "600" } else { "0.02" };
        let starts = self.folder.join("starts").display().to_string();
        let script = format!("echo {action} >> {starts}; sleep 0.3 & setsid sleep 300 & sleep {length}");
        self.runner.start(&launch(action, &["/bin/sh", "-c", &script])).unwrap();
        // Some at once, others while they run.
        for stopped in [action, action.saturating_sub(3)] {
            if is_endless(stopped) && self.open.contains(&stopped) && (stopped < action || action.is_multiple_of(2)) {
                self.runner.stop(ActionId(stopped)).unwrap();
            }
        }
    }

    fn hear(&mut self, outcome: &Outcome) {
        let (action, told) = (outcome.action.0, &outcome.told);
        if *told != Told::Started && self.open.remove(&action) {
            self.write(&format!("{action} {}\n", words(told)));
            self.runner.forget(outcome.action).unwrap();
        }
    }

    /// In one write: a line is there whole or not at all.
    fn write(&self, line: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.folder.join("book")).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// Every fifth runs for ever.
fn is_endless(action: u64) -> bool {
    action.is_multiple_of(5)
}

fn words(told: &Told) -> String {
    match told {
        Told::Started => "started".into(),
        Told::StartFailed { reason } => format!("failed: {reason}"),
        Told::NotBegun => "not begun".into(),
        Told::Ended { exit, .. } => exit.words(),
    }
}

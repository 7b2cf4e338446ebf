//! Tests of this machine, each in a process of its own, apart from the control loop: one may take a minute, or never end.

use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use ::diagnose::fitness;
use connect::machine::health::{Asked, ask};
use control::HealthPolicy;
use fleet::health::{Depth, Measured, Problem};

use super::Heard;

/// So many tests wait at most: one of each node.
pub(crate) const TESTS_MAX: usize = 64;

/// A test that is to be made.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) node: String,
    pub(crate) depth: Depth,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Tested {
    pub(super) test: Test,
    /// What is wrong, or why it could not be made.
    pub(super) found: Result<Vec<Problem>, String>,
}

/// How this machine is tested.
pub(crate) struct Testing {
    pub(crate) policy: HealthPolicy,
    /// The node that this machine is.
    pub(crate) node: String,
    /// What it measured when it was well.
    pub(crate) before: Vec<Measured>,
    /// The command that tests it.
    pub(crate) command: Box<dyn Fn(Depth) -> Command + Send>,
}

/// Makes tests, one after the other, until nobody asks for one any more.
pub(crate) fn test(testing: &Testing, asked: &Receiver<Test>, line: &SyncSender<Heard>) {
    let mut stuck: Option<Child> = None;
    for test in asked {
        let found = found(testing, &test, &mut stuck);
        if line.send(Heard::Tested(Tested { test, found })).is_err() {
            return;
        }
    }
}

fn found(testing: &Testing, test: &Test, stuck: &mut Option<Child>) -> Result<Vec<Problem>, String> {
    if test.node != testing.node {
        return Err("it is another machine".into());
    }
    // One that does not even die is asked after, and no other is started beside it.
    let hangs = stuck.take_if(|child| !matches!(child.try_wait(), Ok(None))).is_none() && stuck.is_some();
    if hangs {
        return Ok(vec![hanging("a test of before still hangs, and cannot be ended".into())]);
    }
    let limit = Duration::from_millis(testing.policy.limit.0.max(0) as u64);
    match ask((testing.command)(test.depth), limit) {
        Asked::Told(report) => Ok(fitness::problems(test.depth, &report.measured, &testing.before, &report.kernel_log)),
        Asked::Hangs(at, child) => {
            *stuck = child;
            Ok(vec![hanging(format!("the test did not end within {}; it said last: {at}", testing.policy.limit))])
        }
        Asked::Failed(why) => Err(why),
    }
}

fn hanging(words: String) -> Problem {
    Problem { what: "the test ends".into(), words, value: None, unit: String::new(), before: None }
}

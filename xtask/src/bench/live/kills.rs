//! Bar 1: `trimtab up` is killed 500 times in a storm of submits, ends, cancels and drains of real processes.

use live_rig::storm::{self, Plan};

use super::installation;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 1;
const PLAN: Plan = Plan { kills: 500, seed: 1 };
/// The most problems that are told.
const TOLD_MAX: usize = 20;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let mut installation = installation()?;
    let report = storm::run(&mut installation, PLAN)?;
    let sound = store::check(installation.store())?;
    for problem in report.problems().iter().take(TOLD_MAX) {
        eprintln!("{problem}");
    }
    let storm =
        format!("{} kills, {} workloads acknowledged, {} starts", report.kills, report.acknowledged, report.starts);
    let none = |case: &str, found: usize| {
        Row::new(BAR, format!("{case} ({storm})"), found as f64, Target::AtMost(0.0), "workloads")
    };
    session.add(none("acknowledged and absent", report.absent.len()));
    session.add(none("lost", report.lost.len()));
    session.add(none("started twice", report.twice.len()));
    session.add(Row::new(BAR, "left running unowned", report.unowned.len() as f64, Target::AtMost(0.0), "processes"));
    let problems = sound.problems.len();
    session.add(Row::new(
        BAR,
        format!("store check: {}", sound.to_string().replace('\n', " ")),
        problems as f64,
        Target::AtMost(0.0),
        "problems",
    ));
    Ok(())
}

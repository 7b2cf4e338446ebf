//! Bar 8: the smallest fleet for Philly's list, the whole command: `trimtab optimize` from the CSV to the report and its page.
//!
//! What it answers is checked by replays that know nothing of how it was sought: the counts keep the wait, and one node less of
//! either kind does not.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use replay::history::History;
use replay::measure::{Waits, waits};
use replay::scenario::{Change, Scenario};
use replay::setup::Setup;
use serde_json::Value;

use crate::bench::row::{Row, Target};
use crate::bench::session::Session;
use crate::bench::{philly, program};

const BAR: u32 = 8;
const TARGET_S: f64 = 60.0;
const WAIT_S: f64 = 600.0;
/// A queue with fewer workloads is not bounded by itself.
const ENOUGH: u64 = 300;
const KINDS: [&str; 2] = ["gpu2", "gpu8"];
const FLEET: &str = "\
version = 1
currency = \"USD\"

[[nodes]]
name = \"gpu2\"
count = 321
devices = 2
price_per_hour = \"3.00\"

[[nodes]]
name = \"gpu8\"
count = 231
devices = 8
price_per_hour = \"14.00\"
";

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(path) = session.data(BAR, philly::FILE) else { return Ok(()) };
    let folder = std::env::temp_dir().join(format!("trimtab-bench-optimize-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let measured = measure(session, &path, &folder);
    let _gone = fs::remove_dir_all(&folder);
    let report = measured?;

    let history = philly::read(&path, &philly::REAL_FLEET)?;
    let overall = counts(&report, "fleet-size-overall").context("no smallest fleet by the wait of all together")?;
    check(session, &history, overall, "all together", |waits| waits.all.wait_s.p95)?;
    let every = counts(&report, "fleet-size").context("no smallest fleet by the wait of every queue")?;
    check(session, &history, every, "every queue of 300 workloads", |waits| {
        let bounded = waits.queues.iter().filter(|queue| queue.wait_s.count >= ENOUGH);
        bounded.map(|queue| queue.wait_s.p95).fold(waits.all.wait_s.p95, f64::max)
    })
}

/// Runs the command as it is shipped; its report.
fn measure(session: &mut Session, path: &Path, folder: &Path) -> anyhow::Result<Value> {
    let program = program::build()?;
    let (fleet, page) = (folder.join("fleet.toml"), folder.join("report.html"));
    fs::write(&fleet, FLEET).with_context(|| format!("cannot write {}", fleet.display()))?;
    let mut command = std::process::Command::new(&program);
    command.arg("optimize").arg(path).arg("--fleet").arg(&fleet).arg("--html").arg(&page);
    command.args(["--p95-wait", "10m", "--format", "json"]);

    let clock = Instant::now();
    let output = command.output().with_context(|| format!("cannot start {}", program.display()))?;
    let time = clock.elapsed().as_secs_f64();

    if !output.status.success() {
        bail!("trimtab optimize failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    ensure!(fs::metadata(&page).is_ok_and(|page| page.len() > 0), "no page was written");
    let case = "optimize philly.csv with a page, whole command, 321 nodes of 2 devices and 231 of 8";
    session.add(Row::new(BAR, case, time, Target::AtMost(TARGET_S), "s"));
    serde_json::from_slice(&output.stdout).context("the report is not JSON")
}

/// The counts that a rule's recommendation asks for, by kind.
fn counts(report: &Value, rule: &str) -> Option<[u32; 2]> {
    let all = report["recommendations"].as_array()?;
    let found = all.iter().find(|recommendation| recommendation["rule"] == rule)?;
    let mut counts = [philly::REAL_FLEET[0].count, philly::REAL_FLEET[1].count];
    for step in found["change"].as_array()? {
        let lines = step["text"].as_str()?.lines();
        let field = |key: &str| lines.clone().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix("= "));
        let name = field("name")?.trim_matches('"');
        counts[KINDS.iter().position(|kind| *kind == name)?] = field("count")?.parse().ok()?;
    }
    Some(counts)
}

/// Replays the counts and one node less of either kind.
fn check(
    session: &mut Session,
    history: &History,
    counts: [u32; 2],
    who: &str,
    p95_s: impl Fn(&Waits) -> f64,
) -> anyhow::Result<()> {
    let [small, large] = counts;
    let found = lived(history, counts)?;
    ensure!(found.never_ran == 0, "{} workloads never run with {small} and {large} nodes", found.never_ran);
    let case = format!("p95 wait of {who}, {small} nodes of 2 and {large} of 8");
    session.add(Row::new(BAR, case, p95_s(&found), Target::AtMost(WAIT_S), "s"));
    for (kind, fewer) in [(2, [small.saturating_sub(1), large]), (8, [small, large.saturating_sub(1)])] {
        if fewer == counts {
            continue;
        }
        let waits = lived(history, fewer)?;
        let case = format!("of {who}, one node of {kind} less");
        session.add(if waits.never_ran > 0 {
            Row::new(BAR, format!("never run {case}"), waits.never_ran as f64, Target::Above(0.0), "workloads")
        } else {
            Row::new(BAR, format!("p95 wait {case}"), p95_s(&waits), Target::Above(WAIT_S), "s")
        });
    }
    Ok(())
}

fn lived(history: &History, counts: [u32; 2]) -> anyhow::Result<Waits> {
    let scenario = KINDS.iter().zip(counts).fold(Scenario::recorded(), |scenario, (kind, count)| {
        scenario.with(Change::Nodes { group: (*kind).to_owned(), count })
    });
    let setup = Setup::new(history, &scenario).context("cannot apply the scenario")?;
    Ok(waits(history, &replay::run(&setup, 1)))
}

//! Bar 2: the waste told of a real cluster's log, recomputed straight from the log's text without the importer and the account.
//! docs/WASTE.md defines the three figures in terms of the log's fields.

use std::io::Read;

use advise::timeline::Timeline;
use advise::waste::{What, account};
use advise::window::Window;
use anyhow::Context;
use connect::file::Input;
use connect::import::Options;
use fleet::history::Header;
use replay::history::History;

use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 2;
const FILE: &str = "gaia/UniLu-Gaia-2014-2.swf.gz";
const NAMES: [&str; 3] = ["spent on failed jobs", "idle CPU", "over-asked time limits"];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(path) = session.data(BAR, FILE) else { return Ok(()) };
    let mut text = String::new();
    let opened = Input::open(&path).and_then(|mut input| input.read_to_string(&mut text));
    opened.with_context(|| format!("cannot read {}", path.display()))?;
    let told = told(&text)?;
    for ((name, told), expected) in NAMES.into_iter().zip(told).zip(by_hand(&text)?) {
        let off_percent = if expected > 0.0 { (told / expected - 1.0).abs() * 100.0 } else { f64::NAN };
        let case = format!("gaia, {name}: {told:.0} core-hours against {expected:.0} by hand, off by");
        session.add(Row::new(BAR, case, off_percent, Target::AtMost(0.1), "%"));
    }
    Ok(())
}

/// What the account tells, in core-hours.
fn told(text: &str) -> anyhow::Result<[f64; 3]> {
    let mut records = Vec::new();
    let report = connect::swf::read(text.as_bytes(), FILE, &Options::default(), &mut |record| {
        records.push(record);
        Ok(())
    })?;
    let mut history = History::from_records(Header::default(), records.into_iter());
    history.from = report.from.unwrap_or(history.from);
    history.until = report.until.unwrap_or(history.until);
    let timeline = Timeline::recorded(&history);
    let account = account(&history, &timeline, Window::of(&history, &timeline));
    let failed = account.spent.iter().find(|spent| spent.ending.name() == "failed");
    let idle = account.unused.iter().find(|unused| unused.what == What::Cores);
    let failed = failed.context("no failed run is told")?.hours;
    let idle = idle.context("no core time is told")?.unused_hours;
    Ok([failed, idle, account.limits.unused_hours].map(|hours| hours.as_hours()))
}

/// What the log's lines add up to, in core-hours: run time (field 4), processors (5, else 8), CPU (6), requested time (9),
/// status (11).
fn by_hand(text: &str) -> anyhow::Result<[f64; 3]> {
    let [mut failed, mut idle, mut over_asked] = [0.0; 3];
    for line in text.lines().filter(|line| !line.starts_with(';') && !line.trim().is_empty()) {
        let fields: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
        let fields = fields.with_context(|| format!("not a line of numbers: {line}"))?;
        anyhow::ensure!(fields.len() == 18, "not eighteen numbers: {line}");
        let (run, cpu, limit, status) = (fields[3], fields[5], fields[8], fields[10]);
        let processors = if fields[4] > 0.0 { fields[4] } else { fields[7] };
        if run < 0.0 {
            continue;
        }
        if status.abs() < 0.5 {
            failed += run * processors;
        }
        if cpu >= 0.0 && cpu - 60.0 <= run * 1.02 {
            idle += (run - cpu).max(0.0) * processors;
        }
        if limit > 0.0 {
            over_asked += (limit - run).max(0.0) * processors;
        }
    }
    Ok([failed, idle, over_asked].map(|core_seconds| core_seconds / 3_600.0))
}

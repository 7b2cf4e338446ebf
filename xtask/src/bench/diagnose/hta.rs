//! The second half of bar 2: launches, queues and the critical path, held against HolisticTraceAnalysis run on the same trace, since nobody
//! published what it says of them.

use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::kineto::Worst;
use super::speed::{HTA, program_of};
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;
use crate::venv::Venv;

/// Its critical path calls pandas in a way that pandas 3 refuses, and it asks for no version.
const PANDAS: &str = "pandas<3";

/// What quantiles and counts of a spread are called.
const SPREAD: [&str; 8] = ["count", "mean", "deviation", "min", "p25", "p50", "p75", "max"];

/// Python with what the rows are measured against.
pub(super) fn venv() -> anyhow::Result<Venv> {
    Venv::with("hta-pandas-2", &[HTA, &[PANDAS]].concat())
}

/// Adds the rows of a trace, of which `figures` is what the program said.
pub(super) fn rows(
    session: &mut Session,
    bar: u32,
    hta: &Venv,
    trace: &Path,
    name: &str,
    figures: &Value,
) -> anyhow::Result<()> {
    let theirs = theirs(hta, trace)?;
    let mut add = |what: &str, worst: &Worst| {
        let case = format!("{name}: {what}, {} figures of HTA's, the worst ({}) off by", worst.times, worst.time);
        session.add(Row::new(bar, case, worst.time_percent, Target::AtMost(0.1), "%"));
    };
    add("launches", &launches(&theirs["launches"], &figures["launches"][0])?);
    add("queues", &queues(&theirs["queues"], &figures["queues"])?);
    let (path, ours) = (&theirs["critical_path"], &figures["critical_path"]);
    match path["failed"].as_str() {
        None => add("critical path", &critical_path(path, ours)?),
        Some(reason) => {
            let ms = number(&ours["total_us"]).unwrap_or(f64::NAN) / 1_000.0;
            let case = format!("{name}: critical path, where HTA fails ({reason})");
            session.add(Row::new(bar, case, ms, Target::Stated, "ms"));
        }
    }
    Ok(())
}

fn theirs(hta: &Venv, trace: &Path) -> anyhow::Result<Value> {
    let output = hta.python().arg(program_of("kineto_more.py")).arg(trace).output().context("python did not start")?;
    ensure!(output.status.success(), "{}: {}", trace.display(), String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("what HTA says is no JSON")
}

fn number(value: &Value) -> anyhow::Result<f64> {
    value.as_f64().with_context(|| format!("{value} is no number"))
}

/// Each figure of a spread; what they do not tell, such as the deviation of one value, is passed over.
fn spread(worst: &mut Worst, name: &str, theirs: &Value, ours: &Value) -> anyhow::Result<()> {
    for figure in SPREAD.into_iter().filter(|figure| !theirs[figure].is_null()) {
        worst.time(&format!("{figure} of {name}"), number(&theirs[figure])?, number(&ours[figure])?);
    }
    Ok(())
}

fn launches(theirs: &Value, ours: &Value) -> anyhow::Result<Worst> {
    let mut worst = Worst::default();
    for name in ["host_us", "device_us", "delay_us"] {
        spread(&mut worst, name, &theirs[name], &ours[name])?;
    }
    for name in ["short", "long", "late"] {
        worst.time(name, number(&theirs[name])?, number(&ours[name])?);
    }
    Ok(worst)
}

fn queues(theirs: &Value, ours: &Value) -> anyhow::Result<Worst> {
    let mut worst = Worst::default();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (theirs, ours) = (list(theirs), list(ours));
    worst.time("count of streams", theirs.len() as f64, ours.len() as f64);
    for theirs in theirs {
        let stream = &theirs["stream"];
        let ours = ours.iter().find(|ours| ours["stream"] == *stream);
        let ours = ours.with_context(|| format!("the queue of stream {stream} is not told"))?;
        spread(&mut worst, &format!("stream {stream}"), &theirs["length"], &ours["length"])?;
        worst.time(&format!("full_us of stream {stream}"), number(&theirs["full_us"])?, number(&ours["full_us"])?);
    }
    Ok(worst)
}

fn critical_path(theirs: &Value, ours: &Value) -> anyhow::Result<Worst> {
    let mut worst = Worst::default();
    for name in ["total_us", "host_us", "device_us", "communication_us", "between_us", "launch_us"] {
        worst.time(name, number(&theirs[name])?, number(&ours[name])?);
    }
    Ok(worst)
}

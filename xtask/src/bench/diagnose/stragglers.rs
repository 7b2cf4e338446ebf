//! Bar 1: traces of pipelines with published results. Every `trace-NAME.csv.gz` of the folder that has a `result-NAME.json` is
//! held against it, against `mw-NAME.json` and `ms-NAME.json`, and against the cause where the publishers name it.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

use super::answer;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 1;

/// The causes that the publishers name, by the names of the traces.
const CAUSES: [(&str, &str); 3] = [("AR", "slow-worker"), ("SE", "uneven-lengths"), ("ST", "uneven-stages")];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(folder) = session.data(BAR, "stragglers") else { return Ok(()) };
    for name in answer::members(&folder, "trace-", ".csv.gz")? {
        let told = answer::of(&folder.join(format!("trace-{name}.csv.gz")))?;
        held(session, &folder, &name, &told)?;
    }
    Ok(())
}

fn held(session: &mut Session, folder: &Path, name: &str, told: &Value) -> anyhow::Result<()> {
    let read = |file: String| -> anyhow::Result<Value> {
        let path = folder.join(&file);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{file} is no JSON"))
    };
    let (result, figures) = (read(format!("result-{name}.json"))?, &told["figures"]);
    let slowdown = number(&result["blocking_slowdown"])?;
    let off = 100.0 * (number(&figures["slowdown"])? / slowdown - 1.0).abs();
    session.add(Row::new(BAR, format!("{name}: slowdown {slowdown:.4}, off by"), off, Target::AtMost(1.0), "%"));
    for (measure, file, field, ours) in [
        ("M_W", format!("mw-{name}.json"), "Mw", "worst_workers_share"),
        ("M_S", format!("ms-{name}.json"), "Ms", "last_stage_share"),
    ] {
        let published = number(&read(file)?[field])?;
        // Both are shares of the time that is lost, and may be near nothing: 1 % of that time.
        let off = 100.0 * (number(&figures[ours])? - published).abs();
        let case = format!("{name}: {measure} {published:.4}, off by");
        session.add(Row::new(BAR, case, off, Target::AtMost(1.0), "% of the time lost"));
    }
    for (of, published, ours) in [
        ("dp_rank", "blocking_decompose_by_dp_rank", "by_dp_rank"),
        ("stage", "blocking_decompose_by_stage", "by_stage"),
        ("optype", "blocking_decompose_by_optype", "by_kind"),
    ] {
        parts(session, name, of, &result[published], &figures[ours], slowdown)?;
    }
    if let Some((_, cause)) = CAUSES.iter().find(|(trace, _)| *trace == name) {
        let right = told["findings"][0]["rule"].as_str() == Some(cause);
        session.add(Row::new(
            BAR,
            format!("{name}: the cause is {cause}"),
            f64::from(u8::from(right)),
            Target::AtLeast(1.0),
            "",
        ));
    }
    Ok(())
}

fn parts(
    session: &mut Session,
    name: &str,
    of: &str,
    published: &Value,
    ours: &Value,
    slowdown: f64,
) -> anyhow::Result<()> {
    let published = published.as_object().with_context(|| format!("{name} has no parts by {of}"))?;
    let ours = ours.as_array().with_context(|| format!("parts by {of} are not told"))?;
    let key = |part: &Value| part["of"].as_str().map_or_else(|| part["of"].to_string(), str::to_owned);
    let mut worst = 0.0_f64;
    for (part, value) in published {
        let told = ours.iter().find(|told| key(told) == *part).with_context(|| format!("{of} {part} is not told"))?;
        worst = worst.max(100.0 * (number(&told["slowdown"])? - number(value)?).abs() / (slowdown - 1.0));
    }
    let case = format!("{name}: {} parts by {of}, the worst off by", published.len());
    session.add(Row::new(BAR, case, worst, Target::AtMost(3.0), "% of S - 1"));
    let largest = published.iter().max_by(|a, b| a.1.as_f64().unwrap_or(0.0).total_cmp(&b.1.as_f64().unwrap_or(0.0)));
    let told = ours
        .iter()
        .max_by(|a, b| a["slowdown"].as_f64().unwrap_or(0.0).total_cmp(&b["slowdown"].as_f64().unwrap_or(0.0)));
    let right = largest.map(|(part, _)| part.clone()) == told.map(key);
    session.add(Row::new(
        BAR,
        format!("{name}: the largest part by {of} is told"),
        f64::from(u8::from(right)),
        Target::AtLeast(1.0),
        "",
    ));
    Ok(())
}

fn number(value: &Value) -> anyhow::Result<f64> {
    value.as_f64().with_context(|| format!("{value} is no number"))
}

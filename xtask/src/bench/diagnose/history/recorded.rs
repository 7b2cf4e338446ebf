//! What others recorded: times of steps, how devices were used, counters of nodes.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

/// Times of steps of one job, worker by worker.
pub(super) fn steps(folder: &Path, job: &str) -> anyhow::Result<Vec<Vec<f64>>> {
    let mut workers: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for line in text(&folder.join(format!("{job}_norm.csv")))?.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [_, worker, _, _, time] = cells[..] else { anyhow::bail!("{line:?} has not five cells") };
        workers.entry(worker.parse()?).or_default().push(time.parse()?);
    }
    Ok(workers.into_values().collect())
}

/// Curves of distribution: of each, the values at rising shares, equally far apart.
pub(super) fn curves(folder: &Path, name: &str) -> anyhow::Result<Vec<Vec<f64>>> {
    let table = text(&folder.join(format!("{name}.csv")))?;
    let mut curves: Vec<Vec<f64>> = Vec::new();
    for line in table.lines().skip(1) {
        for (curve, value) in line.split(',').step_by(2).enumerate() {
            if curves.len() == curve {
                curves.push(Vec::new());
            }
            curves[curve].push(value.parse().with_context(|| format!("{value:?} of {name} is no number"))?);
        }
    }
    Ok(curves)
}

/// A counter of a scrape: its value, as a whole number of its last decimals.
pub(super) struct Counter {
    pub(super) name: String,
    pub(super) units: i64,
    pub(super) decimals: i32,
}

/// The counters of a scrape in Prometheus' text format that have counted anything.
pub(super) fn counters(file: &Path) -> anyhow::Result<Vec<Counter>> {
    let text = text(file)?;
    let mut kind = "";
    let mut counters = Vec::new();
    for line in text.lines() {
        if let Some(of) = line.strip_prefix("# TYPE ") {
            kind = of.split(' ').nth(1).unwrap_or_default();
        }
        if kind != "counter" || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.rsplit_once(' ') else { continue };
        let (decimals, number): (usize, f64) = match value.split_once('.') {
            Some((_, decimals)) if !value.contains('e') => (decimals.len(), value.parse()?),
            _ => (0, value.parse()?),
        };
        let units = (number * 10_f64.powi(decimals as i32)).round() as i64;
        if units > 0 && decimals <= 6 {
            counters.push(Counter { name: name.to_owned(), units, decimals: decimals as i32 });
        }
    }
    Ok(counters)
}

fn text(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

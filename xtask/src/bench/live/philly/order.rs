//! The order of starts: as they were, and in a replay of what was recorded.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, ensure};
use fleet::live::{Entry, Logged};
use live_rig::Installation;

/// Starts so close to each other are told apart by nobody.
const TIE_MS: i64 = 1_000;

/// When each began, by its id; milliseconds since 1970. Of some that were soon over only the end was heard of.
pub(super) fn starts(log: &[Logged]) -> BTreeMap<u32, i64> {
    let mut starts = BTreeMap::new();
    for logged in log {
        match logged.entry {
            Entry::Started { workload, since, .. } => drop(starts.insert(workload.0, since.0)),
            Entry::RunEnded { workload, ran, .. } => drop(starts.entry(workload.0).or_insert(logged.at.0 - ran.0)),
            _ => {}
        }
    }
    starts
}

/// The same of a replay of what was recorded, by the program's own commands.
pub(super) fn replay(installation: &Installation) -> anyhow::Result<BTreeMap<u32, i64>> {
    let (history, table) = (installation.beside().join("recorded.zst"), installation.beside().join("starts.csv"));
    let [history, starts] = [&history, &table].map(|path| path.display().to_string());
    for arguments in [&["history", "export", "-o", &history][..], &["replay", &history, "--starts", &starts][..]] {
        let output = installation.run(arguments)?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = fs::read_to_string(&table)?;
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().context("the table has no columns")?.split(',').collect();
    let column = |name: &str| columns.iter().position(|column| *column == name).context("a column is missing");
    let (id, start) = (column("id")?, column("start_ms")?);
    // No name in it needs quotes.
    let rows = lines.map(|line| line.split(',').collect::<Vec<&str>>());
    Ok(rows.filter_map(|row| Some((row.get(id)?.parse().ok()?, row.get(start)?.parse().ok()?))).collect())
}

/// How far two orders agree.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) missing: usize,
    pub(super) inverted: usize,
    pub(super) furthest_s: f64,
}

pub(super) fn compare(live: &BTreeMap<u32, i64>, replayed: &BTreeMap<u32, i64>) -> Compared {
    let pairs: Vec<(i64, i64)> = live.iter().filter_map(|(id, at)| Some((*at, *replayed.get(id)?))).collect();
    let later = |(a, b): (&(i64, i64), &(i64, i64))| b.0 - a.0 > TIE_MS && b.1 < a.1;
    let inverted = pairs.iter().flat_map(|a| pairs.iter().map(move |b| (a, b))).filter(|pair| later(*pair)).count();
    let moved = pairs.iter().map(|(live, replayed)| (live - replayed).abs()).max().unwrap_or(0);
    Compared { missing: live.len() - pairs.len(), inverted, furthest_s: moved as f64 / 1e3 }
}

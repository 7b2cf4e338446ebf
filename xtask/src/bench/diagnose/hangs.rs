//! Bar 4: dumps of hangs into which faults were injected. Every folder with a `fault_injection.log` is held against it.

use std::collections::BTreeSet;

use anyhow::Context;

use super::answer;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 4;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(folder) = session.data(BAR, "nccl-hangs") else { return Ok(()) };
    for name in answer::members(&folder, "", "")? {
        let log = folder.join(&name).join("fault_injection.log");
        let Ok(log) = std::fs::read_to_string(log) else { continue };
        let injected = injected(&log).with_context(|| format!("{name} names no rank"))?;
        let told = answer::of(&folder.join(&name))?;
        let ranks =
            told["findings"].as_array().into_iter().flatten().filter_map(|finding| finding["places"].as_array());
        let told: BTreeSet<u64> =
            ranks.flatten().filter_map(|place| place["name"].as_str().and_then(|rank| rank.parse().ok())).collect();
        let missed = injected.difference(&told).count();
        session.add(Row::new(
            BAR,
            format!("{name}: of {} ranks, not told", injected.len()),
            missed as f64,
            Target::AtMost(0.0),
            "",
        ));
        let more = told.difference(&injected).count();
        session.add(Row::new(BAR, format!("{name}: told and not injected"), more as f64, Target::AtMost(0.0), ""));
    }
    Ok(())
}

/// `Fault ranks: [9, 14]`.
fn injected(log: &str) -> Option<BTreeSet<u64>> {
    let line = log.lines().find_map(|line| line.strip_prefix("Fault ranks:"))?;
    let ranks = line.trim().trim_matches(['[', ']']).split(',');
    ranks.map(|rank| rank.trim().parse().ok()).collect()
}

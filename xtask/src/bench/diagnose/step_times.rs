//! Bar 5: times of steps of real jobs, in which it is known who was slow.

use super::answer;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 5;

/// A job, and who was slow in it, from step to step.
const KNOWN: (&str, u64, u64, u64) = ("job_1", 6, 1811, 1931);

/// So many steps an end may be off.
const GIVE: u64 = 30;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(folder) = session.data(BAR, "step-times") else { return Ok(()) };
    for job in answer::members(&folder, "", "_norm.csv")? {
        let told = answer::of(&folder.join(format!("{job}_norm.csv")))?;
        let episodes = told["figures"].as_array().cloned().unwrap_or_default();
        let words: Vec<String> = episodes
            .iter()
            .map(|episode| format!("worker {} {}-{}", episode["worker"], episode["first_step"], episode["last_step"]))
            .collect();
        let (name, worker, first, last) = KNOWN;
        if job != name {
            let case = format!("{job}: episodes ({})", words.join(", "));
            session.add(Row::new(BAR, case, episodes.len() as f64, Target::Stated, ""));
            continue;
        }
        let is_known = |episode: &serde_json::Value| {
            let near = |field: &str, step: u64| episode[field].as_u64().is_some_and(|told| told.abs_diff(step) <= GIVE);
            episode["worker"].as_u64() == Some(worker) && near("first_step", first) && near("last_step", last)
        };
        let found = episodes.iter().any(is_known);
        let case = format!("{job}: worker {worker}, {first} to {last} ({})", words.join(", "));
        session.add(Row::new(BAR, case, f64::from(u8::from(found)), Target::AtLeast(1.0), ""));
        let others = episodes.iter().filter(|episode| !is_known(episode)).count();
        session.add(Row::new(BAR, format!("{job}: any other"), others as f64, Target::AtMost(0.0), ""));
    }
    Ok(())
}

//! Agents as the API and the pages show them: who is heard, and who is not.

use std::collections::BTreeMap;

use fleet::kept_finding::FindingState;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use store::{FindingQuery, Reader, StoredAgent};

use crate::failure::Failure;

/// An agent reports every ten seconds. One that was not heard for so long is shown as silent, and what it found as no longer sure.
pub(crate) const SILENT_AFTER: Millis = Millis::seconds(30);
/// A clock that differs by more is told of; reports travel for a while.
const CLOCK_OFF: Millis = Millis::seconds(5);

/// An agent, and how it stands.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) stored: StoredAgent,
    pub(crate) is_silent: bool,
    /// Findings on its node that are open.
    pub(crate) open: u64,
}

impl Agent {
    /// How far its clock is ahead of the one here, where that is worth a word.
    pub(crate) fn clock_off(&self) -> Option<Millis> {
        let ahead = self.stored.ahead();
        (ahead.0.abs() > CLOCK_OFF.0).then_some(ahead)
    }
}

/// All that report here, by node.
pub(crate) fn list(reader: &Reader, now: Timestamp) -> Result<Vec<Agent>, Failure> {
    let agents = reader.agents()?;
    let mut open: BTreeMap<String, u64> = BTreeMap::new();
    if !agents.is_empty() {
        for kept in reader.findings(&FindingQuery::of(FindingState::Open, now))? {
            if let Some(node) = kept.finding.place("node") {
                *open.entry(node.to_owned()).or_default() += 1;
            }
        }
    }
    let agent = |stored: StoredAgent| Agent {
        is_silent: is_silent(stored.heard, now),
        open: open.get(&stored.node).copied().unwrap_or(0),
        stored,
    };
    Ok(agents.into_iter().map(agent).collect())
}

/// All that report here, with when those that are silent were heard last.
pub(crate) fn silent(reader: &Reader, now: Timestamp) -> Result<BTreeMap<String, Option<Timestamp>>, Failure> {
    let silent = |agent: &StoredAgent| is_silent(agent.heard, now).then_some(agent.heard);
    Ok(reader.agents()?.into_iter().map(|agent| (agent.node.clone(), silent(&agent))).collect())
}

fn is_silent(heard: Timestamp, now: Timestamp) -> bool {
    now.since(heard) > SILENT_AFTER
}

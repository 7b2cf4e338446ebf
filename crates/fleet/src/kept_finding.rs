//! A finding as an installation keeps it: under an id, with what became of it, and who does not want to hear of it.

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Since};
use crate::ids::{FindingId, WorkloadId};
use crate::quantity::Millis;
use crate::time::Timestamp;

/// What was measured so long before something was wrong is kept with it: it shows what was usual.
const USUAL_BEFORE: Millis = Millis::minutes(2);

/// A finding that is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptFinding {
    /// Its id; it stays the same when `trimtab up` is started anew.
    pub id: FindingId,
    /// As it is now, or was last.
    pub finding: Finding,
    /// The workload that it is about, where it is about one.
    pub workload: Option<WorkloadId>,
    /// When it was first opened.
    pub opened: Timestamp,
    /// When it was last found.
    pub seen: Timestamp,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// How often it came back soon after it had been closed.
    pub returns: u32,
    /// Who does not want to hear of it, and why.
    pub mute: Option<Mute>,
}

/// Somebody does not want to hear of a finding for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How a finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingState {
    /// It is there.
    Open,
    /// It is there, and nobody wants to hear of it.
    Muted,
    /// It is over.
    Closed,
}

impl FindingState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Muted, Self::Closed];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Muted => "muted",
            Self::Closed => "closed",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl KeptFinding {
    /// How it stands at a moment.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> FindingState {
        match &self.mute {
            _ if self.closed.is_some() => FindingState::Closed,
            Some(mute) if mute.until > now => FindingState::Muted,
            _ => FindingState::Open,
        }
    }

    /// Since when something is wrong; when it was opened, where no moment is known.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        match self.finding.since {
            Some(Since::Time(at)) => at,
            _ => self.opened,
        }
    }

    /// From when on what was measured shows it: two minutes before it began, so that one sees what was usual.
    #[must_use]
    pub fn shown_from(&self) -> Timestamp {
        self.since().min(self.opened) - USUAL_BEFORE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_ends_and_what_is_over_is_over() {
        let mute = Mute { reason: "known".into(), until: Timestamp(10), by: "ada".into(), at: Timestamp(1) };
        let mut kept = KeptFinding {
            id: FindingId(1),
            finding: Finding { since: Some(Since::Time(Timestamp(500_000))), ..Finding::new("hang", "It hangs") },
            workload: None,
            opened: Timestamp(510_000),
            seen: Timestamp(520_000),
            closed: None,
            returns: 0,
            mute: Some(mute),
        };
        assert_eq!(kept.state(Timestamp(9)), FindingState::Muted);
        assert_eq!(kept.state(Timestamp(10)), FindingState::Open);
        assert_eq!(kept.shown_from(), Timestamp(380_000));
        kept.finding.since = Some(Since::Step(7));
        assert_eq!(kept.since(), Timestamp(510_000));
        kept.closed = Some(Timestamp(520_000));
        assert_eq!(kept.state(Timestamp(9)), FindingState::Closed);
        for state in FindingState::ALL {
            assert_eq!(FindingState::named(state.name()), Some(state));
        }
    }
}

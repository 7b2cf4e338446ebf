//! The time that an account is about.

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::History;
use serde::Serialize;

use crate::timeline::Timeline;

/// From a moment, included, until another, excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Window {
    /// Its first moment.
    #[serde(rename = "from_ms")]
    pub from: Timestamp,
    /// The moment after its last.
    #[serde(rename = "until_ms")]
    pub until: Timestamp,
}

impl Window {
    /// The time that was observed. A history whose last recorded moment is its first one (a list of durations without starts,
    /// all submitted at once) is taken to last until its timeline ends.
    #[must_use]
    pub fn of(history: &History, timeline: &Timeline) -> Self {
        let last = || timeline.stints.iter().map(|stint| stint.end).max().unwrap_or(history.from);
        let until = if history.until > history.from { history.until } else { last().max(history.from) };
        Self { from: history.from, until }
    }

    /// How long it is.
    #[must_use]
    pub fn length(self) -> Millis {
        self.until.since(self.from).max(Millis::ZERO)
    }

    /// The part of a span that lies inside; `None` where that has no length.
    #[must_use]
    pub fn clip(self, start: Timestamp, end: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let (start, end) = (start.max(self.from), end.min(self.until));
        (start < end).then_some((start, end))
    }
}

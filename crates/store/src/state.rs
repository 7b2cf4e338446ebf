//! Where a workload stands, as lists are filtered and counted by it.

use fleet::event::EndCause;
use fleet::live::Phase;

/// Where a workload stands: its phase without the moments in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Something it depends on is not over yet.
    Held,
    /// It may start.
    Waiting,
    /// It failed, and will be tried again later.
    BackingOff,
    /// Its start was decided, and has not been heard of yet.
    Starting,
    /// It runs.
    Running,
    /// It is over.
    Finished(EndCause),
}

impl State {
    /// Every state there is.
    pub const ALL: [Self; 13] = [
        Self::Held,
        Self::Waiting,
        Self::BackingOff,
        Self::Starting,
        Self::Running,
        Self::Finished(EndCause::Completed),
        Self::Finished(EndCause::Failed),
        Self::Finished(EndCause::Cancelled),
        Self::Finished(EndCause::TimedOut),
        Self::Finished(EndCause::OutOfMemory),
        Self::Finished(EndCause::NodeFailed),
        Self::Finished(EndCause::Requeued),
        Self::Finished(EndCause::Unknown),
    ];

    /// The state of a phase.
    #[must_use]
    pub fn of(phase: Phase) -> Self {
        match phase {
            Phase::Held => Self::Held,
            Phase::Waiting => Self::Waiting,
            Phase::BackingOff { .. } => Self::BackingOff,
            Phase::Starting => Self::Starting,
            Phase::Running => Self::Running,
            Phase::Finished { cause } => Self::Finished(cause),
        }
    }

    /// Its name in files and addresses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::BackingOff => "backing_off",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Finished(EndCause::Completed) => "completed",
            Self::Finished(EndCause::Failed) => "failed",
            Self::Finished(EndCause::Cancelled) => "cancelled",
            Self::Finished(EndCause::TimedOut) => "timed_out",
            Self::Finished(EndCause::OutOfMemory) => "out_of_memory",
            Self::Finished(EndCause::NodeFailed) => "node_failed",
            Self::Finished(EndCause::Requeued) => "requeued",
            Self::Finished(EndCause::Unknown) => "unknown",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Finished(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_name_of_its_own() {
        for state in State::ALL {
            assert_eq!(State::parse(state.name()), Some(state));
        }
        assert_eq!(EndCause::ALL.map(State::Finished), State::ALL[5..]);
    }
}

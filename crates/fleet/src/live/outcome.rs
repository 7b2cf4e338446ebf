//! What an adapter tells of an action.

use serde::{Deserialize, Serialize};

use crate::event::EndCause;
use crate::ids::ActionId;
use crate::quantity::{Bytes, Millis};
use crate::time::Timestamp;

/// What became of an action. May be told more than once, and late.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which action.
    pub action: ActionId,
    /// When, by the adapter's clock.
    pub at: Timestamp,
    /// What.
    pub told: Told,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It runs.
    Started,
    /// It never ran, and never will.
    StartFailed {
        /// Why, for people.
        reason: String,
    },
    /// It never ran, and never will, for no fault of its own: whoever was to begin it was gone before. It can be tried at once.
    NotBegun,
    /// It ran, and is over.
    Ended {
        /// How long it ran.
        #[serde(rename = "ran_ms")]
        ran: Millis,
        /// How it ended.
        exit: Exit,
        /// What it used.
        used: Usage,
    },
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal, which nobody here sent.
    Signal(i32),
    /// By the kernel, for want of memory.
    OutOfMemory,
    /// It reached its time limit and was stopped.
    TimeLimit,
    /// It was asked to stop, and stopped.
    Stopped,
    /// Whoever watched it is gone, and how it ended is not known.
    Lost,
}

impl Exit {
    /// The cause in the words of a history. What was stopped on request depends on who asked, and counts as cancelled here.
    #[must_use]
    pub fn cause(self) -> EndCause {
        match self {
            Self::Code(0) => EndCause::Completed,
            Self::Code(_) | Self::Signal(_) => EndCause::Failed,
            Self::OutOfMemory => EndCause::OutOfMemory,
            Self::TimeLimit => EndCause::TimedOut,
            Self::Stopped => EndCause::Cancelled,
            Self::Lost => EndCause::NodeFailed,
        }
    }

    /// Words for people: "exit code 3", "killed by signal 11".
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Code(code) => format!("exit code {code}"),
            Self::Signal(signal) => format!("killed by signal {signal}"),
            Self::OutOfMemory => "killed by the kernel: out of memory".into(),
            Self::TimeLimit => "stopped at its time limit".into(),
            Self::Stopped => "stopped on request".into(),
            Self::Lost => "lost: whoever watched it is gone".into(),
        }
    }

    /// Whether a run that ended so died of its node's fault: by itself it looked like its own, and then the node failed its self-test.
    #[must_use]
    pub fn is_of_node(self, cause: EndCause) -> bool {
        cause == EndCause::NodeFailed && self.cause() != EndCause::NodeFailed
    }

    /// Words for people, with whose fault it was.
    #[must_use]
    pub fn words_with(self, cause: EndCause) -> String {
        let whose = if self.is_of_node(cause) { "; its node failed its self-test then" } else { "" };
        self.words() + whose
    }
}

/// What a run used, as far as it could be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Core time of all its processes that were waited for.
    #[serde(default, rename = "cpu_ms", skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Millis>,
    /// The largest memory: of the whole run where a control group counted it, else of its largest process.
    #[serde(default, rename = "memory_peak_bytes", skip_serializing_if = "Option::is_none")]
    pub memory_peak: Option<Bytes>,
}

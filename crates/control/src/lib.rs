//! What becomes of workloads, from submission to end: the control plane's decisions.
//!
//! [`Control`] drives [`allocate::Engine`] and adds what an engine does not know: dependencies, retries with back-off, stops, nodes that
//! are tested before and after, and what of all this must be in the log before anything is done about it. Events in ([`Input`]), entries and effects out; it has no
//! clock, thread, file or process of its own, so that the simulation in `tests/` lives the code that runs.
//!
//! What must never happen: an effect whose entries are not stored before it; a workload that is acknowledged and forgotten;
//! two runs of one workload at a time. Start reading at [`Control::hear`].

mod control;
mod findings;
mod health;
mod input;
mod lives;
mod logs;
mod news;
mod outcome;
mod restore;
mod rule;
mod submit;
mod vocabulary;
mod why;

pub use control::{Ahead, Control, Effect, KnownNode, Written};
pub use findings::{Findings, SAME_WITHIN, Seen, Watching};
pub use health::{Fitness, HealthPolicy, OnFailure, drain_of};
pub use input::{Asked, Input, Refused, Reply};
pub use logs::{KeptLogs, LogLimits, let_go};
pub use news::Told;
pub use outcome::back_off;
pub use restore::Past;
pub use rule::Rule;
pub use why::Why;

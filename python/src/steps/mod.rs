//! The clock of training steps: where each step's time goes, told to the agent of this machine while it runs.
//!
//! It never holds up whoever trains, and never fails for want of somebody who listens. Everything that grows is bounded: `record.rs` has
//! the bounds. Begin with `course.rs`, the step under way; `line.rs` has what is told, `sender.rs` the thread that does,
//! `clock.rs` what Python sees.

mod clock;
mod course;
mod figures;
mod fork;
mod line;
mod phase;
mod place;
mod record;
mod sender;
mod shared;

pub(crate) use clock::{Span, StepClock, within_step};

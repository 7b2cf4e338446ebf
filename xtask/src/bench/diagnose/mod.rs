//! `cargo xtask bench diagnose`: what the program says of files of others, held against what is known of them.

mod agent_cost;
mod answer;
mod bad_input;
mod faults;
mod hangs;
mod history;
mod hta;
mod kineto;
mod speed;
mod step_times;
mod stragglers;
mod xids;

use super::session::{Bar, Session};

/// The bars, in order of their numbers.
const BARS: &[Bar] = &[
    (1, stragglers::run),
    (2, kineto::run),
    (3, speed::run),
    (4, hangs::run),
    (5, step_times::run),
    (6, xids::run),
    (7, faults::found),
    (8, faults::gain),
    (9, agent_cost::run),
    (10, history::run),
    (11, bad_input::run),
];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    session.run(BARS)
}

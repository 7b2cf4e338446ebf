//! `cargo xtask bench oracle`: bars 1 to 5, a file each. What replays and forecasts say is held against what was recorded, and
//! the policies against each other.

mod durations;
mod gaia_waste;
mod policies;
mod slurm_fidelity;
mod starts;

use super::session::{Bar, Session};

/// The bars, in order of their numbers.
const BARS: &[Bar] =
    &[(1, slurm_fidelity::run), (2, gaia_waste::run), (3, policies::run), (4, durations::run), (5, starts::run)];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    session.run(BARS)
}

//! `cargo xtask bench oracle`: bars 1 to 5, a file each. What replays and forecasts say is held against what was recorded, and
//! the policies against each other.

mod durations;
mod gaia_waste;
mod policies;
mod slurm_fidelity;
mod starts;

use super::session::Session;

/// The bars, in order of their numbers.
const BARS: &[fn(&mut Session) -> anyhow::Result<()>] =
    &[slurm_fidelity::run, gaia_waste::run, policies::run, durations::run, starts::run];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    BARS.iter().try_for_each(|bar| bar(session))
}

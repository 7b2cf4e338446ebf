//! `cargo xtask bench speed`: bars 6 to 8, a file each. How long the main jobs take on this machine.

mod crowd;
mod engine_time;
mod optimize_time;
mod replay_time;

use std::time::Duration;

use super::session::{Bar, Session};

/// The bars, in order of their numbers.
const BARS: &[Bar] = &[(6, replay_time::run), (7, engine_time::run), (8, optimize_time::run)];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    session.run(BARS)
}

/// The middle of a few timings, in seconds; of an even number the later of the two in the middle.
fn median_s(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median_s([9, 1, 4].map(Duration::from_secs).to_vec()) - 4.0).abs() < 1e-9);
    }
}

//! Bar 3: 100,000 workloads in the store; 100 clients list a page of 50 once a second, 10 hand in twice a second.

mod full;
mod load;

use anyhow::Context;

use super::installation;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;
use load::Times;

const BAR: u32 = 3;
const P99_MS: f64 = 50.0;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let mut installation = installation()?;
    // The first start makes the store, and finds this machine.
    installation.up()?;
    installation.stop()?;
    full::fill(&installation.store())?;
    installation.up()?;
    let address =
        std::fs::read_to_string(installation.folder().join("address")).context("the address is written down")?;
    let token = std::fs::read_to_string(installation.folder().join("token")).context("the token is written down")?;
    let Times { lists_ms, submits_ms, errors } = load::run(address.trim(), token.trim())?;
    installation.stop()?;

    for error in errors.iter().take(5) {
        eprintln!("{error}");
    }
    let all_ms: Vec<f64> = lists_ms.iter().chain(&submits_ms).copied().collect();
    let case = format!("p99 of {} lists and {} submits", lists_ms.len(), submits_ms.len());
    session.add(Row::new(BAR, case, p99(all_ms), Target::AtMost(P99_MS), "ms"));
    session.add(Row::new(BAR, "p99 of lists", p99(lists_ms), Target::AtMost(P99_MS), "ms"));
    session.add(Row::new(BAR, "p99 of submits", p99(submits_ms), Target::AtMost(P99_MS), "ms"));
    session.add(Row::new(BAR, "errors", errors.len() as f64, Target::AtMost(0.0), "requests"));
    Ok(())
}

/// What 99 in a hundred are no longer than; not a number where there is none.
fn p99(mut times_ms: Vec<f64>) -> f64 {
    times_ms.sort_unstable_by(f64::total_cmp);
    let place = (times_ms.len() * 99).div_ceil(100).saturating_sub(1);
    times_ms.get(place).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_a_hundred_may_be_longer() {
        let times = |count: u32| (1..=count).rev().map(f64::from).collect();
        assert!((p99(times(100)) - 99.0).abs() < 1e-9);
        assert!((p99(times(1_000)) - 990.0).abs() < 1e-9);
        assert!((p99(times(1)) - 1.0).abs() < 1e-9);
        assert!(p99(Vec::new()).is_nan());
    }
}

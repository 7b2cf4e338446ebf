//! When a workload that waits is expected to start: a copy of the engine lives the time ahead several times over, with run times drawn
//! from what was learnt and with those who came in the days before coming again.

use std::ops::ControlFlow;

use control::Ahead;
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::forward::{Drawn, Past, Start, look_ahead};
use serde::Serialize;
use utoipa::ToSchema;

/// So many times the time ahead is lived. One more life would lie below the least of ten, or above the greatest, with a chance of one
/// in eleven each: they bound eight of ten.
const LIVES: u64 = 10;
/// So far ahead.
const HORIZON: Millis = Millis::hours(30 * 24);

/// When a workload is expected to start. Moments are milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ExpectedStart {
    /// In half of the ways things may go it starts by then.
    pub(crate) median_ms: Option<i64>,
    /// In one of ten it starts before.
    pub(crate) low_ms: Option<i64>,
    /// In one of ten it starts later; absent: not within 30 days.
    pub(crate) high_ms: Option<i64>,
    /// Why it cannot be told, if it cannot.
    pub(crate) unknown: Option<&'static str>,
}

/// Looks ahead for one who waits.
pub(crate) fn expected_start(ahead: &Ahead, workload: WorkloadId) -> ExpectedStart {
    let mut past = Past::default();
    for (at, came) in &ahead.came {
        past.came(came, *at);
    }
    let mut starts: Vec<Timestamp> = (0..LIVES).map(|seed| life(ahead, &past, workload, seed)).collect();
    starts.sort_unstable();
    let at = |index: usize| Some(starts[index]).filter(|at| *at < Timestamp::MAX).map(|at| at.0);
    let last = starts.len() - 1;
    let median_ms = at(last / 2);
    let unknown = median_ms.is_none().then_some("it does not start within 30 days, as far as can be foreseen");
    ExpectedStart { median_ms, low_ms: at(0), high_ms: at(last), unknown }
}

/// When it starts in one way that things may go.
fn life(ahead: &Ahead, past: &Past, workload: WorkloadId, seed: u64) -> Timestamp {
    let mut found = Timestamp::MAX;
    let mut heard = |start: Start| {
        if start.workload == workload {
            found = start.at;
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let mut outlook = Drawn::new(seed, past, ahead.now, &mut heard);
    look_ahead(&ahead.engine, ahead.now, ahead.now + HORIZON, &mut outlook);
    found
}

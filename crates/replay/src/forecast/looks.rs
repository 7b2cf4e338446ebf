//! The last look ahead, and who can be read off it: whoever comes soon after is not looked ahead for again. A look costs some
//! milliseconds for every hundred starts that it sees, and those who come by the batch would all ask the same.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use allocate::Engine;
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::forward::{Drawn, Past, Start, look_ahead};
use crate::seed::Seed;

/// None goes further ahead; longer waits are said to last so long. On Philly's list with 64 nodes two of a hundred do.
const HORIZON: Millis = Millis::hours(4 * 24);
/// A look holds for this part of the wait that is read off it,
const HOLDS_ONE_OF: i64 = 6;
/// and no longer than this. Without this bound a look that was drawn too long holds too long, too: on Philly's first
/// 12,000 jobs those read off half an hour and more later were foretold three and a half times what they waited.
const HOLDS_MAX: Millis = Millis::minutes(20);
/// It goes on by this part of the time until the start that it was made for, so that those can be read off it who come later,
const BEYOND_ONE_OF: i64 = 4;
/// and by this at least.
const BEYOND_MIN: Millis = Millis::minutes(10);

/// What was seen ahead.
#[derive(Clone, Debug)]
pub(super) struct Look {
    from: Timestamp,
    /// When who starts, by group (`Engine::group`), in order.
    starts: BTreeMap<u32, Vec<Timestamp>>,
}

impl Look {
    /// Looks ahead until a workload has started that waits, and a little further; tells how long it waits in that look.
    pub(super) fn ahead(
        engine: &Engine,
        past: &Past,
        workload: WorkloadId,
        now: Timestamp,
        seed: &mut Seed,
    ) -> (Self, Millis) {
        let mut look = Self { from: now, starts: BTreeMap::new() };
        let mut wait = HORIZON;
        let mut until = now + HORIZON;
        let mut heard = |start: Start| {
            if start.at > until {
                return ControlFlow::Break(());
            }
            look.starts.entry(start.group).or_default().push(start.at);
            if start.workload == workload {
                wait = start.at.since(now);
                until = start.at + Millis(wait.0 / BEYOND_ONE_OF).max(BEYOND_MIN);
            }
            ControlFlow::Continue(())
        };
        look_ahead(engine, now, now + HORIZON, &mut Drawn::new(seed.next_u64(), past, now, &mut heard));
        (look, wait)
    }

    /// How long a workload will wait that waits since just now: as many of its group start first as go before it. Nothing where that
    /// cannot be seen here, or not any more.
    pub(super) fn read(&self, engine: &Engine, workload: WorkloadId, now: Timestamp) -> Option<Millis> {
        let starts = self.starts.get(&engine.group(workload)?)?;
        let gone = starts.partition_point(|at| *at <= now);
        let wait = starts.get(gone + engine.before(workload)?)?.since(now);
        (now.since(self.from) <= Millis(wait.0 / HOLDS_ONE_OF).min(HOLDS_MAX)).then_some(wait)
    }
}

//! EASY backfill (Lifka, "The ANL/IBM SP Scheduling System", 1995) with the time limits asked for: in order of arrival; room is
//! kept for the first that does not fit, and others go ahead if they are gone before it starts or leave it what it needs.

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;

/// What a workload without a limit is taken to run: Slurm's default where a partition sets none is no limit at all.
const UNLIMITED: Millis = Millis::hours(365 * 24);

/// By when they could first have started.
pub(super) fn key(eligible: Timestamp) -> i64 {
    eligible.0
}

/// At its limit.
pub(super) fn expected_end(workload: &Workload, since: Timestamp) -> Timestamp {
    since + workload.time_limit.unwrap_or(UNLIMITED)
}

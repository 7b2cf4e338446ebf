//! Which logs are let go.

use fleet::ids::WorkloadId;
use fleet::quantity::{Bytes, Millis};
use fleet::time::Timestamp;

/// How long logs are kept, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// For so long after their workload is over.
    pub keep: Millis,
    /// So much of all workloads together; those of workloads that are not over count, and are kept whatever there is.
    pub max: Bytes,
}

/// The logs of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptLogs {
    /// Whose they are.
    pub workload: WorkloadId,
    /// How much that is.
    pub bytes: Bytes,
    /// When it was over; none: it is not, or nobody knows it.
    pub finished: Option<Timestamp>,
}

/// Whose logs are to go, those that were over first first.
#[must_use]
pub fn let_go(mut logs: Vec<KeptLogs>, limits: LogLimits, now: Timestamp) -> Vec<WorkloadId> {
    logs.sort_by_key(|logs| (logs.finished, logs.workload));
    let mut left: u128 = logs.iter().map(|logs| u128::from(logs.bytes.0)).sum();
    let mut going = Vec::new();
    for KeptLogs { workload, bytes, finished } in logs {
        let Some(finished) = finished else { continue };
        if now.since(finished) < limits.keep && left <= u128::from(limits.max.0) {
            break;
        }
        left -= u128::from(bytes.0);
        going.push(workload);
    }
    going
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_until_the_rest_is_young_enough_and_fits() {
        let day = |days: i64| Timestamp(days * 86_400_000);
        let logs = |id, bytes, finished: Option<i64>| KeptLogs {
            workload: WorkloadId(id),
            bytes: Bytes(bytes),
            finished: finished.map(day),
        };
        let all = vec![logs(5, 10, Some(95)), logs(1, 10, None), logs(2, 10, Some(60)), logs(3, 10, Some(80))];
        let check = |keep_days: i64, max, expected: &[u32]| {
            let limits = LogLimits { keep: Millis::hours(24 * keep_days), max: Bytes(max) };
            let going: Vec<u32> = let_go(all.clone(), limits, day(100)).iter().map(|id| id.0).collect();
            assert_eq!(going, expected, "{keep_days} d, {max} B");
        };
        check(41, 40, &[]);
        check(40, 40, &[2]);
        check(15, 40, &[2, 3]);
        check(100, 39, &[2]);
        check(100, 29, &[2, 3]);
        check(40, 29, &[2, 3]);
        check(0, 0, &[2, 3, 5]);
        // The clock was set back.
        let limits = LogLimits { keep: Millis::hours(1), max: Bytes(100) };
        assert_eq!(let_go(all.clone(), limits, day(1)), []);
    }
}

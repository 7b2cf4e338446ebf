//! Whether time limits hold here: where they do, no forecast goes past one.

/// A job that reaches its limit is stopped a little later: signals, grace, epilogue.
const GRACE_MS: u64 = 60_000;
/// Limits count as enforced while at most one of so many ends lies beyond its own.
const BEYOND_ONE_OF: u64 = 20;
/// The counts are halved at so many ends, so that a change of rules shows.
const REMEMBERED_ENDS: u64 = 4_096;

/// Ends with a limit, and those beyond it.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    ends: u64,
    beyond: u64,
}

impl Limits {
    /// Learns from an end.
    pub(super) fn learn(&mut self, limit_ms: Option<u64>, ran_ms: u64) {
        let Some(limit_ms) = limit_ms else { return };
        self.ends += 1;
        self.beyond += u64::from(ran_ms > with_grace(limit_ms));
        if self.ends >= REMEMBERED_ENDS {
            self.ends /= 2;
            self.beyond /= 2;
        }
    }

    /// The longest a workload with this limit will run.
    pub(super) fn most_ms(&self, limit_ms: Option<u64>) -> u64 {
        match limit_ms {
            Some(limit_ms) if self.beyond * BEYOND_ONE_OF <= self.ends => with_grace(limit_ms),
            _ => u64::MAX,
        }
    }
}

fn with_grace(limit_ms: u64) -> u64 {
    limit_ms.saturating_add(GRACE_MS).saturating_add(limit_ms / 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_until_ends_show_otherwise() {
        let mut limits = Limits::default();
        assert_eq!(limits.most_ms(None), u64::MAX);
        assert_eq!(limits.most_ms(Some(1_000)), 61_000);
        for _ in 0..10 {
            limits.learn(Some(1_000), 500_000);
        }
        assert_eq!(limits.most_ms(Some(1_000)), u64::MAX);
        for _ in 0..10_000 {
            limits.learn(Some(1_000), 900);
        }
        assert_eq!(limits.most_ms(Some(1_000)), 61_000);
    }
}

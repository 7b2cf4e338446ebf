//! How logs are kept: what people are told where one is gone, and what `/metrics` tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use control::LogLimits;
use fleet::quantity::Bytes;

/// How logs are kept. Clones share what was told last.
#[derive(Clone, Debug)]
pub struct LogsKept {
    limits: LogLimits,
    told: Arc<Told>,
}

#[derive(Debug, Default)]
struct Told {
    workloads: AtomicU64,
    bytes: AtomicU64,
    let_go: AtomicU64,
}

/// What is kept, when it was looked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Workloads with logs.
    pub(crate) workloads: u64,
    /// How large these are.
    pub(crate) bytes: u64,
    /// Workloads whose logs were let go since the start.
    pub(crate) let_go: u64,
}

impl LogsKept {
    /// Logs are kept within these limits. Nothing was looked at yet.
    #[must_use]
    pub fn within(limits: LogLimits) -> Self {
        Self { limits, told: Arc::default() }
    }

    /// The limits.
    #[must_use]
    pub fn limits(&self) -> LogLimits {
        self.limits
    }

    /// Tells what is there after a look, and how many workloads' logs it let go.
    pub fn tell(&self, workloads: u64, bytes: Bytes, let_go: u64) {
        self.told.workloads.store(workloads, Ordering::Relaxed);
        self.told.bytes.store(bytes.0, Ordering::Relaxed);
        self.told.let_go.fetch_add(let_go, Ordering::Relaxed);
    }

    pub(crate) fn kept(&self) -> Kept {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Kept { workloads: read(&self.told.workloads), bytes: read(&self.told.bytes), let_go: read(&self.told.let_go) }
    }

    /// Why a log is gone.
    pub(crate) fn why_gone(&self) -> String {
        let LogLimits { keep, max } = self.limits;
        format!(
            "logs are kept for {keep} after their workload is over (--logs-keep), and {max} of them in all (--logs-max); the oldest go first"
        )
    }
}

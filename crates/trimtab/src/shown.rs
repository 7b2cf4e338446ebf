//! Amounts and moments as people read them, from answers of the server.

use std::time::{SystemTime, UNIX_EPOCH};

use fleet::quantity::Millis;
use serde_json::Value;

/// Now, in milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// How long ago, or nothing where nothing is known.
pub(crate) fn ago(at_ms: &Value) -> String {
    at_ms.as_i64().map_or_else(String::new, |at| format!("{} ago", seconds(now_ms() - at)))
}

/// A length to the second.
pub(crate) fn seconds(ms: i64) -> String {
    Millis(ms.max(0) / 1_000 * 1_000).to_string()
}

/// What is asked for, in a few letters: `4 cores, 2 devices`.
pub(crate) fn amount(request: &Value) -> String {
    let count = |name: &str| request[name].as_u64().unwrap_or(0);
    let mut parts = Vec::new();
    let thousandths = |count: u64| format!("{}", count as f64 / 1_000.0);
    if count("devices_milli") > 0 {
        let devices = count("devices_milli");
        parts.push(format!("{} device{}", thousandths(devices), if devices <= 1_000 { "" } else { "s" }));
    }
    if count("cpu_milli") > 0 {
        let cores = count("cpu_milli");
        parts.push(format!("{} core{}", thousandths(cores), if cores <= 1_000 { "" } else { "s" }));
    }
    if count("memory_bytes") > 0 {
        parts.push(format!("{:.1} GiB", count("memory_bytes") as f64 / f64::from(1 << 30)));
    }
    parts.join(", ")
}

/// So many of a thing: `1 workload`, `3 workloads`.
pub(crate) fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Text of the answer, or nothing.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A state as people say it.
pub(crate) fn state(value: &Value) -> String {
    text(value).replace('_', " ")
}

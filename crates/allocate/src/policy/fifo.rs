//! First in, first out: whoever does not fit holds up all behind who could use the same nodes.

use fleet::time::Timestamp;

/// By when they could first have started.
pub(super) fn key(eligible: Timestamp) -> i64 {
    eligible.0
}

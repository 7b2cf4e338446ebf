//! The bounds a row must keep. What lies outside is taken for a slip, reported and left out.

use fleet::quantity::{Bytes, Millis};
use fleet::time::Timestamp;

/// The longest id, name, user or queue.
pub const NAME_MAX: usize = 1_024;

/// The earliest moment: 1980-01-01. Job logs from before are not known, but zeros read as times are.
pub const TIME_MIN: Timestamp = Timestamp(315_532_800_000);

/// The first moment too late: 2200-01-01.
pub const TIME_MAX: Timestamp = Timestamp(7_258_118_400_000);

/// The longest run, wait or time limit: 20 years.
pub const LENGTH_MAX: Millis = Millis::hours(20 * 8_766);

/// The most tasks of one workload, and the most processors or devices of one machine.
pub const TASKS_MAX: u32 = 16_000_000;

/// The most memory of one task, and of one node: a pebibyte.
pub const MEMORY_MAX: Bytes = Bytes(1 << 50);

/// How many ids are remembered to find doubled ones; about 100 MiB.
pub const IDS_KEPT: usize = 4_000_000;

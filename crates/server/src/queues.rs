//! The queues there are.

use fleet::history::QueueRecord;
use fleet::live::DEFAULT_QUEUE;
use store::Reader;

use crate::failure::Failure;

/// All that have rules, and the one that is always there.
pub(crate) fn all(reader: &Reader) -> Result<Vec<QueueRecord>, Failure> {
    let mut records = reader.queues()?;
    if records.iter().all(|record| record.name != DEFAULT_QUEUE) {
        records.insert(0, QueueRecord { name: DEFAULT_QUEUE.into(), ..QueueRecord::default() });
    }
    Ok(records)
}

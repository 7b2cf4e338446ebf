//! The latest that was heard, handed from the thread that hears to the one that measures.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Values;

/// What was heard so long ago is not known any more: three turns of asking.
const HELD: Duration = Duration::from_secs(15);

/// The latest. Both hold it for the moment in which it is exchanged.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Mutex<Option<Latest>>>);

/// What was heard, and when.
type Latest = (Instant, Arc<Values>);

impl Heard {
    pub(super) fn hear(&self, values: Arc<Values>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), values));
    }

    /// Who does not answer tells nothing.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn lately(&self) -> Option<Arc<Values>> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.as_ref().filter(|(at, _)| at.elapsed() <= HELD).map(|(_, values)| Arc::clone(values))
    }
}

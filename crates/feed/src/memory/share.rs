//! Memory that is counted: whoever wants some takes it out of a share, and gives it back by letting go.
//!
//! A share never lends more than it has. It counts, and allocates nothing itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Bytes that may be in use at once.
#[derive(Debug)]
pub struct Share {
    limit: usize,
    used: Mutex<usize>,
    /// The most that was ever in use.
    peak: AtomicUsize,
    /// Some were given back.
    returned: Condvar,
}

/// Bytes of a share, until dropped.
#[derive(Debug)]
pub struct Held {
    share: Arc<Share>,
    bytes: usize,
}

impl Share {
    /// A share of `limit` bytes.
    pub fn new(limit: usize) -> Arc<Share> {
        Arc::new(Share { limit, used: Mutex::new(0), peak: AtomicUsize::new(0), returned: Condvar::new() })
    }

    /// Bytes that may be in use at once.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes that are in use.
    pub fn used(&self) -> usize {
        *self.lock()
    }

    /// The most bytes that were ever in use.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Bytes that nobody has.
    pub fn free(&self) -> usize {
        self.limit - self.used()
    }

    /// Takes some, where they are free.
    pub fn try_take(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        let mut used = self.lock();
        (bytes <= self.limit - *used).then(|| self.lend(&mut used, bytes))
    }

    /// Takes some, as soon as they are free; none where the share is smaller.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Option<Held> {
        if bytes > self.limit {
            return None;
        }
        let used = self.lock();
        let waited = self.returned.wait_while(used, |used| bytes > self.limit - *used);
        Some(self.lend(&mut waited.expect(NOBODY_PANICS), bytes))
    }

    fn lend(self: &Arc<Self>, used: &mut usize, bytes: usize) -> Held {
        *used += bytes;
        self.peak.fetch_max(*used, Ordering::Relaxed);
        Held { share: Arc::clone(self), bytes }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.used.lock().expect(NOBODY_PANICS)
    }
}

impl Held {
    /// Gives back what is more than `bytes`.
    pub fn shrink(&mut self, bytes: usize) {
        let more = self.bytes.saturating_sub(bytes);
        *self.share.lock() -= more;
        self.bytes -= more;
        self.share.returned.notify_all();
    }

    /// Takes some of them apart, to be given back for themselves.
    ///
    /// # Panics
    ///
    /// Where there are fewer.
    #[must_use]
    pub fn split(&mut self, bytes: usize) -> Held {
        assert!(bytes <= self.bytes, "what is taken apart is there");
        self.bytes -= bytes;
        Held { share: Arc::clone(&self.share), bytes }
    }

    /// How many.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut used = self.share.lock();
        assert!(self.bytes <= *used, "what is given back was taken");
        *used -= self.bytes;
        drop(used);
        self.share.returned.notify_all();
    }
}

const NOBODY_PANICS: &str = "nobody panics while counting";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_lent_than_there_is() {
        let share = Share::new(100);
        let first = share.try_take(60).unwrap();
        assert!(share.try_take(41).is_none());
        let second = share.try_take(40).unwrap();
        assert_eq!((share.used(), share.free()), (100, 0));
        let mut first = first;
        first.shrink(50);
        first.shrink(70);
        assert_eq!((first.bytes(), share.free()), (50, 10));
        let part = first.split(20);
        assert_eq!((part.bytes(), first.bytes(), share.free()), (20, 30, 10));
        drop(part);
        assert_eq!(share.free(), 30);
        drop(first);
        assert_eq!(share.free(), 60);
        assert!(share.take(101).is_none());
        drop(second);
        assert_eq!(share.take(100).unwrap().bytes(), 100);
    }

    #[test]
    fn whoever_waits_is_served() {
        let share = Share::new(10);
        let held = share.take(10);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| share.take(4).unwrap().bytes());
            drop(held);
            assert_eq!(waiting.join().unwrap(), 4);
        });
        assert_eq!(share.used(), 0);
    }
}

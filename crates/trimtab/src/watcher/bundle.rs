//! Seconds that are handed on together: at once when something begins, changes or ends, else every ten, since each write to the disk costs more
//! than many measurements. Pure.

use super::Second;

/// So many seconds are handed on at once.
const SECONDS: usize = 10;
/// So many wait at most while they cannot be handed on; the oldest are lost.
const WAITING_MAX: usize = 120;

/// What was not handed on yet.
#[derive(Default)]
pub(crate) struct Bundle {
    seconds: Vec<Second>,
    is_due: bool,
}

impl Bundle {
    /// Takes one more.
    pub(crate) fn add(&mut self, second: Second) {
        if self.seconds.len() == WAITING_MAX {
            self.seconds.remove(0);
        }
        self.is_due |= !second.changes.is_empty() || self.seconds.len() + 1 >= SECONDS;
        self.seconds.push(second);
    }

    /// Whether it is to be handed on now; until it was.
    pub(crate) fn is_due(&self) -> bool {
        self.is_due
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.seconds.is_empty()
    }

    /// What waits, the oldest first.
    pub(crate) fn seconds(&self) -> &[Second] {
        &self.seconds
    }

    /// It is handed on.
    pub(crate) fn take(&mut self) -> Vec<Second> {
        std::mem::take(self).seconds
    }
}

#[cfg(test)]
mod tests {
    use ::diagnose::live::{Change, Open};
    use fleet::finding::Finding;
    use fleet::series::Scrape;
    use fleet::time::Timestamp;

    use super::*;

    fn second(at: i64, changes: Vec<Change>) -> Second {
        Second { at: Timestamp(at), scrape: Scrape::default(), tellers: Vec::new(), changes }
    }

    #[test]
    fn news_is_handed_on_at_once_and_measurements_in_bundles() {
        let mut bundle = Bundle::default();
        for at in 1..SECONDS as i64 {
            bundle.add(second(at, Vec::new()));
            assert!(!bundle.is_due(), "at {at}");
        }
        bundle.add(second(10, Vec::new()));
        assert!(bundle.is_due());
        assert_eq!((bundle.take().len(), bundle.is_due(), bundle.is_empty()), (SECONDS, false, true));
        let finding = Finding::new("hang", "It hangs");
        let (at, closed) = (Timestamp(0), Some(Timestamp(1)));
        bundle.add(second(1, vec![Change::Closed(Open { id: 0, finding, opened: at, seen: at, closed, returns: 0 })]));
        bundle.add(second(2, Vec::new()));
        assert!(bundle.is_due(), "until it was handed on");
    }

    #[test]
    fn what_cannot_be_handed_on_waits_and_the_oldest_gives_way() {
        let mut bundle = Bundle::default();
        for at in 0..WAITING_MAX as i64 + 5 {
            bundle.add(second(at, Vec::new()));
        }
        assert_eq!((bundle.seconds().len(), bundle.seconds()[0].at), (WAITING_MAX, Timestamp(5)));
    }
}

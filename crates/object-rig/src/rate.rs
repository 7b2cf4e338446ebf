//! How fast answers are sent: each for itself, and all together.

use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What all answers go over; it is free again at some time.
#[derive(Debug, Default)]
pub(crate) struct Link(Mutex<Option<Instant>>);

/// Bounds for one answer.
pub(crate) struct Rates<'a> {
    /// Bytes a second of this answer.
    pub(crate) own: Option<u64>,
    /// Bytes a second of all answers, over a link.
    pub(crate) link: Option<(u64, &'a Link)>,
}

impl Link {
    /// When so many more bytes are over.
    fn over(&self, now: Instant, took: Duration) -> Instant {
        let mut free = self.0.lock().expect("nobody panics while holding it");
        let over = free.map_or(now, |free| free.max(now)) + took;
        *free = Some(over);
        over
    }
}

impl Rates<'_> {
    /// Whether there is no bound.
    pub(crate) fn are_open(&self) -> bool {
        self.own.is_none() && self.link.is_none()
    }

    /// When a part of some bytes may be over, of an answer that began at `start` and has sent `sent` bytes with it.
    pub(crate) fn due(&self, start: Instant, sent: u64, part: u64) -> Instant {
        let takes = |bytes: u64, rate: u64| Duration::from_secs_f64(bytes as f64 / rate as f64);
        let own = self.own.map_or(start, |rate| start + takes(sent, rate));
        let link = self.link.map_or(start, |(rate, link)| link.over(Instant::now(), takes(part, rate)));
        own.max(link)
    }
}

//! How many workers work at once, whatever they are: requests to a store, threads, processes. Each takes its time for a piece of work,
//! however many there are; more of them bring more, until what they share is busy: a network, a store, a disk, the cores. Then more
//! bring nothing but waiting.
//!
//! So the number is raised while that brings more a second, and goes back where it does not: twofold until that happens for the first time,
//! by half of it afterwards. It falls by half where a store says that it is asked too often. Times are arguments.

use std::time::Duration;

use super::Tuned;

/// A raise that brings less than this is taken back.
const WORTH_IT: f64 = 1.08;
/// What a rate is measured over, at least, and in latencies.
const PERIOD_MIN: Duration = Duration::from_millis(150);
const PERIOD_LATENCIES: u32 = 3;
const DONE_MIN: u32 = 4;
/// Periods that pass before another number is tried.
const REST_PERIODS: u32 = 20;
/// Nothing is raised for so long after the store said that it is asked too often.
const THROTTLED_REST: Duration = Duration::from_secs(2);

/// The number, and what is known about it.
#[derive(Debug)]
pub struct Pace {
    window: usize,
    window_max: usize,
    /// When the period began, what came in it, and how often all of the window was in use.
    began: Duration,
    amount: u64,
    done: u32,
    full: u32,
    latency: Duration,
    /// The number before the last raise, and what it brought a second.
    before: Option<(usize, f64)>,
    /// Whether no raise was taken back yet.
    is_young: bool,
    rest_until: Duration,
}

impl Pace {
    /// Begins with a number, within its bound.
    pub fn new(number: Tuned) -> Pace {
        Pace {
            window: number.start.min(number.max),
            window_max: number.max,
            began: Duration::ZERO,
            amount: 0,
            done: 0,
            full: 0,
            latency: Duration::ZERO,
            before: None,
            is_young: true,
            rest_until: Duration::ZERO,
        }
    }

    /// How many may work.
    pub fn window(&self) -> usize {
        self.window
    }

    /// One is done that took `took`, and brought `amount`; with it, `working` worked.
    pub fn done(&mut self, now: Duration, took: Duration, amount: u64, working: usize) {
        self.done_where(now, took, amount, working, || true);
    }

    /// The same; the number is raised only where more may help, which is asked when it would be.
    pub fn done_where(
        &mut self,
        now: Duration,
        took: Duration,
        amount: u64,
        working: usize,
        may_help: impl FnOnce() -> bool,
    ) {
        if self.done == 0 {
            self.began = self.began.max(now.saturating_sub(took));
        }
        self.done += 1;
        self.amount += amount;
        self.full += u32::from(working >= self.window);
        // A mean that forgets, of about eight.
        self.latency = if self.latency.is_zero() { took } else { (7 * self.latency + took) / 8 };
        let period = now.saturating_sub(self.began);
        if period >= PERIOD_MIN.max(PERIOD_LATENCIES * self.latency) && self.done >= DONE_MIN {
            self.decide(now, period, may_help);
            (self.began, self.amount, self.done, self.full) = (now, 0, 0, 0);
        }
    }

    /// The store said that it is asked too often.
    pub fn throttled(&mut self, now: Duration) {
        // Those that were under way together are told together: once for all of them.
        if now + THROTTLED_REST < self.rest_until + PERIOD_MIN {
            return;
        }
        self.window = (self.window / 2).max(1);
        self.before = None;
        self.is_young = false;
        self.rest_until = now + THROTTLED_REST;
    }

    fn decide(&mut self, now: Duration, period: Duration, may_help: impl FnOnce() -> bool) {
        // Where fewer worked than might, the number says nothing.
        let is_full = 4 * self.full >= 3 * self.done;
        if !is_full || now < self.rest_until {
            return;
        }
        let rate = self.amount as f64 / period.as_secs_f64();
        match self.before.take() {
            Some((window, before)) if rate < WORTH_IT * before => {
                self.window = window;
                self.is_young = false;
                self.rest_until = now + REST_PERIODS * period;
            }
            _ if self.window < self.window_max && may_help() => {
                self.before = Some((self.window, rate));
                let more = if self.is_young { self.window } else { self.window.div_ceil(2) };
                self.window = (self.window + more).min(self.window_max);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As for requests.
    const START: usize = 32;

    /// A store that answers after `latency`, and brings at most `rate_max` bytes a second: where the number ends.
    fn settled(latency: Duration, rate_max: f64, request: u64) -> usize {
        let mut pace = Pace::new(Tuned { start: START, max: 512 });
        let mut now = Duration::ZERO;
        for _ in 0..20_000 {
            // What the window brings in a latency, or the time that the link needs for it.
            let window = pace.window();
            let took = latency.max(Duration::from_secs_f64(window as f64 * request as f64 / rate_max));
            for done in 0..window {
                pace.done(now + took * (done as u32 + 1) / window as u32, took, request, window);
            }
            now += took;
            if now > Duration::from_secs(20) {
                break;
            }
        }
        pace.window()
    }

    #[test]
    fn as_many_as_fill_the_link_and_not_many_more() {
        for (latency_ms, rate_max, request) in
            [(40, 1e9, 100_000), (40, 1e8, 100_000), (200, 1e9, 1_000_000), (2, 2e9, 1_000_000)]
        {
            let needed = rate_max * f64::from(latency_ms) / 1e3 / request as f64;
            let window = settled(Duration::from_millis(latency_ms as u64), rate_max, request as u64);
            let enough = (0.9 * needed).min(512.0);
            assert!(window as f64 >= enough, "{window} for {needed}");
            assert!(window as f64 <= 2.5 * needed.max(START as f64), "{window} for {needed}");
        }
    }

    #[test]
    fn a_store_that_is_asked_too_often_is_asked_half_as_often() {
        let mut pace = Pace::new(Tuned { start: START, max: 512 });
        let now = Duration::from_secs(1);
        (0..10).for_each(|late| pace.throttled(now + Duration::from_millis(late)));
        assert_eq!(pace.window(), START / 2);
        pace.throttled(now + 2 * THROTTLED_REST);
        assert_eq!(pace.window(), START / 4);
        (0..20).for_each(|more| pace.throttled(now + (3 + more) * THROTTLED_REST));
        assert_eq!(pace.window(), 1);
    }

    #[test]
    fn nothing_is_raised_where_more_cannot_help() {
        let mut pace = Pace::new(Tuned { start: 2, max: 64 });
        let (mut now, took) = (Duration::ZERO, Duration::from_millis(10));
        let mut run = |may_help: bool| {
            for _ in 0..1000 {
                // As many at once as may.
                now += took / pace.window() as u32;
                pace.done_where(now, took, 1, 64, || may_help);
            }
            pace.window()
        };
        assert_eq!(run(false), 2);
        assert!(run(true) > 2);
    }
}

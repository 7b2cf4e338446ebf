//! How often a wrong token may be tried at the sign-in.
//!
//! A secret of 32 letters is not guessed, however often; this is for the noise, and for secrets that somebody thought up. All who try are
//! counted together, since behind a proxy they look alike. Programs are not counted: one that has an old token must not keep people out.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many wrong ones within [`SPAN`], and nobody is let try until the first of them is that old.
pub(crate) const WRONG_MAX: usize = 10;
/// Over how long they are counted.
const SPAN: Duration = Duration::from_secs(60);

/// When wrong ones were tried last.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<VecDeque<Instant>>);

/// What came of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Attempt<T> {
    /// It was right.
    Right(T),
    /// It was wrong; how many wrong ones that makes of [`WRONG_MAX`].
    Wrong(usize),
    /// It was not looked at: there were too many wrong ones. How long to wait.
    Later(Duration),
}

impl Attempts {
    /// Lets somebody try.
    pub(crate) fn attempt<T>(&self, now: Instant, try_it: impl FnOnce() -> Option<T>) -> Attempt<T> {
        // Held meanwhile, so that many at once are counted one by one.
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.retain(|at| now.saturating_duration_since(*at) < SPAN);
        if let Some(first) = wrong.front().filter(|_| wrong.len() >= WRONG_MAX) {
            return Attempt::Later(SPAN.saturating_sub(now.saturating_duration_since(*first)));
        }
        if let Some(right) = try_it() {
            return Attempt::Right(right);
        }
        wrong.push_back(now);
        Attempt::Wrong(wrong.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_ten_wrong_ones_within_a_minute_nobody_tries_until_the_first_is_a_minute_old() {
        let (attempts, begun) = (Attempts::default(), Instant::now());
        let second = |seconds| begun + Duration::from_secs(seconds);
        let wrong = |now| attempts.attempt(now, || None::<()>);
        for place in 1..=9 {
            assert_eq!(wrong(second(place as u64)), Attempt::Wrong(place));
        }
        assert_eq!(attempts.attempt(second(10), || Some(1)), Attempt::Right(1), "who is right is not counted");
        assert_eq!(wrong(second(11)), Attempt::Wrong(10));
        let later = |now| attempts.attempt(now, || -> Option<()> { unreachable!("it is not looked at") });
        assert_eq!(later(second(12)), Attempt::Later(Duration::from_secs(49)));
        assert_eq!(attempts.attempt(second(61), || Some(1)), Attempt::Right(1));
        assert_eq!(wrong(second(61)), Attempt::Wrong(10));
        assert_eq!(later(second(61)), Attempt::Later(Duration::from_secs(1)));
    }
}

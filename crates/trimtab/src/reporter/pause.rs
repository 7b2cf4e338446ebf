//! How long is waited after a try that failed: twice as long each time, up to a bound, and never as long as others wait. Pure.

use std::time::Duration;

/// After the first try that failed.
const FIRST: Duration = Duration::from_secs(1);
/// Never longer.
const MOST: Duration = Duration::from_secs(60);

/// How long is waited next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Pause {
    /// How long now: between half of it and all of it, by a number that nobody can foresee. A server that comes back is not asked by all its
    /// agents in one moment.
    pub(super) fn next(&mut self, random: u32) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(MOST);
        now / 2 + (now / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_differ() {
        let longest = |tries: usize| {
            let mut pause = Pause::default();
            (0..tries).map(|_| pause.next(u32::MAX).as_secs()).last().unwrap()
        };
        assert_eq!([1, 2, 3, 6, 7, 30].map(longest), [1, 2, 4, 32, 60, 60]);
        assert_eq!(Pause::default().next(0), Duration::from_millis(500));
    }
}

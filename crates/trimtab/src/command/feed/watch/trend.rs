//! Samples a second over the last minute, from what was reported each second.

use std::collections::VecDeque;

/// Seconds that are kept.
const KEPT: usize = 60;

/// Samples a second, the latest last.
#[derive(Debug, Default)]
pub(super) struct Trend {
    rates: VecDeque<f64>,
    last: Option<(f64, u64)>,
}

impl Trend {
    /// Notes how many samples were delivered after so many seconds. Asked again in the same moment, nothing is new.
    pub(super) fn note(&mut self, seconds: f64, samples: u64) {
        if let Some((before, samples_before)) = self.last {
            let passed = seconds - before;
            if passed <= 0.0 {
                return;
            }
            self.rates.push_back(samples.saturating_sub(samples_before) as f64 / passed);
            while self.rates.len() > KEPT {
                self.rates.pop_front();
            }
        }
        self.last = Some((seconds, samples));
    }

    /// The latest; none in the first second.
    pub(super) fn now(&self) -> Option<f64> {
        self.rates.back().copied()
    }

    /// The most of the last minute.
    pub(super) fn most(&self) -> f64 {
        self.rates.iter().copied().fold(0.0, f64::max)
    }

    /// The last seconds as letters, the latest to the right, in `width` of them.
    pub(super) fn letters(&self, width: usize) -> String {
        const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let shown = self.rates.len().min(width);
        let most = self.most();
        let letter = |rate: &f64| {
            let step = if most > 0.0 { (rate / most * 8.0).ceil() as usize } else { 0 };
            if step == 0 { ' ' } else { STEPS[step.min(8) - 1] }
        };
        let pad = std::iter::repeat_n(' ', width - shown);
        pad.chain(self.rates.iter().skip(self.rates.len() - shown).map(letter)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_minute_stands_to_the_right_and_is_as_high_as_its_most() {
        let mut trend = Trend::default();
        trend.note(10.0, 100);
        assert_eq!((trend.now(), trend.letters(3)), (None, "   ".to_owned()));
        for (seconds, samples) in [(11.0, 180), (11.0, 180), (13.0, 200), (14.0, 200), (15.0, 240)] {
            trend.note(seconds, samples);
        }
        assert_eq!((trend.letters(6).as_str(), trend.letters(2).as_str()), ("  █▁ ▄", " ▄"));
        assert!((trend.most() - 80.0).abs() < 1e-9 && trend.now().is_some_and(|rate| (rate - 40.0).abs() < 1e-9));
        for second in 0..200_u32 {
            trend.note(20.0 + f64::from(second), 240 + u64::from(second));
        }
        assert_eq!((trend.rates.len(), trend.letters(5).as_str()), (60, "█████"));
    }
}

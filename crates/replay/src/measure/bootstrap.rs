//! How sure a mean is. Waits of neighbouring jobs depend on each other (one full day makes all of that day wait), so whole days
//! are drawn, not jobs: a block bootstrap (Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", 1989).

use fleet::recommendation::Interval;

use crate::seed::Seed;

/// How often the sample is drawn again.
const DRAWS: usize = 1_000;

/// The mean of values that each belong to a block (a day), with the bounds between which it lies in 90 of 100 redrawn samples.
/// With a single block there is nothing to draw: then the bounds are the extremes that any sample could have, so that
/// no certainty is claimed.
#[must_use]
pub fn interval_of_mean(values: impl Iterator<Item = (i64, f64)>, seed: u64) -> Interval {
    let mut blocks: std::collections::BTreeMap<i64, (f64, f64)> = std::collections::BTreeMap::new();
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for (block, value) in values {
        let (sum, count) = blocks.entry(block).or_default();
        *sum += value;
        *count += 1.0;
        low = low.min(value);
        high = high.max(value);
    }
    let blocks: Vec<(f64, f64)> = blocks.into_values().collect();
    let mean = |blocks: &mut dyn Iterator<Item = &(f64, f64)>| {
        let (sum, count) = blocks.fold((0.0, 0.0), |(sum, count), block| (sum + block.0, count + block.1));
        if count > 0.0 { sum / count } else { 0.0 }
    };
    let value = mean(&mut blocks.iter());
    match blocks.len() {
        0 => return Interval::default(),
        1 => return Interval { low, value, high },
        _ => {}
    }
    let mut seed = Seed::new(seed);
    let mut draws: Vec<f64> = (0..DRAWS)
        .map(|_| mean(&mut (0..blocks.len()).map(|_| &blocks[seed.below(blocks.len() as u64) as usize])))
        .collect();
    draws.sort_by(f64::total_cmp);
    Interval { low: draws[DRAWS / 20], value, high: draws[DRAWS - 1 - DRAWS / 20] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_holds_the_mean_and_narrows_with_more_days() {
        let days = |count: i64| (0..count * 10).map(|i| (i / 10, (i / 10 % 7) as f64));
        let (few, many) = (interval_of_mean(days(14), 1), interval_of_mean(days(280), 1));
        for interval in [few, many] {
            assert!(interval.low < interval.value && interval.value < interval.high);
        }
        assert!(many.high - many.low < (few.high - few.low) / 2.0);
    }

    #[test]
    fn one_day_proves_little() {
        let interval = interval_of_mean([(0, 1.0), (0, 9.0)].into_iter(), 1);
        assert_eq!(interval, Interval { low: 1.0, value: 5.0, high: 9.0 });
    }
}

//! How even shards are, and what that means for ranks that read whole shards.

use serde::Serialize;

/// How even the shards of a format are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Balance {
    /// Samples of a shard.
    pub samples: Level,
    /// Bytes of a shard.
    pub bytes: Level,
    /// What it comes to where shards are dealt to ranks in turn and each rank reads its own, for powers of two up to the first that
    /// leaves a rank without a shard.
    pub ranks: Vec<RankShare>,
}

/// The least, the mean and the most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Level {
    /// The least.
    pub smallest: u64,
    /// The mean.
    pub mean: f64,
    /// The most.
    pub largest: u64,
}

/// What one number of ranks comes to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RankShare {
    /// How many ranks there are.
    pub ranks: u64,
    /// How many of them have no shard.
    pub without_shard: u64,
    /// Samples of the rank that has most.
    pub most_samples: u64,
    /// How many more that is than the mean of all ranks, in percent: for so long the others wait, in each epoch.
    pub over_mean_percent: f64,
}

/// More ranks than these are not worked out.
const RANKS_MAX: u64 = 1 << 20;

impl Balance {
    /// Of shards, each with its samples and bytes, in the order in which they are dealt; none where there are none.
    pub(super) fn of(shards: &[(u64, u64)]) -> Option<Balance> {
        let level = |numbers: &mut dyn Iterator<Item = u64>| {
            let numbers: Vec<u64> = numbers.collect();
            let sum = numbers.iter().map(|number| u128::from(*number)).sum::<u128>();
            Some(Level {
                smallest: *numbers.iter().min()?,
                mean: sum as f64 / numbers.len() as f64,
                largest: *numbers.iter().max()?,
            })
        };
        let samples = level(&mut shards.iter().map(|(samples, _)| *samples))?;
        let bytes = level(&mut shards.iter().map(|(_, bytes)| *bytes))?;
        let counts = (1..).map(|power| 1_u64 << power).take_while(|ranks| {
            // The first that leaves a rank without a shard is worth telling; those after it say the same.
            *ranks <= RANKS_MAX && *ranks <= 2 * shards.len() as u64
        });
        let ranks = counts.map(|ranks| share(shards, ranks)).collect();
        Some(Balance { samples, bytes, ranks })
    }
}

fn share(shards: &[(u64, u64)], ranks: u64) -> RankShare {
    let mut dealt = vec![0_u64; ranks as usize];
    for (number, (samples, _)) in shards.iter().enumerate() {
        dealt[number % ranks as usize] += samples;
    }
    let most_samples = dealt.iter().copied().max().unwrap_or(0);
    let mean = dealt.iter().map(|samples| *samples as f64).sum::<f64>() / ranks as f64;
    let over_mean_percent = if mean > 0.0 { 100.0 * (most_samples as f64 / mean - 1.0) } else { 0.0 };
    RankShare { ranks, without_shard: ranks.saturating_sub(shards.len() as u64), most_samples, over_mean_percent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_with_most_samples_is_held_against_the_mean() {
        let balance = Balance::of(&[(100, 10), (100, 20), (50, 30), (50, 40), (100, 50)]).unwrap();
        assert_eq!((balance.samples.smallest, balance.samples.largest), (50, 100));
        assert!((balance.samples.mean - 80.0).abs() < 1e-9 && (balance.bytes.mean - 30.0).abs() < 1e-9);
        let told: Vec<(u64, u64, u64)> =
            balance.ranks.iter().map(|share| (share.ranks, share.without_shard, share.most_samples)).collect();
        assert_eq!(told, [(2, 0, 250), (4, 0, 200), (8, 3, 100)]);
        let over: Vec<i64> = balance.ranks.iter().map(|share| share.over_mean_percent.round() as i64).collect();
        assert_eq!(over, [25, 100, 100]);
        assert_eq!(Balance::of(&[]), None);
        assert_eq!(Balance::of(&[(7, 7)]).unwrap().ranks.len(), 1);
    }
}

//! Which rank has which positions of an epoch.

use std::ops::Range;

/// How positions are dealt out: in each step the next `world * batch` of them, a batch for each rank.
///
/// Where several workers make the batches of one rank, they take its steps in turn, so that their batches, one of each after the other,
/// are those that one would make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    /// Samples of an epoch.
    pub samples: u64,
    /// Ranks.
    pub world: u64,
    /// This one.
    pub rank: u64,
    /// Samples of a batch.
    pub batch: u64,
    /// Whether the samples of an epoch that do not make a batch for each rank are left out.
    pub drop_last: bool,
    /// Which of the rank's workers this is.
    pub worker: Worker,
}

/// One of the workers of a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Which, counted from 0.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

impl Worker {
    /// The only one.
    pub const ALONE: Worker = Worker { number: 0, of: 1 };
}

/// What one rank takes in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The rank's positions. It may be empty in the last step of an epoch, where there are fewer samples than ranks.
    pub positions: Range<u64>,
    /// How many samples of the epoch all ranks have consumed after the step.
    pub consumed: u64,
}

impl Shares {
    /// What this worker takes in the steps that come after `consumed` samples, one for each worker; none where the epoch is over.
    ///
    /// The last step may have fewer samples than the others: they are divided as evenly as can be, so that none is left out and
    /// none comes twice.
    pub fn after(&self, consumed: u64) -> Option<Share> {
        let whole = self.world * self.batch;
        let left = self.samples.saturating_sub(consumed);
        let left = if self.drop_last { left / whole * whole } else { left };
        if left == 0 {
            return None;
        }
        // A worker whose turn does not come any more takes nothing.
        let before = whole.saturating_mul(self.worker.number).min(left);
        let step = (left - before).min(whole);
        let border = |rank: u64| (u128::from(step) * u128::from(rank) / u128::from(self.world)) as u64;
        let [begin, end] = [self.rank, self.rank + 1].map(|rank| consumed + before + border(rank));
        let all = whole.saturating_mul(self.worker.of).min(left);
        Some(Share { positions: begin..end, consumed: consumed + all })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All positions that all ranks take from `consumed` on, step by step, for at most `steps` steps; and what is consumed then.
    fn taken(samples: u64, world: u64, batch: u64, mut consumed: u64, steps: usize) -> (Vec<u64>, u64) {
        let mut all = Vec::new();
        for _ in 0..steps {
            let shares: Vec<Option<Share>> = (0..world)
                .map(|rank| {
                    Shares { samples, world, rank, batch, drop_last: false, worker: Worker::ALONE }.after(consumed)
                })
                .collect();
            let Some(next) = &shares[0] else { break };
            let next = next.consumed;
            for share in shares.into_iter().flatten() {
                assert_eq!(share.consumed, next, "all ranks agree");
                all.extend(share.positions);
            }
            consumed = next;
        }
        (all, consumed)
    }

    proptest! {
        #[test]
        fn any_world_goes_on_where_another_stopped(
            samples in 0_u64..3000,
            worlds in prop::collection::vec((1_u64..9, 1_u64..40, 0_usize..20), 1..5),
        ) {
            let mut all = Vec::new();
            let mut consumed = 0;
            for (world, batch, steps) in worlds {
                let (positions, after) = taken(samples, world, batch, consumed, steps);
                all.extend(positions);
                consumed = after;
            }
            all.extend(taken(samples, 3, 7, consumed, usize::MAX).0);
            prop_assert_eq!(all, (0..samples).collect::<Vec<u64>>());
        }
    }

    proptest! {
        #[test]
        fn workers_in_turn_make_what_one_would(
            samples in 0_u64..2000,
            (world, batch, of) in (1_u64..5, 1_u64..40, 1_u64..6),
            begun in 0_u64..3,
            drop_last: bool,
        ) {
            for rank in 0..world {
                let alone = Shares { samples, world, rank, batch, drop_last, worker: Worker::ALONE };
                // Begun where something was consumed already, by any number of ranks.
                let begin = begun * samples / 3;
                let batches = |shares: Shares| {
                    let mut consumed = begin;
                    let mut batches = Vec::new();
                    while let Some(share) = shares.after(consumed) {
                        batches.push(share.positions);
                        consumed = share.consumed;
                    }
                    batches
                };
                let each: Vec<_> = (0..of).map(|number| batches(Shares { worker: Worker { number, of }, ..alone })).collect();
                let rounds = each[0].len();
                let in_turn = (0..rounds).flat_map(|round| each.iter().map(move |batches| batches[round].clone()));
                // What comes to nobody's turn is no batch.
                let in_turn: Vec<_> = in_turn.filter(|positions| !positions.is_empty()).collect();
                let expected: Vec<_> = batches(alone).into_iter().filter(|positions| !positions.is_empty()).collect();
                prop_assert_eq!(in_turn, expected);
            }
        }
    }

    #[test]
    fn what_makes_no_whole_step_can_be_left_out() {
        let shares = Shares { samples: 100, world: 3, rank: 2, batch: 10, drop_last: true, worker: Worker::ALONE };
        assert_eq!(shares.after(60), Some(Share { positions: 80..90, consumed: 90 }));
        assert_eq!(shares.after(90), None);
        let all = Shares { drop_last: false, ..shares };
        assert_eq!(all.after(90), Some(Share { positions: 96..100, consumed: 100 }));
        assert_eq!(all.after(100), None);
    }
}

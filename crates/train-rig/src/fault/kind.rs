//! The kinds of faults, what each needs of a run, and how strong one is drawn.

use crate::phase::Phase;
use crate::random::Random;
use crate::shape::{Shape, Storage, Writers};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Too little processor time: a quota of the kernel's.
    CpuQuota,
    /// A process that is stopped and goes on, again and again.
    Stopped,
    /// Samples are no longer in the page cache: it is emptied of them all the time.
    ColdDisk,
    /// The disk gives fewer bytes each second.
    SlowDisk,
    /// Too little memory: pages of samples do not stay in it.
    TightMemory,
    /// A link gives fewer bytes each second (a token bucket).
    SlowLink,
    /// A rank's device is slower.
    SlowRank,
    /// Others want the cores.
    NoisyNeighbour,
    /// Samples take longer to be prepared.
    SlowLoader,
    /// Checkpoints become larger and more frequent.
    CheckpointBursts,
    /// A process is stopped for good.
    HangStopped,
    /// A process lives, and is stuck in a phase.
    HangStuck,
    /// A process is killed.
    Crash,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::CpuQuota,
        Self::Stopped,
        Self::ColdDisk,
        Self::SlowDisk,
        Self::TightMemory,
        Self::SlowLink,
        Self::SlowRank,
        Self::NoisyNeighbour,
        Self::SlowLoader,
        Self::CheckpointBursts,
        Self::HangStopped,
        Self::HangStuck,
        Self::Crash,
    ];

    /// Its name in tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CpuQuota => "cpu-quota",
            Self::Stopped => "stopped",
            Self::ColdDisk => "cold-disk",
            Self::SlowDisk => "slow-disk",
            Self::TightMemory => "tight-memory",
            Self::SlowLink => "slow-link",
            Self::SlowRank => "slow-rank",
            Self::NoisyNeighbour => "noisy-neighbour",
            Self::SlowLoader => "slow-loader",
            Self::CheckpointBursts => "checkpoint-bursts",
            Self::HangStopped => "hang-stopped",
            Self::HangStuck => "hang-stuck",
            Self::Crash => "crash",
        }
    }

    /// The rule that must tell of it.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::CpuQuota => "cpu-quota",
            Self::Stopped => "stopped",
            Self::ColdDisk | Self::SlowDisk => "slow-disk",
            Self::TightMemory => "tight-memory",
            Self::SlowLink => "slow-link",
            Self::SlowRank => "slow-worker",
            Self::NoisyNeighbour => "noisy-neighbour",
            Self::SlowLoader => "data-stall",
            Self::CheckpointBursts => "checkpoint-stall",
            Self::HangStopped | Self::HangStuck => "hang",
            Self::Crash => "crash",
        }
    }

    /// Whether steps go on, and take longer.
    #[must_use]
    pub fn slows(self) -> bool {
        !matches!(self, Self::HangStopped | Self::HangStuck | Self::Crash)
    }

    /// Whether it can be taken back. A process that was killed stays dead.
    #[must_use]
    pub fn is_removable(self) -> bool {
        self != Self::Crash
    }

    /// Whether it can do anything to a run of this shape.
    #[must_use]
    pub fn suits(self, shape: &Shape) -> bool {
        match self {
            Self::ColdDisk | Self::TightMemory => shape.storage == Storage::Cached,
            Self::SlowDisk => shape.storage == Storage::Streamed,
            Self::SlowLink => shape.ranks > 1,
            _ => true,
        }
    }

    /// A healthy shape of a seed that it suits.
    #[must_use]
    pub fn shape(self, seed: u64) -> Shape {
        let storage = match self {
            Self::ColdDisk | Self::TightMemory => Storage::Cached,
            Self::SlowDisk => Storage::Streamed,
            _ => return Shape::draw(seed),
        };
        Shape::draw_with(storage, seed)
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What is done.
    pub kind: Kind,
    /// The rank to which it is done; all, where it is none.
    pub rank: Option<u32>,
    /// How many times as long a step is to take. What ends a run has no use for it.
    pub slowdown: f64,
    /// Where a rank gets stuck, if that is the fault.
    pub stuck_in: Phase,
}

impl Fault {
    /// A fault of a kind for a run of a shape: which rank, and how strong, is the seed's decision. Slowdowns are from 1.25 to 4, less
    /// where a kind cannot do as much without standing for another.
    #[must_use]
    pub fn draw(kind: Kind, shape: &Shape, seed: u64) -> Self {
        let mut random = Random::new(seed, 4);
        let one = Some(random.below(u64::from(shape.ranks)) as u32);
        let one_or_all = if random.happens(0.7) { one } else { None };
        let (rank, most) = match kind {
            Kind::CpuQuota => (one_or_all, 4.0),
            // A disk that is cold for all is read by all at once, up to what it gives.
            Kind::ColdDisk | Kind::TightMemory => (one_or_all, 3.0),
            Kind::SlowDisk | Kind::SlowLink => (one_or_all, 4.0),
            // A device of thrice its time at most.
            Kind::SlowRank => (one, 2.0),
            Kind::Stopped | Kind::SlowLoader => (one, 3.5),
            Kind::NoisyNeighbour => (None, 2.5),
            Kind::CheckpointBursts if shape.checkpoint_by == Writers::First => (Some(0), 3.0),
            Kind::CheckpointBursts => (None, 3.0),
            Kind::HangStopped | Kind::HangStuck | Kind::Crash => (one, 1.25),
        };
        // As likely to double as to halve.
        let slowdown = (random.between(1.25_f64.ln(), f64::ln(most))).exp();
        let stuck_in = random.one_of(&[Phase::DataWait, Phase::Forward, Phase::Backward, Phase::Communication]);
        Self { kind, rank, slowdown, stuck_in }
    }

    /// The ranks to which it is done.
    #[must_use]
    pub fn ranks(&self, shape: &Shape) -> Vec<u32> {
        self.rank.map_or_else(|| (0..shape.ranks).collect(), |rank| vec![rank])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_draws_shapes_and_faults_that_suit() {
        for kind in Kind::ALL {
            for seed in 0..50 {
                let shape = kind.shape(seed);
                assert!(kind.suits(&shape), "{}", kind.name());
                let fault = Fault::draw(kind, &shape, seed);
                assert_eq!(fault, Fault::draw(kind, &shape, seed));
                assert!(fault.slowdown >= 1.25 - 1e-9 && fault.slowdown <= 4.0 + 1e-9, "{fault:?}");
                assert!(fault.ranks(&shape).iter().all(|rank| *rank < shape.ranks));
            }
        }
    }
}

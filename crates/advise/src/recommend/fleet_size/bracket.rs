//! The smallest count of one kind that keeps a bound, between a count that fails and one that keeps it.
//!
//! Halving would do. How close each answer was tells where to look, which needs fewer replays where the pressure rises as
//! evenly as it mostly does; every second look halves, so that it is never much worse.

/// Counts between which the smallest one that keeps the bound lies.
#[derive(Clone, Debug)]
pub(super) struct Bracket {
    /// Fails; one below the least where that is not known. With its pressure, where it was asked.
    fails: (i64, Option<u64>),
    /// Keeps the bound, with its pressure.
    keeps: (i64, Option<u64>),
    looks: u32,
}

/// The pressure at which the bound is just kept.
const EDGE_PERMILLE: u64 = 1_000;

impl Bracket {
    /// From the least count that is possible to one that keeps the bound.
    pub(super) fn new(least: u32, keeps: u32, pressure: Option<u64>) -> Self {
        Self { fails: (i64::from(least) - 1, None), keeps: (i64::from(keeps), pressure), looks: 0 }
    }

    /// The smallest count that is known to keep it.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.keeps.0).expect("a count is never negative")
    }

    /// No smaller count can keep it.
    pub(super) fn floor(&self) -> u32 {
        u32::try_from(self.fails.0 + 1).expect("what fails is at least one below the least")
    }

    /// The count to ask of next; `None`: the smallest is found. The first look is at the least possible count: either it keeps
    /// the bound and nothing is left to ask, or it is so far off that its replay is soon given up.
    pub(super) fn next(&self) -> Option<u32> {
        let width = self.keeps.0 - self.fails.0;
        if width <= 1 {
            return None;
        }
        let at = match (self.fails.1, self.keeps.1) {
            (None, _) if self.looks == 0 => self.fails.0 + 1,
            (Some(above), Some(below)) if self.looks % 2 == 1 => {
                let (above, edge, below) = (log2(above), log2(EDGE_PERMILLE), log2(below));
                let part = width * (above - edge).max(0) / (above - below).max(1);
                self.fails.0 + part.clamp((width / 8).max(1), (width - width / 8 - 1).max(1))
            }
            _ => self.fails.0 + width / 2,
        };
        Some(u32::try_from(at).expect("it lies between two counts"))
    }

    pub(super) fn learn(&mut self, count: u32, kept: bool, pressure: Option<u64>) {
        self.looks += 1;
        if kept {
            self.keeps = (i64::from(count), pressure);
        } else {
            self.fails = (i64::from(count), pressure);
        }
    }
}

/// The binary logarithm in parts of 64, the same on every machine.
fn log2(value: u64) -> i64 {
    let value = value.max(1);
    let whole = value.ilog2();
    let rest = (u128::from(value) << 6 >> whole) as i64 - 64;
    i64::from(whole) * 64 + rest
}

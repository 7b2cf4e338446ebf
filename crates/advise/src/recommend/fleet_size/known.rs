//! What replays said of fleets, and what follows for others if more nodes never make anyone wait longer.

use std::collections::BTreeMap;

use crate::late::Verdict;

/// How many nodes there are of each kind.
pub(super) type Counts = Vec<u32>;

/// What is known of fleets.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What was asked, and the answer.
    asked: BTreeMap<Counts, Verdict>,
}

impl Known {
    pub(super) fn learn(&mut self, counts: Counts, verdict: Verdict) {
        self.asked.insert(counts, verdict);
    }

    /// What was answered of exactly this fleet.
    pub(super) fn asked(&self, counts: &[u32]) -> Option<Verdict> {
        self.asked.get(counts).copied()
    }

    /// Whether a fleet keeps the bound: by its own answer, or since a smaller one keeps it or a larger one does not.
    pub(super) fn keeps(&self, counts: &[u32]) -> Option<bool> {
        if let Some(verdict) = self.asked(counts) {
            return Some(verdict.kept);
        }
        if self.asked.iter().any(|(smaller, verdict)| verdict.kept && within(smaller, counts)) {
            return Some(true);
        }
        let fails = self.asked.iter().any(|(larger, verdict)| !verdict.kept && within(counts, larger));
        fails.then_some(false)
    }

    /// Whether any fleet between two was asked about.
    pub(super) fn seen_between(&self, low: &[u32], high: &[u32]) -> bool {
        self.asked.keys().any(|counts| within(low, counts) && within(counts, high))
    }

    /// Whether a fleet most likely keeps the bound: it has no less than some fleet on the line between two that do. (Nodes of one
    /// kind stand in for those of another the worse, the more of them already do; so the frontier bends inwards.) Only
    /// a guide to what is worth asking.
    pub(super) fn likely(&self, counts: &[u32]) -> bool {
        if let Some(keeps) = self.keeps(counts) {
            return keeps;
        }
        let kept: Vec<&Counts> = self.asked.iter().filter(|(_, verdict)| verdict.kept).map(|(kept, _)| kept).collect();
        kept.iter().enumerate().any(|(at, one)| kept[..at].iter().any(|other| on_line(one, other, counts)))
    }
}

/// Whether one fleet has no more of any kind than another.
fn within(smaller: &[u32], larger: &[u32]) -> bool {
    smaller.iter().zip(larger).all(|(smaller, larger)| smaller <= larger)
}

/// Whether some point between `one` and `other` has no more of any kind than `counts`.
fn on_line(one: &[u32], other: &[u32], counts: &[u32]) -> bool {
    // Of the way from one to the other, in parts of 1024.
    let (mut from, mut until) = (0_i64, 1_024_i64);
    for ((&one, &other), &count) in one.iter().zip(other).zip(counts) {
        let (one, other, count) = (i64::from(one), i64::from(other), i64::from(count));
        let room = (count - one) * 1_024;
        match other - one {
            0 if room < 0 => return false,
            0 => {}
            step if step > 0 => until = until.min(room.div_euclid(step)),
            step => from = from.max(-room.div_euclid(-step)),
        }
    }
    from <= until
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_passes_below_what_has_more() {
        for (counts, passes) in [
            ([60, 112], true),
            ([60, 110], false),
            ([77, 106], true),
            ([153, 87], true),
            ([0, 125], true),
            ([152, 86], false),
            ([200, 200], true),
        ] {
            assert_eq!(on_line(&[0, 125], &[153, 87], &counts), passes, "{counts:?}");
            assert_eq!(on_line(&[153, 87], &[0, 125], &counts), passes, "{counts:?}");
        }
    }

    #[test]
    fn answers_stand_for_larger_and_smaller_fleets() {
        let mut known = Known::default();
        let verdict = |kept| Verdict { kept, pressure_permille: 0 };
        known.learn(vec![3, 3], verdict(true));
        known.learn(vec![2, 4], verdict(false));
        for (counts, keeps) in
            [([3, 3], Some(true)), ([4, 3], Some(true)), ([2, 3], Some(false)), ([3, 2], None), ([2, 5], None)]
        {
            assert_eq!(known.keeps(&counts), keeps, "{counts:?}");
        }
        // What was asked counts for more than what follows.
        known.learn(vec![1, 1], verdict(true));
        assert_eq!((known.keeps(&[1, 1]), known.keeps(&[3, 3])), (Some(true), Some(true)));
    }
}

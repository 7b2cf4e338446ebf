//! How far starts lie from where looks ahead saw them: what that was for those who were told much the same, corrected by how the
//! intervals fared that were made of it.
//!
//! Integers throughout, so that an interval is the same on every machine. All here is in logarithms to base 2 with 8 fractional
//! bits (`logarithm`) of seconds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use super::WAITS;
use super::logarithm::{log2, power2};

/// So many past cases are remembered; the oldest goes first.
const REMEMBERED: usize = 8_192;
/// So many of the nearest speak.
const NEAREST: usize = 1_024;
/// A case further back counts as further away: one step of a logarithm for so many cases.
const CASES_A_STEP: usize = 50;
/// An interval is made from so many cases on.
const ENOUGH: usize = 30;
/// Fractional bits of margins.
const MARGIN_BITS: u32 = 4;
/// By how much an end draws in when it holds. Five times as much holds in as many cases, with intervals twice as wide in octaves:
/// work comes by the batch, so ends that are moved fast swing.
const STEP: i32 = 2;
/// An end gives way by so many steps when it misses: nine aim at one miss of ten on each side (Gibbs and Candès, "Adaptive Conformal
/// Inference Under Distribution Shift", 2021).
const MISS_STEPS: i32 = 9;
/// Margins stay within a factor of a million.
const MARGIN_MAX: i32 = (20 * 256) << MARGIN_BITS;

/// An end of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Low,
    High,
}

/// Somebody who waits, and what was said of it.
#[derive(Clone, Debug)]
struct Open {
    since: Timestamp,
    seen: i32,
    /// The ends of its interval of which it is not known yet whether they hold.
    low: Option<i32>,
    high: Option<i32>,
}

/// What became of what was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Spread {
    /// What was seen, and by how much more it became; the oldest first.
    past: VecDeque<(i32, i32)>,
    low: i32,
    high: i32,
    open: BTreeMap<WorkloadId, Open>,
    /// When a wait will reach an end. Moments of waits that are over are passed by.
    due: BinaryHeap<Reverse<(Timestamp, WorkloadId, End)>>,
}

impl Spread {
    /// Notes that one who waits since `now` was seen to wait so long, and gives the interval that eight of ten such waits end in.
    pub(super) fn ask(&mut self, workload: WorkloadId, seen: Millis, now: Timestamp) -> Option<(Millis, Millis)> {
        self.advance(now);
        let seen = log2((seen.0.max(0) / 1_000) as u64);
        let ends = self.ends(seen);
        let mut open = Open { since: now, seen, low: None, high: None };
        if let Some((low, high)) = ends {
            (open.low, open.high) = (Some(low), Some(high));
            self.due.push(Reverse((now + length(low).max(WAITS), workload, End::Low)));
            self.due.push(Reverse((now + length(high).max(WAITS), workload, End::High)));
        }
        self.open.insert(workload, open);
        ends.map(|(low, high)| (length(low), length(high)))
    }

    /// Learns that one has started.
    pub(super) fn started(&mut self, workload: WorkloadId, now: Timestamp) {
        self.advance(now);
        let Some(open) = self.open.remove(&workload) else { return };
        let waited = now.since(open.since);
        if waited < WAITS {
            return;
        }
        if open.low.is_some() {
            moved(&mut self.low, -MISS_STEPS);
        }
        if open.high.is_some() {
            moved(&mut self.high, -1);
        }
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back((open.seen, log2((waited.0 / 1_000) as u64) - open.seen));
    }

    /// Forgets one who does not wait any more.
    pub(super) fn withdrawn(&mut self, workload: WorkloadId) {
        self.open.remove(&workload);
    }

    /// Learns from waits that have reached an end: to hear of that only when they are over would mean to hear of the long ones too
    /// late.
    fn advance(&mut self, now: Timestamp) {
        while let Some(&Reverse((at, workload, end))) = self.due.peek()
            && at < now
        {
            self.due.pop();
            let Some(open) = self.open.get_mut(&workload) else { continue };
            match end {
                End::Low if open.low.take().is_some() => moved(&mut self.low, 1),
                End::High if open.high.take().is_some() => moved(&mut self.high, MISS_STEPS),
                _ => {}
            }
        }
    }

    /// The ends for what was seen. `None` before enough is known.
    fn ends(&self, seen: i32) -> Option<(i32, i32)> {
        if self.past.len() < ENOUGH {
            return None;
        }
        let far = |place: usize, other: i32| (other - seen).abs() + ((self.past.len() - place) / CASES_A_STEP) as i32;
        let mut near: Vec<(i32, i32)> =
            self.past.iter().enumerate().map(|(place, (other, off))| (far(place, *other), *off)).collect();
        let count = NEAREST.min(near.len());
        near.select_nth_unstable(count - 1);
        let mut off: Vec<i32> = near[..count].iter().map(|(_, off)| *off).collect();
        off.sort_unstable();
        let low = seen + off[off.len() / 10] + (self.low >> MARGIN_BITS);
        let high = seen + off[off.len() * 9 / 10] + (self.high >> MARGIN_BITS);
        Some((low.clamp(0, seen), high.max(seen)))
    }
}

fn moved(margin: &mut i32, steps: i32) {
    *margin = (*margin + steps * STEP).clamp(-MARGIN_MAX, MARGIN_MAX);
}

fn length(log: i32) -> Millis {
    Millis::seconds(power2(log))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    /// Waits that are seen right but for a factor between a quarter and four, evenly in octaves.
    #[test]
    fn eight_of_ten_come_to_hold_and_are_no_wider_than_they_must_be() {
        let mut spread = Spread::default();
        let mut seed = Seed::new(3);
        let (mut asked, mut held, mut octaves) = (0, 0, 0);
        let mut starts: BinaryHeap<Reverse<(Timestamp, WorkloadId)>> = BinaryHeap::new();
        for round in 0..8_000 {
            let now = Timestamp::from_seconds(i64::from(round) * 60);
            while let Some(&Reverse((at, id))) = starts.peek()
                && at <= now
            {
                starts.pop();
                spread.started(id, at);
            }
            let seen = 2_560 + seed.below(1_024) as i32;
            let came = length(seen + seed.below(1_024) as i32 - 512);
            let id = WorkloadId(round);
            if let Some((low, high)) = spread.ask(id, length(seen), now).filter(|_| round > 2_000) {
                asked += 1;
                held += u32::from(low <= came && came <= high);
                octaves += log2(high.0 as u64) - log2(low.0.max(1) as u64);
            }
            starts.push(Reverse((now + came, id)));
        }
        let (share, octaves) = (held * 100 / asked, octaves / asked as i32);
        assert!((75..=85).contains(&share), "{share} of 100");
        assert!((700..=950).contains(&octaves), "{octaves} of the 819 that eight tenths of four octaves are");
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert_eq!(Spread::default().ask(WorkloadId(0), Millis::hours(1), Timestamp::from_seconds(0)), None);
    }
}

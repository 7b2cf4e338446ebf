//! How far starts lie from where looks ahead saw them: what that was for those who were told much the same, corrected by how the
//! intervals fared that were made of it.
//!
//! Integers throughout, so that an interval is the same on every machine. All here is in logarithms to base 2 with 8 fractional
//! bits (`logarithm`) of milliseconds.

mod logarithm;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use logarithm::{log2, power2};

/// So many past cases are remembered; the oldest goes first.
const REMEMBERED: usize = 8_192;
/// So many of the nearest speak.
const NEAREST: usize = 1_024;
/// A case further back counts as further away: one step of a logarithm for so many cases.
const CASES_A_STEP: usize = 50;
/// An interval is made from so many cases on.
const ENOUGH: usize = 30;
/// So many ends of waits that are over are kept at the least before they are let go.
const DUE_SLACK: usize = 1_024;
/// What is supposed before anything is known stands for so many cases.
const BEFORE: i32 = 20;
/// Fractional bits of margins.
const MARGIN_BITS: u32 = 4;
/// An end gives way by so many steps when it misses: nine aim at one miss of ten on each side (Gibbs and Candès, "Adaptive Conformal
/// Inference Under Distribution Shift", 2021).
const MISS_STEPS: i32 = 9;
/// Margins stay within a factor of a million.
const MARGIN_MAX: i32 = (20 * 256) << MARGIN_BITS;

/// How spreads are learnt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Who starts within this is not counted as waiting.
    pub(crate) shortest: Millis,
    /// By how much an end draws in when it holds. Work comes by the batch, so ends that are moved fast swing.
    pub(crate) step: i32,
    /// How far starts may lie from where they were seen before anything is known, either way; absent: nothing is said then.
    pub(crate) before: Option<i32>,
}

/// An end of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Low,
    High,
}

/// Who was asked about, and when.
type Question = (WorkloadId, Timestamp);

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
#[derive(Clone, Debug)]
pub(crate) struct Spread {
    manner: Manner,
    /// What was seen, and by how much more it became; the oldest first.
    past: VecDeque<(i32, i32)>,
    low: i32,
    high: i32,
    /// Whoever waits may have been asked about more than once.
    open: BTreeMap<Question, Open>,
    /// When a wait will reach an end. Moments of waits that are over are passed by.
    due: BinaryHeap<Reverse<(Timestamp, Question, End)>>,
}

impl Spread {
    /// Nothing is known yet.
    pub(crate) fn new(manner: Manner) -> Self {
        let (past, open, due) = (VecDeque::new(), BTreeMap::new(), BinaryHeap::new());
        Self { manner, past, low: 0, high: 0, open, due }
    }

    /// Notes that one who waits was seen at `now` to wait so much longer, and gives the interval that eight of ten such waits end in.
    pub(crate) fn ask(&mut self, workload: WorkloadId, seen: Millis, now: Timestamp) -> Option<(Millis, Millis)> {
        self.advance(now);
        // Those whose wait is over may have had ends far ahead: they are not kept until then.
        if self.due.len() > 4 * self.open.len() + DUE_SLACK {
            self.due.retain(|Reverse((_, question, _))| self.open.contains_key(question));
        }
        let (question, seen) = ((workload, now), log2(seen.0.max(0) as u64));
        let ends = self.ends(seen);
        let mut open = Open { since: now, seen, low: None, high: None };
        if let Some((low, high)) = ends {
            (open.low, open.high) = (Some(low), Some(high));
            self.due.push(Reverse((now + length(low).max(self.manner.shortest), question, End::Low)));
            self.due.push(Reverse((now + length(high).max(self.manner.shortest), question, End::High)));
        }
        self.open.insert(question, open);
        ends.map(|(low, high)| (length(low), length(high)))
    }

    /// The interval for one that is seen to wait so much longer, without noting it.
    pub(crate) fn interval(&self, seen: Millis) -> Option<(Millis, Millis)> {
        self.ends(log2(seen.0.max(0) as u64)).map(|(low, high)| (length(low), length(high)))
    }

    /// Of how many waits it is not known yet how they end.
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    /// Learns that one has started.
    pub(crate) fn started(&mut self, workload: WorkloadId, now: Timestamp) {
        self.advance(now);
        for open in self.take(workload) {
            let waited = now.since(open.since);
            if waited < self.manner.shortest {
                continue;
            }
            if open.low.is_some() {
                self.low = self.moved(self.low, -MISS_STEPS);
            }
            if open.high.is_some() {
                self.high = self.moved(self.high, -1);
            }
            if self.past.len() == REMEMBERED {
                self.past.pop_front();
            }
            self.past.push_back((open.seen, log2(waited.0 as u64) - open.seen));
        }
    }

    /// Forgets one who does not wait any more.
    pub(crate) fn withdrawn(&mut self, workload: WorkloadId) {
        self.take(workload);
    }

    fn take(&mut self, workload: WorkloadId) -> Vec<Open> {
        let questions = (workload, Timestamp::MIN)..=(workload, Timestamp::MAX);
        let asked: Vec<Question> = self.open.range(questions).map(|(&question, _)| question).collect();
        asked.into_iter().filter_map(|question| self.open.remove(&question)).collect()
    }

    /// Learns from waits that have reached an end: to hear of that only when they are over would mean to hear of the long ones too
    /// late.
    fn advance(&mut self, now: Timestamp) {
        while let Some(&Reverse((at, question, end))) = self.due.peek()
            && at < now
        {
            self.due.pop();
            let Some(open) = self.open.get_mut(&question) else { continue };
            match end {
                End::Low if open.low.take().is_some() => self.low = self.moved(self.low, 1),
                End::High if open.high.take().is_some() => self.high = self.moved(self.high, MISS_STEPS),
                _ => {}
            }
        }
    }

    fn moved(&self, margin: i32, steps: i32) -> i32 {
        (margin + steps * self.manner.step).clamp(-MARGIN_MAX, MARGIN_MAX)
    }

    /// The ends for what was seen. `None` before enough is known.
    fn ends(&self, seen: i32) -> Option<(i32, i32)> {
        if self.past.len() < ENOUGH && self.manner.before.is_none() {
            return None;
        }
        let far = |place: usize, other: i32| (other - seen).abs() + ((self.past.len() - place) / CASES_A_STEP) as i32;
        let mut near: Vec<(i32, i32)> =
            self.past.iter().enumerate().map(|(place, (other, off))| (far(place, *other), *off)).collect();
        let count = NEAREST.min(near.len());
        if count > 0 {
            near.select_nth_unstable(count - 1);
        }
        let mut off: Vec<i32> = near[..count].iter().map(|(_, off)| *off).collect();
        off.extend(self.manner.before.into_iter().flat_map(evenly));
        off.sort_unstable();
        let low = seen + off[off.len() / 10] + (self.low >> MARGIN_BITS);
        let high = seen + off[off.len() * 9 / 10] + (self.high >> MARGIN_BITS);
        Some((low.clamp(0, seen), high.max(seen)))
    }
}

/// What stands in for cases before there are any, and weighs little once there are many.
fn evenly(far: i32) -> impl Iterator<Item = i32> {
    (0..BEFORE).map(move |place| 2 * far * place / (BEFORE - 1) - far)
}

fn length(log: i32) -> Millis {
    Millis(power2(log))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn manner() -> Manner {
        Manner { shortest: Millis::minutes(1), step: 2, before: None }
    }

    /// Waits that are seen right but for a factor between a quarter and four, evenly in octaves.
    #[test]
    fn eight_of_ten_come_to_hold_and_are_no_wider_than_they_must_be() {
        let mut spread = Spread::new(manner());
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
            let seen = 5_120 + seed.below(1_024) as i32;
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
    fn ends_that_lie_far_ahead_are_not_kept_once_the_wait_is_over() {
        let mut spread = Spread::new(Manner { before: Some(2_048), ..manner() });
        for round in 0..20_000 {
            let (id, now) = (WorkloadId(round), Timestamp::from_seconds(i64::from(round) * 60));
            spread.ask(id, Millis::hours(1_000), now);
            spread.started(id, now + Millis::minutes(1));
        }
        assert!(spread.due.len() <= DUE_SLACK + 8, "{}", spread.due.len());
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        let spread = Spread::new(Manner { before: Some(512), ..manner() });
        let (low, high) = spread.interval(Millis::hours(1)).expect("something is supposed");
        assert!(low < Millis::minutes(25) && high > Millis::hours(2), "{low} to {high}");
        assert_eq!(Spread::new(manner()).ask(WorkloadId(0), Millis::hours(1), Timestamp::from_seconds(0)), None);
    }
}

//! What a workload is like before it runs, at several grains: from "anything" over its queue, size and user to its name, its
//! time limit, how its owner's last ones went, and how fast its kind is being submitted. Each grain is a class with a life
//! table of its own.

use arrayvec::ArrayVec;

use super::Features;
use super::bins::QUARTERS;
use super::bounded::{Bounded, Key};
use super::fixed::{self, two_to_minus};
use super::life_table::Memory;

/// Most contexts a workload has.
pub(super) const MAX_CONTEXTS: usize = 11;
/// Kinds of contexts.
pub(super) const KINDS: usize = 11;

/// Recent ends remembered by group.
const RECENT: usize = 20;
/// Of these, how many make the median.
const RECENT_MEDIAN: usize = 7;
/// Sets of groups: 2^12 × 8 of them, some 80 bytes each.
const GROUP_SETS: usize = 1 << 12;

/// The kinds of contexts; a kind's classes are mixed with a weight learnt for the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    All,
    Queue,
    Size,
    User,
    UserSize,
    Name,
    Limit,
    /// The last end of like workloads.
    Last,
    /// Median and longest of the recent ends of like workloads.
    Recent,
    /// Since when, and how many, like workloads have been submitted within minutes.
    Burst,
    /// Since when, how many within hours, and the last end.
    Flow,
}

impl Kind {
    /// How fast its classes forget.
    pub(super) fn memory(self) -> Memory {
        if self <= Self::Size { Memory::Long } else { Memory::Short }
    }

    /// Whether it only serves what is finer to fall back on. Mixed in, these widen every forecast: measured, not guessed.
    pub(super) fn only_backs(self) -> bool {
        self <= Self::Queue
    }
}

/// One class a workload belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    pub(super) kind: Kind,
    pub(super) key: Key,
    /// The context it falls back on, as an index into the same list; its own index where there is none.
    pub(super) parent: u8,
}

/// All of a workload's contexts. In place: one is made with every submission, and lists on the heap cost a tenth of a replay.
pub(super) type Contexts = ArrayVec<Context, MAX_CONTEXTS>;

/// What is remembered of a group of like workloads: its recent ends and its submissions.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Bins of recent ends; a ring.
    recent: [u8; RECENT],
    ends: u32,
    submitted_ms: i64,
    /// Submissions, fading by half in [`MINUTES_HALF_MS`] and [`HOURS_HALF_MS`], with 8 fractional bits.
    within_minutes: u64,
    within_hours: u64,
}

const MINUTES_HALF_MS: u64 = 7 * 60_000;
const HOURS_HALF_MS: u64 = 170 * 60_000;
const SUBMISSION: u64 = 1 << 8;

/// The groups there are.
pub(super) type Groups = Bounded<Group, GROUP_SETS>;

/// How fast work like a workload was being submitted when it was: the octave of the gap to the one before, and the octaves of how
/// many came before it within minutes and within hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    pub(super) gap: u64,
    pub(super) minutes: u64,
    pub(super) hours: u64,
}

/// What the recent ends of a group look like, in bins.
#[derive(Clone, Copy)]
pub(super) struct Recently {
    pub(super) last: u64,
    pub(super) median: u64,
    pub(super) longest: u64,
}

impl Group {
    /// Notes an end.
    pub(super) fn ended(&mut self, bin: usize) {
        self.recent[self.ends as usize % RECENT] = bin as u8;
        // Wraps to a multiple of the ring's length, so that the ring goes on where it was.
        self.ends = if self.ends == u32::MAX - u32::MAX % RECENT as u32 - 1 { RECENT as u32 } else { self.ends + 1 };
    }

    /// What the recent ends look like; nothing where there is none.
    pub(super) fn recently(&self) -> Option<Recently> {
        let count = (self.ends as usize).min(RECENT);
        if count == 0 {
            return None;
        }
        let newest = |back: usize| self.recent[(self.ends as usize - 1 - back) % RECENT];
        let mut middle: [u8; RECENT_MEDIAN] = [u8::MAX; RECENT_MEDIAN];
        let considered = count.min(RECENT_MEDIAN);
        for (back, bin) in middle.iter_mut().enumerate().take(considered) {
            *bin = newest(back);
        }
        middle.sort_unstable();
        let longest = (0..count).map(newest).max().expect("there is a recent end");
        Some(Recently {
            last: u64::from(newest(0)),
            median: u64::from(middle[considered / 2]),
            longest: u64::from(longest),
        })
    }

    /// Notes a submission.
    pub(super) fn submitted(&mut self, at_ms: i64) -> Pace {
        let first = self.within_minutes == 0 && self.within_hours == 0;
        let gap_ms = if first { i64::MAX as u64 } else { at_ms.saturating_sub(self.submitted_ms).max(0) as u64 };
        let fade = |count: u64, half_ms: u64| {
            let halvings = u128::from(gap_ms) * u128::from(fixed::ONE) / u128::from(half_ms);
            (count * two_to_minus(u64::try_from(halvings).unwrap_or(u64::MAX))) >> fixed::BITS
        };
        let minutes = fade(self.within_minutes, MINUTES_HALF_MS);
        let hours = fade(self.within_hours, HOURS_HALF_MS);
        self.submitted_ms = at_ms;
        self.within_minutes = minutes + SUBMISSION;
        self.within_hours = hours + SUBMISSION;
        let octave = |count: u64| u64::from((count / SUBMISSION + 1).ilog2());
        Pace { gap: u64::from((gap_ms / 256).max(1).ilog2() / 2), minutes: octave(minutes), hours: octave(hours) }
    }
}

/// The keys of the groups a workload's end is remembered in: user and size, and user alone.
pub(super) fn group_keys(features: &Features) -> [Key; 2] {
    let (queue, user) = (u64::from(features.queue), user_of(features));
    [Key::of(&[100, queue, user, size_of(features)]), Key::of(&[101, queue, user])]
}

/// Counts a workload as submitted now.
pub(super) fn submitted(features: &Features, at_ms: i64, groups: &mut Groups) -> Pace {
    groups.entry(group_keys(features)[0]).submitted(at_ms)
}

/// How fast work like a workload would be coming, were it submitted now.
pub(super) fn would_be_submitted(features: &Features, at_ms: i64, groups: &Groups) -> Pace {
    groups.get(group_keys(features)[0]).cloned().unwrap_or_default().submitted(at_ms)
}

/// The contexts of a workload, coarse before fine, so that a parent comes before who falls back on it: how it was submitted, and
/// what has ended by now.
pub(super) fn contexts(features: &Features, pace: Pace, groups: &Groups) -> Contexts {
    let (queue, user, size) = (u64::from(features.queue), user_of(features), size_of(features));
    let mut list = Contexts::new();
    let mut add = |kind: Kind, parent: u8, facts: &[u64]| {
        let index = list.len() as u8;
        let mut all = [0; 8];
        all[0] = kind as u64;
        all[1..=facts.len()].copy_from_slice(facts);
        list.push(Context { kind, key: Key::of(&all), parent: if kind == Kind::All { index } else { parent } });
        index
    };
    let any = add(Kind::All, 0, &[]);
    let in_queue = add(Kind::Queue, any, &[queue]);
    let mut base = add(Kind::Size, in_queue, &[queue, size]);
    if features.user.is_some() {
        let of_user = add(Kind::User, in_queue, &[queue, user]);
        base = add(Kind::UserSize, of_user, &[queue, user, size]);
    }
    if let Some(name) = features.name {
        add(Kind::Name, base, &[queue, user, u64::from(name)]);
    }
    if let Some(limit_ms) = features.time_limit_ms {
        add(Kind::Limit, base, &[queue, user, size, limit_ms]);
    }

    let [same, akin] = group_keys(features);
    let Pace { gap, minutes, hours } = pace;
    let recently = |key| groups.get(key).and_then(Group::recently);
    let recently = recently(same).or_else(|| recently(akin));
    let octave = |bin: u64| bin / QUARTERS as u64;
    let single = size.min(2);
    if let Some(recently) = recently {
        add(Kind::Last, base, &[queue, user, single, octave(recently.last)]);
        add(Kind::Recent, base, &[queue, user, single, octave(recently.median), octave(recently.longest)]);
    }
    add(Kind::Burst, base, &[queue, user, single, gap, minutes]);
    let last = recently.map_or(u64::MAX, |recently| octave(recently.last) / 2);
    add(Kind::Flow, base, &[queue, user, single, gap.min(6), hours, last]);
    list
}

/// The user, or one for all where users are unknown.
pub(super) fn user_of(features: &Features) -> u64 {
    features.user.map_or(u64::MAX, u64::from)
}

/// Devices where devices are asked for, else cores: what makes two requests of like size.
pub(super) fn size_of(features: &Features) -> u64 {
    if features.devices_milli > 0 { features.devices_milli.div_ceil(1_000) } else { features.cpu_milli.div_ceil(1_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features() -> Features {
        Features {
            queue: 1,
            user: Some(2),
            name: Some(3),
            devices_milli: 8_000,
            cpu_milli: 0,
            time_limit_ms: Some(60_000),
        }
    }

    #[test]
    fn parents_come_first() {
        let mut groups = Groups::default();
        for key in group_keys(&features()) {
            groups.entry(key).ended(40);
        }
        let pace = submitted(&features(), 0, &mut groups);
        let list = contexts(&features(), pace, &groups);
        assert_eq!(list.len(), MAX_CONTEXTS);
        for (index, context) in list.iter().enumerate() {
            assert!(usize::from(context.parent) < index || context.kind == Kind::All);
        }
    }

    #[test]
    fn bursts_are_counted_and_fade() {
        let mut group = Group::default();
        let paces: Vec<Pace> = (0..20).map(|second| group.submitted(second * 1_000)).collect();
        assert_eq!(paces[19], Pace { gap: 0, minutes: 4, hours: 4 }, "a second's gap; 19 before it");
        let after_a_day = group.submitted(86_400_000);
        assert_eq!((after_a_day.minutes, after_a_day.hours), (0, 0));
    }

    #[test]
    fn recent_ends_are_summed_up() {
        let mut group = Group::default();
        assert!(group.recently().is_none());
        for bin in 0..30 {
            group.ended(bin);
        }
        let recently = group.recently().unwrap();
        assert_eq!((recently.last, recently.median, recently.longest), (29, 26, 29));
    }
}

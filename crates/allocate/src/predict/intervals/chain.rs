//! What a workload is like, from anything to its name: the classes whose quantiles are opinions of an interval's ends.
//!
//! It is one line of ever finer classes, where a [context](super::super::context) is a choice among several: the high end is
//! read where a class has seen one run in ten, and the limit that people ask for, with all who ask for it, is the best that
//! is known of the first runs of someone new.

use super::super::Features;
use super::super::bins::QUARTERS;
use super::super::bounded::Key;
use super::super::context::{Group, Groups, Pace, Recently, group_keys, size_of, user_of};
use super::super::life_table::Memory;

/// The kinds of classes, and of windows after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    All,
    Queue,
    Size,
    User,
    UserSize,
    /// All in the queue that ask for the same limit,
    Limit,
    /// and those of one user.
    UserLimit,
    Name,
    /// The last end of like workloads.
    Last,
    /// Median and longest of the recent ends of like workloads.
    Recent,
    /// Since when, and how many, like workloads have been submitted within minutes.
    Burst,
    /// Since when, how many within hours, and the last end.
    Flow,
    /// The window of the same user and size.
    WindowSame,
    /// The window of the same user.
    WindowAkin,
}

/// How many there are.
pub(super) const KINDS: usize = Kind::WindowAkin as usize + 1;
/// Most links of a chain.
const MOST_LINKS: usize = 12;

impl Kind {
    /// The kind of the windows, in order.
    pub(super) fn window(rank: usize) -> Self {
        if rank == 0 { Self::WindowSame } else { Self::WindowAkin }
    }

    /// Whether it speaks of the low end. Nothing fine does: nearly anything may fail at once, and in seconds it is far more to be
    /// wrong about a long run's than to be vague about a short one's (with fine ones, Philly's score was 2 % worse).
    pub(super) fn is_broad(self) -> bool {
        self <= Self::UserSize
    }

    /// Whether it speaks of the high end.
    pub(super) fn is_fine(self) -> bool {
        self >= Self::Name
    }

    /// How fast its classes forget.
    pub(super) fn memory(self) -> Memory {
        if self <= Self::Size { Memory::Fair } else { Memory::Brief }
    }
}

/// One class a workload belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) kind: Kind,
    pub(super) key: Key,
    /// The class it falls back on, as an index into the same list; its own index where there is none.
    pub(super) parent: u8,
}

/// The classes of a workload submitted now, coarse before fine.
pub(super) fn links(features: &Features, at_ms: i64, groups: &mut Groups) -> Vec<Link> {
    let (queue, user, size) = (u64::from(features.queue), user_of(features), size_of(features));
    let mut list: Vec<Link> = Vec::with_capacity(MOST_LINKS);
    let mut add = |kind: Kind, parent: u8, facts: &[u64]| {
        let index = list.len() as u8;
        let mut all = [0; 8];
        all[0] = kind as u64;
        all[1..=facts.len()].copy_from_slice(facts);
        list.push(Link { kind, key: Key::of(&all), parent: if kind == Kind::All { index } else { parent } });
        index
    };
    let any = add(Kind::All, 0, &[]);
    let in_queue = add(Kind::Queue, any, &[queue]);
    let mut base = add(Kind::Size, in_queue, &[queue, size]);
    if features.user.is_some() {
        let of_user = add(Kind::User, in_queue, &[queue, user]);
        base = add(Kind::UserSize, of_user, &[queue, user, size]);
    }
    if let Some(limit_ms) = features.time_limit_ms {
        let limit = add(Kind::Limit, in_queue, &[queue, limit_ms]);
        base = add(Kind::UserLimit, limit, &[queue, user, limit_ms]);
    }
    if let Some(name) = features.name {
        base = add(Kind::Name, base, &[queue, user, u64::from(name)]);
    }

    let [same, akin] = group_keys(features);
    let Pace { gap, minutes, hours } = groups.entry(same).submitted(at_ms);
    let recently = |key| groups.get(key).and_then(Group::recently);
    let recently: Option<Recently> = recently(same).or_else(|| recently(akin));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first() {
        let features = Features {
            queue: 1,
            user: Some(2),
            name: Some(3),
            devices_milli: 8_000,
            cpu_milli: 0,
            time_limit_ms: Some(60_000),
        };
        let mut groups = Groups::default();
        for key in group_keys(&features) {
            groups.entry(key).ended(40);
        }
        let list = links(&features, 0, &mut groups);
        assert_eq!(list.len(), MOST_LINKS);
        for (index, link) in list.iter().enumerate() {
            assert!(usize::from(link.parent) < index || link.kind == Kind::All);
        }
    }
}

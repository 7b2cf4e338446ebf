//! Who waits for whom, from the dumps of all ranks.
//!
//! A rank waits for another where it has called something that is pending, and the other has not called it: the last of that
//! group which the other called, if any, comes before. Who is waited for and waits for nobody is where the hang begins; the
//! others only pass it on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::dump::{Call, Dump};

/// A hang.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hang {
    /// The ranks that others wait for and that wait for nobody: where it begins.
    pub ranks: Vec<u32>,
    /// Ranks that wait for each other in a circle; only where nobody is who waits for nobody.
    pub circle: Vec<u32>,
    /// What those ranks did not call, and others wait in: the first of each group.
    pub missed: Vec<Missed>,
    /// Members of groups whose dumps are not there.
    pub unknown: Vec<u32>,
}

/// A call that some members of a group have not come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// The name of the group.
    pub group: String,
    /// What it is for.
    pub description: String,
    /// What was called.
    pub call: String,
    /// Its number.
    pub sequence: u64,
    /// Who has called it and waits.
    pub waiting: Vec<u32>,
    /// Who has not called it.
    pub missing: Vec<u32>,
    /// When the first of those who wait called it, in nanoseconds since 1970.
    pub since_ns: Option<i64>,
}

/// Puts the dumps of ranks together; nothing where nobody waits for anybody.
#[must_use]
pub fn hang(dumps: &BTreeMap<u32, Dump>) -> Option<Hang> {
    let seen = Seen::of(dumps);
    let mut waits_for = BTreeMap::<u32, BTreeSet<u32>>::new();
    let mut missed = BTreeMap::<Key<'_>, Missed>::new();
    for (&rank, dump) in dumps {
        for call in dump.calls.iter().filter(|call| call.pending) {
            let missing = seen.missing(rank, call);
            if missing.is_empty() {
                continue;
            }
            waits_for.entry(rank).or_default().extend(&missing);
            let key = (call.group.as_str(), call.peer.is_some(), call.sequence, ends(call));
            let entry = missed.entry(key).or_insert_with(|| Missed {
                group: call.group.clone(),
                description: dump.groups.get(&call.group).map_or_else(String::new, |group| group.description.clone()),
                call: call.name.clone(),
                sequence: call.sequence,
                waiting: Vec::new(),
                missing: missing.into_iter().collect(),
                since_ns: None,
            });
            entry.waiting.push(rank);
            entry.since_ns = [entry.since_ns, call.called_ns].into_iter().flatten().min();
        }
    }
    if waits_for.is_empty() {
        return None;
    }
    let awaited: BTreeSet<u32> = waits_for.values().flatten().copied().collect();
    let ranks: Vec<u32> = awaited.iter().copied().filter(|rank| !waits_for.contains_key(rank)).collect();
    let circle = if ranks.is_empty() { circle(&waits_for) } else { Vec::new() };
    let begins = if ranks.is_empty() { &circle } else { &ranks };
    Some(Hang { missed: first_of_groups(missed, begins), unknown: seen.unknown(), ranks, circle })
}

/// A group, whether it is a send or receive, its number, and its ends.
type Key<'a> = (&'a str, bool, u64, Option<(u32, bool)>);

fn ends(call: &Call) -> Option<(u32, bool)> {
    call.peer.map(|peer| (peer.group_rank, peer.sends))
}

/// What each rank has called last in each group.
struct Seen<'a> {
    dumps: &'a BTreeMap<u32, Dump>,
    /// By group, whether it is a send or receive, and rank.
    last: BTreeMap<(&'a str, bool, u32), u64>,
    /// The members of each group.
    members: BTreeMap<&'a str, &'a [u32]>,
}

impl<'a> Seen<'a> {
    fn of(dumps: &'a BTreeMap<u32, Dump>) -> Self {
        let (mut last, mut members) = (BTreeMap::new(), BTreeMap::new());
        for (&rank, dump) in dumps {
            for (name, group) in &dump.groups {
                members.entry(name.as_str()).or_insert(group.ranks.as_slice());
            }
            for call in &dump.calls {
                let last: &mut u64 = last.entry((call.group.as_str(), call.peer.is_some(), rank)).or_default();
                *last = call.sequence.max(*last);
            }
        }
        Self { dumps, last, members }
    }

    /// Who of those whose dumps are there has not come to a call of `rank`.
    fn missing(&self, rank: u32, call: &Call) -> BTreeSet<u32> {
        let Some(members) = self.members.get(call.group.as_str()) else { return BTreeSet::new() };
        let known = |other: &u32| *other != rank && self.dumps.contains_key(other);
        match call.peer {
            None => {
                let others = members.iter().copied().filter(known);
                others.filter(|&other| !self.has_called(other, call)).collect()
            }
            Some(peer) => {
                let place = members.iter().position(|&member| member == rank);
                let other = members.get(peer.group_rank as usize).copied().filter(known);
                let met = |other: u32| self.has_called(other, call) || self.answers(other, place, call);
                other.into_iter().filter(|&other| !met(other)).collect()
            }
        }
    }

    fn has_called(&self, rank: u32, call: &Call) -> bool {
        self.last.get(&(call.group.as_str(), call.peer.is_some(), rank)).is_some_and(|&last| last >= call.sequence)
    }

    /// Whether the other end has a pending receive for this send, or the other way around: numbers of sends and receives are
    /// counted by each process for itself, and may differ.
    fn answers(&self, rank: u32, place: Option<usize>, call: &Call) -> bool {
        let sends = call.peer.is_some_and(|peer| peer.sends);
        self.dumps[&rank].calls.iter().any(|other| {
            let meets = |peer: super::dump::Peer| Some(peer.group_rank as usize) == place && peer.sends != sends;
            other.pending && other.group == call.group && other.peer.is_some_and(meets)
        })
    }

    fn unknown(&self) -> Vec<u32> {
        let all: BTreeSet<u32> = self.members.values().flat_map(|members| members.iter().copied()).collect();
        all.into_iter().filter(|rank| !self.dumps.contains_key(rank)).collect()
    }
}

/// Of each group, the first call that any of these ranks has not come to; those that most have not come to first.
fn first_of_groups(missed: BTreeMap<Key<'_>, Missed>, ranks: &[u32]) -> Vec<Missed> {
    let mut first: Vec<Missed> = Vec::new();
    for missed in missed.into_values() {
        let concerns = missed.missing.iter().any(|rank| ranks.contains(rank));
        if concerns && first.last().is_none_or(|last| last.group != missed.group) {
            first.push(missed);
        }
    }
    // What most of them have not come to and most others wait in says most.
    let told = |missed: &Missed| missed.missing.iter().filter(|rank| ranks.contains(rank)).count();
    first.sort_by_key(|missed| {
        let since = missed.since_ns.unwrap_or(i64::MAX);
        (Reverse(told(missed)), Reverse(missed.waiting.len()), since, missed.group.clone())
    });
    first
}

/// Those who wait for each other: from anyone, along those who are waited for, until one comes again.
fn circle(waits_for: &BTreeMap<u32, BTreeSet<u32>>) -> Vec<u32> {
    let mut path: Vec<u32> = Vec::new();
    let Some(mut at) = waits_for.keys().next().copied() else { return path };
    loop {
        if let Some(again) = path.iter().position(|&rank| rank == at) {
            let mut circle = path.split_off(again);
            circle.sort_unstable();
            return circle;
        }
        path.push(at);
        match waits_for.get(&at).and_then(|others| others.first()) {
            Some(&next) => at = next,
            None => return Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dump::{Group, Peer};
    use super::*;

    /// Four ranks in one group, `a`, and the first two in another, `b`.
    fn dump(calls: &[(&str, u64, bool)]) -> Dump {
        let group = |ranks: &[u32]| Group { description: String::new(), ranks: ranks.to_vec() };
        let call = |&(group, sequence, pending): &(&str, u64, bool)| Call {
            group: group.to_owned(),
            name: "all_reduce".to_owned(),
            sequence,
            peer: None,
            pending,
            called_ns: Some(sequence as i64),
        };
        Dump {
            groups: [("a".to_owned(), group(&[0, 1, 2, 3])), ("b".to_owned(), group(&[0, 1]))].into(),
            calls: calls.iter().map(call).collect(),
        }
    }

    type Calls<'a> = &'a [(&'a str, u64, bool)];

    fn check(ranks: &[Calls<'_>], expected: &[u32]) -> Option<Hang> {
        let dumps = ranks.iter().enumerate().map(|(rank, calls)| (rank as u32, dump(calls))).collect();
        let hang = hang(&dumps);
        assert_eq!(hang.as_ref().map_or(Vec::new(), |hang| hang.ranks.clone()), expected);
        hang
    }

    #[test]
    fn who_did_not_come_is_named() {
        let waits: Calls<'_> = &[("a", 6, false), ("a", 7, true)];
        let hang = check(&[waits, waits, &[("a", 6, false)], waits], &[2]).unwrap();
        assert_eq!(hang.missed[0].waiting, [0, 1, 3]);
        assert_eq!((hang.missed[0].sequence, hang.missed[0].since_ns), (7, Some(7)));
    }

    #[test]
    fn who_has_recorded_nothing_did_not_come() {
        check(&[&[("a", 7, true)], &[("a", 7, true)], &[], &[("a", 7, true)]], &[2]);
    }

    #[test]
    fn who_waits_elsewhere_only_passes_it_on() {
        // Rank 0 waits in `b` for rank 1, and so does not come to `a`, in which 2 and 3 wait.
        let hang = check(&[&[("b", 3, true)], &[("b", 2, false)], &[("a", 7, true)], &[("a", 7, true)]], &[1]).unwrap();
        // Two wait in `a` for it, and one in `b`.
        let groups: Vec<&str> = hang.missed.iter().map(|missed| missed.group.as_str()).collect();
        assert_eq!(groups, ["a", "b"]);
    }

    #[test]
    fn all_in_one_collective_is_no_hang_of_anyone() {
        let all: Calls<'_> = &[("a", 7, true)];
        assert_eq!(check(&[all, all, all, all], &[]), None);
    }

    #[test]
    fn a_rank_that_is_ahead_came() {
        let waits: Calls<'_> = &[("a", 7, true)];
        assert_eq!(check(&[waits, waits, &[("a", 9, false)], waits], &[]), None);
    }

    #[test]
    fn a_circle_is_told() {
        // 0 waits in `b` for 1; 1 waits in `a` for 0.
        let a: Calls<'_> = &[("a", 7, true)];
        let hang = check(&[&[("b", 3, true)], a, a, a], &[]).unwrap();
        assert_eq!(hang.circle, [0, 1]);
    }

    #[test]
    fn ranks_without_a_dump_are_unknown() {
        let dumps = [(0, dump(&[("a", 7, true)])), (1, dump(&[]))].into();
        let hang = hang(&dumps).unwrap();
        assert_eq!((hang.ranks, hang.unknown), (vec![1], vec![2, 3]));
    }

    #[test]
    fn ends_of_a_transfer_meet_whatever_their_numbers() {
        let end = |group_rank, sends, sequence| {
            let mut dump = dump(&[("b", sequence, true)]);
            dump.calls[0].peer = Some(Peer { group_rank, sends });
            dump
        };
        let met = [(0, end(1, true, 5)), (1, end(0, false, 4))].into();
        assert_eq!(hang(&met), None);
        let unmet = [(0, end(1, true, 5)), (1, end(0, true, 4))].into();
        assert_eq!(hang(&unmet).unwrap().ranks, [1]);
    }
}

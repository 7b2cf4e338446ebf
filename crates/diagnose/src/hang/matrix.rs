//! The last call of each rank in each of its groups: where a hang is seen at a glance.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::dump::{Call, Dump};
use super::wait::Hang;

/// So many ranks are shown, and so many groups.
pub const RANKS_SHOWN: usize = 256;
/// See [`RANKS_SHOWN`].
pub const GROUPS_SHOWN: usize = 16;

/// Ranks by groups.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// The groups: name, and what it is for.
    pub groups: Vec<(String, String)>,
    /// Rank by rank, a place for each group.
    pub rows: Vec<(u32, Vec<Last>)>,
    /// How many ranks and groups there are in all.
    pub ranks: usize,
    /// See `ranks`.
    pub groups_all: usize,
}

/// How far a rank has come in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Last {
    /// It is no member.
    NoMember,
    /// It has called nothing there that was recorded, and others have.
    Nothing,
    /// Its last call has completed, and no other member has called more.
    Done(String),
    /// Its last call is pending.
    Waits(String),
    /// Others have called more since.
    Behind(String),
}

/// The groups and ranks that say most: those of the hang before others. Groups in which nobody has called anything are left out.
#[must_use]
pub fn matrix(dumps: &BTreeMap<u32, Dump>, hang: &Hang) -> Matrix {
    let mut members = BTreeMap::<&str, (&str, BTreeSet<u32>)>::new();
    let mut last = BTreeMap::<(&str, u32), &Call>::new();
    for (&rank, dump) in dumps {
        for (name, group) in &dump.groups {
            let entry = members.entry(name).or_insert((&group.description, BTreeSet::new()));
            entry.1.extend(group.ranks.iter().copied().filter(|rank| dumps.contains_key(rank)));
        }
        // Sends and receives have numbers of their own; what is compared are collectives.
        for call in dump.calls.iter().filter(|call| call.peer.is_none()) {
            last.entry((&call.group, rank)).and_modify(|last| *last = later(last, call)).or_insert(call);
        }
    }
    let missed = |name: &str| hang.missed.iter().position(|missed| missed.group == name).unwrap_or(usize::MAX);
    let called: BTreeSet<&str> = last.keys().map(|(group, _)| *group).collect();
    let mut groups: Vec<&str> =
        members.keys().copied().filter(|name| members[name].1.len() > 1 && called.contains(name)).collect();
    groups.sort_by_key(|name| (missed(name), std::cmp::Reverse(members[name].1.len()), *name));
    let groups_all = groups.len();
    groups.truncate(GROUPS_SHOWN);
    let furthest =
        |name: &str| members[name].1.iter().filter_map(|rank| last.get(&(name, *rank))).map(|call| call.sequence).max();
    let furthest: Vec<Option<u64>> = groups.iter().map(|name| furthest(name)).collect();
    let of = |rank: u32, (name, furthest): (&&str, &Option<u64>)| match last.get(&(*name, rank)) {
        _ if !members[name].1.contains(&rank) => Last::NoMember,
        None => Last::Nothing,
        Some(call) if Some(call.sequence) < *furthest => Last::Behind(told(call)),
        Some(call) if call.pending => Last::Waits(told(call)),
        Some(call) => Last::Done(told(call)),
    };
    let rows = shown(dumps, hang)
        .into_iter()
        .map(|rank| (rank, groups.iter().zip(&furthest).map(|at| of(rank, at)).collect()));
    Matrix {
        rows: rows.collect(),
        groups: groups.iter().map(|name| ((*name).to_owned(), members[name].0.to_owned())).collect(),
        ranks: dumps.len(),
        groups_all,
    }
}

fn later<'a>(one: &'a Call, other: &'a Call) -> &'a Call {
    if other.sequence >= one.sequence { other } else { one }
}

fn told(call: &Call) -> String {
    format!("{} {}", call.name, call.sequence)
}

/// The ranks that are shown, in their order: where there are too many, those where the hang begins, then those that wait for them.
fn shown(dumps: &BTreeMap<u32, Dump>, hang: &Hang) -> Vec<u32> {
    let begins: BTreeSet<u32> = hang.ranks.iter().chain(&hang.circle).copied().collect();
    let waiting: BTreeSet<u32> = hang.missed.iter().flat_map(|missed| missed.waiting.iter().copied()).collect();
    let mut ranks: Vec<u32> = dumps.keys().copied().collect();
    ranks.sort_by_key(|rank| (!begins.contains(rank), !waiting.contains(rank), *rank));
    ranks.truncate(RANKS_SHOWN);
    ranks.sort_unstable();
    ranks
}

#[cfg(test)]
mod tests {
    use super::super::dump::Group;
    use super::super::wait::hang;
    use super::*;

    fn dump(group: &str, ranks: &[u32], calls: &[(u64, bool)]) -> Dump {
        let call = |&(sequence, pending): &(u64, bool)| Call {
            group: group.to_owned(),
            name: "all_reduce".to_owned(),
            sequence,
            peer: None,
            pending,
            called_ns: None,
        };
        let groups = [(group.to_owned(), Group { description: "TENSOR".to_owned(), ranks: ranks.to_vec() })];
        Dump { groups: groups.into(), calls: calls.iter().map(call).collect() }
    }

    #[test]
    fn who_is_behind_is_seen() {
        let dumps: BTreeMap<u32, Dump> = [
            (0, dump("a", &[0, 1, 2], &[(6, false), (7, true)])),
            (1, dump("a", &[0, 1, 2], &[(6, false)])),
            (2, dump("a", &[0, 1, 2], &[])),
            (3, dump("b", &[3, 4], &[(1, false)])),
            (4, dump("b", &[3, 4], &[(1, false)])),
        ]
        .into();
        let matrix = matrix(&dumps, &hang(&dumps).unwrap());
        assert_eq!(matrix.groups, [("a".into(), "TENSOR".into()), ("b".into(), "TENSOR".into())]);
        let calls = |sequence: u64| format!("all_reduce {sequence}");
        let of_a: Vec<Last> = matrix.rows.iter().map(|(_, lasts)| lasts[0].clone()).collect();
        let behind = Last::Behind(calls(6));
        assert_eq!(of_a, [Last::Waits(calls(7)), behind, Last::Nothing, Last::NoMember, Last::NoMember]);
        assert_eq!(matrix.rows[4].1[1], Last::Done(calls(1)));
    }

    #[test]
    fn of_many_ranks_those_of_the_hang_are_shown() {
        let ranks: Vec<u32> = (0..1_000).collect();
        let of = |rank: u32| dump("a", &ranks, if rank == 999 { &[] } else { &[(7, true)] });
        let dumps: BTreeMap<u32, Dump> = ranks.iter().map(|rank| (*rank, of(*rank))).collect();
        let matrix = matrix(&dumps, &hang(&dumps).unwrap());
        assert_eq!((matrix.rows.len(), matrix.ranks), (RANKS_SHOWN, 1_000));
        assert_eq!(matrix.rows[RANKS_SHOWN - 1], (999, vec![Last::Nothing]));
    }
}

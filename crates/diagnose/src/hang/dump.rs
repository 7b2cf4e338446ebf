//! What the flight recorder of one rank holds.

use std::collections::BTreeMap;

/// The dump of one rank.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dump {
    /// The process groups that the rank is a member of, by their names.
    pub groups: BTreeMap<String, Group>,
    /// The calls that it recorded, in their order.
    pub calls: Vec<Call>,
}

/// A process group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// What it is for.
    pub description: String,
    /// Its members, by global rank; a member's place is its rank within the group.
    pub ranks: Vec<u32>,
}

/// A call of a rank: a collective, a send or a receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The name of its process group.
    pub group: String,
    /// What was called, such as `all_reduce`, or `recv 0<-8`.
    pub name: String,
    /// Its number among the collectives of its group, or among the sends and receives.
    pub sequence: u64,
    /// The other end of a send or receive.
    pub peer: Option<Peer>,
    /// Whether it has not completed.
    pub pending: bool,
    /// When it was called, in nanoseconds since 1970.
    pub called_ns: Option<i64>,
}

/// The other end of a send or receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its rank within the group.
    pub group_rank: u32,
    /// Whether this end sends.
    pub sends: bool,
}

impl Peer {
    /// From the name of a call, such as `send 0->1` or `recv 0<-8`.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let ends = name.split_whitespace().last()?;
        if let Some((_, to)) = ends.split_once("->") {
            return Some(Self { group_rank: to.parse().ok()?, sends: true });
        }
        let (_, from) = ends.split_once("<-")?;
        Some(Self { group_rank: from.parse().ok()?, sends: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_other_end() {
        for (name, expected) in [
            ("send 0->1", Some(Peer { group_rank: 1, sends: true })),
            ("recv 12<-8", Some(Peer { group_rank: 8, sends: false })),
            ("all_reduce", None),
            ("send 0->x", None),
            ("", None),
        ] {
            assert_eq!(Peer::of_name(name), expected, "{name}");
        }
    }
}

//! Which nodes are kept when: whole nodes over time, in steps between which something changes. A plan of one look at those who
//! wait; it is made anew each time. Never says for whom.

use fleet::ids::NodeId;
use fleet::time::Timestamp;

/// Nodes kept over time.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    /// Ascending, none empty; each lasts until the next begins, the last until `until`.
    steps: Vec<Step>,
    until: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    from: Timestamp,
    kept: NodeSet,
}

/// A set of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// An empty set of nodes with ids below a bound.
    pub(crate) fn below(bound: usize) -> Self {
        Self { words: vec![0; bound.div_ceil(64)] }
    }

    pub(crate) fn insert(&mut self, node: NodeId) {
        self.words[node.index() / 64] |= 1 << (node.index() % 64);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        let bits = |(index, &word): (usize, &u64)| {
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| NodeId(index as u32 * 64 + bit))
        };
        self.words.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(bits)
    }

    fn add(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Whether some node of `among` is in here and not in `other`.
    fn beyond(&self, other: &Self, among: &Self) -> bool {
        self.words.iter().zip(&other.words).zip(&among.words).any(|((own, other), among)| own & !other & among != 0)
    }

    fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(own, other)| own & other != 0)
    }
}

impl Profile {
    /// Nothing is kept yet; node ids are below `bound`.
    pub(crate) fn new(from: Timestamp, until: Timestamp, bound: usize) -> Self {
        Self { steps: vec![Step { from, kept: NodeSet::below(bound) }], until }
    }

    /// The nodes kept at any moment from `from` to `until`, both included.
    pub(crate) fn kept(&self, from: Timestamp, until: Timestamp) -> NodeSet {
        let mut kept = NodeSet { words: vec![0; self.steps[0].kept.words.len()] };
        let steps = self.steps.iter().enumerate();
        for (_, step) in steps.filter(|&(index, step)| self.end(index) > from && step.from <= until) {
            kept.add(&step.kept);
        }
        kept
    }

    /// Whether any of these nodes is kept between two moments.
    pub(crate) fn meets(&self, nodes: &NodeSet, from: Timestamp, until: Timestamp) -> bool {
        let mut steps = self.steps.iter().enumerate();
        steps.any(|(index, step)| self.end(index) > from && step.from < until && step.kept.meets(nodes))
    }

    /// The first moment after `from` at which one of `among` is let go.
    pub(crate) fn opens(&self, from: Timestamp, among: &NodeSet) -> Option<Timestamp> {
        self.steps
            .windows(2)
            .find(|pair| pair[1].from > from && pair[0].kept.beyond(&pair[1].kept, among))
            .map(|pair| pair[1].from)
    }

    /// Keeps nodes between two moments.
    pub(crate) fn keep(&mut self, nodes: &NodeSet, from: Timestamp, until: Timestamp) {
        let first = self.begin_step(from.max(self.steps[0].from));
        let last = self.begin_step(until);
        for step in &mut self.steps[first..last] {
            step.kept.add(nodes);
        }
    }

    /// The place of the step that begins at a moment, made if there is none; past the last one where the moment is too late.
    fn begin_step(&mut self, at: Timestamp) -> usize {
        let place = self.steps.partition_point(|step| step.from < at);
        if at >= self.until || self.steps.get(place).is_some_and(|step| step.from == at) {
            return place;
        }
        let kept = self.steps[place - 1].kept.clone();
        self.steps.insert(place, Step { from: at, kept });
        place
    }

    fn end(&self, index: usize) -> Timestamp {
        self.steps.get(index + 1).map_or(self.until, |next| next.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(nodes: &[u32]) -> NodeSet {
        let mut set = NodeSet::below(70);
        nodes.iter().for_each(|&node| set.insert(NodeId(node)));
        set
    }

    fn at(moment: i64) -> Timestamp {
        Timestamp(moment)
    }

    #[test]
    fn nodes_are_kept_from_one_moment_to_another() {
        let mut profile = Profile::new(at(0), at(100), 70);
        profile.keep(&set(&[1, 65]), at(10), at(30));
        profile.keep(&set(&[2]), at(20), at(500));
        for (from, until, kept) in [
            (0, 9, vec![]),
            (0, 10, vec![1, 65]),
            (10, 20, vec![1, 2, 65]),
            (30, 40, vec![2]),
            (99, 99, vec![2]),
            (100, 200, vec![]),
        ] {
            let found: Vec<u32> = profile.kept(at(from), at(until)).iter().map(|node| node.0).collect();
            assert_eq!(found, kept, "{from} to {until}");
        }
        assert!(profile.meets(&set(&[65]), at(0), at(11)));
        assert!(!profile.meets(&set(&[65]), at(0), at(10)));
        assert!(!profile.meets(&set(&[65]), at(30), at(90)));
    }

    #[test]
    fn nodes_open_when_they_are_let_go() {
        let mut profile = Profile::new(at(0), at(100), 70);
        profile.keep(&set(&[1]), at(10), at(30));
        profile.keep(&set(&[2]), at(10), at(40));
        let opens = |profile: &Profile, from, among: &[u32]| profile.opens(at(from), &set(among)).map(|at| at.0);
        assert_eq!(opens(&profile, 0, &[1, 2]), Some(30));
        assert_eq!(opens(&profile, 0, &[2, 3]), Some(40));
        assert_eq!(opens(&profile, 30, &[1, 2]), Some(40));
        assert_eq!(opens(&profile, 0, &[3]), None);
    }
}

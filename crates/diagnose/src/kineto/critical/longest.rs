//! The longest path through a graph.

use std::collections::VecDeque;

use super::graph::Edge;

/// The edges of the longest path, from its beginning; nothing where edges lead round in a circle. Of paths of one length it is the one
/// that `networkx.dag_longest_path` finds: moments are taken as they become ready, edges in the order in which they were added, and the
/// first of the longest wins.
pub(super) fn path(edges: &[Edge], nodes: usize) -> Option<Vec<usize>> {
    let (into, out_of) = (Grouped::by(edges, nodes, |edge| edge.to), Grouped::by(edges, nodes, |edge| edge.from));
    let mut waits_for: Vec<u32> = (0..nodes).map(|node| into.of(node).len() as u32).collect();
    let mut seen = vec![false; nodes];
    let mut ready: VecDeque<u32> = VecDeque::new();
    let mut count = 0;
    for node in edges.iter().flat_map(|edge| [edge.from, edge.to]) {
        if !std::mem::replace(&mut seen[node as usize], true) {
            count += 1;
            if waits_for[node as usize] == 0 {
                ready.push_back(node);
            }
        }
    }
    // How far it is to each moment, and by which edge.
    let mut far: Vec<(i64, Option<u32>)> = vec![(0, None); nodes];
    let mut farthest: Option<u32> = None;
    while let Some(node) = ready.pop_front() {
        count -= 1;
        let mut best: Option<(i64, u32)> = None;
        for &at in into.of(node as usize) {
            let edge = &edges[at as usize];
            let length = far[edge.from as usize].0.saturating_add(edge.weight.max(0));
            if best.is_none_or(|(longest, _)| length > longest) {
                best = Some((length, at));
            }
        }
        far[node as usize] = best.map_or((0, None), |(length, at)| (length, Some(at)));
        if farthest.is_none_or(|farthest| far[node as usize].0 > far[farthest as usize].0) {
            farthest = Some(node);
        }
        for &at in out_of.of(node as usize) {
            let to = edges[at as usize].to;
            waits_for[to as usize] -= 1;
            if waits_for[to as usize] == 0 {
                ready.push_back(to);
            }
        }
    }
    if count > 0 {
        return None;
    }
    let mut path = Vec::new();
    let mut at = farthest;
    while let Some(edge) = at.and_then(|node| far[node as usize].1) {
        path.push(edge as usize);
        at = Some(edges[edge as usize].from);
    }
    path.reverse();
    Some(path)
}

/// Edges by one of their moments, each group in the order of all.
struct Grouped {
    /// Where the group of each moment begins.
    begins: Vec<u32>,
    edges: Vec<u32>,
}

impl Grouped {
    fn by(edges: &[Edge], nodes: usize, key: impl Fn(&Edge) -> u32) -> Self {
        let mut begins = vec![0_u32; nodes + 1];
        for edge in edges {
            begins[key(edge) as usize + 1] += 1;
        }
        for node in 0..nodes {
            begins[node + 1] += begins[node];
        }
        let (mut next, mut grouped) = (begins.clone(), vec![0_u32; edges.len()]);
        for (at, edge) in edges.iter().enumerate() {
            let place = &mut next[key(edge) as usize];
            grouped[*place as usize] = at as u32;
            *place += 1;
        }
        Self { begins, edges: grouped }
    }

    fn of(&self, node: usize) -> &[u32] {
        &self.edges[self.begins[node] as usize..self.begins[node + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::Kind;
    use super::*;

    fn check(edges: &[(u32, u32, i64)], expected: Option<&[usize]>) {
        let edges: Vec<Edge> =
            edges.iter().map(|&(from, to, weight)| Edge { from, to, weight, kind: Kind::Host }).collect();
        assert_eq!(path(&edges, 6).as_deref(), expected);
    }

    #[test]
    fn the_longest_path_wins_and_of_equal_ones_the_first() {
        check(&[(0, 1, 5), (1, 3, 1), (0, 2, 3), (2, 3, 3), (3, 4, 0)], Some(&[0, 1]));
        check(&[(0, 1, 5), (1, 3, 1), (0, 2, 3), (2, 3, 4)], Some(&[2, 3]));
        // Below zero counts as none.
        check(&[(0, 1, -5), (1, 2, 2)], Some(&[0, 1]));
        check(&[], Some(&[]));
    }

    #[test]
    fn a_circle_has_no_longest_path() {
        check(&[(0, 1, 1), (1, 2, 1), (2, 1, 1)], None);
    }
}

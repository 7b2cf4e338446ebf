//! Neighbours: as Slurm's `select/cons_tres` chooses where no topology is configured (read in its `_eval_nodes`, 22.05). Nodes that
//! would do fall into runs of neighbours, in the order in which the cluster has them. The run with the fewest free cores that holds
//! what is still missing comes first, or where none does the one with the most; of a run, the nodes in order, but the last one
//! missing goes where the fewest cores are free. Ties go to the lowest node.

use fleet::ids::NodeId;

use super::{Choice, Layout, Shape, room};
use crate::cluster::{Cluster, Standing};

/// Nodes that would do, one behind the other, none between them that would not.
#[derive(Clone, Debug, Default)]
struct Stretch {
    nodes: Vec<(NodeId, u64)>,
    cores: u64,
}

/// `count` nodes with room for `tasks` tasks each.
pub(super) fn find(
    cluster: &Cluster,
    shape: &Shape,
    layout: &Layout,
    tasks: u32,
    count: u32,
    choice: &Choice,
) -> Option<Vec<NodeId>> {
    let mut stretches = stretches(cluster, shape, layout, tasks, choice);
    let cores_each = shape.request.cpu.times(tasks).0;
    let mut chosen = Vec::new();
    while chosen.len() < count as usize {
        let missing = count as usize - chosen.len();
        let mut stretch = stretches.remove(best(&stretches, missing, cores_each)?);
        if missing == 1 {
            let tightest = stretch.nodes.iter().min_by_key(|&&(node, cores)| (cores, node)).copied();
            stretch.nodes = tightest.into_iter().collect();
        }
        chosen.extend(stretch.nodes.iter().take(missing).map(|&(node, _)| node));
    }
    Some(chosen)
}

/// Which stretch is used next. `None` if there is none.
fn best(stretches: &[Stretch], missing: usize, cores_each: u64) -> Option<usize> {
    let enough = |stretch: &Stretch| {
        stretch.nodes.len() >= missing && stretch.cores >= cores_each.saturating_mul(missing as u64)
    };
    let mut best: Option<(usize, &Stretch)> = None;
    for (index, stretch) in stretches.iter().enumerate() {
        let better = best.is_none_or(|(_, best)| match (enough(stretch), enough(best)) {
            (true, false) => true,
            (true, true) => stretch.cores < best.cores,
            (false, _) => stretch.cores > best.cores,
        });
        if better {
            best = Some((index, stretch));
        }
    }
    best.map(|(index, _)| index)
}

fn stretches(cluster: &Cluster, shape: &Shape, layout: &Layout, tasks: u32, choice: &Choice) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut next = None;
    for index in 0..cluster.node_bound() as u32 {
        let id = NodeId(index);
        if !cluster.knows(id) {
            continue;
        }
        let node = cluster.node(id);
        let usable = node.standing == Standing::Up && layout.classes.contains(&node.class);
        if !usable || room(cluster, &shape.request, id, tasks, choice) < tasks {
            continue;
        }
        if next != Some(index) {
            stretches.push(Stretch::default());
        }
        next = Some(index + 1);
        let stretch = stretches.last_mut().expect("one was begun");
        stretch.nodes.push((id, node.cpu.0));
        stretch.cores = stretch.cores.saturating_add(node.cpu.0);
    }
    stretches
}

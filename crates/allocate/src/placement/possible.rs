//! Whether a gang would fit if nothing ran. Nobody is held up, and no room is kept, for a gang that would not.

use fleet::workload::Spread;

use super::{Layout, Shape};
use crate::cluster::{Cluster, NodeState};

/// Whether the gang would fit on the nodes that are up, were they empty. Tasks are alike, so counting nodes is exact.
pub(crate) fn fits_empty(cluster: &Cluster, shape: &Shape, layout: &Layout) -> bool {
    if !layout.possible() {
        return false;
    }
    let rooms = || {
        layout.classes.iter().map(|&class| {
            let class = &cluster.classes()[class as usize];
            let room = NodeState::empty(&class.spec, 0, 0).room(&shape.request, shape.tasks);
            (u64::from(class.up()), room)
        })
    };
    let with = |least: u32| rooms().filter(|&(_, room)| room >= least).map(|(nodes, _)| nodes).sum::<u64>();
    match shape.spread {
        Spread::Any => rooms().map(|(nodes, room)| nodes * u64::from(room)).sum::<u64>() >= u64::from(shape.tasks),
        Spread::Packed | Spread::OnePerNode => {
            let full = u64::from(layout.full);
            with(layout.chunk) >= full && (layout.rest == 0 || with(layout.rest) > full)
        }
    }
}

//! Best fit: the node that has the fewest units left afterwards; of equals the lowest class, then the lowest node.

use fleet::ids::NodeId;

use super::{Choice, Layout, Shape, room};
use crate::cluster::{Cluster, share_of};

/// The nodes with room for `tasks` tasks, best first.
pub(super) fn nodes<'a>(
    cluster: &'a Cluster,
    shape: &'a Shape,
    layout: &'a Layout,
    tasks: u32,
    choice: &'a Choice<'a>,
) -> impl Iterator<Item = NodeId> + 'a {
    let classes = || layout.classes.iter().map(|&class| &cluster.classes()[class as usize]);
    let share = share_of(&shape.request).is_some();
    let used_in_part = classes().filter(move |_| share).flat_map(|class| class.sharing());
    let most_left = classes().map(|class| class.units()).max().unwrap_or(0);
    let by_units = (0..=most_left).flat_map(move |left| {
        classes().filter_map(move |class| {
            let units = class.units_asked(&shape.request, tasks) + left;
            (units <= class.units()).then(|| class.with(units))
        })
    });
    // Those used in part come first where a share is asked for, and only once.
    let by_units = by_units.flatten().filter(move |&node| !share || cluster.node(node).shared.is_empty());
    used_in_part.chain(by_units).filter(move |&node| room(cluster, &shape.request, node, tasks, choice) >= tasks)
}

//! What a gang asks of nodes, worked out once for all gangs that ask the same.

use std::collections::BTreeMap;

use fleet::node::Resources;
use fleet::workload::{Constraint, Spread, Workload};

use crate::cluster::{Class, Cluster, NodeState};

/// All that decides whether and where a gang fits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shape {
    pub(crate) request: Resources,
    pub(crate) tasks: u32,
    pub(crate) spread: Spread,
    pub(crate) constraint: Constraint,
}

/// How a shape lies on the nodes this cluster has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    /// Classes a task may run on, ascending.
    pub(crate) classes: Vec<u32>,
    /// Tasks that lie together on one node.
    pub(crate) chunk: u32,
    /// How many nodes take a chunk.
    pub(crate) full: u32,
    /// Tasks left over for one more node.
    pub(crate) rest: u32,
}

/// All shapes seen, with their layouts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shapes {
    index: BTreeMap<Shape, u32>,
    list: Vec<(Shape, Layout)>,
    version: u32,
}

impl Shapes {
    pub(crate) fn intern(&mut self, workload: &Workload, cluster: &Cluster) -> u32 {
        let shape = Shape {
            request: workload.request,
            tasks: workload.tasks,
            spread: workload.spread,
            constraint: workload.constraint.clone(),
        };
        if let Some(&id) = self.index.get(&shape) {
            return id;
        }
        let id = self.list.len() as u32;
        let layout = lay_out(&shape, cluster);
        self.index.insert(shape.clone(), id);
        self.list.push((shape, layout));
        id
    }

    /// Works all layouts out again if the cluster got a new class of nodes, and tells whether it did.
    pub(crate) fn refresh(&mut self, cluster: &Cluster) -> bool {
        let stale = self.version != cluster.shape_version();
        if stale {
            self.version = cluster.shape_version();
            for (shape, layout) in &mut self.list {
                *layout = lay_out(shape, cluster);
            }
        }
        stale
    }

    pub(crate) fn shape(&self, id: u32) -> &Shape {
        &self.list[id as usize].0
    }

    /// How many nodes a gang must have at once: one where its tasks may lie anywhere.
    pub(crate) fn nodes(&self, id: u32) -> u32 {
        let (shape, layout) = &self.list[id as usize];
        match shape.spread {
            Spread::Any => 1,
            Spread::Packed | Spread::OnePerNode => layout.full + u32::from(layout.rest > 0),
        }
    }

    pub(crate) fn layout(&self, id: u32) -> &Layout {
        &self.list[id as usize].1
    }
}

impl Layout {
    /// Whether the gang could ever run on these nodes, were they empty and enough.
    pub(crate) fn possible(&self) -> bool {
        self.chunk > 0
    }
}

fn lay_out(shape: &Shape, cluster: &Cluster) -> Layout {
    let mut layout = Layout::default();
    let mut most = 0;
    for (index, class) in cluster.classes().iter().enumerate() {
        if !admits(class, &shape.constraint) {
            continue;
        }
        let room = NodeState::empty(&class.spec, 0, 0).room(&shape.request, shape.tasks);
        if room > 0 {
            layout.classes.push(index as u32);
            most = most.max(room);
        }
    }
    if most == 0 {
        return layout;
    }
    layout.chunk = match shape.spread {
        Spread::Packed => most,
        Spread::Any | Spread::OnePerNode => 1,
    };
    layout.full = shape.tasks / layout.chunk;
    layout.rest = shape.tasks % layout.chunk;
    layout
}

fn admits(class: &Class, constraint: &Constraint) -> bool {
    let pool =
        constraint.pools.is_empty() || constraint.pools.iter().any(|p| class.spec.pools.binary_search(p).is_ok());
    let model = constraint.models.is_empty() || class.spec.model.is_some_and(|m| constraint.models.contains(&m));
    pool && model
}

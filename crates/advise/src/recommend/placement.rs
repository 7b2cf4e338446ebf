//! Another choice among the nodes that would do.

use fleet::policy::{Placement, Policy};
use fleet::quantity::MilliDevice;
use replay::scenario::Change;

use super::Candidate;
use super::owner;
use crate::ground::Ground;

pub(super) fn propose(ground: &Ground) -> Vec<Candidate> {
    let matters = ground.setup.history.workloads.iter().any(|recorded| {
        let request = recorded.workload.request;
        let host = request.cpu.0 > 0 || request.memory.0 > 0;
        request.devices > MilliDevice::ZERO && (host || request.devices.0 < MilliDevice::WHOLE)
    });
    let now = ground.setup.policy.placement;
    if !matters || now == Placement::LeastStranded {
        return Vec::new();
    }
    let before = &ground.setup.policy;
    let policy = Policy { placement: Placement::LeastStranded, ..before.clone() };
    let mut risks = Vec::new();
    if owner::is_slurm(ground) {
        risks.push("Slurm has no such placement: it takes effect where Trimtab places.".to_owned());
    }
    vec![Candidate {
        title: "Place work where it strands the fewest devices".into(),
        because: vec!["Devices are stranded when the cores or the memory beside them are gone, or when too few are left together.".into()],
        change: vec![owner::placement(ground, &policy)],
        undo: vec![owner::placement(ground, before)],
        scenario: ground.options.baseline.with(Change::Policy { policy }),
        risks,
    }]
}

//! Another choice among the nodes that would do.

use fleet::policy::{Placement, Policy};
use fleet::quantity::MilliDevice;
use replay::scenario::Change;

use super::Candidate;
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
    let policy = Policy { placement: Placement::LeastStranded, ..ground.setup.policy.clone() };
    let line = |name: &str| format!("[policy]\nplacement = \"{name}\"");
    vec![Candidate {
        title: "Place workloads where they leave the fewest devices without cores or memory beside them".into(),
        because: vec!["Devices are useless when the cores or the memory of their node are gone.".into()],
        scenario: ground.options.baseline.with(Change::Policy { policy }),
        change: vec![ground.step(None, line("least_stranded"))],
        undo: vec![ground.step(None, line("best_fit"))],
        risks: Vec::new(),
    }]
}

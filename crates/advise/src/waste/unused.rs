//! What was asked for, held and not used, where the source measured use. These lie over the parts of the account (a failed run
//! may have left its cores idle as well): they are never added to them.

use fleet::quantity::Millis;
use replay::history::{History, Recorded};
use serde::Serialize;

use super::evidence::{Evidence, Known, Top};
use super::limits::ran_in;
use crate::hours::Hours;
use crate::window::Window;

/// One thing that was asked for and not used. Whole runs count, also where the window cuts them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unused {
    /// What.
    pub what: What,
    /// The unit of its figures.
    pub unit: &'static str,
    /// Of how many workloads that ran both is known, what was asked and what was used. The rest is in no figure here.
    pub known: Known,
    /// Asked × run, over those.
    pub held_hours: Hours,
    /// Σ max(0, asked × run − used), over those.
    pub unused_hours: Hours,
    /// The workloads with the most of it.
    pub evidence: Vec<Evidence>,
}

/// What can be asked for and not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Cores × run − core time used.
    Cores,
    /// Memory × run − peak memory × run.
    Memory,
    /// Devices × run − time in which they did something.
    Devices,
}

impl What {
    /// Everything that can be measured.
    pub const ALL: [Self; 3] = [Self::Cores, Self::Memory, Self::Devices];

    /// The unit of its figures.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Cores => "core-hours",
            Self::Memory => "GiB-hours",
            Self::Devices => "device-hours",
        }
    }

    /// What one workload held and used of it; `None` where either is not known.
    pub(super) fn held_and_used(self, recorded: &Recorded) -> Option<(Hours, Hours)> {
        let (total, run, used) = (recorded.workload.total(), recorded.run(), &recorded.used);
        let one = |time: Millis| Hours::held(1_000, time);
        match self {
            Self::Cores => (total.cpu.0 > 0).then_some((Hours::held(total.cpu.0, run), one(used.cpu_ms?))),
            Self::Memory => (total.memory.0 > 0)
                .then_some((Hours::memory(total.memory.0, run), Hours::memory(used.memory_peak_bytes?.0, run))),
            Self::Devices => {
                (total.devices.0 > 0).then_some((Hours::held(total.devices.0, run), one(used.device_busy_ms?)))
            }
        }
    }

    /// Whether a workload asked for any: of others nothing need be known.
    fn concerns(self, recorded: &Recorded) -> bool {
        self != Self::Devices || recorded.workload.request.devices.0 > 0
    }
}

/// Everything of which the source measured any use.
pub(super) fn unused(history: &History, window: Window) -> Vec<Unused> {
    let all = What::ALL.map(|what| {
        let mut sum = Unused {
            what,
            unit: what.unit(),
            known: Known::default(),
            held_hours: Hours::ZERO,
            unused_hours: Hours::ZERO,
            evidence: Vec::new(),
        };
        let mut top = Top::default();
        let ran = history.workloads.iter().filter(|recorded| ran_in(recorded, window) && what.concerns(recorded));
        for recorded in ran {
            let measured = what.held_and_used(recorded);
            sum.known.count(measured.map(|_| ()));
            let Some((held, used)) = measured else { continue };
            let unused = held.saturating_sub(used);
            sum.held_hours += held;
            sum.unused_hours += unused;
            top.offer(unused, recorded.workload.id);
        }
        sum.evidence = top.name(history);
        sum
    });
    all.into_iter().filter(|unused| unused.known.jobs > 0).collect()
}

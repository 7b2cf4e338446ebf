//! What the host calls, by the name of the call: what starts work on a device, what marks it, and what waits for it.

use serde::Serialize;

/// What a launch starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LaunchKind {
    /// A kernel.
    Kernel,
    /// A copy.
    Copy,
    /// Memory set to a value.
    Memset,
}

/// What a call does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Deed {
    /// Nothing that would matter here.
    #[default]
    Other,
    /// It starts work on a device.
    Launch(LaunchKind),
    /// It records a CUDA event.
    Record,
    /// It lets a stream wait for a CUDA event.
    Wait,
}

/// A call, or an operator, of which nothing is known but that it takes time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) deed: Deed,
    /// Whether the host may stand still in it until a device is done.
    pub(super) blocking: bool,
}

/// What starts one piece of work each. Those that HolisticTraceAnalysis 0.5.0 knows (`get_runtime_launch_events_query`), and their kin of
/// CUDA and HIP. A launch of a graph is none: it starts many.
const LAUNCHES: &[(&str, LaunchKind)] = &[
    ("cudaLaunchKernel", LaunchKind::Kernel),
    ("cudaLaunchKernelExC", LaunchKind::Kernel),
    ("cudaLaunchCooperativeKernel", LaunchKind::Kernel),
    ("cuLaunchKernel", LaunchKind::Kernel),
    ("cuLaunchKernelEx", LaunchKind::Kernel),
    ("cuLaunchCooperativeKernel", LaunchKind::Kernel),
    ("hipLaunchKernel", LaunchKind::Kernel),
    ("hipLaunchCooperativeKernel", LaunchKind::Kernel),
    ("hipExtLaunchKernel", LaunchKind::Kernel),
    ("hipModuleLaunchKernel", LaunchKind::Kernel),
    ("hipExtModuleLaunchKernel", LaunchKind::Kernel),
    ("runFunction - job_prep_and_submit_for_execution", LaunchKind::Kernel),
    ("cudaMemcpyAsync", LaunchKind::Copy),
    ("hipMemcpyAsync", LaunchKind::Copy),
    ("hipMemcpyWithStream", LaunchKind::Copy),
    ("cudaMemsetAsync", LaunchKind::Memset),
    ("hipMemsetAsync", LaunchKind::Memset),
];

/// In these a host may wait for the device (`BLOCKING_SYNC_CALLS` of HolisticTraceAnalysis 0.5.0, which has none of HIP).
const BLOCKING: &[&str] = &[
    "cudaDeviceSynchronize",
    "cudaStreamSynchronize",
    "cudaEventQuery",
    "cudaEventSynchronize",
    "cudaMemcpy",
    "cudaMemcpyAsync",
];

impl Call {
    /// By its name.
    pub(super) fn of(name: &str) -> Self {
        // All names begin so; most events are operators.
        if !["cu", "hip", "run"].iter().any(|begin| name.starts_with(begin)) {
            return Self::default();
        }
        let launch = LAUNCHES.iter().find(|(launch, _)| *launch == name);
        let deed = match (launch, name) {
            (Some((_, kind)), _) => Deed::Launch(*kind),
            (None, "cudaEventRecord") => Deed::Record,
            (None, "cudaStreamWaitEvent") => Deed::Wait,
            _ => Deed::Other,
        };
        Self { deed, blocking: BLOCKING.contains(&name) }
    }

    /// As a number of four bits, for a record.
    pub(super) fn code(self) -> u64 {
        let deed = match self.deed {
            Deed::Other => 0,
            Deed::Launch(LaunchKind::Kernel) => 1,
            Deed::Launch(LaunchKind::Copy) => 2,
            Deed::Launch(LaunchKind::Memset) => 3,
            Deed::Record => 4,
            Deed::Wait => 5,
        };
        deed << 1 | u64::from(self.blocking)
    }

    /// From its lowest four bits.
    pub(super) fn from_code(code: u64) -> Self {
        let deed = match code >> 1 & 7 {
            1 => Deed::Launch(LaunchKind::Kernel),
            2 => Deed::Launch(LaunchKind::Copy),
            3 => Deed::Launch(LaunchKind::Memset),
            4 => Deed::Record,
            5 => Deed::Wait,
            _ => Deed::Other,
        };
        Self { deed, blocking: code & 1 == 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_known_by_name_and_survive_as_numbers() {
        for (name, deed, blocking) in [
            ("cudaLaunchKernelExC", Deed::Launch(LaunchKind::Kernel), false),
            ("hipExtModuleLaunchKernel", Deed::Launch(LaunchKind::Kernel), false),
            ("cudaMemcpyAsync", Deed::Launch(LaunchKind::Copy), true),
            ("hipMemcpyWithStream", Deed::Launch(LaunchKind::Copy), false),
            ("cudaMemsetAsync", Deed::Launch(LaunchKind::Memset), false),
            ("cudaEventRecord", Deed::Record, false),
            ("cudaStreamWaitEvent", Deed::Wait, false),
            ("cudaEventQuery", Deed::Other, true),
            ("cudaGraphLaunch", Deed::Other, false),
            ("aten::copy_", Deed::Other, false),
        ] {
            let call = Call::of(name);
            assert_eq!(call, Call { deed, blocking }, "{name}");
            assert_eq!(Call::from_code(call.code()), call, "{name}");
        }
    }
}

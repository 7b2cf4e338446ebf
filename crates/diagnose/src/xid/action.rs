//! What to do first about an Xid, by the names of NVIDIA's catalogue.

use serde::Serialize;

/// The first thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing.
    Ignore,
    /// Restart the application.
    RestartApp,
    /// Look at the driver of unified memory.
    CheckUvm,
    /// Update drivers and firmware.
    UpdateSwfw,
    /// The catalogue's workflow for 45: it follows another error.
    WorkflowXid45,
    /// What Xid 154 of the same GPU says.
    Xid154Eval,
    /// What it says itself.
    Xid154,
    /// Restart the virtual machine.
    RestartVm,
    /// The catalogue's workflow for 48.
    WorkflowXid48,
    /// Its workflow for errors of NVLink.
    WorkflowNvlinkErr,
    /// And for those of the fifth generation.
    WorkflowNvlink5Err,
    /// Drain the node, and reset it with everything that runs there.
    DrainAndReset,
    /// Reset the GPU.
    ResetGpu,
    /// Restart the machine.
    RestartBm,
    /// Look at cables, power and seats.
    CheckMechanicals,
    /// Ask NVIDIA or the maker of the machine.
    ContactSupport,
}

impl Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Action {
    /// As the catalogue names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ignore => "IGNORE",
            Self::RestartApp => "RESTART_APP",
            Self::CheckUvm => "CHECK_UVM",
            Self::UpdateSwfw => "UPDATE_SWFW",
            Self::WorkflowXid45 => "WORKFLOW_XID_45",
            Self::Xid154Eval => "XID_154_EVAL",
            Self::Xid154 => "XID_154",
            Self::RestartVm => "RESTART_VM",
            Self::WorkflowXid48 => "WORKFLOW_XID_48",
            Self::WorkflowNvlinkErr => "WORKFLOW_NVLINK_ERR",
            Self::WorkflowNvlink5Err => "WORKFLOW_NVLINK5_ERR",
            Self::DrainAndReset => "DRAIN_AND_RESET",
            Self::ResetGpu => "RESET_GPU",
            Self::RestartBm => "RESTART_BM",
            Self::CheckMechanicals => "CHECK_MECHANICALS",
            Self::ContactSupport => "CONTACT_SUPPORT",
        }
    }

    /// What to do, in a sentence.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Ignore => "Nothing needs to be done now.",
            Self::RestartApp => {
                "Restart the application; if it comes again with others on the same GPU, run a diagnosis of the GPU."
            }
            Self::CheckUvm => "Look for errors of unified memory beside it, and restart the application.",
            Self::UpdateSwfw => "Update the driver and the firmware.",
            Self::WorkflowXid45 => {
                "It follows another error: look for the one before it. If there is none, restart the fabric manager."
            }
            Self::Xid154Eval => {
                "The Xid 154 that follows says what the GPU needs; without one, restart the application."
            }
            Self::Xid154 => "It says itself what the GPU needs.",
            Self::RestartVm => "Restart the virtual machine.",
            Self::WorkflowXid48 => {
                "Drain the node and reset the GPU; if a row could not be remapped (Xid 64, or 63 beside it with a failure), have it replaced."
            }
            Self::WorkflowNvlinkErr | Self::WorkflowNvlink5Err => {
                "Drain the node and reset its GPUs together with the switches; if it comes again, check the link named here."
            }
            Self::DrainAndReset => "Drain the node, then reset all of its GPUs.",
            Self::ResetGpu => "Drain the node, then reset the GPU: `nvidia-smi --gpu-reset -i GPU`.",
            Self::RestartBm => {
                "Drain the node and restart the machine; if it comes again, check power, seat and temperature, and have it replaced."
            }
            Self::CheckMechanicals => "Check that the GPU's power is connected, and its seat.",
            Self::ContactSupport => "Ask the maker of the machine or NVIDIA; until then let nothing run on that GPU.",
        }
    }

    /// What the GPU asks for in an Xid 154, by its number there.
    #[must_use]
    pub fn of_recovery(number: u32) -> Option<Self> {
        // nvmlDeviceGpuRecoveryAction: none, reset, reboot, drain peer-to-peer, drain and reset.
        Some(match number {
            0 => Self::Ignore,
            1 => Self::ResetGpu,
            2 => Self::RestartBm,
            3 | 4 => Self::DrainAndReset,
            _ => return None,
        })
    }
}

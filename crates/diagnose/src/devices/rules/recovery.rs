//! A device that asks for a reset, or more.

use fleet::finding::Confidence;

use super::{Found, Rule};
use crate::devices::{Device, Recovery};

pub(super) const RULE: Rule = Rule {
    name: "recovery",
    about: "a device asks for a reset or a restart of its machine",
    source: "NVML: GPU recovery action; before driver 560, reset required, and drain and reset recommended",
    validated: false,
    check,
};

fn check(device: &Device) -> Option<Found> {
    let (verdict, advice) = match device.recovery? {
        Recovery::Nothing => return None,
        Recovery::Reset => ("asks to be reset", "Stop what runs on it, and reset it: `nvidia-smi --gpu-reset -i GPU`."),
        Recovery::DrainAndReset => {
            ("asks to be drained and reset", "Let nothing new start there; reset it once what runs has ended.")
        }
        Recovery::Reboot => ("asks for a restart of its machine", "Drain the node, and restart it."),
    };
    Some(Found { verdict: verdict.to_owned(), confidence: Confidence::Certain, evidence: Vec::new(), advice })
}

//! The variables by which a run sees the devices it was given, and no others.
//!
//! They keep honest programs apart; they are no fence. NVIDIA's CUDA reads `CUDA_VISIBLE_DEVICES`: identifiers up to the first
//! that is not valid, so `-1` and an empty list show none (CUDA C++ Programming Guide, environment variables). AMD's runtime
//! reads `ROCR_VISIBLE_DEVICES`, and HIP above it counts what is left anew by `HIP_VISIBLE_DEVICES`: set both to the same list
//! and the second finds nothing, so only the first is set (ROCm documentation, GPU isolation techniques).

/// Who made a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// NVIDIA.
    Nvidia,
    /// AMD.
    Amd,
}

/// The devices of this machine as its vendor's libraries call them, by index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    /// The vendor; absent: the machine has none, or they are made up, and indices stand for themselves.
    pub vendor: Option<Vendor>,
    /// Their identifiers (`GPU-6a2c…`); a device without one goes by its index.
    pub names: Vec<String>,
}

impl Visible {
    /// What to set for a run that was given these devices.
    pub(super) fn variables(&self, devices: u64) -> Vec<(&'static str, String)> {
        let name = |index: u32| self.names.get(index as usize).cloned().unwrap_or_else(|| index.to_string());
        let list: Vec<String> = (0..u64::BITS).filter(|index| devices >> index & 1 == 1).map(name).collect();
        match (list.join(","), self.vendor) {
            (list, _) if list.is_empty() => vec![
                ("CUDA_VISIBLE_DEVICES", "-1".into()),
                ("HIP_VISIBLE_DEVICES", "-1".into()),
                ("ROCR_VISIBLE_DEVICES", "-1".into()),
            ],
            (list, Some(Vendor::Amd)) => vec![("ROCR_VISIBLE_DEVICES", list)],
            // NVML counts by PCI bus, CUDA by speed unless it is told.
            (list, _) => vec![("CUDA_DEVICE_ORDER", "PCI_BUS_ID".into()), ("CUDA_VISIBLE_DEVICES", list)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(vendor: Option<Vendor>, names: &[&str], devices: u64, expected: &[(&str, &str)]) {
        let visible = Visible { vendor, names: names.iter().map(ToString::to_string).collect() };
        let got = visible.variables(devices);
        let got: Vec<(&str, &str)> = got.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_run_sees_what_it_was_given() {
        let none = [("CUDA_VISIBLE_DEVICES", "-1"), ("HIP_VISIBLE_DEVICES", "-1"), ("ROCR_VISIBLE_DEVICES", "-1")];
        check(None, &[], 0, &none);
        check(Some(Vendor::Amd), &[], 0, &none);
        check(Some(Vendor::Nvidia), &["GPU-a", "GPU-b"], 0, &none);
        let order = ("CUDA_DEVICE_ORDER", "PCI_BUS_ID");
        check(None, &[], 0b101, &[order, ("CUDA_VISIBLE_DEVICES", "0,2")]);
        check(Some(Vendor::Nvidia), &["GPU-a", "GPU-b"], 0b10, &[order, ("CUDA_VISIBLE_DEVICES", "GPU-b")]);
        check(Some(Vendor::Amd), &[], 1 << 63, &[("ROCR_VISIBLE_DEVICES", "63")]);
    }
}

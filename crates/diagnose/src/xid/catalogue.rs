//! NVIDIA's catalogue of Xid errors: what each is, and the first thing to do.
//!
//! Codes and actions are those of "Analyzing Xid Errors with the Xid Catalog"
//! (<https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html>, as of October 2025, for A100 and later: the column
//! "Resolution Bucket (Immediate Action)"); the words are ours. Codes up to 143 that it lists as unused have
//! `CONTACT_SUPPORT` there.

use super::action::Action;

/// Up to here, codes that have no entry of their own are listed as unused.
const LAST_WITHOUT_GAPS: u32 = 143;

/// What the catalogue says of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub what: &'static str,
    /// The first thing to do, where the catalogue says.
    pub action: Option<Action>,
}

/// What the catalogue says of a code; nothing where it does not know it.
#[must_use]
pub fn entry(code: u32) -> Option<Entry> {
    match ENTRIES.binary_search_by_key(&code, |(code, ..)| *code) {
        Ok(at) => Some(Entry { what: ENTRIES[at].1, action: ENTRIES[at].2 }),
        Err(_) if (1..=LAST_WITHOUT_GAPS).contains(&code) => {
            Some(Entry { what: "unused", action: Some(Action::ContactSupport) })
        }
        Err(_) => None,
    }
}

/// By their codes.
#[rustfmt::skip]
const ENTRIES: &[(u32, &str, Option<Action>)] = &[
    (8, "GPU stopped processing", Some(Action::RestartApp)),
    (11, "invalid or corrupted push buffer", Some(Action::RestartApp)),
    (13, "graphics engine exception", Some(Action::RestartApp)),
    (14, "unused", Some(Action::Ignore)),
    (25, "invalid push buffer", Some(Action::RestartApp)),
    (31, "GPU memory page fault", Some(Action::RestartApp)),
    (32, "invalid or corrupted push buffer", Some(Action::RestartApp)),
    (37, "driver firmware error", Some(Action::Ignore)),
    (38, "driver firmware error", Some(Action::Ignore)),
    (39, "copy engine exception", Some(Action::RestartApp)),
    (40, "copy engine exception", Some(Action::RestartApp)),
    (41, "copy engine exception", Some(Action::RestartApp)),
    (43, "GPU stopped processing", Some(Action::Ignore)),
    (44, "graphics engine fault in a context switch", Some(Action::Ignore)),
    (45, "channels removed after an earlier error", Some(Action::WorkflowXid45)),
    (46, "GPU stopped processing", Some(Action::ResetGpu)),
    (48, "double-bit ECC error", Some(Action::WorkflowXid48)),
    (54, "auxiliary power is not connected", Some(Action::CheckMechanicals)),
    (60, "video processor exception", Some(Action::RestartApp)),
    (62, "internal micro-controller halt", Some(Action::ResetGpu)),
    (63, "memory row remapped", Some(Action::Ignore)),
    (64, "memory row could not be remapped", Some(Action::ResetGpu)),
    (66, "illegal access by the driver", Some(Action::Ignore)),
    (67, "illegal access by the driver", Some(Action::Ignore)),
    (68, "video decoder exception", Some(Action::RestartApp)),
    (69, "graphics engine class error", Some(Action::RestartApp)),
    (70, "copy engine error", Some(Action::RestartApp)),
    (71, "copy engine error", Some(Action::RestartApp)),
    (72, "copy engine error", Some(Action::RestartApp)),
    (74, "NVLink error", Some(Action::WorkflowNvlinkErr)),
    (75, "copy engine error", Some(Action::RestartApp)),
    (76, "copy engine error", Some(Action::RestartApp)),
    (77, "copy engine error", Some(Action::RestartApp)),
    (78, "vGPU could not start", Some(Action::UpdateSwfw)),
    (79, "GPU has fallen off the bus", Some(Action::RestartBm)),
    (80, "corrupted data sent to the GPU", Some(Action::RestartApp)),
    (82, "JPEG decoder error", Some(Action::RestartApp)),
    (83, "video decoder error", Some(Action::RestartApp)),
    (84, "video decoder error", Some(Action::RestartApp)),
    (85, "copy engine error", Some(Action::RestartApp)),
    (86, "optical flow accelerator exception", Some(Action::RestartApp)),
    (88, "video decoder error", Some(Action::RestartApp)),
    (89, "video decoder error", Some(Action::RestartApp)),
    (92, "many single-bit ECC errors", Some(Action::Ignore)),
    (93, "InfoROM written too often", Some(Action::Ignore)),
    (94, "contained memory error", Some(Action::RestartApp)),
    (95, "uncontained memory error", Some(Action::ResetGpu)),
    (96, "video decoder error", Some(Action::RestartApp)),
    (97, "video decoder error", Some(Action::RestartApp)),
    (98, "video decoder error", Some(Action::RestartApp)),
    (99, "JPEG decoder error", Some(Action::RestartApp)),
    (100, "JPEG decoder error", Some(Action::RestartApp)),
    (101, "JPEG decoder error", Some(Action::RestartApp)),
    (102, "JPEG decoder error", Some(Action::RestartApp)),
    (103, "JPEG decoder error", Some(Action::RestartApp)),
    (104, "JPEG decoder error", Some(Action::RestartApp)),
    (105, "JPEG decoder error", Some(Action::RestartApp)),
    (106, "test message of the management bus", Some(Action::Ignore)),
    (107, "test message of the management bus", Some(Action::Ignore)),
    (108, "unused", Some(Action::Ignore)),
    (109, "context switch timed out", Some(Action::ResetGpu)),
    (110, "security fault", Some(Action::ResetGpu)),
    (119, "the GPU's system processor did not answer", Some(Action::ResetGpu)),
    (120, "error of the GPU's system processor", Some(Action::ResetGpu)),
    (121, "error of the link between chips", Some(Action::Ignore)),
    (126, "copy engine error", Some(Action::RestartApp)),
    (127, "copy engine error", Some(Action::RestartApp)),
    (128, "copy engine error", Some(Action::RestartApp)),
    (129, "copy engine error", Some(Action::RestartApp)),
    (130, "copy engine error", Some(Action::RestartApp)),
    (131, "copy engine error", Some(Action::RestartApp)),
    (132, "copy engine error", Some(Action::RestartApp)),
    (133, "copy engine error", Some(Action::RestartApp)),
    (134, "copy engine error", Some(Action::RestartApp)),
    (135, "copy engine error", Some(Action::RestartApp)),
    (136, "link training failed", Some(Action::ResetGpu)),
    (137, "NVLink privilege error", Some(Action::Ignore)),
    (139, "optical flow accelerator error", Some(Action::RestartApp)),
    (140, "ECC error that was not recovered", Some(Action::ResetGpu)),
    (141, "fast path error", Some(Action::Ignore)),
    (142, "video encoder error", Some(Action::ContactSupport)),
    (143, "GPU could not be initialised", Some(Action::ResetGpu)),
    (144, "NVLink error (SAW)", Some(Action::WorkflowNvlink5Err)),
    (145, "NVLink error (RLW)", Some(Action::WorkflowNvlink5Err)),
    (146, "NVLink error (TLW)", Some(Action::WorkflowNvlink5Err)),
    (147, "NVLink error (TREX)", Some(Action::WorkflowNvlink5Err)),
    (148, "NVLink error (NVLPW_CTRL)", Some(Action::WorkflowNvlink5Err)),
    (149, "NVLink error (NETIR)", Some(Action::WorkflowNvlink5Err)),
    (150, "NVLink error (MSE)", Some(Action::WorkflowNvlink5Err)),
    (151, "key rotation error", Some(Action::RestartVm)),
    (152, "memory fault of the deep learning accelerator", Some(Action::Ignore)),
    (153, "deep learning accelerator timed out", Some(Action::Ignore)),
    (154, "the GPU asks for another recovery action", Some(Action::Xid154)),
    (155, "NVLink error told by software", Some(Action::ResetGpu)),
    (156, "a resource was retired", Some(Action::ResetGpu)),
    (157, "a resource could not be retired", Some(Action::Ignore)),
    (158, "the GPU timed out for good", Some(Action::ResetGpu)),
    (159, "coherent interface error", Some(Action::CheckUvm)),
    (160, "a memory channel was retired", Some(Action::Ignore)),
    (161, "a memory channel could not be retired", Some(Action::Ignore)),
    (162, "power smoothing on again", None),
    (163, "power smoothing off", None),
    (164, "power smoothing near the end of its life", None),
    (165, "power smoothing at the end of its life", None),
    (166, "NVLink traffic before its encryption was set up", None),
    (167, "PCIe timed out for good", None),
    (168, "memory capacity reduced", None),
    (169, "internal micro-controller halt", None),
    (170, "NVLink interrupt in confidential mode", None),
    (171, "uncorrectable DRAM error", None),
    (172, "uncorrectable SRAM error", None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_their_order() {
        assert!(ENTRIES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(ENTRIES.last().map(|entry| entry.0), Some(172));
    }

    #[test]
    fn codes_have_their_actions() {
        for (code, action) in [
            (13, Some(Action::RestartApp)),
            (61, Some(Action::ContactSupport)),
            (79, Some(Action::RestartBm)),
            (95, Some(Action::ResetGpu)),
            (172, None),
        ] {
            assert_eq!(entry(code).unwrap().action, action, "{code}");
        }
        assert_eq!(entry(0), None);
        assert_eq!(entry(99_999), None);
    }
}

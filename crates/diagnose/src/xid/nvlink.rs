//! Errors of NVLink's fifth generation (Xid 144 to 150): what to do hangs on the unit, and on what its registers say.
//!
//! From the sheet "XID 144-150 Decode" of NVIDIA's catalogue (see `catalogue`). A message ends in hexadecimal words: the first
//! holds, in bits 20 to 25, the reason why a link went down; the second is the status of the error.

use super::action::Action;

/// What a message of these says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    /// Such as `RLW_RXPIPE`, or two names of it: `TLW_RX/TLW_RX_PIPE0`.
    pub(super) unit: &'a str,
    /// The number of the link.
    pub(super) link: Option<i32>,
    info: u32,
    status: u32,
}

impl<'a> Link<'a> {
    /// From a message such as `RLW_RXPIPE Nonfatal XC0 i0 Link 13 (0x0409a0c2 0x00000008 ...)`.
    pub(super) fn parse(message: &'a str) -> Option<Self> {
        let (before, words) = message.split_once('(')?;
        let mut parts = before.split_whitespace();
        let unit = parts.next()?;
        let is_unit =
            |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || matches!(letter, '_' | '/');
        if !unit.chars().all(is_unit) {
            return None;
        }
        let link = parts.skip_while(|part| *part != "Link").nth(1).and_then(|number| number.parse().ok());
        let mut words = words
            .split(|letter: char| letter.is_whitespace() || letter == ')')
            .map_while(|word| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok());
        Some(Self { unit, link, info: words.next()?, status: words.next().unwrap_or(0) })
    }

    /// The first thing to do, where the sheet has it.
    pub(super) fn action(&self) -> Option<Action> {
        let is_of = |names: &&str| self.unit.split('/').any(|name| names.split('/').any(|known| known == name));
        if is_of(&"NETIR_LINK_EVT/NETIR_LINK_DOWN") {
            // Of all reasons, the sheet has IGNORE for two: 0x26, which blames software, and 0x28, the host.
            let reason = (self.info >> 20) & 0x3f;
            return Some(if matches!(reason, 0x26 | 0x28) { Ignore } else { ResetGpu });
        }
        let (_, statuses) = UNITS.iter().find(|(names, _)| is_of(names))?;
        // Of several bits, the one that asks for most.
        let whole = statuses.iter().find(|(status, _)| *status == self.status).map(|(_, action)| *action);
        let bits = statuses.iter().filter(|(status, _)| *status != 0 && self.status & status == *status);
        whole.or_else(|| bits.map(|(_, action)| *action).max())
    }
}

use Action::{Ignore, ResetGpu, Xid154Eval};

type Statuses = &'static [(u32, Action)];

/// Statuses that set one bit each, but for the last two.
const UNITS: &[(&str, Statuses)] = &[
    ("SAW_MVB", &[(1, Ignore), (2, ResetGpu), (4, Ignore), (8, Ignore), (0x10, ResetGpu), (0x20, Ignore)]),
    ("RLW_CTRL", &[(0x8000_0000, Ignore)]),
    (
        "RLW_REMAP",
        &[
            (1, Xid154Eval),
            (2, Xid154Eval),
            (4, Xid154Eval),
            (8, Xid154Eval),
            (0x10, Xid154Eval),
            (0x20, Xid154Eval),
            (0x40, ResetGpu),
            (0x80, ResetGpu),
            (0x100, Ignore),
            (0x200, Ignore),
            (0x8000_0000, Ignore),
        ],
    ),
    ("RLW_RSPCOL", &[(1, Ignore), (2, ResetGpu), (0x8000_0000, Ignore)]),
    ("RLW_RXPIPE", &[(1, Ignore), (2, Ignore), (4, Ignore), (8, Ignore), (0x8000_0000, Ignore)]),
    (
        "RLW_SRC_TRACK",
        &[
            (1, ResetGpu),
            (2, Ignore),
            (4, Xid154Eval),
            (8, Xid154Eval),
            (0x10, ResetGpu),
            (0x20, ResetGpu),
            (0x8000_0000, Ignore),
        ],
    ),
    (
        "RLW_TAGSTATE",
        &[
            (1, Ignore),
            (2, ResetGpu),
            (0x1_0000, Ignore),
            (0x2_0000, ResetGpu),
            (0x10_0000, ResetGpu),
            (0x8000_0000, Ignore),
        ],
    ),
    ("TLW_CTRL", &[(1, Ignore), (2, Ignore), (4, ResetGpu), (0x8000_0000, Ignore)]),
    ("TLW_RX/TLW_RX_PIPE0/TLW_RX_PIPE1", &[(1, Ignore), (2, Ignore), (4, ResetGpu), (0x8000_0000, Ignore)]),
    ("TLW_TX/TLW_TX_PIPE0/TLW_TX_PIPE1", &[(1, Ignore), (2, Ignore), (4, ResetGpu), (0x8000_0000, Ignore)]),
    ("TREX", &[(1, Ignore), (0x8000_0000, Ignore)]),
    ("NVLPW_CTRL/NVLPW", &[(0x8000_0000, Ignore)]),
    ("NETIR/NETIR_INT", &[(0, ResetGpu)]),
    ("NETIR_BER_EVENT", &[(0, Ignore), (1, Ignore), (2, Ignore), (3, Ignore)]),
    ("NETIR_MFDE_EVENT", &[(1, ResetGpu), (3, Ignore), (4, ResetGpu), (5, ResetGpu), (7, ResetGpu)]),
    ("MSE_WATCHDOG", &[(0, ResetGpu)]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_decide() {
        for (message, expected) in [
            ("SAW_MVB Fatal XC0 i0 Link 00 (0x00000001 0x00000002 0x00000000)", Some(ResetGpu)),
            ("RLW_SRC_TRACK Nonfatal XC1 i0 Link 12 (0x040988e2 0x00000008 0x0)", Some(Xid154Eval)),
            ("TLW_TX/TLW_TX_PIPE1 Fatal XC0 i0 Link 00 (0x0000000d 0x00000004)", Some(ResetGpu)),
            ("NETIR_LINK_EVT  Fatal   XC0 i0 Link 00 (0x026001c6 0x00000000)", Some(Ignore)),
            ("NETIR_LINK_EVT Fatal XC0 i0 Link 08 (0x004505c6 0x00000000 ...)", Some(ResetGpu)),
            // Two bits: the one that asks for more.
            ("RLW_RSPCOL Fatal XC0 i0 Link 00 (0x00000005 0x00000003)", Some(ResetGpu)),
            ("SAW_MVB Nonfatal XC0 i0 Link 00 (0x00000003 0x80000000)", None),
            ("UNKNOWN Fatal XC0 i0 Link 00 (0x0 0x1)", None),
        ] {
            assert_eq!(Link::parse(message).and_then(|link| link.action()), expected, "{message}");
        }
        assert_eq!(Link::parse("RLW_SRC_TRACK Nonfatal XC1 i0 Link 12 (0x1)").unwrap().link, Some(12));
        assert_eq!(Link::parse("GPU has fallen off the bus."), None);
    }
}

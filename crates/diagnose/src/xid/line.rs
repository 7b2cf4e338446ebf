//! One line of a kernel log: what it says of an NVIDIA GPU.

use serde::Serialize;

use super::action::Action;
use super::catalogue::{Entry, entry};
use super::nvlink::Link;
use crate::pci;

/// What a line says of a GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The GPU's place on the PCI bus: `0000:18:00`.
    pub gpu: String,
    /// The code, where it is an Xid.
    pub code: Option<u32>,
    /// What it is, by the catalogue or else the line.
    pub what: String,
    /// The first thing to do, by the catalogue.
    pub action: Option<Action>,
    /// What that comes to, where the catalogue leaves it to what the line says: the registers of an NVLink error, or what the
    /// GPU asks for.
    pub then: Option<Action>,
    /// The process, where one is named.
    pub process: Option<String>,
    /// The link of NVLink, where one is named.
    pub link: Option<i32>,
}

impl Event {
    /// What to do first.
    #[must_use]
    pub fn to_do(&self) -> Option<Action> {
        self.then.or(self.action)
    }
}

const LOST: &str = "GPU has fallen off the bus";

/// The code of a GPU that is lost; older drivers write the line without it.
const LOST_CODE: u32 = 79;

/// What a line says; nothing where it is about no GPU. Lines of source code that writes or looks for such lines are none: they
/// hold what is to be filled in.
#[must_use]
pub fn event(line: &str) -> Option<Event> {
    let (_, text) = line.split_once("NVRM: ")?;
    if text.contains('%') && ["%s", "%d", "%u", "%x"].iter().any(|blank| text.contains(blank)) {
        return None;
    }
    match text.strip_prefix("Xid (") {
        Some(text) => xid(text),
        None => of_gpu(text),
    }
}

/// `PCI:0000:01:00): 31, pid=123, name=python3, message`.
fn xid(text: &str) -> Option<Event> {
    let (place, text) = text.split_once("):")?;
    let gpu = pci::place(place.strip_prefix("PCI:").unwrap_or(place))?;
    let text = text.trim_start();
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let code: u32 = text[..digits].parse().ok()?;
    let (process, message) = process_and_message(text[digits..].trim_start_matches([',', ' ']));
    let known = entry(code);
    let link = if (144..=150).contains(&code) { Link::parse(message) } else { None };
    let recovery = if code == 154 { recovery(message) } else { None };
    let (action, then) =
        (known.and_then(|known| known.action), recovery.or_else(|| link.and_then(|link| link.action())));
    let what = match (known, message) {
        (Some(Entry { what, .. }), _) => what.to_owned(),
        (None, "") => "not in the catalogue".to_owned(),
        (None, message) => message.to_owned(),
    };
    Some(Event { gpu, code: Some(code), what, action, then, process, link: link.and_then(|link| link.link) })
}

/// `GPU 0000:18:00.0: GPU has fallen off the bus.`
fn of_gpu(text: &str) -> Option<Event> {
    let text = text.strip_prefix("GPU ")?;
    let text = text.strip_prefix("at ").unwrap_or(text);
    let (place, message) = text.split_once(|letter: char| letter.is_whitespace())?;
    let place = place.trim_end_matches(':');
    let gpu = pci::place(place.strip_prefix("PCI:").unwrap_or(place))?;
    let message = message.trim().trim_end_matches('.');
    let lost = message.contains(LOST.trim_start_matches("GPU "));
    let action = if lost { entry(LOST_CODE).and_then(|known| known.action) } else { None };
    let what = if lost { LOST.to_owned() } else { message.to_owned() };
    Some(Event { gpu, code: None, what, action, then: None, process: None, link: None })
}

/// `pid=123, name=python3, message`; either may be missing, and be called unknown.
fn process_and_message(text: &str) -> (Option<String>, &str) {
    let mut rest = text;
    let (mut pid, mut name) = (None, None);
    loop {
        let (field, after) = rest.split_once(", ").map_or((rest, ""), |(field, after)| (field, after));
        if let Some(value) = field.strip_prefix("pid=") {
            pid = Some(value.trim_matches('\''));
        } else if let Some(value) = field.strip_prefix("name=") {
            name = Some(value);
        } else {
            break;
        }
        rest = after;
    }
    let known = |value: Option<&str>| value.filter(|value| *value != "<unknown>").map(str::to_owned);
    let process = match (known(pid), known(name)) {
        (Some(pid), Some(name)) => Some(format!("{name} ({pid})")),
        (pid, name) => name.or(pid),
    };
    (process, rest.trim())
}

/// `GPU recovery action changed from 0x4 (Drain and Reset) to 0x1 (GPU Reset Required)`.
fn recovery(message: &str) -> Option<Action> {
    let (_, to) = message.split_once(" to 0x")?;
    let digits = to.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(to.len());
    Action::of_recovery(u32::from_str_radix(&to[..digits], 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, gpu: &str, code: Option<u32>, action: Option<Action>) -> Event {
        let event = event(line).unwrap_or_else(|| panic!("{line}"));
        assert_eq!((event.gpu.as_str(), event.code, event.to_do()), (gpu, code, action), "{line}");
        event
    }

    #[test]
    fn lines_of_the_driver_are_read() {
        check("NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.", "0000:18:00", None, Some(Action::RestartBm));
        check("NVRM: GPU at 0000:01:00.0 has fallen off the bus.", "0000:01:00", None, Some(Action::RestartBm));
        check("NVRM: GPU 18:00.0: GPU serial number is 7.", "0000:18:00", None, None);
        let line = "[ 966.503025] NVRM: Xid (0000:01:00): 31, Ch 0000000b, engmask 00000120";
        check(line, "0000:01:00", Some(31), Some(Action::RestartApp));
        let line = "6,12,34,-;NVRM: Xid (PCI:0000:04:00): 69, pid=34566, name=python3, BAR1 access failure";
        let event = check(line, "0000:04:00", Some(69), Some(Action::RestartApp));
        assert_eq!(event.process.as_deref(), Some("python3 (34566)"));
        check("NVRM: Xid (PCI:0000:04:00): 69", "0000:04:00", Some(69), Some(Action::RestartApp));
        let event = check("NVRM: Xid (PCI:0000:05:00): 99999, unknown error", "0000:05:00", Some(99_999), None);
        assert_eq!(event.what, "unknown error");
        let line = "NVRM: Xid (PCI:0000:91:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.";
        assert_eq!(check(line, "0000:91:00", Some(79), Some(Action::RestartBm)).process, None);
    }

    #[test]
    fn what_a_gpu_asks_for_is_what_it_says() {
        let line = "NVRM: Xid (PCI:0008:01:00): 154, GPU recovery action changed from 0x4 (Drain and Reset) to 0x1 (GPU Reset Required)";
        check(line, "0008:01:00", Some(154), Some(Action::ResetGpu));
        check("NVRM: Xid (PCI:0008:01:00): 154, something", "0008:01:00", Some(154), Some(Action::Xid154));
    }

    #[test]
    fn links_are_named_and_decoded() {
        let line =
            "NVRM: Xid (PCI:0018:01:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 09 (0x004525c6 0x00000000 0x00000000)";
        assert_eq!(check(line, "0018:01:00", Some(149), Some(Action::ResetGpu)).link, Some(9));
        let line = "NVRM: Xid (PCI:0000:04:00): 144, SAW_MVB Nonfatal XC0 i0 Link 00 (0x00000003 0x80000000 0x0)";
        check(line, "0000:04:00", Some(144), Some(Action::WorkflowNvlink5Err));
    }

    #[test]
    fn what_is_no_event_gives_nothing() {
        for line in [
            "",
            "usb 1-1: new device",
            r"NVRM: Xid \(PCI:([0-9a-fA-F:]+)\): (\d+)(?:, pid=(\d+))",
            "NVRM: Xid', got: %s",
            "NVRM: Xid (PCI:0000:04:00): 145, %s %s XC0 i0 Link 00 (%s %s 0x00000000)",
            "NVRM: Xid (PCI:0000:zz:00): 31",
            "NVRM: loading NVIDIA UNIX x86_64 Kernel Module",
        ] {
            assert_eq!(event(line), None, "{line}");
        }
    }
}

//! What the kernel said lately, line by line: errors of GPUs (Xid), processes that it killed for want of memory, errors of the machine's memory.
//! Pure.

use std::collections::BTreeMap;

use fleet::quantity::Millis;
use fleet::time::Timestamp;

use crate::xid::{self, Event};

/// So many different events are kept; the one that was seen longest ago makes room.
const EVENTS_MAX: usize = 256;
/// So many processes that were killed are kept.
const VICTIMS_MAX: usize = 64;
/// So many controllers of memory are told apart.
const CONTROLLERS_MAX: usize = 64;
/// Errors of memory are counted over so long.
pub(super) const COUNTED_OVER: Millis = Millis(86_400_000);

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    events: Vec<Seen>,
    victims: Vec<Victim>,
    controllers: BTreeMap<String, Errors>,
}

/// An event of a GPU, and when it was seen.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) event: Event,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) count: u64,
}

/// A process that was killed for want of memory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Victim {
    /// Its name and number: `python3 (1234)`.
    pub(super) process: String,
    /// What it had in memory of its own.
    pub(super) resident_bytes: Option<f64>,
    at: Timestamp,
}

/// Errors of memory behind one controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Errors {
    pub(super) corrected: u64,
    pub(super) uncorrected: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

impl Kernel {
    /// Takes in a line.
    pub(super) fn take(&mut self, line: &str, now: Timestamp) {
        if let Some(event) = xid::event(line) {
            self.event(event, now);
        } else if let Some((process, resident_bytes)) = victim(line) {
            if self.victims.len() == VICTIMS_MAX {
                self.victims.remove(0);
            }
            self.victims.push(Victim { process, resident_bytes, at: now });
        } else if let Some((controller, corrected, uncorrected)) = memory_errors(line) {
            if self.controllers.len() >= CONTROLLERS_MAX && !self.controllers.contains_key(controller) {
                return;
            }
            let errors = self.controllers.entry(controller.to_owned()).or_default();
            if now.since(errors.first) > COUNTED_OVER || errors.corrected + errors.uncorrected == 0 {
                *errors = Errors { first: now, ..Errors::default() };
            }
            errors.corrected = errors.corrected.saturating_add(corrected);
            errors.uncorrected = errors.uncorrected.saturating_add(uncorrected);
            errors.last = now;
        }
    }

    /// Events of GPUs that were seen since then.
    pub(super) fn events(&self, since: Timestamp) -> impl Iterator<Item = &Seen> {
        self.events.iter().filter(move |seen| seen.last >= since)
    }

    /// Processes that were killed since then.
    pub(super) fn victims(&self, since: Timestamp) -> impl Iterator<Item = &Victim> {
        self.victims.iter().filter(move |victim| victim.at >= since)
    }

    /// Controllers of memory with errors that were told since then.
    pub(super) fn controllers(&self, since: Timestamp) -> impl Iterator<Item = (&str, Errors)> {
        self.controllers
            .iter()
            .filter(move |(_, errors)| errors.last >= since)
            .map(|(name, errors)| (&name[..], *errors))
    }

    fn event(&mut self, event: Event, now: Timestamp) {
        let same = |seen: &&mut Seen| {
            let was = &seen.event;
            (&was.gpu, was.code, was.link, &was.what, &was.process)
                == (&event.gpu, event.code, event.link, &event.what, &event.process)
        };
        if let Some(seen) = self.events.iter_mut().find(same) {
            seen.count += 1;
            seen.last = now;
            // Registers may ask for more in a later line.
            seen.event.then = seen.event.then.max(event.then);
            return;
        }
        if self.events.len() == EVENTS_MAX {
            let oldest = (0..self.events.len()).min_by_key(|index| self.events[*index].last).unwrap_or(0);
            self.events.remove(oldest);
        }
        self.events.push(Seen { event, first: now, last: now, count: 1 });
    }
}

/// `Out of memory: Killed process 1234 (python3) total-vm:9kB, anon-rss:8kB, …`; `Memory cgroup out of memory: Killed process …`.
fn victim(line: &str) -> Option<(String, Option<f64>)> {
    let (_, rest) = line.split_once("ut of memory: Killed process ")?;
    let (pid, rest) = rest.split_once(" (")?;
    let pid: u32 = pid.trim_end_matches(',').parse().ok()?;
    // The name may itself hold brackets; what follows has none.
    let (name, rest) = rest.split_once(") ").or_else(|| rest.split_once("),"))?;
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
    let kib = rest.split_once("anon-rss:").and_then(|(_, rest)| rest.split_once("kB")?.0.parse::<u64>().ok());
    Some((format!("{name} ({pid})"), kib.map(|kib| kib as f64 * 1_024.0)))
}

/// `EDAC MC0: 1 CE memory read error on …`: the controller, errors that were corrected and errors that were not (Documentation, RAS).
fn memory_errors(line: &str) -> Option<(&str, u64, u64)> {
    let (controller, rest) = line.split_once("EDAC ")?.1.split_once(": ")?;
    if !controller.starts_with("MC")
        || !controller[2..].bytes().all(|byte| byte.is_ascii_digit())
        || controller.len() > 6
    {
        return None;
    }
    let (count, rest) = rest.split_once(' ')?;
    let count: u64 = count.parse().ok()?;
    match rest.split_whitespace().next()? {
        "CE" => Some((controller, count, 0)),
        "UE" => Some((controller, 0, count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let line = "Out of memory: Killed process 4242 (python3) total-vm:9000kB, anon-rss:2048kB, file-rss:0kB, UID:0";
        assert_eq!(victim(line), Some(("python3 (4242)".to_owned(), Some(2_097_152.0))));
        let line = "Memory cgroup out of memory: Killed process 7 (a (b)), UID 0";
        assert_eq!(victim(line).map(|(process, _)| process).as_deref(), Some("a (b) (7)"));
        let line = "EDAC MC3: 12 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 slot:0)";
        assert_eq!(memory_errors(line), Some(("MC3", 12, 0)));
        assert_eq!(memory_errors("EDAC MC0: 1 UE memory scrubbing error on x"), Some(("MC0", 0, 1)));
        for line in [
            "EDAC MC: Ver: 3.0.0",
            "EDAC MC0: Giving out device to module skx_edac",
            "EDAC DEBUG: x",
            "Killed process 7",
        ] {
            assert_eq!((victim(line), memory_errors(line)), (None, None), "{line}");
        }
    }

    #[test]
    fn the_same_is_counted_and_room_is_bounded() {
        let mut kernel = Kernel::default();
        for second in 0..2_000 {
            let now = Timestamp(second * 1_000);
            kernel.take("NVRM: Xid (PCI:0000:04:00): 79, pid=7, name=a, GPU has fallen off the bus.", now);
            kernel.take(&format!("NVRM: Xid (PCI:0000:05:00): 13, pid={second}, name=b, x"), now);
            kernel.take(&format!("Out of memory: Killed process {second} (a) anon-rss:1kB"), now);
            kernel.take(&format!("EDAC MC{}: 1 CE x", second % 1_000), now);
        }
        assert_eq!(kernel.events.len(), EVENTS_MAX);
        let seen = kernel.events(Timestamp(1_999_000)).find(|seen| seen.event.code == Some(79)).unwrap();
        assert_eq!((seen.count, seen.first), (2_000, Timestamp(0)));
        assert_eq!(kernel.victims(Timestamp(0)).count(), VICTIMS_MAX);
        assert_eq!(kernel.controllers(Timestamp(0)).count(), CONTROLLERS_MAX);
        assert_eq!(kernel.controllers["MC0"].corrected, 2);
    }
}

//! A kernel log: `dmesg`, `journalctl -k`, `/var/log/kern.log` or `/dev/kmsg`, with any beginning of its lines.

use std::collections::BTreeMap;
use std::io::BufRead;

use fleet::problem::{Problem, Problems};
use fleet::text::lines::{Line, Lines};
use serde::Serialize;

use super::line::{Event, event};
use crate::rows::words;

/// So many different events are kept; a log has few.
const GROUPS_MAX: usize = 10_000;

/// What a log says of GPUs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Log {
    /// How many lines it has.
    pub lines: u64,
    /// How many of them say something of a GPU.
    pub events: u64,
    /// The same events of the same GPU, in the order in which they first came.
    pub groups: Vec<Group>,
}

/// An event that came once or more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The first of them.
    pub event: Event,
    /// How many there were.
    pub count: u64,
    /// On which lines the first and the last stand.
    pub first_line: u64,
    /// See `first_line`.
    pub last_line: u64,
}

/// Whether a file that begins so is a kernel log with such lines, or may be one.
#[must_use]
pub fn is_log(head: &str) -> bool {
    head.lines().any(|line| line.contains("NVRM: ")) || head.lines().take(3).any(is_kernel_line)
}

/// `[    0.000000] Linux version`, `6,1234,5678,-;text`, `Sep 18 20:58:08 host kernel: text`.
fn is_kernel_line(line: &str) -> bool {
    let stamp = line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(stamp, _)| stamp.trim());
    let is_stamp = |stamp: &str| {
        stamp.split_once('.').is_some_and(|(seconds, rest)| {
            let digits = |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit());
            digits(seconds) && digits(rest)
        })
    };
    let record = line.split_once(';').is_some_and(|(head, _)| {
        let fields: Vec<&str> = head.split(',').collect();
        fields.len() >= 4 && fields[..3].iter().all(|field| field.parse::<u64>().is_ok())
    });
    stamp.is_some_and(is_stamp) || record || line.contains(" kernel: ")
}

/// Reads a log. `file` is what problems call it.
///
/// # Errors
/// If nothing of it can be read. What is cut off is told among the problems.
pub fn read(input: impl BufRead, file: &str) -> Result<(Log, Problems), Problem> {
    let problem = |line, reason: String| Problem { file: file.to_owned(), line, field: None, reason };
    let (mut log, mut problems) = (Log::default(), Problems::default());
    let mut places = BTreeMap::new();
    let mut lines = Lines::new(input);
    loop {
        let line = match lines.next_line() {
            Ok(None) => break,
            Ok(Some(Line::Text(text))) => event(text),
            // Other lines of a log may be anything; they are about no GPU.
            Ok(Some(Line::Bad(_))) => None,
            Err(error) if log.lines == 0 => return Err(problem(0, words(&error))),
            Err(error) => {
                problems.add(problem(log.lines + 1, format!("reading stopped: {}", words(&error))));
                break;
            }
        };
        log.lines = lines.number();
        let Some(event) = line else { continue };
        log.events += 1;
        let key = (event.gpu.clone(), event.code, event.link, event.what.clone());
        let at = match places.get(&key) {
            Some(&at) => at,
            None if log.groups.len() == GROUPS_MAX => {
                problems.add(problem(log.lines, "too many different events: this one was left out".to_owned()));
                continue;
            }
            None => {
                places.insert(key, log.groups.len());
                let group = Group { event: event.clone(), count: 0, first_line: log.lines, last_line: log.lines };
                log.groups.push(group);
                log.groups.len() - 1
            }
        };
        let group = &mut log.groups[at];
        group.count += 1;
        group.last_line = log.lines;
        // Registers may ask for more in a later line.
        group.event.then = group.event.then.max(event.then);
    }
    Ok((log, problems))
}

#[cfg(test)]
mod tests {
    use super::super::action::Action;
    use super::*;

    #[test]
    fn the_same_events_are_one() {
        let text = "[1.5] usb\n\
            NVRM: Xid (PCI:0000:04:00): 69\n\
            NVRM: Xid (PCI:0000:04:00): 69, pid=1\n\
            NVRM: Xid (PCI:0000:05:00): 69\n\
            NVRM: Xid (PCI:0000:04:00): 145, RLW_SRC_TRACK Nonfatal XC1 i0 Link 1 (0x0 0x2)\n\
            NVRM: Xid (PCI:0000:04:00): 145, RLW_SRC_TRACK Fatal XC1 i0 Link 1 (0x0 0x1)\n";
        let (log, problems) = read(text.as_bytes(), "log").unwrap();
        assert_eq!((log.lines, log.events, log.groups.len(), problems.count()), (6, 5, 3, 0));
        assert_eq!((log.groups[0].count, log.groups[0].first_line, log.groups[0].last_line), (2, 2, 3));
        assert_eq!(log.groups[2].event.then, Some(Action::ResetGpu));
    }

    #[test]
    fn kernel_logs_are_told_by_their_lines() {
        for (head, expected) in [
            ("[    0.000000] Linux version 6", true),
            ("6,339,5140900,-;NET: Registered", true),
            ("Sep 18 20:58:08 host kernel: usb", true),
            ("2026-01-01T00:00:00 host kernel: usb", true),
            ("NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.", true),
            ("a,b,c\n1,2,3", false),
            ("[1, 2]", false),
            ("{\"a\": 1}", false),
        ] {
            assert_eq!(is_log(head), expected, "{head}");
        }
    }
}

//! The few facts of processes that are read from `/proc`. The text is parsed by pure functions; a process that is gone while
//! it is read is simply not there.

use std::fs;
use std::path::Path;

use fleet::quantity::Bytes;

/// What `/proc/<pid>/stat` says of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) pid: i32,
    pub(super) state: char,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    /// Clock ticks since the machine was started. With the pid it names a process for as long as the machine is up.
    pub(super) start_ticks: u64,
}

impl Stat {
    /// It has ended and only waits to be asked for its status.
    pub(super) fn is_dead(self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// Parses `/proc/<pid>/stat` (proc_pid_stat(5)). The name in brackets may itself hold brackets and blanks: the last closing
/// bracket ends it.
pub(super) fn parse_stat(text: &str) -> Option<Stat> {
    let (head, rest) = text.rsplit_once(')')?;
    let pid = head.split_once(' ')?.0.parse().ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // The first of them is the third of the manual page's list.
    let field = |number: usize| fields.get(number - 3).copied();
    Some(Stat {
        pid,
        state: field(3)?.chars().next()?,
        parent: field(4)?.parse().ok()?,
        group: field(5)?.parse().ok()?,
        session: field(6)?.parse().ok()?,
        start_ticks: field(22)?.parse().ok()?,
    })
}

/// The process `pid`, if there is one.
pub(super) fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Every process there is.
pub(super) fn all() -> impl Iterator<Item = Stat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| stat(entry.file_name().to_str()?.parse().ok()?))
}

/// The children of a process that has one thread.
pub(super) fn children(pid: u32) -> Vec<i32> {
    match fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")) {
        Ok(text) => text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect(),
        // A kernel without CONFIG_PROC_CHILDREN.
        Err(_) => all().filter(|stat| u32::try_from(stat.parent) == Ok(pid)).map(|stat| stat.pid).collect(),
    }
}

/// Whether a process began with the variable `pair` ("NAME=value"). Another user's process never tells: it counts as no.
pub(super) fn has_variable(pid: i32, pair: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| variable == pair.as_bytes())
}

/// What a process began with under the name of a variable. Another user's process never tells.
pub(super) fn variable(pid: u32, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|variable| {
        let (found, value) = std::str::from_utf8(variable).ok()?.split_once('=')?;
        (found == name).then(|| value.to_owned())
    })
}

/// The number behind a key, in lines of `key number` or `key: number`.
pub(super) fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix([' ', ':'])?.trim().parse().ok())
}

/// What a line of `/proc/meminfo` says, in bytes: `MemTotal:       8000 kB`.
pub(super) fn meminfo(text: &str, key: &str) -> Option<Bytes> {
    text.lines().find_map(|line| kib(line.strip_prefix(key)?.strip_prefix(':')?))
}

/// `8000 kB`, in bytes.
pub(super) fn kib(text: &str) -> Option<Bytes> {
    let number: u64 = text.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(1_024).map(Bytes)
}

/// The id that the kernel gave this start of the machine; empty where it does not say.
pub(super) fn boot_id(root: &Path) -> String {
    let text = fs::read_to_string(root.join("proc/sys/kernel/random/boot_id")).unwrap_or_default();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let text = "42 (a) (b c) S 7 40 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 1234 5 6 7";
        let expected = Stat { pid: 42, state: 'S', parent: 7, group: 40, session: 41, start_ticks: 1_234 };
        assert_eq!(parse_stat(text), Some(expected));
        assert_eq!(parse_stat("42 (a S 7"), None);
        assert_eq!(parse_stat("42 (a) S 7 1 1"), None);
    }

    #[test]
    fn lines_are_found_by_their_key() {
        let text = "MemTotal:       8 kB\nCached: 1 kB\nSwapCached: 2 kB\n";
        assert_eq!(meminfo(text, "Cached"), Some(Bytes(1_024)));
        assert_eq!(meminfo("MemTotal:       8\n", "MemTotal"), None);
        assert_eq!(keyed("pgmajfault_a 6\npgmajfault 5\n", "pgmajfault"), Some(5));
    }

    #[test]
    fn this_process_is_found() {
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(all().any(|stat| stat.pid == pid && !stat.is_dead()));
    }
}

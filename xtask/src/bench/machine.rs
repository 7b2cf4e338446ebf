//! What a figure was measured on, and when.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::workspace;

/// Processor, cores, memory, system, compiler and commit, a line each; what this system does not tell is `unknown`.
pub(super) fn description() -> String {
    let cores = std::thread::available_parallelism().map_or_else(|_| "unknown".to_owned(), |cores| cores.to_string());
    let memory_kib = field_of("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let memory = memory_kib.map_or_else(|| "unknown".to_owned(), |kib| format!("{} GiB", kib.div_ceil(1 << 20)));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let lines = [
        ("processor", field_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned())),
        ("cores", cores),
        ("memory", memory),
        ("system", said_by(Command::new("uname").args(["-s", "-r", "-m"]))),
        ("compiler", said_by(Command::new(rustc).arg("--version"))),
        ("commit", commit()),
    ];
    lines.map(|(name, value)| format!("- {name}: {value}\n")).concat()
}

/// The commit that is checked out, and whether the tree differs from it.
fn commit() -> String {
    let git = |arguments: &[&str]| said_by(Command::new("git").current_dir(workspace::root()).args(arguments));
    let commit = git(&["rev-parse", "--short=12", "HEAD"]);
    match git(&["status", "--porcelain", "--untracked-files=no"]).as_str() {
        "" | "unknown" => commit,
        _ => format!("{commit}, with changes"),
    }
}

/// Today in UTC, as `2026-11-23`.
pub(super) fn today() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("this machine's clock is past 1970");
    let (year, month, day) = date_of_day(now.as_secs() / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a day counted from 1970-01-01, by the calendar now in use: years and months are taken off until
/// none fits. (A few hundred steps, in a place where that does not matter.)
fn date_of_day(mut day: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    while day >= days_of(year) {
        day -= days_of(year);
        year += 1;
    }
    let february = days_of(year) - 337;
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in months {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (year, month, day + 1)
}

fn days_of(year: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if leap { 366 } else { 365 }
}

/// The first line a command prints, or `unknown`.
fn said_by(command: &mut Command) -> String {
    match command.output() {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}

/// The value of the first line `name : value` of a file of /proc.
fn field_of(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.split(':').next().is_some_and(|field| field.trim() == name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (day, date) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (19_782, (2024, 2, 29)),
            (20_453, (2025, 12, 31)),
            (20_454, (2026, 1, 1)),
        ] {
            assert_eq!(date_of_day(day), date);
        }
    }

    #[test]
    fn the_machine_is_described_in_six_lines() {
        assert_eq!(description().lines().count(), 6);
    }
}

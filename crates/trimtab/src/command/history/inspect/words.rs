//! A survey in words and tables.

use std::fmt::Write;

use fleet::history::QueueRecord;
use fleet::money::grouped;
use fleet::quantity::Millis;

use super::survey::{Group, Hours, Survey, Waits};
use crate::table::{Align, Table, plain};

/// So many rows of a table are shown; JSON has all.
const ROWS_MAX: usize = 24;

/// The whole report.
pub(super) fn report(survey: &Survey) -> String {
    let mut text = String::new();
    head(survey, &mut text);
    let unit = Unit::of(survey);
    section(&mut text, "Queues", &queues(survey, unit), survey.queues.len());
    if !survey.largest_users.is_empty() {
        let title =
            if survey.users as usize > survey.largest_users.len() { "Users with the largest use" } else { "Users" };
        section(&mut text, title, &groups("user", &survey.largest_users, survey, unit), 0);
    }
    section(&mut text, "Sizes", &groups("size", &survey.sizes, survey, unit), survey.sizes.len());
    section(&mut text, "Ends", &groups("end", &survey.ends, survey, unit), survey.ends.len());
    section(&mut text, "What is known, in share of workloads", &known(survey), 0);
    if !survey.oddities.is_empty() {
        let mut table = Table::new([("what is odd", Align::Left), ("times", Align::Right), ("first", Align::Left)]);
        for odd in &survey.oddities {
            table.row([odd.what.to_owned(), count(odd.times), odd.first.clone()]);
        }
        section(&mut text, "Oddities", &table, 0);
    }
    text
}

/// What is counted: devices where any are asked for, else cores.
#[derive(Clone, Copy)]
enum Unit {
    Devices,
    Cores,
}

impl Unit {
    fn of(survey: &Survey) -> Self {
        if survey.use_of.device_hours > 0.0 { Self::Devices } else { Self::Cores }
    }

    fn hours(self, hours: Hours) -> f64 {
        match self {
            Self::Devices => hours.device_hours,
            Self::Cores => hours.core_hours,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Devices => "device-hours",
            Self::Cores => "core-hours",
        }
    }
}

fn head(survey: &Survey, text: &mut String) {
    let header = &survey.header;
    let synthetic = if header.synthetic { "SYNTHETIC, made up by a generator; " } else { "" };
    line(text, "history", &format!("{} (from {}; {synthetic}format {})", survey.file, header.source, header.version));
    if let (Some(from), Some(until)) = (survey.from, survey.until) {
        line(text, "covers", &format!("{from} to {until} ({})", until.since(from)));
    }
    line(text, "time zone", header.time_zone.as_deref().unwrap_or("unknown"));
    let unfinished = [(survey.never_started, "never started"), (survey.still_running, "still ran at the end")];
    let unfinished = unfinished.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("; {} {what}", count(*n)));
    let unfinished: String = unfinished.collect();
    let users = match survey.users {
        0 => "users unknown".to_owned(),
        1 => "of 1 user".to_owned(),
        users => format!("of {} users", count(users)),
    };
    line(text, "workloads", &format!("{}, {users}{unfinished}", count(survey.workloads)).replace(", of", " of"));
    if survey.rows_left_out > 0 {
        line(text, "left out", &format!("{} rows of the log could not be read", count(survey.rows_left_out)));
    }
    let Hours { device_hours, core_hours } = survey.use_of;
    // What nobody is known to have asked for is not shown as nothing used.
    let used: Vec<String> = [(device_hours, "device-hours"), (core_hours, "core-hours")]
        .iter()
        .filter(|(used, _)| *used > 0.0)
        .map(|(used, unit)| format!("{} {unit}", hours(*used)))
        .collect();
    line(text, "use", &if used.is_empty() { "none".to_owned() } else { used.join(", ") });
    line(text, "waits", &waits(&survey.waits, survey.workloads));
    line(text, "policy", if survey.policies.is_empty() { "unknown" } else { &survey.policies[0] });
    fleet(survey, text);
    for note in &header.notes {
        line(text, "note", &plain_long(note));
    }
}

fn waits(waits: &Waits, workloads: u64) -> String {
    match (waits.recorded, waits.mean_ms, waits.p50_ms, waits.p95_ms) {
        (recorded, Some(mean), Some(median), Some(p95)) => {
            let share =
                if recorded == workloads { String::new() } else { format!(", for {} workloads", count(recorded)) };
            format!("recorded{share}: mean {mean}, median {median}, 95 % within {p95}")
        }
        _ => "not recorded: only a replay can tell how long anyone waited".to_owned(),
    }
}

fn fleet(survey: &Survey, text: &mut String) {
    if survey.nodes.is_empty() {
        line(text, "nodes", "unknown: give a fleet file with --fleet to replay it (docs/FLEET-FILE.md)");
    }
    for kind in survey.nodes.iter().take(ROWS_MAX) {
        let cores = kind.cores.map_or("unknown cores".to_owned(), |cores| format!("{cores} cores"));
        let memory = kind.memory_bytes.map_or("unknown memory".to_owned(), |memory| memory.to_string());
        let model = kind.model.as_deref().map_or(String::new(), |model| format!(" {model}"));
        let price = if kind.priced { "" } else { ", no price" };
        let words = format!("{} × {cores}, {memory}, {}{model} devices{price}", count(kind.count), kind.devices);
        line(text, "nodes", &words);
    }
    if survey.node_events > 0 {
        line(text, "events", &format!("{} of nodes (lost, drained, returned)", count(survey.node_events)));
    }
}

fn queues(survey: &Survey, unit: Unit) -> Table {
    let mut table = Table::new([
        ("queue", Align::Left),
        ("workloads", Align::Right),
        ("users", Align::Right),
        (unit.name(), Align::Right),
        ("share", Align::Right),
        ("median wait", Align::Right),
        ("95 % within", Align::Right),
        ("rules", Align::Left),
    ]);
    for queue in survey.queues.iter().take(ROWS_MAX) {
        table.row([
            queue.name.clone(),
            count(queue.workloads),
            if queue.users > 0 { count(queue.users) } else { String::new() },
            hours(unit.hours(queue.use_of)),
            share(unit.hours(queue.use_of), unit.hours(survey.use_of)),
            length(queue.waits.p50_ms),
            length(queue.waits.p95_ms),
            queue.rules.as_ref().map_or(String::new(), rules),
        ]);
    }
    table.without_empty_columns()
}

fn rules(queue: &QueueRecord) -> String {
    let devices = |milli: fleet::quantity::MilliDevice| milli.as_devices();
    let words = [
        queue.quota_milli.map(|quota| format!("quota {}", devices(quota))),
        queue.limit_milli.map(|limit| format!("limit {}", devices(limit))),
        queue.limit_per_user_milli.map(|limit| format!("{} a user", devices(limit))),
        queue.limit_running.map(|limit| format!("{limit} running")),
        queue.limit_running_per_user.map(|limit| format!("{limit} running a user")),
        (queue.priority != 0).then(|| format!("priority {}", queue.priority)),
        queue.time_limit_max_ms.map(|limit| format!("at most {limit}")),
        queue.preemptible.then(|| "preemptible".to_owned()),
        queue.protected.then(|| "protected".to_owned()),
        queue.wait_p95_max_ms.map(|wait| format!("95 % promised within {wait}")),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn groups(what: &str, groups: &[Group], survey: &Survey, unit: Unit) -> Table {
    let mut table = Table::new([
        (what, Align::Left),
        ("workloads", Align::Right),
        ("share", Align::Right),
        (unit.name(), Align::Right),
        ("share", Align::Right),
        ("median wait", Align::Right),
    ]);
    for group in groups.iter().take(ROWS_MAX) {
        table.row([
            group.name.clone(),
            count(group.workloads),
            share(group.workloads as f64, survey.workloads as f64),
            hours(unit.hours(group.use_of)),
            share(unit.hours(group.use_of), unit.hours(survey.use_of)),
            length(group.waits.p50_ms),
        ]);
    }
    table
}

fn known(survey: &Survey) -> Table {
    let mut table = Table::new([("what", Align::Left), ("known", Align::Right)]);
    for known in &survey.known {
        table.row([known.what.to_owned(), share(known.workloads as f64, survey.workloads as f64)]);
    }
    table
}

fn section(text: &mut String, title: &str, table: &Table, rows: usize) {
    if table.is_empty() {
        return;
    }
    let more = rows.saturating_sub(ROWS_MAX);
    let more = if more > 0 { format!("  … and {more} more; --format json has all\n") } else { String::new() };
    write!(text, "\n{title}\n{table}{more}").expect("a string takes all that is written to it");
}

fn line(text: &mut String, label: &str, words: &str) {
    writeln!(text, "{label:<11}{words}").expect("a string takes all that is written to it");
}

/// A sentence from a log, on one line.
fn plain_long(text: &str) -> String {
    text.split_ascii_whitespace().map(plain).collect::<Vec<_>>().join(" ")
}

fn count(number: u64) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

fn hours(hours: f64) -> String {
    if hours > 0.0 && hours < 10.0 { format!("{hours:.1}") } else { grouped(hours.round() as i64) }
}

/// Never rounds something to nothing, nor nearly all to all.
fn share(part: f64, whole: f64) -> String {
    let percent = 100.0 * part / whole;
    match percent {
        _ if whole <= 0.0 || part <= 0.0 => "–".to_owned(),
        _ if percent < 0.1 => "< 0.1 %".to_owned(),
        _ if percent > 99.9 && part < whole => "> 99.9 %".to_owned(),
        _ if percent >= 99.95 => "100 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

fn length(length: Option<Millis>) -> String {
    length.map_or("–".to_owned(), |length| length.to_string())
}

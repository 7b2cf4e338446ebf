//! The tables of a profile.

use std::fmt::Write;

use ::diagnose::kineto::{
    Breakdown, CriticalPath, EVENTS_MAX, FULL, Idle, LATE_US, LONG_US, LaunchKind, Launched, NoPath, Queue, Rank, Ranks,
};

use super::words::{figure, indented};
use crate::table::{Align, Table};
use crate::wrap::{paragraph, section};

/// So many kernels are shown.
const KERNELS: usize = 8;

/// Where device time went, what launches took, and what a step waited for.
pub(super) fn tables(of: &Breakdown, width: usize, text: &mut String) {
    device_time(of, text);
    waits(of, text);
    costliest(of, width, text);
    launches(of, width, text);
    critical_path(of, width, text);
}

fn percent(us: f64, of_us: f64) -> String {
    format!("{:.1} %", if of_us > 0.0 { 100.0 * us / of_us } else { 0.0 })
}

fn ms(us: f64) -> String {
    format!("{:.3}", us / 1_000.0)
}

fn device_time(of: &Breakdown, text: &mut String) {
    section(text, "Where device time went");
    let mut table = Table::new([("device", Align::Left), ("ms", Align::Right), ("share", Align::Right)]);
    for (name, us) in [
        ("computing", of.temporal.compute_us),
        ("running, but not computing", of.temporal.non_compute_us),
        ("idle", of.temporal.idle_us),
    ] {
        table.row([name.to_owned(), ms(us), percent(us, of.temporal.total_us)]);
    }
    indented(&table, text);
}

/// The stream's number, and its device's where there are several.
fn stream(device: Option<i64>, stream: u32, several: bool) -> String {
    match device.filter(|_| several) {
        Some(device) => format!("{device}/{stream}"),
        None => stream.to_string(),
    }
}

/// Whether streams of more than one device are there.
fn several_devices(of: &Breakdown) -> bool {
    of.idle.iter().any(|idle| idle.device != of.idle[0].device)
}

fn waits(of: &Breakdown, text: &mut String) {
    section(text, "What streams waited for");
    let several = several_devices(of);
    let columns = [
        (if several { "device/stream" } else { "stream" }, Align::Right),
        ("the host, ms", Align::Right),
        ("the launch, ms", Align::Right),
        ("others, ms", Align::Right),
    ];
    let mut table = Table::new(columns);
    idle_cells(of).into_iter().for_each(|cells| table.row(cells));
    indented(&table, text);
}

/// What each stream waited for: its name, and time for the host, the launch, and others.
pub(super) fn idle_cells(of: &Breakdown) -> Vec<[String; 4]> {
    let several = several_devices(of);
    let cells = |idle: &Idle| {
        let name = stream(idle.device, idle.stream, several);
        [name, ms(idle.host_wait_us), ms(idle.kernel_wait_us), ms(idle.other_us)]
    };
    of.idle.iter().map(cells).collect()
}

fn costliest(of: &Breakdown, width: usize, text: &mut String) {
    section(text, "What takes most");
    let columns = [
        ("name", Align::Left),
        ("work", Align::Left),
        ("times", Align::Right),
        ("ms", Align::Right),
        ("share", Align::Right),
    ];
    let mut table = Table::new(columns);
    for kernel in of.kernels.iter().take(KERNELS) {
        let work = format!("{:?}", kernel.work).to_lowercase();
        let times = if kernel.name == "others" { String::new() } else { kernel.count.to_string() };
        table.row([kernel.name.clone(), work, times, ms(kernel.sum_us), percent(kernel.sum_us, of.temporal.total_us)]);
    }
    for line in table.within(width.saturating_sub(2)).lines() {
        let _ = writeln!(text, "  {line}");
    }
}

/// What launches took, and how many waited in queues.
fn launches(of: &Breakdown, width: usize, text: &mut String) {
    if of.launches.is_empty() {
        return;
    }
    section(text, "Launches");
    let columns = [
        ("of", Align::Left),
        ("times", Align::Right),
        ("host, µs", Align::Right),
        ("device, µs", Align::Right),
        ("delay, µs", Align::Right),
        ("short", Align::Right),
        ("long", Align::Right),
        ("late", Align::Right),
    ];
    let mut table = Table::new(columns);
    of.launches.iter().for_each(|launched| table.row(launch_cells(launched)));
    indented(&table, text);
    let words = format!(
        "Times are medians. Short: on the device for less than on the host. Long: more than {LONG_US:.0} µs on the host. Late: begun more \
         than {LATE_US:.0} µs after the launch."
    );
    paragraph(text, width, "    ", &words);
    if let Some(longest) = of.queues.iter().max_by(|a, b| a.length.mean.total_cmp(&b.length.mean)) {
        paragraph(text, width, "    ", &queue(longest, several_devices(of)));
    }
}

/// Of a kind of launch: its name, how often, medians on the host, on the device and in between, and how many were short, long and late.
pub(super) fn launch_cells(launched: &Launched) -> [String; 8] {
    let kind = match launched.kind {
        None => "all",
        Some(LaunchKind::Kernel) => "kernels",
        Some(LaunchKind::Copy) => "copies",
        Some(LaunchKind::Memset) => "memsets",
    };
    [
        kind.to_owned(),
        launched.host_us.count.to_string(),
        figure(launched.host_us.p50),
        figure(launched.device_us.p50),
        figure(launched.delay_us.p50),
        launched.short.to_string(),
        launched.long.to_string(),
        launched.late.to_string(),
    ]
}

fn queue(of: &Queue, several: bool) -> String {
    let full = if of.full_us > 0.0 {
        format!("; for {} ms it was full ({FULL} launches), and the host had to wait", ms(of.full_us))
    } else {
        String::new()
    };
    format!(
        "The longest queue is that of stream {}: {} launches that had not begun on average, {} in the middle, {} at most{full}.",
        stream(of.device, of.stream, several),
        figure(of.length.mean),
        figure(of.length.p50),
        figure(of.length.max)
    )
}

fn critical_path(of: &Breakdown, width: usize, text: &mut String) {
    match (&of.critical_path, of.no_critical_path) {
        (Some(path), _) => path_of(path, width, text),
        (None, Some(NoPath::Empty) | None) => {}
        (None, Some(fault)) => {
            section(text, "Critical path");
            paragraph(text, width, "    ", &unknown(fault));
        }
    }
}

fn unknown(fault: NoPath) -> String {
    match fault {
        NoPath::UnknownStep => "Unknown: no step has that number.".to_owned(),
        NoPath::LastStep => "Unknown: that step is the last, which may be cut. Choose another with --step.".to_owned(),
        NoPath::TooLarge => format!("Unknown: the step holds more than {EVENTS_MAX} events."),
        NoPath::Circular | NoPath::Empty => {
            "Unknown: by their times, events of the step wait for each other in a circle.".to_owned()
        }
    }
}

fn path_of(path: &CriticalPath, width: usize, text: &mut String) {
    section(text, "Critical path");
    let mut table = Table::new([("bound by", Align::Left), ("ms", Align::Right), ("share", Align::Right)]);
    path_cells(path).into_iter().for_each(|cells| table.row(cells));
    indented(&table, text);
    let step = path.step.as_deref().unwrap_or("the whole trace");
    let words = format!(
        "Of {step}: {} ms of the {} ms that it takes on the host. Waiting in calls for the device counts where the trace tells what for.",
        ms(path.total_us),
        ms(path.step_us)
    );
    paragraph(text, width, "    ", &words);
}

/// What a critical path is bound by: what, how long, and which part of it. What takes nothing is left out.
pub(super) fn path_cells(path: &CriticalPath) -> Vec<[String; 3]> {
    let parts = [
        ("the host", path.host_us),
        ("work of the device", path.device_us),
        ("communication", path.communication_us),
        ("gaps on a stream", path.between_us),
        ("launches on their way", path.launch_us),
    ];
    let parts = parts.into_iter().filter(|(_, us)| *us != 0.0);
    parts.map(|(name, us)| [name.to_owned(), ms(us), percent(us, path.total_us)]).collect()
}

/// So many ranks are shown.
const RANKS: usize = 16;

/// Ranks beside each other: those that wait least first.
pub(super) fn ranks(of: &Ranks, width: usize, text: &mut String) {
    section(text, "Ranks beside each other");
    let columns = [
        ("rank", Align::Right),
        ("computing, ms", Align::Right),
        ("waiting, ms", Align::Right),
        ("idle, ms", Align::Right),
        ("all, ms", Align::Right),
    ];
    let mut table = Table::new(columns);
    rank_cells(of).into_iter().take(RANKS).for_each(|cells| table.row(cells));
    indented(&table, text);
    let words = format!(
        "Waiting: communication that nothing hides, least first; who waits least is waited for. From the least to the most it is {} ms apart, \
         idle time {} ms.",
        ms(of.waiting_spread_us),
        ms(of.idle_spread_us)
    );
    paragraph(text, width, "    ", &words);
}

/// Ranks, who waits least first: computing, waiting, idle, and all of it.
pub(super) fn rank_cells(of: &Ranks) -> Vec<[String; 5]> {
    let mut ranks: Vec<&Rank> = of.ranks.iter().collect();
    ranks.sort_by(|a, b| a.waiting_us.total_cmp(&b.waiting_us));
    let cells = |rank: &Rank| {
        [rank.rank.to_string(), ms(rank.compute_us), ms(rank.waiting_us), ms(rank.idle_us), ms(rank.total_us)]
    };
    ranks.into_iter().map(cells).collect()
}

//! The figures of each kind of file, as tables.

use ::diagnose::devices::Device;
use ::diagnose::hang::{Hang, Last, Matrix};
use ::diagnose::kineto::{Breakdown, Ranks};
use ::diagnose::pipeline::{Part, WhatIf};
use ::diagnose::steps::Episode;
use ::diagnose::xid::Log;
use maud::{Markup, html};

use super::super::words::figure;
use super::super::{Figures, profile};

/// A table has at most so many rows; what is left out is told below it.
const ROWS_MAX: usize = 60;

/// The tables of one file.
pub(super) fn tables(of: &Figures) -> Markup {
    match of {
        Figures::Kineto(breakdown) => {
            html! { (device_time(breakdown)) (launches(breakdown)) (critical_path(breakdown)) }
        }
        Figures::Ranks(job) => ranks(job),
        Figures::Pipeline(whatif) => slowdowns(whatif),
        Figures::Steps(list) => episodes(list),
        Figures::Hang(hang) => missed(hang),
        Figures::Devices(list) => devices(list),
        Figures::KernelLog(log) => events(log),
    }
}

/// How a column is set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Words,
    Number,
}

use Set::{Number, Words};

/// A table under its title; nothing where there are no rows.
fn table<const N: usize>(title: &str, columns: [(&str, Set); N], rows: &[[String; N]]) -> Markup {
    let shown = &rows[..rows.len().min(ROWS_MAX)];
    let class = |set: Set| (set == Number).then_some("n");
    html! {
        @if !rows.is_empty() { div {
            h3 { (title) }
            div.scroll { table {
                thead { tr { @for (name, set) in columns { th class=[class(set)] scope="col" { (name) } } } }
                tbody { @for row in shown { tr {
                    @for (cell, (_, set)) in row.iter().zip(columns) { td class=[class(set)] { (cell) } }
                } } }
            } }
            @if rows.len() > shown.len() { p.soft { "And " (rows.len() - shown.len()) " more; --format json has them all." } }
        } }
    }
}

fn device_time(of: &Breakdown) -> Markup {
    let total = of.temporal.total_us;
    let percent = |us: f64| format!("{:.1} %", if total > 0.0 { 100.0 * us / total } else { 0.0 });
    let ms = |us: f64| format!("{:.3}", us / 1_000.0);
    let went = [
        ("computing", of.temporal.compute_us),
        ("running, but not computing", of.temporal.non_compute_us),
        ("idle", of.temporal.idle_us),
    ];
    let went = went.map(|(name, us)| [name.to_owned(), ms(us), percent(us)]);
    let kernels = of.kernels.iter().map(|kernel| {
        let times = if kernel.name == "others" { String::new() } else { kernel.count.to_string() };
        let work = format!("{:?}", kernel.work).to_lowercase();
        [cut(&kernel.name), work, times, ms(kernel.sum_us), percent(kernel.sum_us)]
    });
    html! {
        (table("Where device time went", [("device", Words), ("ms", Number), ("share", Number)], &went))
        (table(
            "What streams waited for",
            [("stream", Words), ("the host, ms", Number), ("the launch, ms", Number), ("others, ms", Number)],
            &profile::idle_cells(of)
        ))
        (table(
            "What takes most",
            [("name", Words), ("work", Words), ("times", Number), ("ms", Number), ("share", Number)],
            &kernels.collect::<Vec<_>>()
        ))
    }
}

fn launches(of: &Breakdown) -> Markup {
    table(
        "Launches (medians)",
        [
            ("of", Words),
            ("times", Number),
            ("host, µs", Number),
            ("device, µs", Number),
            ("delay, µs", Number),
            ("short", Number),
            ("long", Number),
            ("late", Number),
        ],
        &of.launches.iter().map(profile::launch_cells).collect::<Vec<_>>(),
    )
}

fn critical_path(of: &Breakdown) -> Markup {
    let Some(path) = &of.critical_path else { return html! {} };
    let title = format!("Critical path of {}", path.step.as_deref().unwrap_or("the whole trace"));
    table(&title, [("bound by", Words), ("ms", Number), ("share", Number)], &profile::path_cells(path))
}

fn ranks(of: &Ranks) -> Markup {
    table(
        "Ranks beside each other, who waits least first: that is whom the others wait for",
        [
            ("rank", Number),
            ("computing, ms", Number),
            ("waiting, ms", Number),
            ("idle, ms", Number),
            ("all, ms", Number),
        ],
        &profile::rank_cells(of),
    )
}

/// Names of kernels hold all that they were made from; their beginning tells them apart.
fn cut(name: &str) -> String {
    const LETTERS: usize = 120;
    match name.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

fn slowdowns(of: &WhatIf) -> Markup {
    fn rows<T>(parts: &[Part<T>], name: impl Fn(&T) -> String) -> Vec<[String; 2]> {
        let mut sorted: Vec<&Part<T>> = parts.iter().collect();
        sorted.sort_by(|a, b| b.slowdown.total_cmp(&a.slowdown));
        sorted.into_iter().map(|part| [name(&part.of), figure(part.slowdown)]).collect()
    }
    let columns = |what| [(what, Words), ("times as long", Number)];
    let shares: Vec<[String; 3]> = of
        .shares
        .iter()
        .map(|share| {
            let cause = serde_json::to_value(share.cause).expect("a cause is plain data");
            let cause = cause.as_str().unwrap_or_default().replace('-', " ");
            [cause, format!("{} %", figure((100.0 * share.share).round())), figure(share.speedup.value)]
        })
        .collect();
    html! {
        p.soft {
            "A step takes " (figure(of.straight_seconds)) " s as recorded and " (figure(of.even_seconds)) " s without stragglers: "
            (figure(of.slowdown)) " times as long. The tables say how much of that each part would cause alone."
        }
        (table(
            "What mending each cause alone would bring",
            [("cause", Words), ("of the lost time", Number), ("times as fast", Number)],
            &shares
        ))
        (table("By stage", columns("stage"), &rows(&of.by_stage, u32::to_string)))
        (table("By data-parallel rank", columns("rank"), &rows(&of.by_dp_rank, u32::to_string)))
        (table("By kind of operation", columns("kind"), &rows(&of.by_kind, |kind| (*kind).to_owned())))
    }
}

fn episodes(list: &[Episode]) -> Markup {
    let rows = list.iter().map(|episode| {
        let Episode { worker, first_step, last_step, slowdown, length, peers_length, .. } = *episode;
        [
            format!("worker {worker}"),
            first_step.to_string(),
            last_step.to_string(),
            figure(length),
            figure(peers_length),
            figure(slowdown),
        ]
    });
    table(
        "When workers were slow",
        [
            ("worker", Words),
            ("from step", Number),
            ("to step", Number),
            ("median step", Number),
            ("its peers'", Number),
            ("times as long", Number),
        ],
        &rows.collect::<Vec<_>>(),
    )
}

fn missed(of: &Hang) -> Markup {
    let ranks = |ranks: &[u32]| {
        let first: Vec<String> = ranks.iter().take(16).map(u32::to_string).collect();
        let more = if ranks.len() > 16 { format!(" and {} more", ranks.len() - 16) } else { String::new() };
        first.join(", ") + &more
    };
    let rows = of.missed.iter().map(|missed| {
        let group = if missed.description.is_empty() { &missed.group } else { &missed.description };
        [group.clone(), format!("{} {}", missed.call, missed.sequence), ranks(&missed.waiting), ranks(&missed.missing)]
    });
    table(
        "What was not entered",
        [("group", Words), ("call", Words), ("ranks that wait", Words), ("ranks that did not come", Words)],
        &rows.collect::<Vec<_>>(),
    )
}

/// Ranks by groups, with the last call of each.
pub(super) fn matrix(of: &Matrix) -> Markup {
    let cell = |last: &Last| match last {
        Last::NoMember => html! { td.none { "–" } },
        Last::Nothing => html! { td.behind { "nothing" small { "did not come" } } },
        Last::Behind(call) => html! { td.behind { (call) small { "did not come further" } } },
        Last::Waits(call) => html! { td.waits { (call) small { "waits" } } },
        Last::Done(call) => html! { td { (call) small { "done" } } },
    };
    html! {
        @if !of.groups.is_empty() {
            h3 { "The last collective of each rank, group by group" }
            p.soft { "A rank that has fallen behind others of its group did not come to what they wait in." }
            div.scroll { table.matrix {
                thead { tr {
                    th scope="col" { "rank" }
                    @for (name, description) in &of.groups { th scope="col" {
                        @if description.is_empty() { (name) } @else { (description) " (" (name) ")" }
                    } }
                } }
                tbody { @for (rank, lasts) in &of.rows { tr {
                    th scope="row" { (rank) }
                    @for last in lasts { (cell(last)) }
                } } }
            } }
            @if of.rows.len() < of.ranks || of.groups.len() < of.groups_all {
                p.soft { (of.rows.len()) " of " (of.ranks) " ranks and " (of.groups.len()) " of " (of.groups_all) " groups are shown, those of the hang first." }
            }
        }
    }
}

fn devices(list: &[Device]) -> Markup {
    let known = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.0}"));
    let gb = |bytes: Option<f64>| bytes.map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.1}", bytes / 1e9));
    let rows = list.iter().map(|device| {
        [
            device.name.clone(),
            device.model.clone().unwrap_or_default(),
            device.busy_percent.map_or_else(|| "unknown".to_owned(), |busy| format!("{busy:.0} %")),
            format!("{} of {}", gb(device.memory_used_bytes), gb(device.memory_bytes)),
            format!("{} of {}", known(device.power_watts), known(device.power_limit_watts)),
            known(device.temperature_c),
            format!("{} of {}", known(device.clock_mhz), known(device.clock_max_mhz)),
            device.link_width.map_or_else(|| "unknown".to_owned(), |lanes| format!("x{lanes}")),
        ]
    });
    table(
        "How they are",
        [
            ("device", Words),
            ("model", Words),
            ("busy", Number),
            ("memory, GB", Number),
            ("power, W", Number),
            ("°C", Number),
            ("MHz", Number),
            ("link", Number),
        ],
        &rows.collect::<Vec<_>>(),
    )
}

fn events(of: &Log) -> Markup {
    let rows = of.groups.iter().map(|group| {
        [
            group.event.gpu.clone(),
            group.event.code.map_or_else(String::new, |code| code.to_string()),
            group.count.to_string(),
            group.first_line.to_string(),
            group.last_line.to_string(),
        ]
    });
    table(
        "What the log says of GPUs",
        [("GPU", Words), ("Xid", Number), ("times", Number), ("first on line", Number), ("last on line", Number)],
        &rows.collect::<Vec<_>>(),
    )
}

//! A diagnosis in sentences and tables.

use std::fmt::Write;

use ::diagnose::devices::Device;
use ::diagnose::pipeline::{Part, WhatIf};
use fleet::finding::{Confidence, Evidence, Finding, Since};
use fleet::recommendation::Interval;

use super::{Diagnosed, Figures, profile};
use crate::table::{Align, Table};
use crate::wrap::{paragraph, section};

/// One file, in lines of `width` letters.
pub(super) fn diagnosed(of: &Diagnosed, width: usize) -> String {
    let bold = anstyle::Style::new().bold();
    let mut text = format!("{bold}{}{bold:#}\n", of.file);
    paragraph(&mut text, width, "  ", &of.about);
    if of.findings.is_empty() {
        let nothing = match of.figures {
            Figures::Ranks(_) => "None of these ranks clearly holds the others up.",
            _ => "Nothing is wrong that this file would show.",
        };
        paragraph(&mut text, width, "  ", nothing);
    }
    for finding in &of.findings {
        self::finding(finding, width, &mut text);
    }
    match &of.figures {
        Figures::Kineto(breakdown) => profile::tables(breakdown, width, &mut text),
        Figures::Ranks(ranks) => profile::ranks(ranks, width, &mut text),
        Figures::Pipeline(whatif) => slowdowns(whatif, &mut text),
        Figures::Devices(list) => devices(list, width, &mut text),
        Figures::Steps(_) | Figures::Hang(_) | Figures::KernelLog(_) => {}
    }
    text
}

/// What is wrong, why, what to do, and what that is worth.
pub(crate) fn finding(of: &Finding, width: usize, text: &mut String) {
    section(text, &of.verdict);
    paragraph(text, width, "  ", &standing(of));
    section(text, "  Why");
    evidence(&of.evidence, width, text);
    if !of.advice.is_empty() {
        section(text, "  What to do");
        for sentence in &of.advice {
            paragraph(text, width, "    ", sentence);
        }
    }
    if let Some(speedup) = of.speedup {
        section(text, "  What that is worth");
        paragraph(text, width, "    ", &worth(speedup));
    }
}

/// Where, since when, how sure.
pub(super) fn standing(of: &Finding) -> String {
    let mut parts: Vec<String> =
        of.places.iter().map(|place| format!("{} {}", place.kind.replace('_', " "), place.name)).collect();
    match of.since {
        Some(Since::Step(step)) => parts.push(format!("since step {step}")),
        Some(Since::Seconds(seconds)) => parts.push(format!("since second {seconds:.1}")),
        Some(Since::Time(at)) => parts.push(format!("since {at}")),
        None => {}
    }
    parts.push(
        match of.confidence {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
        .to_owned(),
    );
    format!("{}. Rule: {}.", parts.join(", "), of.rule)
}

fn evidence(of: &[Evidence], width: usize, text: &mut String) {
    for evidence in of {
        let figure = |value| format!("{} {}", figure(value), evidence.unit).trim_end().to_owned();
        let beside = evidence.beside.as_ref();
        let beside = beside.map_or_else(String::new, |beside| format!("; {}: {}", beside.what, figure(beside.value)));
        paragraph(text, width, "    ", &format!("- {}: {}{beside}", evidence.what, figure(evidence.value)));
    }
}

/// What it is worth, in a sentence.
pub(crate) fn worth(speedup: Interval) -> String {
    let range = speedup.range(figure).map_or_else(String::new, |range| format!(" ({range})"));
    format!("Steps would be {} times as fast without it{range}.", figure(speedup.value))
}

/// What came of it when it was over, beside what was promised.
pub(crate) fn realised(finding: &Finding) -> Option<String> {
    let realised = figure(finding.realised?);
    let promised = finding.speedup.map(|promised| {
        format!("; {} times was promised", promised.range(figure).unwrap_or_else(|| figure(promised.value)))
    });
    Some(format!("When it was over, steps became {realised} times as fast{}.", promised.unwrap_or_default()))
}

/// How devices are.
fn devices(list: &[Device], width: usize, text: &mut String) {
    if list.is_empty() {
        return;
    }
    section(text, "How they are");
    let mut table = Table::new([
        ("device", Align::Left),
        ("model", Align::Left),
        ("busy", Align::Right),
        ("memory, GB", Align::Right),
        ("power, W", Align::Right),
        ("°C", Align::Right),
        ("MHz", Align::Right),
        ("link", Align::Right),
    ]);
    let known = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), |value| format!("{value:.0}"));
    for device in list {
        let gb = |bytes: Option<f64>| bytes.map_or_else(|| "?".to_owned(), |bytes| format!("{:.1}", bytes / 1e9));
        let lanes = |lanes: Option<u64>| lanes.map_or_else(|| "?".to_owned(), |lanes| format!("x{lanes}"));
        table.row([
            device.name.clone(),
            device.model.clone().unwrap_or_default(),
            device.busy_percent.map_or_else(|| "?".to_owned(), |busy| format!("{busy:.0} %")),
            format!("{} of {}", gb(device.memory_used_bytes), gb(device.memory_bytes)),
            format!("{} of {}", known(device.power_watts), known(device.power_limit_watts)),
            known(device.temperature_c),
            format!("{} of {}", known(device.clock_mhz), known(device.clock_max_mhz)),
            lanes(device.link_width),
        ]);
    }
    for line in table.within(width.saturating_sub(2)).lines() {
        let _ = writeln!(text, "  {line}");
    }
    paragraph(text, width, "    ", "?: the tool does not tell.");
}

/// The parts that each rank, stage and kind would cause alone: those that cause most.
fn slowdowns(of: &WhatIf, text: &mut String) {
    section(text, "How much longer steps take for each part");
    let mut table = Table::new([("as recorded", Align::Left), ("times", Align::Right)]);
    table.row(["everything".to_owned(), figure(of.slowdown)]);
    for (name, slowdown) in worst(&of.by_dp_rank, |rank| format!("data-parallel rank {rank}")) {
        table.row([name, figure(slowdown)]);
    }
    for (name, slowdown) in worst(&of.by_stage, |stage| format!("stage {stage}")) {
        table.row([name, figure(slowdown)]);
    }
    for (name, slowdown) in worst(&of.by_kind, |kind| (*kind).to_owned()) {
        table.row([name, figure(slowdown)]);
    }
    indented(&table, text);
}

fn worst<T>(parts: &[Part<T>], name: impl Fn(&T) -> String) -> Vec<(String, f64)> {
    const SHOWN: usize = 3;
    let mut sorted: Vec<(String, f64)> = parts.iter().map(|part| (name(&part.of), part.slowdown)).collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    sorted.truncate(SHOWN);
    sorted
}

pub(super) fn indented(table: &Table, text: &mut String) {
    for line in table.to_string().lines() {
        let _ = writeln!(text, "    {line}");
    }
}

/// Four significant digits, no more than three decimals; whole numbers whole.
pub(super) fn figure(value: f64) -> String {
    if value.fract().abs() < 0.000_5 {
        return format!("{:.0}", value.round().abs().copysign(if value <= -0.5 { -1.0 } else { 1.0 }));
    }
    let magnitude = value.abs().log10().floor();
    let decimals = (3.0 - magnitude).clamp(0.0, 3.0) as usize;
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_four_digits() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.000_01, "0"),
            (2.0, "2"),
            (-3.0, "-3"),
            (0.546_2, "0.546"),
            (46.336, "46.34"),
            (12_345.6, "12346"),
            (-1.234_56, "-1.235"),
        ] {
            assert_eq!(figure(value), expected);
        }
    }
}

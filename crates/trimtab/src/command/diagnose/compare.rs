//! Two records of the same work: what takes longer than before, part by part.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use ::diagnose::compare::{self, Comparison, Part};
use serde::Serialize;

use super::read::{self, Asked};
use super::words::figure;
use super::{Diagnosed, Figures, Record, told};
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::printed::print;
use crate::table::{Align, Table};
use crate::wrap::{self, paragraph, section};

/// So many parts are shown; JSON has more.
const PARTS_SHOWN: usize = 12;
/// So many figures are shown that are no parts.
const FIGURES_SHOWN: usize = 8;

/// Both files, and what came of it.
#[derive(Serialize)]
struct Answer {
    version: u32,
    /// Before, and after.
    files: [Diagnosed; 2],
    verdict: String,
    comparison: Comparison,
}

pub(super) fn run(before: &Path, files: &[PathBuf], format: Format, global: Global) -> Outcome {
    let [after] = files else {
        return Err(Failure::input("--against holds one record against one before: name one file beside it"));
    };
    let files = [one(before, global)?, one(after, global)?];
    files.iter().for_each(|file| told(&file.left_out));
    let comparison = compared(&files[0], &files[1])?;
    print(&match format {
        Format::Text => text(&files, &comparison, wrap::width()),
        Format::Json => {
            let verdict = comparison.verdict();
            let answer = Answer { version: 1, files, verdict, comparison };
            serde_json::to_string_pretty(&answer).expect("a comparison is plain data") + "\n"
        }
    })
}

/// The one file that is there.
fn one(path: &Path, global: Global) -> Outcome<Diagnosed> {
    if path.is_dir() {
        return Err(Failure::input(format!(
            "{}: it is a folder; --against takes a file and a file before it",
            path.display()
        )));
    }
    let paths = [path.to_owned()];
    let read = read::read(&paths, Asked { records: true, ..Asked::default() }, global);
    match (read.failures.into_iter().next(), read.diagnosed.into_iter().next()) {
        (Some(failure), _) => Err(failure),
        (None, Some(diagnosed)) => Ok(diagnosed),
        (None, None) => Err(Failure::input(format!("{}: it holds nothing that is read", path.display()))),
    }
}

fn compared(before: &Diagnosed, after: &Diagnosed) -> Outcome<Comparison> {
    let unfit = |reason: String| Failure::input(format!("{} and {}: {reason}", before.file, after.file));
    match ((&before.figures, &before.record), (&after.figures, &after.record)) {
        (
            (Figures::Kineto(was), Some(Record::Kineto(names_before))),
            (Figures::Kineto(is), Some(Record::Kineto(names_after))),
        ) => Ok(compare::of_profiles((was, names_before), (is, names_after))),
        (
            (Figures::Pipeline(was), Some(Record::Pipeline(trace_before))),
            (Figures::Pipeline(is), Some(Record::Pipeline(trace_after))),
        ) => compare::of_pipelines((trace_before, was), (trace_after, is)).map_err(unfit),
        ((_, Some(Record::Steps(was))), (_, Some(Record::Steps(is)))) => compare::of_steps(was, is).map_err(unfit),
        ((_, Some(_)), (_, Some(_))) => {
            Err(unfit(format!("one is {}, the other {}; both must be of one kind", before.kind, after.kind)))
        }
        _ => Err(unfit(
            "profiler traces, pipeline operations and step times are held against each other; other kinds are not"
                .to_owned(),
        )),
    }
}

fn text(files: &[Diagnosed; 2], of: &Comparison, width: usize) -> String {
    let bold = anstyle::Style::new().bold();
    let mut text = String::new();
    for (file, when) in files.iter().zip(["before", "after"]) {
        let _ = writeln!(text, "{bold}{}{bold:#} ({when})", file.file);
        paragraph(&mut text, width, "  ", &file.about);
    }
    section(&mut text, &of.verdict());
    let signed = |value: f64| format!("{}{}", if value > 0.0 { "+" } else { "" }, of.length(value));
    let share =
        |part: &Part| part.share.map_or_else(String::new, |share| format!("{} %", figure((100.0 * share).round())));
    let known = |value: Option<f64>| value.map_or_else(String::new, |value| of.length(value));
    section(&mut text, &format!("What a {} is made of", of.of));
    let mut table = Table::new([
        ("part", Align::Left),
        ("before", Align::Right),
        ("after", Align::Right),
        ("difference", Align::Right),
        ("share of it", Align::Right),
    ]);
    let whole = [of.length(of.before), of.length(of.after), signed(of.difference()), String::new()];
    let [before, after, difference, _] = whole;
    table.row(["all".to_owned(), before, after, difference, String::new()]);
    for group in &of.groups {
        let difference = signed(group.difference);
        table.row([group.name.clone(), known(group.before), known(group.after), difference, share(group)]);
    }
    lines(table, width, &mut text);
    section(&mut text, "What makes the difference");
    let mut table = Table::new([
        ("part", Align::Left),
        ("difference", Align::Right),
        ("share of it", Align::Right),
        ("by calls", Align::Right),
        ("by length", Align::Right),
    ]);
    for part in of.parts.iter().take(PARTS_SHOWN) {
        let by =
            |of: fn(&compare::Calls) -> f64| part.calls.as_ref().map_or_else(String::new, |calls| signed(of(calls)));
        let [by_count, by_length] = [by(|calls| calls.by_count), by(|calls| calls.by_length)];
        table.row([part.name.clone(), signed(part.difference), share(part), by_count, by_length]);
    }
    lines(table.without_empty_columns(), width, &mut text);
    let more = of.parts.len().saturating_sub(PARTS_SHOWN);
    if more > 0 {
        let rest: f64 = of.parts[PARTS_SHOWN..].iter().map(|part| part.difference).sum();
        paragraph(
            &mut text,
            width,
            "    ",
            &format!("And {more} more, {} together; --format json has them.", signed(rest)),
        );
    }
    if !of.beside.is_empty() {
        section(&mut text, "What else changed");
        let mut table = Table::new([("figure", Align::Left), ("before", Align::Right), ("after", Align::Right)]);
        for beside in of.beside.iter().take(FIGURES_SHOWN) {
            let figure = |value| format!("{} {}", figure(value), beside.unit).trim_end().to_owned();
            table.row([beside.name.clone(), figure(beside.before), figure(beside.after)]);
        }
        lines(table, width, &mut text);
    }
    section(&mut text, "How this was worked out");
    for note in &of.notes {
        paragraph(&mut text, width, "  ", note);
    }
    text
}

fn lines(table: Table, width: usize, text: &mut String) {
    for line in table.within(width.saturating_sub(2)).lines() {
        let _ = writeln!(text, "  {line}");
    }
}

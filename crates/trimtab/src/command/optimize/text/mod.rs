//! The report for people, in a terminal.

mod hours;
mod recommendations;
mod short;

use std::fmt::Write;

use advise::report::Report;
use connect::import::Report as Imported;
use fleet::money::grouped;
use replay::fidelity::{Match, Verdict};

use crate::table::{Align, Table};
use crate::wrap::{paragraph, section};

pub(super) use recommendations::{better_for, freed, grouped_reasons};
pub(super) use short::{percent, sentences as in_short};

/// What a slowdown is, wherever one is shown.
pub(in crate::command) const SLOWDOWN: &str =
    "slowdown: wait and run together over the run, with runs below 10 minutes counted as 10; the mean.";

/// The report as text, in lines of `width` letters.
pub(crate) fn render(report: &Report, imported: &Imported, width: usize) -> String {
    let mut text = String::new();
    about(&mut text, report, imported, width);
    section(&mut text, "In short");
    for sentence in in_short(report) {
        paragraph(&mut text, width, "  ", &format!("- {sentence}"));
    }
    fidelity(&mut text, report, width);
    hours::section(&mut text, report, width);
    waits(&mut text, report, width);
    recommendations::section(&mut text, report, width);
    recommendations::withheld(&mut text, report, width);
    section(&mut text, "Good to know");
    for note in &report.notes {
        paragraph(&mut text, width, "  ", &format!("- {note}"));
    }
    text
}

fn about(text: &mut String, report: &Report, imported: &Imported, width: usize) {
    let about = &report.history;
    let bold = anstyle::Style::new().bold();
    if about.synthetic {
        let _ = writeln!(text, "{bold}This history is made up: a generator wrote it, no fleet ran it.{bold:#}\n");
    }
    let nodes = about.nodes.iter().map(|(name, count)| format!("{} {name}", grouped(*count as i64)));
    let _ = writeln!(
        text,
        "{bold}{} workloads{bold:#} from {} to {} on {} {}",
        grouped(about.workloads as i64),
        &about.from.to_string()[..10],
        &about.until.to_string()[..10],
        grouped(about.capacity as i64),
        about.unit,
    );
    paragraph(text, width, "  ", &format!("nodes {}", nodes.collect::<Vec<_>>().join(", ")));
    let words = format!("source {}, history {}, engine {}", about.source, about.hash, report.baseline.engine);
    paragraph(text, width, "  ", &words);
    if about.rows_left_out > 0 {
        let kept = imported.problems.kept();
        let which = if kept.is_empty() { "the import told which" } else { "the first:" };
        let words = format!("{} rows of the log could not be read; {which}", grouped(about.rows_left_out as i64));
        paragraph(text, width, "  ", &words);
        for problem in kept.iter().take(3) {
            paragraph(text, width, "    ", &problem.to_string());
        }
    }
}

fn fidelity(text: &mut String, report: &Report, width: usize) {
    section(text, "Can the replay be trusted?");
    let all = &report.fidelity.all;
    paragraph(text, width, "  ", &sentence(all));
    let queues: Vec<&Match> = report.fidelity.queues.iter().filter(|queue| queue.count > 0).collect();
    if queues.len() > 1 {
        let mut table = Table::new([
            ("mean wait", Align::Left),
            ("workloads", Align::Right),
            ("recorded", Align::Right),
            ("replayed", Align::Right),
            ("starts off by", Align::Right),
            ("", Align::Left),
        ]);
        for queue in queues {
            let verdict = if queue.verdict == Verdict::Reproduced { "reproduced" } else { "NOT reproduced" };
            table.row([
                queue.name.clone(),
                grouped(queue.count as i64),
                seconds(queue.recorded_wait_s),
                seconds(queue.replayed_wait_s),
                seconds(queue.start_error_s.p50),
                verdict.to_owned(),
            ]);
        }
        text.push_str(&table.within(width));
        paragraph(text, width, "  ", "starts off by: the median, without sign.");
    }
}

pub(in crate::command) fn sentence(all: &Match) -> String {
    match all.verdict {
        Verdict::NotRecorded => {
            "Unknown: the source records no starts, so there is nothing to compare with. All waits below are the replay's."
                .to_owned()
        }
        Verdict::Reproduced => format!(
            "Yes: it starts half of the workloads within {} of the record, and its mean wait is {} where {} was recorded.",
            seconds(all.start_error_s.p50),
            seconds(all.replayed_wait_s),
            seconds(all.recorded_wait_s)
        ),
        Verdict::NotReproduced => format!(
            "No: its mean wait is {} where {} was recorded, and half of the workloads start within {} of the record. What hangs on \
             waits is withheld.",
            seconds(all.replayed_wait_s),
            seconds(all.recorded_wait_s),
            seconds(all.start_error_s.p50)
        ),
    }
}

fn waits(text: &mut String, report: &Report, width: usize) {
    let recorded = if report.baseline.policy_recorded { "" } else { " (assumed)" };
    section(text, &format!("Waits under `{}`{recorded}, replayed", report.baseline.policy));
    let mut table = Table::new([
        ("queue", Align::Left),
        ("workloads", Align::Right),
        ("mean wait", Align::Right),
        ("p95", Align::Right),
        ("p99", Align::Right),
        ("longest", Align::Right),
        ("slowdown", Align::Right),
    ]);
    let mut queues: Vec<_> = report.baseline.waits.queues.iter().collect();
    queues.sort_by(|a, b| b.wait_s.mean.total_cmp(&a.wait_s.mean));
    for group in std::iter::once(&report.baseline.waits.all).chain(queues) {
        table.row([
            group.name.clone(),
            grouped(group.wait_s.count as i64),
            seconds(group.wait_s.mean),
            seconds(group.wait_s.p95),
            seconds(group.wait_s.p99),
            seconds(group.wait_s.max),
            format!("{:.2}", group.slowdown.mean),
        ]);
    }
    text.push_str(&table.within(width));
    paragraph(text, width, "  ", &format!("p95: 95 of 100 wait no longer. {SLOWDOWN}"));
}

pub(in crate::command) fn seconds(value: f64) -> String {
    advise::ground::seconds(value)
}

pub(in crate::command) fn signed(value: f64) -> String {
    advise::ground::signed(value)
}

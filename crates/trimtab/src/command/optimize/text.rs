//! The report for people, in a terminal.

use std::fmt::Write;

use advise::report::Report;
use connect::import::Report as Imported;
use fleet::money::grouped;
use fleet::recommendation::{Interval, Recommendation, Step};
use replay::fidelity::{Match, Verdict};

use crate::table::{Align, Table};

/// The report as text.
pub(crate) fn render(report: &Report, imported: &Imported) -> String {
    let mut text = String::new();
    about(&mut text, report, imported);
    fidelity(&mut text, report);
    hours(&mut text, report);
    waits(&mut text, report);
    recommendations(&mut text, report);
    withheld(&mut text, report);
    section(&mut text, "Good to know");
    for note in &report.notes {
        paragraph(&mut text, "  ", &format!("- {note}"));
    }
    text
}

fn about(text: &mut String, report: &Report, imported: &Imported) {
    let about = &report.history;
    let bold = anstyle::Style::new().bold();
    if about.synthetic {
        let _ = writeln!(text, "{bold}This history is made up: a generator wrote it, no fleet ran it.{bold:#}\n");
    }
    let nodes = about.nodes.iter().map(|(name, count)| format!("{} {name}", grouped(*count as i64)));
    let _ = writeln!(
        text,
        "{bold}{} workloads{bold:#} from {} to {} on {} {} ({})",
        grouped(about.workloads as i64),
        &about.from.to_string()[..10],
        &about.until.to_string()[..10],
        grouped(about.capacity as i64),
        about.unit,
        nodes.collect::<Vec<_>>().join(", "),
    );
    let _ = writeln!(text, "  source {}, history {}, engine {}", about.source, about.hash, report.baseline.engine);
    if about.rows_left_out > 0 {
        let _ = writeln!(text, "  {} rows could not be read; the first: ", grouped(about.rows_left_out as i64));
        for problem in imported.problems.kept().iter().take(3) {
            let _ = writeln!(text, "    {problem}");
        }
    }
}

fn fidelity(text: &mut String, report: &Report) {
    section(text, "Can the replay be trusted?");
    let all = &report.fidelity.all;
    paragraph(text, "  ", &sentence(all));
    let queues: Vec<&Match> = report.fidelity.queues.iter().filter(|queue| queue.count > 0).collect();
    if queues.len() > 1 {
        let mut table = Table::new([
            ("queue", Align::Left),
            ("workloads", Align::Right),
            ("recorded wait", Align::Right),
            ("replayed wait", Align::Right),
            ("start off by (median)", Align::Right),
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
        let _ = write!(text, "{table}");
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
            "No: its mean wait is {} where {} was recorded. What hangs on waits is withheld.",
            seconds(all.replayed_wait_s),
            seconds(all.recorded_wait_s)
        ),
    }
}

fn hours(text: &mut String, report: &Report) {
    section(text, "Where the hours went");
    let account = &report.account;
    if let Some(words) = account.basis_words {
        paragraph(text, "  ", &format!("({words})"));
    }
    if let Some(capacity) = &account.capacity {
        let mut table = Table::new([
            ("", Align::Left),
            (capacity.unit, Align::Right),
            ("share", Align::Right),
            ("", Align::Left),
            ("cost", Align::Right),
        ]);
        let mut parts: Vec<_> = capacity.parts.iter().filter(|part| !part.hours.is_zero()).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.hours));
        for part in parts {
            let share = part.hours.share_of(capacity.capacity_hours);
            let words = part.part.words();
            table.row([
                words.trim_start_matches("were ").to_owned(),
                part.hours.to_string(),
                format!("{:.1} %", share * 100.0),
                "█".repeat((share * 24.0).round() as usize),
                part.cost.map_or_else(String::new, |cost| cost.to_string()),
            ]);
        }
        table.row([
            "all there was".to_owned(),
            capacity.capacity_hours.to_string(),
            "100 %".to_owned(),
            String::new(),
            capacity.cost.map_or_else(String::new, |cost| cost.to_string()),
        ]);
        let _ = write!(text, "{table}");
    }
    for unused in &account.unused {
        paragraph(text, "  ", &format!("- {}", unused.words()));
    }
    if let Some(limits) = account.limits.words(account.unit) {
        paragraph(text, "  ", &format!("- {limits}"));
    }
}

fn waits(text: &mut String, report: &Report) {
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
    let _ = write!(text, "{table}");
}

fn recommendations(text: &mut String, report: &Report) {
    section(text, "What to do");
    if report.recommendations.is_empty() {
        let _ = writeln!(text, "  Nothing that was tried would help; see below what that was.");
    }
    let bold = anstyle::Style::new().bold();
    for (index, recommendation) in report.recommendations.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        let _ = writeln!(text, "  {bold}{}. {}{bold:#}   [{}]", index + 1, recommendation.title, recommendation.id);
        one(text, recommendation, &report.history.unit);
    }
}

fn one(text: &mut String, recommendation: &Recommendation, unit: &str) {
    for reason in &recommendation.because {
        paragraph(text, "     ", reason);
    }
    let effect = &recommendation.effect;
    if let Some(wait) = effect.wait_s {
        let line = format!(
            "effect: mean wait {} (90 % sure: {} to {}); {} wait less, {} more",
            signed(wait.value),
            signed(wait.low),
            signed(wait.high),
            grouped(effect.better as i64),
            grouped(effect.worse as i64)
        );
        paragraph(text, "     ", &line);
    }
    let worth = &recommendation.worth;
    if let Some(cash) = worth.cash_saved_per_month {
        let _ = writeln!(text, "     cash saved: {} a month", cash.low);
    }
    if let Some(price) = worth.purchase_avoided_per_hour {
        let _ = writeln!(text, "     purchase avoided: {price} an hour");
    }
    if let Some(Interval { value, .. }) = worth.capacity_freed_hours_per_month {
        let unit = unit.trim_end_matches('s');
        let _ = writeln!(text, "     capacity freed: {} {unit}-hours a month", grouped(value as i64));
    }
    for worse in &recommendation.worse_for {
        paragraph(text, "     ", &format!("worse: {worse}"));
    }
    for risk in &recommendation.risks {
        paragraph(text, "     ", &format!("risk: {risk}"));
    }
    steps(text, "change", &recommendation.change);
    steps(text, "undo", &recommendation.undo);
    let proof = &recommendation.proof;
    let _ = writeln!(text, "     proof: scenario {} against {}:", proof.candidate, proof.baseline);
    let _ = writeln!(text, "       {}", proof.command);
}

fn steps(text: &mut String, what: &str, steps: &[Step]) {
    for step in steps {
        let _ = writeln!(text, "     {what} ({}):", step.system);
        for line in step.text.lines().take(LINES_MAX) {
            let _ = writeln!(text, "       {line}");
        }
        let more = step.text.lines().count().saturating_sub(LINES_MAX);
        if more > 0 {
            let _ = writeln!(text, "       … and {more} lines more (--format json has them all)");
        }
    }
}

/// A change longer than this is cut in a terminal.
const LINES_MAX: usize = 9;

fn withheld(text: &mut String, report: &Report) {
    if report.withheld.is_empty() {
        return;
    }
    section(text, "Looked at and not recommended");
    for (reason, titles) in grouped_reasons(report) {
        for title in &titles {
            paragraph(text, "  ", &format!("- {title}"));
        }
        paragraph(text, "    ", &format!("because {reason}"));
    }
}

/// What was withheld, by reason: many have one in common, and it is told once.
pub(super) fn grouped_reasons(report: &Report) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for withheld in &report.withheld {
        match reasons.iter_mut().find(|(reason, _)| *reason == withheld.reason) {
            Some((_, titles)) => titles.push(&withheld.title),
            None => reasons.push((&withheld.reason, vec![&withheld.title])),
        }
    }
    reasons
}

fn section(text: &mut String, title: &str) {
    let bold = anstyle::Style::new().bold();
    let _ = writeln!(text, "\n{bold}{title}{bold:#}");
}

/// Words set to lines of at most 100 letters, each behind `indent`.
fn paragraph(text: &mut String, indent: &str, words: &str) {
    const WIDTH: usize = 100;
    let hanging = if words.starts_with("- ") { "  " } else { "" };
    let mut line = indent.to_owned();
    let mut empty = true;
    for word in words.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = format!("{indent}{hanging}");
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(text, "{line}");
}

pub(in crate::command) fn seconds(value: f64) -> String {
    advise::ground::seconds(value)
}

pub(in crate::command) fn signed(value: f64) -> String {
    if value > 0.0 { format!("+{}", seconds(value)) } else { seconds(value) }
}

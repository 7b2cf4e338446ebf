//! `trimtab replay`: a history lived again, as it was and with something different.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use advise::ground::seconds;
use clap::{Args, ValueEnum};
use connect::file::Output;
use fleet::money::grouped;
use fleet::policy::{Order, Policy};
use replay::fidelity::{Fidelity, fidelity};
use replay::history::History;
use replay::measure::{Difference, Group, Waits, compare, waits};
use replay::outcome::Outcome as Lived;
use replay::scenario::{Change, Limit, Scenario, Who};
use replay::setup::Setup;
use serde::Serialize;

use super::optimize::{Format, text};
use crate::cli::Global;
use crate::failure::{Failure, Outcome};
use crate::opened::{Opened, Source};
use crate::progress;
use crate::table::{Align, Table};

/// Replay a history, as it was and with something different, and compare the two
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// What is different: a scenario file (TOML or JSON), or JSON in braces
    #[arg(long, value_name = "SCENARIO", value_parser = crate::length::scenario)]
    scenario: Option<Scenario>,
    /// What the baseline changes about the record, likewise
    #[arg(long, value_name = "SCENARIO", value_parser = crate::length::scenario)]
    baseline: Option<Scenario>,
    /// The order in which workloads start, in the scenario
    #[arg(long, value_enum)]
    policy: Option<PolicyName>,
    /// Every queue's quota is its share of the recorded hours, in both
    #[arg(long)]
    quota_by_use: bool,
    /// Every time limit is the true run time, in both: what perfect knowledge would ask for
    #[arg(long)]
    true_limits: bool,
    /// The seed of everything drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write when and where everything ran (in the scenario, or else the baseline) as CSV; docs/STARTS.md has the columns
    #[arg(long, value_name = "FILE")]
    starts: Option<PathBuf>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// The policies by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PolicyName {
    /// As they came.
    Fifo,
    /// EASY backfill with the time limits asked for.
    Backfill,
    /// Trimtab's own.
    Trimtab,
}

const EXAMPLES: &str = "\
Examples:
  trimtab replay gaia.zst
  trimtab replay --example --policy trimtab
  trimtab replay philly.csv --fleet fleet.toml --quota-by-use --policy trimtab --starts starts.csv
  trimtab replay gaia.zst --scenario '{\"change\":[{\"what\":\"nodes\",\"group\":\"13-core\",\"count\":100}]}'

Without a scenario the baseline alone is replayed and held against the record.";

/// What is printed for programs.
#[derive(Serialize)]
struct Result<'a> {
    history: &'a str,
    seed: u64,
    fidelity: &'a Fidelity,
    baseline: Side<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<Side<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<&'a Difference>,
    queues: &'a [Difference],
}

/// One of the two replays.
#[derive(Serialize)]
struct Side<'a> {
    id: String,
    changes: &'a Scenario,
    waits: &'a Waits,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let opened = arguments.source.open(global)?;
    let history = &opened.history;
    let baseline = arguments.baseline();
    let scenario = arguments.scenario(history, &baseline);
    let line = progress::Line::show(global, || "replaying".to_owned());
    let before = live(&opened, &baseline, arguments.seed)?;
    let after = scenario.as_ref().map(|scenario| live(&opened, scenario, arguments.seed)).transpose()?;
    drop(line);
    if let Some(path) = &arguments.starts {
        let (scenario, outcome) = match (&scenario, &after) {
            (Some(scenario), Some(after)) => (scenario, after),
            _ => (&baseline, &before),
        };
        write_starts(path, history, scenario, outcome)?;
    }
    let fidelity = fidelity(history, &before);
    let waits_before = waits(history, &before);
    let waits_after = after.as_ref().map(|after| waits(history, after));
    let compared = after.as_ref().map(|after| compare(history, &before, after, arguments.seed));
    let printed = match arguments.format {
        Format::Text => render(&fidelity, &waits_before, waits_after.as_ref(), compared.as_ref()),
        Format::Json => {
            let side = |changes, waits| Side { id: Scenario::id(changes), changes, waits };
            let result = Result {
                history: &opened.hash,
                seed: arguments.seed,
                fidelity: &fidelity,
                baseline: side(&baseline, &waits_before),
                scenario: scenario.as_ref().zip(waits_after.as_ref()).map(|(changes, waits)| side(changes, waits)),
                difference: compared.as_ref().map(|(all, _)| all),
                queues: compared.as_ref().map_or(&[], |(_, queues)| queues),
            };
            serde_json::to_string_pretty(&result).expect("a result is plain data") + "\n"
        }
    };
    crate::printed::print(&printed)
}

impl Arguments {
    fn baseline(&self) -> Scenario {
        let mut baseline = self.baseline.clone().unwrap_or_default();
        if self.quota_by_use {
            baseline = baseline.with(Change::QuotaByUse);
        }
        if self.true_limits {
            baseline = baseline.with(Change::TimeLimit { who: Who::default(), limit: Limit::TrueRun });
        }
        baseline
    }

    fn scenario(&self, history: &History, baseline: &Scenario) -> Option<Scenario> {
        // A proof names both scenarios whole; a scenario of one's own goes on top of the baseline's flags.
        let flags =
            Scenario { changes: baseline.changes[self.baseline.as_ref().map_or(0, |b| b.changes.len())..].to_vec() };
        let mut scenario = self.scenario.clone();
        if let Some(name) = self.policy {
            let order = match name {
                PolicyName::Fifo => Order::Fifo,
                PolicyName::Backfill => Order::Backfill,
                PolicyName::Trimtab => Order::Trimtab,
            };
            let policy = Policy { order, ..history.policy.clone().unwrap_or_default() };
            scenario = Some(
                scenario.unwrap_or_else(|| self.baseline.clone().unwrap_or_default()).with(Change::Policy { policy }),
            );
        }
        let mut scenario = scenario?;
        scenario.changes.extend(flags.changes);
        Some(scenario)
    }
}

fn live(opened: &Opened, scenario: &Scenario, seed: u64) -> Outcome<Lived> {
    Ok(replay::run(&setup(&opened.history, scenario)?, seed))
}

fn setup<'a>(history: &'a History, scenario: &Scenario) -> Outcome<Setup<'a>> {
    Setup::new(history, scenario).map_err(|unfit| Failure::input(format!("cannot apply the scenario: {unfit}")))
}

fn write_starts(path: &Path, history: &History, scenario: &Scenario, outcome: &Lived) -> Outcome {
    let setup = setup(history, scenario)?;
    let written = Output::create(path).and_then(|output| {
        let mut buffered = BufWriter::new(output);
        replay::starts::write(&setup, outcome, &mut buffered)?;
        buffered.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()
    });
    written.map_err(|error| Failure::writing(path.display(), &error))
}

fn render(
    fidelity: &Fidelity,
    before: &Waits,
    after: Option<&Waits>,
    compared: Option<&(Difference, Vec<Difference>)>,
) -> String {
    let mut out = format!("Can the replay be trusted?\n  {}\n\n", text::sentence(&fidelity.all));
    let mut table = Table::new([
        ("", Align::Left),
        ("queue", Align::Left),
        ("workloads", Align::Right),
        ("mean wait", Align::Right),
        ("p50", Align::Right),
        ("p95", Align::Right),
        ("p99", Align::Right),
        ("slowdown", Align::Right),
    ]);
    let mut row = |which: &str, group: &Group| {
        table.row([
            which.to_owned(),
            group.name.clone(),
            grouped(group.wait_s.count as i64),
            seconds(group.wait_s.mean),
            seconds(group.wait_s.p50),
            seconds(group.wait_s.p95),
            seconds(group.wait_s.p99),
            format!("{:.2}", group.slowdown.mean),
        ]);
    };
    let groups = |waits: &Waits| -> Vec<Group> { std::iter::once(&waits.all).chain(&waits.queues).cloned().collect() };
    for group in groups(before) {
        row("baseline", &group);
        if let Some(same) = after.and_then(|after| groups(after).into_iter().find(|other| other.name == group.name)) {
            row("scenario", &same);
        }
    }
    out.push_str(&table.to_string());
    for (which, waits) in [("baseline", Some(before)), ("scenario", after)] {
        let Some(waits) = waits else { continue };
        out.push_str(&format!("\n{which}: all was done after {}", seconds(waits.makespan_s)));
        if let Some(worst) = waits.worst_queue() {
            out.push_str(&format!("; queue `{}` waited longest", worst.name));
        }
        if let Some(worst) = waits.worst_user() {
            out.push_str(&format!(", of users `{}`", worst.name));
        }
        if waits.never_ran > 0 {
            out.push_str(&format!("; {} workloads never ran", grouped(waits.never_ran as i64)));
        }
    }
    if let Some((all, _)) = compared {
        out.push_str(&format!(
            "\n\ndifference of the mean wait: {} (90 % interval {} to {}); {} workloads wait a minute or more less, {} more",
            text::signed(all.wait_s.value),
            text::signed(all.wait_s.low),
            text::signed(all.wait_s.high),
            grouped(all.better as i64),
            grouped(all.worse as i64)
        ));
    }
    out.push('\n');
    out
}

//! `trimtab replay`: a history lived again, as it was and with something different.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use advise::ground::seconds;
use advise::lived::{self, Lived as Hours};
use advise::waste::{Name, Why};
use clap::{Args, ValueEnum};
use connect::file::Output;
use fleet::money::grouped;
use fleet::policy::{Order, Placement, Policy};
use replay::fidelity::{Fidelity, fidelity};
use replay::history::History;
use replay::measure::{Difference, Group, Waits, compare, waits};
use replay::outcome::Outcome as Lived;
use replay::scenario::{Change, Limit, Scenario, Who};
use replay::setup::Setup;
use serde::Serialize;

use super::optimize::text;
use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::opened::{Opened, Source};
use crate::progress;
use crate::table::{Align, Table, plain};
use crate::wrap::{paragraph, section};

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
    /// How nodes are picked, in the scenario
    #[arg(long, value_enum)]
    placement: Option<PlacementName>,
    /// So many nodes of a kind, in the scenario; may be given more than once
    #[arg(long, value_name = "KIND=COUNT", value_parser = nodes)]
    nodes: Vec<(String, u32)>,
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

/// The placements by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlacementName {
    /// The node with the fewest devices left over.
    #[value(name = "best_fit")]
    BestFit,
    /// As Slurm chooses among neighbouring nodes.
    #[value(name = "neighbours")]
    Neighbours,
    /// The node on which the fewest devices become useless to what usually comes.
    #[value(name = "least_stranded")]
    LeastStranded,
}

/// Reads a kind of nodes and how many.
fn nodes(text: &str) -> std::result::Result<(String, u32), String> {
    let (kind, count) = text.rsplit_once('=').ok_or("expected a kind of nodes and how many, such as gpu=10")?;
    let count = count.parse().map_err(|_| format!("`{count}` is not a whole number of nodes"))?;
    Ok((kind.to_owned(), count))
}

const EXAMPLES: &str = "\
Examples:
  trimtab replay gaia.zst
  trimtab replay --example --policy trimtab
  trimtab replay --example --nodes gpu=10 --placement least_stranded
  trimtab replay philly.csv --fleet fleet.toml --quota-by-use --policy trimtab --starts starts.csv
  trimtab replay gaia.zst --scenario '{\"change\":[{\"what\":\"nodes\",\"group\":\"13-core\",\"count\":100}]}'

A scenario file in TOML holds the same:
  [[change]]
  what = \"nodes\"
  group = \"13-core\"
  count = 100

docs/SCENARIOS.md lists all changes. Without a scenario the baseline alone is replayed and held against the record.";

/// What is printed for programs.
#[derive(Serialize)]
struct Result<'a> {
    history: &'a str,
    seed: u64,
    engine: &'static str,
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
    hours: &'a Hours,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let opened = arguments.source.open(global)?;
    let history = &opened.history;
    let baseline = arguments.baseline();
    let scenario = arguments.scenario(history, &baseline);
    let line = progress::Line::show(global, || "replaying".to_owned());
    let setup_before = setup(history, &baseline)?;
    let before = replay::run(&setup_before, arguments.seed);
    let after = match &scenario {
        None => None,
        Some(scenario) => {
            let setup = setup(history, scenario)?;
            let lived = replay::run(&setup, arguments.seed);
            Some((scenario, setup, lived))
        }
    };
    if let Some(path) = &arguments.starts {
        let (setup, outcome) = after.as_ref().map_or((&setup_before, &before), |(_, setup, after)| (setup, after));
        write_starts(path, setup, outcome)?;
    }
    let outcomes: Vec<&Lived> = std::iter::once(&before).chain(after.as_ref().map(|(_, _, lived)| lived)).collect();
    let window = lived::window(&setup_before, &outcomes);
    let first =
        Sums { id: baseline.id(), waits: waits(history, &before), hours: lived::lived(&setup_before, &before, window) };
    let second = after.as_ref().map(|(scenario, setup, after)| Sums {
        id: scenario.id(),
        waits: waits(history, after),
        hours: lived::lived(setup, after, window),
    });
    let compared = after.as_ref().map(|(_, _, after)| compare(history, &before, after, arguments.seed));
    let fidelity = fidelity(history, &before);
    drop(line);
    let printed = match arguments.format {
        Format::Text => {
            let compared = second.as_ref().zip(compared.as_ref().map(|(all, _)| all));
            render(&opened, &fidelity, &first, compared, crate::wrap::width())
        }
        Format::Json => {
            fn side<'a>(changes: &'a Scenario, sums: &'a Sums) -> Side<'a> {
                Side { id: sums.id.clone(), changes, waits: &sums.waits, hours: &sums.hours }
            }
            let result = Result {
                history: &opened.hash,
                seed: arguments.seed,
                engine: env!("CARGO_PKG_VERSION"),
                fidelity: &fidelity,
                baseline: side(&baseline, &first),
                scenario: scenario.as_ref().zip(second.as_ref()).map(|(changes, sums)| side(changes, sums)),
                difference: compared.as_ref().map(|(all, _)| all),
                queues: compared.as_ref().map_or(&[], |(_, queues)| queues),
            };
            serde_json::to_string_pretty(&result).expect("a result is plain data") + "\n"
        }
    };
    crate::printed::print(&printed)
}

/// What came of one of the two replays.
struct Sums {
    id: String,
    waits: Waits,
    hours: Hours,
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
        let mut changes: Vec<Change> = Vec::new();
        if self.policy.is_some() || self.placement.is_some() {
            let mut policy = history.policy.clone().unwrap_or_else(|| Policy::new(Order::Backfill));
            if let Some(name) = self.policy {
                policy.order = match name {
                    PolicyName::Fifo => Order::Fifo,
                    PolicyName::Backfill => Order::Backfill,
                    PolicyName::Trimtab => Order::Trimtab,
                };
            }
            if let Some(name) = self.placement {
                policy.placement = match name {
                    PlacementName::BestFit => Placement::BestFit,
                    PlacementName::Neighbours => Placement::Neighbours,
                    PlacementName::LeastStranded => Placement::LeastStranded,
                };
            }
            changes.push(Change::Policy { policy });
        }
        changes.extend(self.nodes.iter().map(|(group, count)| Change::Nodes { group: group.clone(), count: *count }));
        let mut scenario = self.scenario.clone();
        if !changes.is_empty() {
            let begun = scenario.unwrap_or_else(|| self.baseline.clone().unwrap_or_default());
            scenario = Some(changes.into_iter().fold(begun, |scenario, change| scenario.with(change)));
        }
        let mut scenario = scenario?;
        scenario.changes.extend(flags.changes);
        Some(scenario)
    }
}

fn setup<'a>(history: &'a History, scenario: &Scenario) -> Outcome<Setup<'a>> {
    Setup::new(history, scenario).map_err(|unfit| Failure::input(format!("cannot apply the scenario: {unfit}")))
}

fn write_starts(path: &Path, setup: &Setup, outcome: &Lived) -> Outcome {
    let written = Output::create(path).and_then(|output| {
        let mut buffered = BufWriter::new(output);
        replay::starts::write(setup, outcome, &mut buffered)?;
        buffered.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()
    });
    written.map_err(|error| Failure::writing(path.display(), &error))
}

fn render(
    opened: &Opened,
    fidelity: &Fidelity,
    before: &Sums,
    after: Option<(&Sums, &Difference)>,
    width: usize,
) -> String {
    let mut out = String::new();
    if opened.history.header.synthetic {
        out.push_str("This history is made up: a generator wrote it, no fleet ran it.\n\n");
    }
    paragraph(&mut out, width, "", &format!("history {}, baseline scenario {}", opened.hash, before.id));
    if let Some((after, _)) = after {
        paragraph(&mut out, width, "", &format!("against scenario {}", after.id));
    }
    section(&mut out, "Can the replay be trusted?");
    paragraph(&mut out, width, "  ", &text::sentence(&fidelity.all));
    if let Some((_, all)) = after {
        section(&mut out, "What the scenario changes");
        let words = format!(
            "The mean wait changes by {} (90 % sure: {} to {}), the mean slowdown by {:+.2} ({:+.2} to {:+.2}); {} workloads wait a \
             minute or more less, {} more.",
            text::signed(all.wait_s.value),
            text::signed(all.wait_s.low),
            text::signed(all.wait_s.high),
            all.slowdown.value,
            all.slowdown.low,
            all.slowdown.high,
            grouped(all.better as i64),
            grouped(all.worse as i64)
        );
        paragraph(&mut out, width, "  ", &words);
    }
    let after = after.map(|(after, _)| after);
    section(&mut out, "Waits");
    out.push_str(&waits_table(&before.waits, after.map(|after| &after.waits)).within(width));
    paragraph(&mut out, width, "  ", text::SLOWDOWN);
    for (which, waits) in [("baseline", Some(&before.waits)), ("scenario", after.map(|after| &after.waits))] {
        if let Some(waits) = waits {
            paragraph(&mut out, width, "  ", &worst(which, waits));
        }
    }
    section(&mut out, "Hours, over the time from the first submit to the last end");
    out.push_str(&hours_table(before, after).within(width));
    out
}

fn worst(which: &str, waits: &Waits) -> String {
    let mut words = format!("{which}: all was done after {}", seconds(waits.makespan_s));
    if let Some(worst) = waits.worst_queue() {
        words.push_str(&format!("; queue `{}` waited longest on average", plain(&worst.name)));
    }
    if let Some(worst) = waits.worst_user() {
        words.push_str(&format!(", of users `{}`", plain(&worst.name)));
    }
    if waits.never_ran > 0 {
        words.push_str(&format!("; {} workloads never ran", grouped(waits.never_ran as i64)));
    }
    words + "."
}

fn waits_table(before: &Waits, after: Option<&Waits>) -> Table {
    let mut table = Table::new([
        ("queue", Align::Left),
        ("", Align::Left),
        ("workloads", Align::Right),
        ("mean wait", Align::Right),
        ("p50", Align::Right),
        ("p95", Align::Right),
        ("p99", Align::Right),
        ("slowdown", Align::Right),
    ]);
    let groups = |waits: &Waits| -> Vec<Group> { std::iter::once(&waits.all).chain(&waits.queues).cloned().collect() };
    for group in groups(before) {
        let same = after.and_then(|after| groups(after).into_iter().find(|other| other.name == group.name));
        let which = if after.is_some() { "baseline" } else { "" };
        for (name, which, group) in [(group.name.as_str(), which, Some(&group)), ("", "scenario", same.as_ref())] {
            let Some(group) = group else { continue };
            table.row([
                name.to_owned(),
                which.to_owned(),
                grouped(group.wait_s.count as i64),
                seconds(group.wait_s.mean),
                seconds(group.wait_s.p50),
                seconds(group.wait_s.p95),
                seconds(group.wait_s.p99),
                format!("{:.2}", group.slowdown.mean),
            ]);
        }
    }
    table.without_empty_columns()
}

/// What the fleet had and what became of it, in both.
fn hours_table(before: &Sums, after: Option<&Sums>) -> Table {
    let unit = before.hours.capacity.as_ref().map_or("hours", |capacity| capacity.unit);
    let mut table = Table::new([(unit, Align::Left), ("baseline", Align::Right), ("scenario", Align::Right)]);
    let after_words = |of: &dyn Fn(&Hours) -> String| after.map_or_else(String::new, |after| of(&after.hours));
    let mut row = |label: &str, of: &dyn Fn(&Hours) -> String| {
        table.row([label.to_owned(), of(&before.hours), after_words(of)]);
    };
    let part =
        |hours: &Hours, name: Name| hours.capacity.as_ref().map_or_else(String::new, |c| c.hours(name).to_string());
    row("all there was", &|hours| hours.capacity.as_ref().map_or_else(String::new, |c| c.capacity_hours.to_string()));
    row("allocated", &|hours| hours.capacity.as_ref().map_or_else(String::new, |c| c.allocated_hours().to_string()));
    row("idle", &|hours| hours.capacity.as_ref().map_or_else(String::new, |c| c.idle_hours().to_string()));
    for why in Why::ALL {
        row(&format!("  {}", why.label()), &|hours| part(hours, Name::IdleBecause(why)));
    }
    row("on lost nodes", &|hours| part(hours, Name::Lost));
    row("on drained nodes", &|hours| part(hours, Name::Drained));
    row("work done again", &|hours| hours.lost_work_hours.to_string());
    row("cost", &|hours| {
        hours.capacity.as_ref().and_then(|c| c.cost).map_or_else(|| "unknown".to_owned(), |cost| cost.to_string())
    });
    table.without_empty_columns()
}

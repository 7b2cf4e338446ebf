//! `trimtab why`: why a workload waited as long as it did, and what would have started it earlier.

use std::collections::BTreeMap;

use advise::question::{Answer, Question, Replayer};
use allocate::{Engine, Limit, Reason};
use clap::Args;
use fleet::action::Decision;
use fleet::history::QueueRecord;
use fleet::ids::WorkloadId;
use fleet::policy::{Order, Policy};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::history::History;
use replay::scenario::{Change, Limit as TimeLimit, Scenario, Who};
use replay::setup::Setup;
use replay::{Observer, run_observed};
use serde::Serialize;

use super::optimize::Format;
use crate::cli::Global;
use crate::failure::{Failure, Outcome};
use crate::opened::Source;
use crate::progress;
use crate::replayer::Threads;

/// Tell why a workload waited as long as it did, and what would have started it earlier, each checked by a replay
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The workload's id in its source
    #[arg(value_name = "JOB")]
    workload: String,
    #[command(flatten)]
    source: Source,
    /// What the baseline changes about the record: a scenario file, or JSON in braces
    #[arg(long, value_name = "SCENARIO", value_parser = crate::length::scenario)]
    baseline: Option<Scenario>,
    /// The seed of everything drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  trimtab why 4711 gaia.zst
  trimtab why 12345 philly.csv --fleet fleet.toml --format json";

/// The answer.
#[derive(Debug, Serialize)]
struct Why {
    workload: String,
    queue: String,
    eligible: Timestamp,
    /// As recorded, where the source tells.
    recorded_wait_ms: Option<Millis>,
    /// As replayed.
    replayed_wait_ms: Option<Millis>,
    /// What held it, for how long in the replay, longest first.
    held_by: Vec<Held>,
    /// What was tried, and by how much earlier it would have started; most first.
    tried: Vec<Tried>,
}

#[derive(Debug, Serialize)]
struct Held {
    what: &'static str,
    for_ms: Millis,
}

#[derive(Debug, Serialize)]
struct Tried {
    what: String,
    /// Negative: later. Absent: it would never have started.
    earlier_ms: Option<Millis>,
    scenario: Scenario,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let opened = arguments.source.open(global)?;
    let history = &opened.history;
    let Some(index) = history.workloads.iter().position(|recorded| recorded.id == arguments.workload) else {
        return Err(Failure::input(format!(
            "{} has no workload `{}`; its ids look like `{}`",
            opened.name,
            arguments.workload,
            history.workloads.first().map_or("(none)", |recorded| &recorded.id)
        )));
    };
    let line = progress::Line::show(global, || "replaying".to_owned());
    let baseline = arguments.baseline.clone().unwrap_or_default();
    let unfit = |unfit| Failure::input(format!("cannot replay {}: {unfit}", opened.name));
    let setup = Setup::new(history, &baseline).map_err(unfit)?;
    let mut watch = Watch { id: WorkloadId(index as u32), open: None, held: BTreeMap::new() };
    let lived = run_observed(&setup, arguments.seed, &mut watch);
    let start = lived.workloads[index].start();
    let candidates = candidates(history, &setup, index, &baseline);
    let questions: Vec<Question> =
        candidates.iter().map(|(_, scenario)| Question { scenario: scenario.clone(), cap: None }).collect();
    let replayer = Threads::new(history, arguments.seed, std::sync::Arc::default());
    let answers = replayer.answer(&questions).map_err(unfit)?;
    drop(line);
    let mut tried: Vec<Tried> = candidates
        .into_iter()
        .zip(answers)
        .map(|((what, scenario), answer)| {
            let Answer::Done(outcome) = answer else { unreachable!("no cap was set") };
            let then = outcome.workloads[index].start();
            Tried { what, earlier_ms: start.zip(then).map(|(start, then)| start.since(then)), scenario }
        })
        .collect();
    tried.sort_by_key(|tried| std::cmp::Reverse(tried.earlier_ms));
    let mut held_by: Vec<Held> =
        watch.held.into_iter().map(|(reason, for_ms)| Held { what: words(reason), for_ms }).collect();
    held_by.retain(|held| held.for_ms > Millis::ZERO);
    held_by.sort_by_key(|held| std::cmp::Reverse(held.for_ms));
    let recorded = &history.workloads[index];
    let why = Why {
        workload: recorded.id.clone(),
        queue: history.names.queues.name(recorded.workload.queue.index()).to_owned(),
        eligible: lived.workloads[index].eligible,
        recorded_wait_ms: recorded.wait(),
        replayed_wait_ms: lived.workloads[index].wait(),
        held_by,
        tried,
    };
    crate::printed::print(&match arguments.format {
        Format::Text => render(&why),
        Format::Json => serde_json::to_string_pretty(&why).expect("an answer is plain data") + "\n",
    })
}

/// What might have started it earlier: one thing different each.
fn candidates(history: &History, setup: &Setup, index: usize, baseline: &Scenario) -> Vec<(String, Scenario)> {
    let recorded = &history.workloads[index];
    let who = Who { workload: Some(recorded.id.clone()), ..Who::default() };
    let mut all = vec![(
        "a priority above all others in its queue's rank".to_owned(),
        baseline.with(Change::Priority { who: who.clone(), add: 1_000_000 }),
    )];
    if setup.limit(index).is_some_and(|limit| limit > recorded.run()) {
        let limit = TimeLimit::TrueRun;
        all.push(("a time limit no longer than its run".to_owned(), baseline.with(Change::TimeLimit { who, limit })));
    }
    let queue = &setup.queues[recorded.workload.queue.index()];
    let free = QueueRecord {
        limit_milli: None,
        limit_per_user_milli: None,
        limit_running: None,
        limit_running_per_user: None,
        ..queue.clone()
    };
    if free != *queue {
        all.push((format!("no limits on queue `{}`", queue.name), baseline.with(Change::Queue { rules: free })));
    }
    for (group, members) in setup.groups() {
        let more = (members.len() as u32).div_ceil(10);
        let count = members.len() as u32 + more;
        all.push((format!("{more} more nodes of kind {group}"), baseline.with(Change::Nodes { group, count })));
    }
    for order in Order::ALL.into_iter().filter(|&order| order != setup.policy.order) {
        let policy = Policy { order, ..setup.policy.clone() };
        all.push((format!("the order of `{}`", order.name()), baseline.with(Change::Policy { policy })));
    }
    all
}

/// Notes what holds one workload, decision by decision.
struct Watch {
    id: WorkloadId,
    /// What held it since when.
    open: Option<(Reason, Timestamp)>,
    held: BTreeMap<Reason, Millis>,
}

impl Observer for Watch {
    fn decision(&mut self, engine: &Engine, now: Timestamp, _decision: &Decision) {
        let reason = engine.reason(self.id);
        if let Some((reason, since)) = self.open.take() {
            *self.held.entry(reason).or_default() += now.since(since);
        }
        self.open = reason.map(|reason| (reason, now));
    }
}

fn words(reason: Reason) -> &'static str {
    match reason {
        Reason::Limit(Limit::Queue) => "its queue was at its limit",
        Reason::Limit(Limit::QueueRunning) => "its queue ran as many workloads as it may",
        Reason::Limit(Limit::User) => "its user was at the queue's limit per user",
        Reason::Limit(Limit::UserRunning) => "its user ran as many workloads as one may",
        Reason::Impossible => "no node of the fleet could ever take it",
        Reason::TooLittleFree => "less was free than it asks for",
        Reason::Pieces => "enough was free, but in pieces too small or without cores or memory beside it",
        Reason::KeptForOthers => "it would have fitted, but others came first",
    }
}

fn render(why: &Why) -> String {
    let mut text =
        format!("Workload {} of queue `{}` could have started at {}.\n", why.workload, why.queue, why.eligible);
    match (why.recorded_wait_ms, why.replayed_wait_ms) {
        (Some(recorded), Some(replayed)) => {
            text.push_str(&format!("It waited {recorded} as recorded; its replay waits {replayed}.\n"));
        }
        (None, Some(replayed)) => text.push_str(&format!("The source records no wait; its replay waits {replayed}.\n")),
        _ => text.push_str("In its replay it never ran.\n"),
    }
    if why.held_by.is_empty() {
        text.push_str("In the replay nothing held it.\n");
        return text;
    }
    text.push_str("\nWhat held it, in the replay\n");
    for held in &why.held_by {
        text.push_str(&format!("  {:>9}  {}\n", held.for_ms.to_string(), held.what));
    }
    text.push_str("\nWhat would have changed that, each replayed\n");
    for tried in &why.tried {
        let effect = match tried.earlier_ms {
            None => "never starts".to_owned(),
            Some(Millis(0)) => "no change".to_owned(),
            Some(earlier) if earlier.0 > 0 => format!("{earlier} earlier"),
            Some(later) => format!("{} later", Millis(-later.0)),
        };
        text.push_str(&format!("  {effect:>16}  {}\n", tried.what));
    }
    text
}

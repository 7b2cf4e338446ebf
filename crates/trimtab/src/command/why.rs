//! `trimtab why`: why a workload waited as long as it did, and what would have started it earlier.

use std::collections::BTreeMap;

use advise::question::{Answer, Question, Replayer};
use allocate::{Engine, Limit, Reason};
use clap::Args;
use fleet::action::Decision;
use fleet::event::Event;
use fleet::history::QueueRecord;
use fleet::ids::WorkloadId;
use fleet::policy::{Order, Policy};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::forecast::{StartForecast, StartForecaster};
use replay::history::History;
use replay::scenario::{Change, Limit as TimeLimit, Scenario, Who};
use replay::setup::Setup;
use replay::{Observer, run_observed};
use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::format::Format;
use crate::global::Global;
use crate::opened::Source;
use crate::progress;
use crate::replayer::Threads;
use crate::table::{Align, Table, plain};
use crate::wrap::{paragraph, section};

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
  trimtab why 17                   of a workload handed in here: why it waits, and when it is expected to start
  trimtab why 10500 --example
  trimtab why 4711 gaia.zst
  trimtab why 12345 philly.csv --fleet fleet.toml --format json

Ids are those of the source; the column `id` of `trimtab replay --starts FILE` lists them.";

/// A recorded and a replayed wait that differ by more than this, and twofold, are told to be far apart.
const FAR: Millis = Millis::minutes(10);

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
    /// When it would have been said to start, as a wait from when it could have started; absent where it started at once, or too
    /// little was known by then.
    forecast: Option<Forecast>,
    /// How much of the history a forecast could know.
    #[serde(skip)]
    seen_ms: Millis,
    /// What held it, for how long in the replay, longest first.
    held_by: Vec<Held>,
    /// What was tried, and by how much earlier it would have started; most first.
    tried: Vec<Tried>,
}

/// The wait that was forecast when it was handed in, from what was known then.
#[derive(Debug, Serialize)]
struct Forecast {
    /// One of ten waits less.
    low_ms: Millis,
    /// Half wait less.
    median_ms: Millis,
    /// Nine of ten wait less.
    high_ms: Millis,
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
    /// The scenario's id.
    id: String,
    /// The command that replays it.
    command: String,
}

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    if let Some(installation) = arguments.source.installation() {
        return super::why_live::run(installation, &arguments.workload, arguments.format);
    }
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
    let id = WorkloadId(index as u32);
    // It comes when it is eligible, or when what it depends on has ended; the earlier moment costs no more than time.
    let from = setup.moment(history.workloads[index].submit) - LEARNS_FOR;
    let forecaster = StartForecaster::new(arguments.seed, from);
    let mut watch = Watch { id, open: None, held: BTreeMap::new(), forecaster, said: None };
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
            let command = command(&opened.name, &baseline, &scenario, arguments.seed);
            let earlier_ms = start.zip(then).map(|(start, then)| start.since(then));
            Tried { what, earlier_ms, id: scenario.id(), command, scenario }
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
        forecast: watch.said.map(|said| Forecast { low_ms: said.low, median_ms: said.median, high_ms: said.high }),
        seen_ms: lived.workloads[index].eligible.since(history.from),
        held_by,
        tried,
    };
    crate::printed::print(&match arguments.format {
        Format::Text => render(&why, crate::wrap::width()),
        Format::Json => serde_json::to_string_pretty(&why).expect("an answer is plain data") + "\n",
    })
}

/// What might have started it earlier: one thing different each.
fn candidates(history: &History, setup: &Setup, index: usize, baseline: &Scenario) -> Vec<(String, Scenario)> {
    let recorded = &history.workloads[index];
    let who = Who { workload: Some(recorded.id.clone()), ..Who::default() };
    let mut all = vec![(
        "a priority above all others of its queue's rank".to_owned(),
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
        let nodes = if more == 1 { "node" } else { "nodes" };
        all.push((format!("{more} more {nodes} of kind `{group}`"), baseline.with(Change::Nodes { group, count })));
    }
    for order in Order::ALL.into_iter().filter(|&order| order != setup.policy.order) {
        let policy = Policy { order, ..setup.policy.clone() };
        all.push((format!("the order of `{}`", order.name()), baseline.with(Change::Policy { policy })));
    }
    all
}

/// For so long before a workload came the starts of others are forecast, to learn how far such forecasts can be trusted: each
/// costs up to some tenths of a second, and a week of a busy fleet has thousands.
const LEARNS_FOR: Millis = Millis::hours(24);

/// Notes what holds one workload, decision by decision.
struct Watch {
    id: WorkloadId,
    /// What held it since when.
    open: Option<(Reason, Timestamp)>,
    held: BTreeMap<Reason, Millis>,
    /// Forecasts starts from what happened so far, as somebody who watched the fleet could have.
    forecaster: StartForecaster,
    /// What it said of this workload.
    said: Option<StartForecast>,
}

impl Observer for Watch {
    fn event(&mut self, _engine: &Engine, event: &Event) {
        self.forecaster.event(event);
    }

    fn decision(&mut self, engine: &Engine, now: Timestamp, decision: &Decision) {
        let made = self.forecaster.decided(engine, now, decision);
        self.said = self.said.or_else(|| made.into_iter().find(|(id, _)| *id == self.id).map(|(_, said)| said));
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

fn command(name: &str, baseline: &Scenario, scenario: &Scenario, seed: u64) -> String {
    let quoted = |scenario: &Scenario| format!("'{}'", scenario.to_json().replace('\'', r"'\''"));
    format!("trimtab replay {name} --baseline {} --scenario {} --seed {seed}", quoted(baseline), quoted(scenario))
}

fn render(why: &Why, width: usize) -> String {
    let mut text = String::new();
    let mut say = |words: String| paragraph(&mut text, width, "", &words);
    say(format!("Workload {} of queue `{}` could have started at {}.", why.workload, plain(&why.queue), why.eligible));
    match (why.recorded_wait_ms, why.replayed_wait_ms) {
        (Some(recorded), Some(replayed)) => {
            let (least, most) = (recorded.min(replayed), recorded.max(replayed));
            let far = most.0 - least.0 > FAR.0 && most.0 > least.0.saturating_mul(2);
            let unsure = if far { " So far apart, what follows explains the replay more than the record." } else { "" };
            say(format!("It waited {recorded} as recorded; its replay waits {replayed}.{unsure}"));
        }
        (None, Some(replayed)) => say(format!("The source records no wait; its replay waits {replayed}.")),
        _ => say("In its replay it never ran.".to_owned()),
    }
    if let Some(said) = &why.forecast {
        let high = match said.high_ms > why.seen_ms {
            true => "longer than the history was by then".to_owned(),
            false => said.high_ms.to_string(),
        };
        say(format!(
            "When it was handed in, it would have been said to wait {} (80 % sure: {} to {high}), from what was known by then.",
            said.median_ms, said.low_ms
        ));
    } else if why.replayed_wait_ms.is_some_and(|wait| wait > Millis::ZERO) {
        say("When it was handed in, too little was known to say when it would start.".to_owned());
    }
    if why.held_by.is_empty() {
        say("In the replay nothing held it.".to_owned());
        return text;
    }
    section(&mut text, "What held it, in the replay");
    for held in &why.held_by {
        text.push_str(&format!("  {:>9}  {}\n", held.for_ms.to_string(), held.what));
    }
    section(&mut text, "What would have changed that, each replayed");
    let mut table = Table::new([("start", Align::Right), ("with", Align::Left), ("scenario", Align::Left)]);
    for tried in &why.tried {
        let effect = match tried.earlier_ms {
            None => "never".to_owned(),
            Some(Millis(0)) => "no change".to_owned(),
            Some(earlier) if earlier.0 > 0 => format!("{earlier} earlier"),
            Some(later) => format!("{} later", Millis(-later.0)),
        };
        table.row([effect, tried.what.clone(), tried.id.clone()]);
    }
    text.push_str(&table.within(width));
    if let Some(first) = why.tried.first() {
        paragraph(&mut text, width, "  ", "To replay the first against the baseline (--format json has all commands):");
        text.push_str(&format!("    {}\n", first.command));
    }
    text
}

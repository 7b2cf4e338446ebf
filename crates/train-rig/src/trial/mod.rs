//! A trial: a trainer and an agent of its own, which knows only what any agent hears and reads. Sound for a while, then with a fault, then
//! sound again; and what the agent said meanwhile.

mod agent;

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use self::agent::Agent;
use crate::{Fault, Kind, Limit, Run, Shape, Start, now_us};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A run that is sound before anything is done to it.
const SOUND: Duration = Duration::from_secs(10);
/// A run to which nothing is done is watched for so long after that.
const HEALTHY: Duration = Duration::from_secs(12);
/// A fault that slows must be found within so long, or within [`FOUND_STEPS`], whichever is longer.
const FOUND: Duration = Duration::from_secs(10);
const FOUND_STEPS: f64 = 3.0;
/// A fault lasts so long, so that what it costs can be measured.
const LASTS: Duration = Duration::from_secs(12);
/// A hang or a crash must be found within so long.
const HANGS: Duration = Duration::from_secs(30);
/// What is left of a fault wears off in so long.
const WEARS_OFF: Duration = Duration::from_millis(2_500);
/// What may take this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What is done to it; nothing where it stays sound.
    pub kind: Option<Kind>,
    /// What its shape and its fault are drawn from.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// What was tried.
    #[serde(with = "by_name")]
    pub case: Case,
    /// Every rule that was told of while the fault was there, or that long where there was none.
    pub told: Vec<Told>,
    /// Rules that were told of before.
    pub early: Vec<String>,
    /// The ranks to which it was done; empty for all.
    pub ranks: Vec<u32>,
    /// A step before it, while it lasted, and after it, in milliseconds.
    pub before_ms: f64,
    /// See `before_ms`.
    pub harmed_ms: Option<f64>,
    /// See `before_ms`.
    pub after_ms: Option<f64>,
    /// What was done, in words.
    pub done: String,
}

/// What was told of a rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    /// Which.
    pub rule: String,
    /// The ranks that it named; empty for all.
    pub ranks: Vec<u32>,
    /// How long after the fault began.
    pub after_s: f64,
    /// What was said last that mending it would bring.
    pub speedup: Option<f64>,
}

impl Case {
    /// Its kind and its seed.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.kind.map_or("healthy", Kind::name), self.seed)
    }

    fn shape(&self) -> Shape {
        self.kind.map_or_else(|| Shape::draw(self.seed), |kind| kind.shape(self.seed))
    }
}

impl Outcome {
    /// Whether its fault was told of, and nothing before; of a sound one, whether nothing was.
    #[must_use]
    pub fn is_right(&self) -> bool {
        let named = |kind: Kind| self.told.iter().any(|told| told.rule == kind.rule());
        self.early.is_empty() && self.case.kind.map_or(self.told.is_empty(), named)
    }

    /// All of it in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let told: Vec<String> = self
            .told
            .iter()
            .map(|told| {
                let worth = told.speedup.map_or_else(String::new, |speedup| format!(" worth {speedup:.2}"));
                format!("{} {:?} after {:.1} s{worth}", told.rule, told.ranks, told.after_s)
            })
            .collect();
        let pace = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.0}"));
        format!(
            "{}: {} ({:.0}, {}, {} ms): {}{}",
            self.case.name(),
            if self.done.is_empty() { "nothing" } else { &self.done },
            self.before_ms,
            pace(self.harmed_ms),
            pace(self.after_ms),
            if told.is_empty() { "nothing was told".to_owned() } else { told.join("; ") },
            if self.early.is_empty() { String::new() } else { format!("; EARLY: {}", self.early.join(", ")) },
        )
    }
}

/// Lives it: with the agent of the program `trimtab`, in about 25 seconds.
///
/// # Errors
/// If it could not be lived: what would not start, or does not go on.
pub fn live(case: &Case, trimtab: &Path, trainer: &Path) -> anyhow::Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("steps.sock");
    let mut agent = Agent::start(trimtab, &socket)?;
    let shape = case.shape();
    let run = Run::start(&Start {
        program: trainer,
        job: "bench",
        shape: &shape,
        seed: case.seed,
        limit: Limit { steps: None, seconds: Some(180.0) },
        steps_socket: Some(&socket),
        folder: &folder.path().join("run"),
    })?;
    run.watch(6 + shape.benign.start_steps, PATIENCE)?;
    sleep(SOUND);
    let before_ms = run.healthy()?.step_s * 1e3;
    agent.hear(Instant::now(), |_| false);
    let early = agent.told().iter().map(|(_, line)| rule(line)).collect();
    let begun = Instant::now();
    let mut outcome = Outcome {
        case: case.clone(),
        told: Vec::new(),
        early,
        ranks: Vec::new(),
        before_ms,
        harmed_ms: None,
        after_ms: None,
        done: String::new(),
    };
    match case.kind {
        None => {
            agent.hear(begun + HEALTHY, |_| false);
            outcome.after_ms = Some(run.healthy()?.step_s * 1e3);
        }
        Some(kind) => harm(kind, &shape, &run, &mut agent, &mut outcome)?,
    }
    outcome.told = told(agent.told(), begun);
    Ok(outcome)
}

fn harm(kind: Kind, shape: &Shape, run: &Run, agent: &mut Agent, outcome: &mut Outcome) -> anyhow::Result<()> {
    let fault = Fault::draw(kind, shape, outcome.case.seed);
    outcome.ranks = fault.rank.into_iter().collect();
    let injected = run.inject(&fault)?;
    let begun = Instant::now();
    outcome.done = injected.to_string();
    if !kind.slows() {
        agent.hear(begun + HANGS, |told| told.iter().any(|(at, _)| *at > begun));
        return Ok(());
    }
    // Two batches are ready when it begins.
    run.watch(3, PATIENCE)?;
    let from_us = now_us();
    let longest = FOUND.max(Duration::from_secs_f64(FOUND_STEPS * outcome.before_ms / 1e3 * fault.slowdown));
    agent.hear(begun + longest.max(LASTS), |_| false);
    outcome.harmed_ms = Some(run.speed(from_us, now_us())?.step_s * 1e3);
    injected.remove()?;
    sleep(WEARS_OFF);
    outcome.after_ms = Some(run.watch(24, PATIENCE)?.step_s * 1e3);
    Ok(())
}

/// What was told since a moment, by rule, with what was said last of each while the fault was there.
fn told(lines: &[(Instant, Value)], begun: Instant) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for (at, line) in lines.iter().filter(|(at, _)| *at >= begun) {
        let (rule, speedup) = (rule(line), line["finding"]["speedup"]["value"].as_f64());
        match told.iter_mut().find(|told| told.rule == rule) {
            Some(told) => told.speedup = speedup,
            None => {
                let places = line["finding"]["places"].as_array().into_iter().flatten();
                let ranks = places.filter(|place| place["kind"] == "rank");
                told.push(Told {
                    rule,
                    ranks: ranks.filter_map(|place| place["name"].as_str()?.parse().ok()).collect(),
                    after_s: at.duration_since(begun).as_secs_f64(),
                    speedup,
                });
            }
        }
    }
    told
}

fn rule(line: &Value) -> String {
    line["finding"]["rule"].as_str().unwrap_or_default().to_owned()
}

/// A case as its name.
mod by_name {
    use super::{Case, Kind};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(case: &Case, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&case.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Case, D::Error> {
        let name = String::deserialize(deserializer)?;
        let (kind, seed) = name.split_once(' ').ok_or_else(|| D::Error::custom("a kind and a seed"))?;
        let kind = Kind::ALL.into_iter().find(|found| found.name() == kind);
        Ok(Case { kind, seed: seed.parse().map_err(D::Error::custom)? })
    }
}

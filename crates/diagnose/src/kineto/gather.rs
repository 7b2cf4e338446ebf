//! A trace read once, from end to end: what runs on devices, what launched it, and what a person marked.
//!
//! Events lie in files in no order that could be relied on, so launches and what they launched are put in the order of the number that
//! they have in common ([`Sorter`]); memory stays bounded.

use std::io::BufRead;

use fleet::problem::{Problem, Problems};

use super::event::{Category, Event};
use super::names::Names;
use crate::json::{Error, Json, Value};
use crate::sorter::{Sorter, Space};

/// What a trace says before anything is worked out.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) rank: Option<u64>,
    pub(super) world_size: Option<u64>,
    pub(super) events: u64,
    pub(super) names: Names,
    pub(super) steps: Steps,
    pub(super) loader: Loader,
    /// Launches ([`LAUNCH`]) and what was launched ([`LAUNCHED`]): the number that they have in common, which of the two, and for a launch
    /// its place in the file and its moment, for what was launched its start, its end and what it is.
    pub(super) pairs: Sorter<5>,
    /// Whether moments have decimals; `pair` rounds them then.
    pub(super) decimals: bool,
    pub(super) problems: Problems,
}

/// The steps that the profiler marked.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// The first name of one, and whether there is another.
    first: Option<String>,
    pub(super) many: bool,
    /// When the last began, in nanoseconds.
    pub(super) last_start_ns: i64,
}

/// Time that the training loop waited in PyTorch's DataLoader.
#[derive(Debug, Default)]
pub(super) struct Loader {
    /// When and how long, in nanoseconds.
    pub(super) waits: Vec<(i64, i64)>,
}

/// So many waits for the DataLoader are kept; there are one or two in a step.
const WAITS_MAX: usize = 1 << 16;

/// A record's second number.
pub(super) const LAUNCH: u64 = 0;
pub(super) const LAUNCHED: u64 = 1;

/// The number of what was launched by nothing that the trace would know.
const UNPAIRED: u64 = u64::MAX;

/// Numbers of a record are unsigned, and in their order; moments may be below zero.
pub(super) fn ordered(ns: i64) -> u64 {
    (ns as u64) ^ (1 << 63)
}

pub(super) fn moment(ordered: u64) -> i64 {
    (ordered ^ (1 << 63)) as i64
}

/// Why a trace could not be read.
pub(super) enum Failure {
    /// It is no trace.
    Input(Problem),
    /// There is no space to put records in order.
    Space(std::io::Error),
}

/// Reads a trace. What is cut off or broken is told among the problems; what came before it is kept.
pub(super) fn gather(input: impl BufRead, file: &str, space: &mut Space<'_>) -> Result<Gathered, Failure> {
    let mut json = Json::new(input);
    let mut gathered = Gathered::default();
    let problem = |reason: String| Problem { file: file.to_owned(), line: 0, field: None, reason };
    match gathered.top(&mut json, space) {
        Ok(true) => Ok(gathered),
        Ok(false) => {
            Err(Failure::Input(problem("it holds no `traceEvents`: this is no trace of a profiler".to_owned())))
        }
        Err(Stopped::Space(error)) => Err(Failure::Space(error)),
        Err(Stopped::Json(error)) if gathered.events == 0 => Err(Failure::Input(problem(error.to_string()))),
        Err(Stopped::Json(error)) => {
            gathered.problems.add(problem(format!("reading stopped after {} events: {error}", gathered.events)));
            Ok(gathered)
        }
    }
}

enum Stopped {
    Json(Error),
    Space(std::io::Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Json(error)
    }
}

impl Gathered {
    /// Whether there were events.
    fn top(&mut self, json: &mut Json<impl BufRead>, space: &mut Space<'_>) -> Result<bool, Stopped> {
        // Some writers leave the object away, and write the list alone.
        match json.value()? {
            Value::List => return self.events(json, space).map(|()| true),
            Value::Object => {}
            _ => return Ok(false),
        }
        let mut found = false;
        loop {
            match json.next_key()? {
                None => return Ok(found),
                Some("traceEvents") => {
                    if json.value()? != Value::List {
                        return Err(json.wrong("a list of events").into());
                    }
                    found = true;
                    self.events(json, space)?;
                }
                Some("distributedInfo") => self.distributed(json)?,
                Some(_) => json.pass()?,
            }
        }
    }

    fn distributed(&mut self, json: &mut Json<impl BufRead>) -> Result<(), Error> {
        if json.value()? != Value::Object {
            return Err(json.wrong("the job that it is of"));
        }
        loop {
            let into = match json.next_key()? {
                None => return Ok(()),
                Some("rank") => &mut self.rank,
                Some("world_size") => &mut self.world_size,
                Some(_) => {
                    json.pass()?;
                    continue;
                }
            };
            if let Value::Number(number) = json.value()? {
                *into = number.parse().ok();
            }
        }
    }

    fn events(&mut self, json: &mut Json<impl BufRead>, space: &mut Space<'_>) -> Result<(), Stopped> {
        let mut event = Event::default();
        while json.next_item()? {
            event.read(json)?;
            self.events += 1;
            self.take(&event, space).map_err(Stopped::Space)?;
        }
        Ok(())
    }

    fn take(&mut self, event: &Event, space: &mut Space<'_>) -> std::io::Result<()> {
        // One moment with decimals, or one that is not there, and a table of moments holds floating point: see `pair`.
        self.decimals |= event.start.is_none_or(|start| !start.whole);
        let (Some(start), Some(length)) = (event.start, event.length) else { return Ok(()) };
        if matches!(event.category, Category::None | Category::Profiler) || length.ns < 0 {
            return Ok(());
        }
        match (event.stream.filter(|stream| *stream >= 0), event.correlation.filter(|number| *number >= 0)) {
            (Some(stream), correlation) => {
                let name = self.names.number(&event.name);
                let device = u64::from(event.category == Category::Device);
                let what = (stream as u64 & 0x7fff_ffff) << 33 | u64::from(name) << 1 | device;
                let end = ordered(start.ns.saturating_add(length.ns));
                self.pairs.push(
                    [correlation.map_or(UNPAIRED, |number| number as u64), LAUNCHED, ordered(start.ns), end, what],
                    space,
                )
            }
            (None, Some(correlation)) => {
                self.pairs.push([correlation as u64, LAUNCH, self.events, ordered(start.ns), 0], space)
            }
            (None, None) => {
                self.marked(event, start.ns, length.ns);
                Ok(())
            }
        }
    }

    /// What a person or the profiler marked.
    fn marked(&mut self, event: &Event, start_ns: i64, length_ns: i64) {
        if event.name.contains("ProfilerStep") {
            match &self.steps.first {
                None => self.steps = Steps { first: Some(event.name.clone()), many: false, last_start_ns: start_ns },
                Some(first) => {
                    self.steps.many |= *first != event.name;
                    self.steps.last_start_ns = self.steps.last_start_ns.max(start_ns);
                }
            }
        }
        let waits = event.category == Category::Annotation && event.name.starts_with("enumerate(DataLoader)");
        if waits && self.loader.waits.len() < WAITS_MAX {
            self.loader.waits.push((start_ns, length_ns));
        }
    }
}

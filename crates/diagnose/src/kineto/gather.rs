//! A trace read once, from end to end: what runs on devices, what launched it, and what a person marked.
//!
//! Events lie in files in no order that could be relied on, so launches and what they launched are put in the order of the number that
//! they have in common ([`Sorter`]); memory stays bounded.

use std::collections::BTreeSet;
use std::io::BufRead;

use fleet::problem::{Problem, Problems};

use super::calls::Call;
use super::critical::{HostEvent, Recorder, Step, SyncEvent};
use super::event::{Category, Event};
use super::names::Names;
use super::streams::{Stream, Streams};
use crate::json::{Error, Json, Value};
use crate::sorter::{Sorter, Space};

/// What a trace says before anything is worked out.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) rank: Option<u64>,
    pub(super) world_size: Option<u64>,
    pub(super) events: u64,
    pub(super) names: Names,
    pub(super) streams: Streams,
    pub(super) steps: Steps,
    pub(super) loader: Loader,
    /// Launches ([`LAUNCH`]) and what was launched ([`LAUNCHED`]): the number that they have in common, which of the two, and for a launch
    /// its place in the file, its start, its end and what it calls; for what was launched its start, its end, what it is, and its place
    /// in the file with its stream.
    pub(super) pairs: Sorter<6>,
    /// What may belong to the step whose critical path is worked out.
    pub(super) recorder: Recorder,
    /// Whether moments have decimals; `pair` rounds them then.
    pub(super) decimals: bool,
    pub(super) problems: Problems,
}

/// The steps that the profiler marked.
#[derive(Debug, Default)]
pub(super) struct Steps {
    /// Their names, and whether there is more than one.
    names: BTreeSet<Box<str>>,
    pub(super) many: bool,
    last_start_ns: i64,
}

/// So many names of steps are told apart.
const STEPS_MAX: usize = 1 << 16;

impl Steps {
    /// When the last of several began, in nanoseconds.
    pub(super) fn last(&self) -> Option<i64> {
        self.many.then_some(self.last_start_ns)
    }

    /// Of how many steps there is all that they launched: of several, the last may be cut.
    pub(super) fn counted(&self) -> u64 {
        self.names.len() as u64 - u64::from(self.many)
    }

    fn add(&mut self, name: &str, start_ns: i64) {
        self.last_start_ns = if self.names.is_empty() { start_ns } else { self.last_start_ns.max(start_ns) };
        if self.names.len() < STEPS_MAX && !self.names.contains(name) {
            self.names.insert(name.into());
        }
        self.many = self.names.len() > 1;
    }
}

/// Time that the training loop waited in PyTorch's DataLoader.
#[derive(Debug, Default)]
pub(super) struct Loader {
    /// From when to when, in nanoseconds.
    pub(super) waits: Vec<(i64, i64)>,
}

/// So many waits for the DataLoader are kept; there are one or two in a step.
const WAITS_MAX: usize = 1 << 16;

/// A record's second number.
pub(super) const LAUNCH: u64 = 0;
pub(super) const LAUNCHED: u64 = 1;

/// The number of what was launched by nothing that the trace would know.
const UNPAIRED: u64 = u64::MAX;

/// So many bits of a place with a stream are the stream's number.
pub(super) const STREAM_BITS: u32 = 16;

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
pub(super) fn gather(input: impl BufRead, file: &str, step: Step, space: &mut Space<'_>) -> Result<Gathered, Failure> {
    let mut json = Json::new(input);
    let mut gathered = Gathered { recorder: Recorder::new(step), ..Gathered::default() };
    let problem = |reason: String| Problem { file: file.to_owned(), line: 0, field: None, reason };
    match gathered.top(&mut json, file, space) {
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
    fn top(&mut self, json: &mut Json<impl BufRead>, file: &str, space: &mut Space<'_>) -> Result<bool, Stopped> {
        // Some writers leave the object away, and write the list alone.
        match json.value()? {
            Value::List => return self.events(json, file, space).map(|()| true),
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
                    self.events(json, file, space)?;
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

    fn events(&mut self, json: &mut Json<impl BufRead>, file: &str, space: &mut Space<'_>) -> Result<(), Stopped> {
        let mut event = Event::default();
        while json.next_item()? {
            event.read(json)?;
            self.events += 1;
            if event.wrong {
                let reason =
                    format!("event {}: a name, a moment or a length is of another kind than that", self.events);
                self.problems.add(Problem { file: file.to_owned(), line: 0, field: None, reason });
                continue;
            }
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
        let end_ns = start.ns.saturating_add(length.ns);
        let (stream, number) = (event.stream.filter(|stream| *stream >= 0), event.correlation.filter(|of| *of >= 0));
        let number = number.map(|number| number as u64);
        if let (Category::Sync, Some(number)) = (event.category, number) {
            self.waited(event, (start.ns, end_ns), number, space)?;
        }
        match stream {
            Some(stream) => {
                let stream =
                    u64::from(self.streams.number(Stream { device: device(event), stream: on_device(stream) }));
                let what =
                    u64::from(self.names.number(&event.name)) << 1 | u64::from(event.category == Category::Device);
                let number = number.unwrap_or(UNPAIRED);
                let place = self.events << STREAM_BITS | stream;
                self.pairs.push([number, LAUNCHED, ordered(start.ns), ordered(end_ns), what, place], space)
            }
            None if event.category == Category::Sync => Ok(()),
            None => self.on_host(event, (start.ns, end_ns), number, space),
        }
    }

    /// What the host does, and what is marked there.
    fn on_host(
        &mut self,
        event: &Event,
        (start_ns, end_ns): (i64, i64),
        number: Option<u64>,
        space: &mut Space<'_>,
    ) -> std::io::Result<()> {
        let call = if event.category == Category::Call { Call::of(&event.name) } else { Call::default() };
        match number {
            Some(number) => {
                let record = [number, LAUNCH, self.events, ordered(start_ns), ordered(end_ns), call.code()];
                self.pairs.push(record, space)?;
            }
            None => self.marked(event, start_ns, end_ns),
        }
        if let (Category::Operator | Category::Call, Some(process), Some(thread)) =
            (event.category, event.process, event.thread)
        {
            let thread = (process, thread);
            let host = HostEvent { index: self.events, start_ns, end_ns, thread, call, correlation: number };
            self.recorder.host(&host, space)?;
        }
        Ok(())
    }

    /// That something waits for a device, or on it.
    fn waited(
        &mut self,
        event: &Event,
        (start_ns, end_ns): (i64, i64),
        correlation: u64,
        space: &mut Space<'_>,
    ) -> std::io::Result<()> {
        let not_below_zero = |number: Option<i64>| number.filter(|number| *number >= 0);
        let record = not_below_zero(event.waits_for_record).map(|record| record as u64);
        let sync = SyncEvent {
            index: self.events,
            name: &event.name,
            start_ns,
            end_ns,
            device: device(event),
            stream: not_below_zero(event.stream).map(on_device),
            correlation,
            waits_for: not_below_zero(event.waits_for_stream).map(on_device).zip(record),
        };
        self.recorder.sync(&sync, space)
    }

    /// What a person or the profiler marked.
    fn marked(&mut self, event: &Event, start_ns: i64, end_ns: i64) {
        if event.name.contains("ProfilerStep") {
            self.recorder.step(&event.name, start_ns, end_ns);
            self.steps.add(&event.name, start_ns);
        }
        let waits = event.category == Category::Annotation && event.name.starts_with("enumerate(DataLoader)");
        if waits && self.loader.waits.len() < WAITS_MAX {
            self.loader.waits.push((start_ns, end_ns));
        }
    }
}

/// The device that an event is of.
fn device(event: &Event) -> Option<i64> {
    event.device.or(event.process)
}

/// The number of a stream; what does not fit is no number that a device gives.
fn on_device(stream: i64) -> u32 {
    (stream & 0x7fff_ffff) as u32
}

//! A loader: from what is asked for to batches. Start here to see how the parts go together.

mod check;
mod columns;
mod course;
mod delivered;
mod given;
mod keeping;
mod resources;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use check::check;
use columns::{columns, digest, format};
use course::{course, files};
use delivered::Delivered;
use given::given;
use keeping::Keeping;
use resources::{AHEAD, AHEAD_MAX, begun_from, divide, fetching, memory_limit, open_cache, threads};

use crate::cores;
use crate::dataset::{Dataset, DatasetError};
use crate::memory::{Fetching, Held, Share};
use crate::meter::{self, Given, History, Memory, Parts, Report, Stage};
use crate::order::{Shares, Worker};
use crate::pipeline::{Engine, Next, Numbers, Output, Settings, Work};
use crate::source::cache::Cache;
use crate::source::remote::{Buckets, Fetcher};
use crate::source::{SourceError, is_in_store};
use crate::spec::Spec;
use crate::state::{State, StateError};
use crate::tune::Tuned;
use crate::unpack::Unpacker;
use crate::work::{Asking, Columns, Rooms};

/// Makes batches until it is dropped.
pub struct Loader {
    columns: Arc<Columns>,
    settings: Settings,
    /// For batches.
    memory: Arc<Share>,
    digest: String,
    running: Mutex<Running>,
    /// Bytes that may be used in all.
    limit: usize,
    /// What talks to stores, where data are in one.
    fetcher: Option<Arc<Fetcher>>,
    /// Where blocks of objects are kept.
    cache: Option<Arc<Cache>>,
    /// What reports call it by.
    given: Given,
}

impl Drop for Loader {
    fn drop(&mut self) {
        // So that no thread waits for what comes from a store.
        self.fetcher.iter().for_each(|fetcher| fetcher.close());
    }
}

#[derive(Default)]
struct Running {
    history: History,
    engine: Option<Arc<Engine<Columns>>>,
    /// When the first batch was asked for.
    start: Option<Instant>,
    /// Where the consumer is: what was made ahead is not counted.
    epoch: u64,
    consumed: u64,
    /// What the consumer was given of each source.
    delivered: Delivered,
    /// What bytes are counted as that were taken out of batches and copied: of the last batch, which the consumer has while it asks for
    /// the next one, and of the one before.
    copied: VecDeque<Held>,
    keeping: Keeping,
}

/// Why a loader cannot start.
#[derive(Debug)]
pub enum LoaderError {
    /// A part of what is asked for makes no sense.
    Spec {
        /// Which part.
        what: String,
        /// Why not, and what would.
        problem: String,
    },
    /// The files cannot be found.
    Find(SourceError),
    /// The data cannot be used.
    Dataset(DatasetError),
    /// It cannot go on from a state.
    State(StateError),
}

impl Loader {
    /// Opens the data. Nothing is read ahead before the first batch is asked for.
    ///
    /// # Errors
    ///
    /// Where what is asked for makes no sense, or the data cannot be read.
    pub fn open(spec: &Spec) -> Result<Loader, LoaderError> {
        check(spec)?;
        let format = format(&spec.columns)?;
        let columns = columns(spec)?;
        let limit = memory_limit(spec);
        let remote = spec.data_of_sources().flatten().any(|name| is_in_store(name)).then(|| fetching(spec, limit));
        let cache = spec.cache.as_ref().filter(|_| remote.is_some()).map(open_cache).transpose()?;
        let part = remote.unwrap_or(Fetching::of(0));
        let buckets = Buckets::new(spec.storage_options.clone(), part, cache.clone());
        let files = files(spec, &buckets)?;
        let dataset = Dataset::open_sources(&files, format, &Arc::new(Unpacker::new(spec.cache.clone())));
        let dataset = Arc::new(dataset.map_err(LoaderError::Dataset)?);
        for column in &columns {
            if let Some((file, problem)) = dataset.lacks(&column.fields) {
                return Err(LoaderError::Spec { what: column.name.clone(), problem: format!("{file}: {problem}") });
            }
        }
        let threads = threads(spec, limit);
        let course = course(spec, &dataset)?;
        let index = dataset.index_bytes() + course.window_bytes();
        let budget = divide(spec, limit, (threads.max, index, remote), &columns)?;
        let (samples, digest) = (course.samples(), digest(&dataset, &columns));
        let rooms = Rooms { each: budget.scratch, large: budget.large };
        let told = spec.decoded_cache.unwrap_or(0) as usize;
        let mut columns = Columns::new(dataset, columns, rooms, told, spec.pixels_max);
        let keeping = Keeping::of(spec);
        if !keeping.is_decided() {
            columns = columns.keeping_within(Arc::clone(&budget.batches));
        }
        if let Some(fetcher) = buckets.fetcher() {
            columns = columns.fetched_ahead(Asking::new(Arc::clone(fetcher), &course));
        }
        if let Some(mix) = &course.mix {
            columns = columns.of_mix(Arc::clone(mix));
        }
        let settings = Settings {
            course,
            shares: Shares {
                samples,
                world: spec.world,
                rank: spec.rank,
                batch: spec.batch,
                drop_last: spec.drop_last,
                worker: Worker { number: spec.worker, of: spec.workers },
            },
            threads,
            ahead: spec.ahead.map_or(Tuned { start: AHEAD, max: AHEAD_MAX }, Tuned::pinned),
            epoch: 0,
            consumed: 0,
        };
        let settings = begun_from(settings, spec);
        let running = Mutex::new(Running { keeping, ..Running::default() });
        let (memory, fetcher) = (budget.batches, buckets.fetcher().cloned());
        let (columns, given) = (Arc::new(columns), given(spec));
        Ok(Loader { columns, settings, memory, digest, running, limit, fetcher, cache, given })
    }

    /// The columns of a batch.
    pub fn outputs(&self) -> &[Output] {
        self.columns.outputs()
    }

    /// Samples of an epoch, of all ranks.
    pub fn samples(&self) -> u64 {
        self.settings.course.samples()
    }

    /// What a sample is called, by its place in the data; none where there are not as many.
    pub fn sample_name(&self, number: u64) -> Option<String> {
        (number < self.columns.samples()).then(|| self.columns.sample_name(number))
    }

    /// Batches of a whole epoch for this rank.
    pub fn batches(&self) -> u64 {
        let Shares { samples, world, batch, drop_last, .. } = self.settings.shares;
        let step = world * batch;
        if drop_last { samples / step } else { samples.div_ceil(step) }
    }

    /// Counts what was copied out of a batch until the one after the next is asked for.
    pub fn count_copied(&self, held: Option<Held>) {
        self.lock().copied.extend(held);
    }

    /// Bytes that [`Loader::let_go`] will give back.
    pub fn copied_before(&self) -> usize {
        let running = self.lock();
        let last = running.copied.len().saturating_sub(1);
        running.copied.iter().take(last).map(Held::bytes).sum()
    }

    /// The batch before the last is not needed any more: whoever asks for the next one has the last in hand.
    pub fn let_go(&self) {
        let (before, engine) = {
            let mut running = self.lock();
            let last = running.copied.len().saturating_sub(1);
            (running.copied.drain(..last).collect::<Vec<Held>>(), running.engine.clone())
        };
        if !before.is_empty() {
            drop(before);
            engine.iter().for_each(|engine| engine.wake());
        }
    }

    /// The next batch or end of an epoch; waits at most `patience`. The first call starts the threads.
    pub fn next(&self, patience: Duration) -> Next {
        let engine = {
            let mut running = self.lock();
            let now = Instant::now();
            running.start.get_or_insert(now);
            running.history.note(now, || self.columns.meter().totals());
            running.keeping.begin(now, || self.columns.meter().totals());
            let at = Settings { epoch: running.epoch, consumed: running.consumed, ..self.settings.clone() };
            let start = || Arc::new(Engine::start(Arc::clone(&self.columns), at, Arc::clone(&self.memory)));
            Arc::clone(running.engine.get_or_insert_with(start))
        };
        let mut next = engine.next(patience);
        if matches!(next, Next::NoRoom { .. }) && self.columns.give_up_decoded() {
            // Batches come first.
            engine.wake();
            next = engine.next(patience);
        }
        let mut running = self.lock();
        match &next {
            Next::Batch(batch) => {
                (running.epoch, running.consumed) = (batch.epoch, batch.consumed);
                running.delivered.count(&self.settings.course, &batch.numbers);
            }
            Next::EndOfEpoch(epoch) => {
                (running.epoch, running.consumed) = (epoch + 1, 0);
                let meter = self.columns.meter();
                let told = (engine.numbers().threads, self.samples_again(), meter.stage.now().is_some());
                let kept = running.keeping.pass(Instant::now(), meter.totals(), told, &self.memory);
                kept.into_iter().for_each(|bytes| self.columns.keep_decoded(bytes));
            }
            Next::NotYet | Next::NoRoom { .. } => {}
        }
        next
    }

    /// Samples of this rank that come in an epoch; of a mixture, all data, since what comes again is kept once.
    fn samples_again(&self) -> u64 {
        self.columns.samples() / self.settings.shares.world
    }

    /// Where all ranks are once each has had what this one was given.
    pub fn state(&self) -> State {
        let running = self.lock();
        State::new(&self.settings.course, &self.digest, running.epoch, running.consumed)
    }

    /// Where the time went since the first batch was asked for, and what holds the loader back now.
    pub fn report(&self) -> Report {
        let now = Instant::now();
        let totals = self.columns.meter().totals();
        let (seconds, recent, engine, delivered, at) = {
            let mut running = self.lock();
            let seconds = running.start.map_or(0.0, |start| now.duration_since(start).as_secs_f64());
            let recent = running.history.recent(now, totals);
            if running.start.is_some() {
                // Whoever asks each second is told of the last seconds also where the consumer pauses.
                running.history.note(now, || totals);
            }
            let (engine, at) = (running.engine.clone(), (running.epoch, running.consumed));
            (seconds, recent, engine, running.delivered.clone(), at)
        };
        let planned = Numbers { threads: self.settings.threads.start, ahead: self.settings.ahead.start, ready: 0 };
        let numbers = engine.map_or(planned, |engine| engine.numbers());
        let memory = Memory {
            limit: self.limit,
            batches: self.memory.used(),
            batches_limit: self.memory.limit(),
            fetched: self.fetcher.as_ref().map_or(0, |fetcher| fetcher.room_used()),
            decoded: self.columns.decoded_bytes(),
        };
        let epoch = self.samples_again();
        let (given, stage) = (self.given.clone(), self.columns.meter().stage.now());
        let parts = Parts { given, seconds, totals, recent, numbers, cores: cores::usable(), epoch, memory, stage };
        let mut report = Report::of(parts);
        report.store = self.fetcher.as_deref().map(meter::Store::from);
        report.sources = delivered.told(&self.settings.course, at);
        report.sequences = self.columns.sequences();
        report.cache = self.cache.as_deref().map(|cache| meter::Cache::from(cache.counts()));
        report
    }

    /// Notes how the stage fares that takes this loader's batches and makes others of them.
    pub fn note_stage(&self, stage: Stage) {
        self.columns.meter().stage.note(stage);
    }

    /// Goes on from where another loader was. What was made ahead is thrown away.
    ///
    /// # Errors
    ///
    /// Where samples would be repeated or lost.
    pub fn go_on_from(&self, state: &State) -> Result<(), LoaderError> {
        state.check(&self.settings.course, &self.digest).map_err(LoaderError::State)?;
        let before = {
            let mut running = self.lock();
            (running.epoch, running.consumed) = (state.epoch, state.consumed);
            running.engine.take()
        };
        // Its threads are waited for, and nobody needs to wait for that.
        drop(before);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Running> {
        self.running.lock().expect("nobody panics while holding it")
    }
}

impl fmt::Display for LoaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoaderError::Spec { what, problem } => write!(f, "{what}: {problem}"),
            LoaderError::Find(error) => error.fmt(f),
            LoaderError::Dataset(error) => error.fmt(f),
            LoaderError::State(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoaderError {}

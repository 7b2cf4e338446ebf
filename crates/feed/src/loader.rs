//! A loader: from what is asked for to batches. Start here to see how the parts go together.

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::dataset::{Dataset, DatasetError, Format, Tokens};
use crate::image::Normalise;
use crate::image::crop::{Crop, RandomCrop};
use crate::image::jitter::Jitter;
use crate::memory::{Budget, Demand, Fetching, Held, Share, available};
use crate::meter::Report;
use crate::order::{Order, Shares, Shuffle};
use crate::pipeline::{Engine, Next, Output, Settings, Work};
use crate::source::cache::Cache;
use crate::source::remote::{Buckets, Fetcher};
use crate::source::{SourceError, find, is_in_store};
use crate::spec::{CacheSpec, ColumnSpec, CropSpec, ImageSpec, JitterSpec, KindSpec, PixelType, Spec, TokensSpec};
use crate::state::{State, StateError};
use crate::unpack::Unpacker;
use crate::work::{Column, Columns, Kind, Photograph, Pixels, Rooms};

/// Makes batches until it is dropped.
pub struct Loader {
    columns: Arc<Columns>,
    settings: Settings,
    /// For batches.
    memory: Arc<Share>,
    digest: String,
    running: Mutex<Running>,
    /// What talks to stores, where data are in one.
    fetcher: Option<Arc<Fetcher>>,
}

impl Drop for Loader {
    fn drop(&mut self) {
        // So that no thread waits for what comes from a store.
        self.fetcher.iter().for_each(|fetcher| fetcher.close());
    }
}

struct Running {
    engine: Option<Arc<Engine<Columns>>>,
    /// When the first batch was asked for.
    start: Option<Instant>,
    /// Where the consumer is: what was made ahead is not counted.
    epoch: u64,
    consumed: u64,
    /// What bytes are counted as that were taken out of batches and copied: of the last batch, which the consumer has while it asks for
    /// the next one, and of the one before.
    copied: VecDeque<Held>,
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
        let fetching = spec.data.iter().any(|name| is_in_store(name)).then(|| Fetching::of(limit));
        let cache = spec.cache.as_ref().filter(|_| fetching.is_some()).map(open_cache).transpose()?;
        let buckets = Buckets::new(spec.storage_options.clone(), fetching.unwrap_or(Fetching::of(0)), cache);
        let files = find(&spec.data, &buckets).map_err(LoaderError::Find)?;
        let dataset = Dataset::open_with(&files, format, &Arc::new(Unpacker::new(spec.cache.clone())));
        let dataset = Arc::new(dataset.map_err(LoaderError::Dataset)?);
        for column in &columns {
            if let Some((file, problem)) = dataset.lacks(&column.fields) {
                return Err(LoaderError::Spec { what: column.name.clone(), problem: format!("{file}: {problem}") });
            }
        }
        let threads = spec.threads.unwrap_or_else(cores);
        let budget = divide(spec, limit, (threads, dataset.index_bytes(), fetching), &columns)?;
        let (samples, digest) = (dataset.samples(), dataset.digest());
        let rooms = Rooms { each: budget.scratch, large: budget.large };
        let mut columns = Columns::new(dataset, columns, rooms, spec.decoded_cache as usize, spec.pixels_max);
        if fetching.is_some() {
            columns = columns.fetched_ahead(Arc::clone(buckets.room()));
        }
        let settings = Settings {
            order: Order { samples, shuffle: spec.shuffle, seed: spec.seed },
            shares: Shares {
                samples,
                world: spec.world,
                rank: spec.rank,
                batch: spec.batch,
                drop_last: spec.drop_last,
            },
            threads,
            ahead: spec.ahead,
            epoch: 0,
            consumed: 0,
        };
        let running = Mutex::new(Running { engine: None, start: None, epoch: 0, consumed: 0, copied: VecDeque::new() });
        let (memory, fetcher) = (budget.batches, buckets.fetcher().cloned());
        Ok(Loader { columns: Arc::new(columns), settings, memory, digest, running, fetcher })
    }

    /// The columns of a batch.
    pub fn outputs(&self) -> &[Output] {
        self.columns.outputs()
    }

    /// Samples of an epoch, of all ranks.
    pub fn samples(&self) -> u64 {
        self.settings.order.samples
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
            running.start.get_or_insert_with(Instant::now);
            let at = Settings { epoch: running.epoch, consumed: running.consumed, ..self.settings };
            let start = || Arc::new(Engine::start(Arc::clone(&self.columns), at, Arc::clone(&self.memory)));
            Arc::clone(running.engine.get_or_insert_with(start))
        };
        let next = engine.next(patience);
        let mut running = self.lock();
        match &next {
            Next::Batch(batch) => (running.epoch, running.consumed) = (batch.epoch, batch.consumed),
            Next::EndOfEpoch(epoch) => (running.epoch, running.consumed) = (epoch + 1, 0),
            Next::NotYet | Next::NoRoom { .. } => {}
        }
        next
    }

    /// Where all ranks are once each has had what this one was given.
    pub fn state(&self) -> State {
        let running = self.lock();
        State::new(&self.settings.order, &self.digest, running.epoch, running.consumed)
    }

    /// Where the time went since the first batch was asked for.
    pub fn report(&self) -> Report {
        let seconds = self.lock().start.map_or(0.0, |start| start.elapsed().as_secs_f64());
        self.columns.meter().report(seconds, self.settings.threads, cores())
    }

    /// Goes on from where another loader was. What was made ahead is thrown away.
    ///
    /// # Errors
    ///
    /// Where samples would be repeated or lost.
    pub fn go_on_from(&self, state: &State) -> Result<(), LoaderError> {
        state.check(&self.settings.order, &self.digest).map_err(LoaderError::State)?;
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

/// Cores that this process may use.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Bytes that a loader may use where it is told none: this part of what is available, and what it is told to keep decoded.
const MEMORY_PART: u64 = 4;
/// No less than this, whatever is available.
const MEMORY_MIN: u64 = 256 << 20;

fn memory_limit(spec: &Spec) -> usize {
    let own = || available().unwrap_or(0) / MEMORY_PART / spec.loaders_here.max(1);
    spec.memory.unwrap_or_else(|| own().max(MEMORY_MIN) + spec.decoded_cache) as usize
}

fn open_cache(cache: &CacheSpec) -> Result<Arc<Cache>, LoaderError> {
    let opened = Cache::open(Path::new(&cache.folder), cache.bytes).map(Arc::new);
    opened.map_err(|error| LoaderError::Spec {
        what: "cache_dir".to_owned(),
        problem: format!("{}: {error}", cache.folder),
    })
}

/// Divides the memory for a dataset of which the index takes `index` bytes.
fn divide(
    spec: &Spec,
    limit: usize,
    (threads, index, fetching): (usize, usize, Option<Fetching>),
    columns: &[Column],
) -> Result<Budget, LoaderError> {
    let drawn = columns.iter().map(|column| match &column.kind {
        Kind::Photograph(photograph) => photograph.drawn_bytes(),
        _ => 0,
    });
    let decoded = spec.decoded_cache as usize;
    let demand = Demand { limit, threads, decoded, index, drawn: drawn.max().unwrap_or(0), fetching };
    let wrong = |problem: String| LoaderError::Spec { what: "memory_limit".to_owned(), problem };
    Budget::divide(&demand).map_err(|error| wrong(error.to_string()))
}

/// What makes no sense, whatever the data are.
fn check(spec: &Spec) -> Result<(), LoaderError> {
    let wrong =
        |what: &str, problem: &str| Err(LoaderError::Spec { what: what.to_owned(), problem: problem.to_owned() });
    if spec.data.is_empty() {
        return wrong("data", "no file is named");
    }
    if spec.columns.is_empty() {
        return wrong("columns", "a batch has at least one column");
    }
    if spec.batch == 0 || spec.batch > 1 << 20 {
        return wrong("batch_size", "a batch has between 1 and 1,048,576 samples");
    }
    if let Shuffle::Windowed { block, blocks } = spec.shuffle
        && (block == 0 || blocks == 0 || block.checked_mul(blocks).is_none())
    {
        return wrong("shuffle", "a block has at least one sample, and a window at least one block");
    }
    if spec.world == 0 || spec.rank >= spec.world {
        return wrong("rank", "ranks are counted from 0, and there are `world_size` of them");
    }
    if spec.threads.is_some_and(|threads| !(1..=1024).contains(&threads)) {
        return wrong("threads", "there are between 1 and 1,024");
    }
    if !(1..=1024).contains(&spec.ahead) {
        return wrong("prefetch", "between 1 and 1,024 batches are made ahead");
    }
    for (place, column) in spec.columns.iter().enumerate() {
        if spec.columns[..place].iter().any(|before| before.name == column.name) {
            return wrong(&column.name, "two columns have this name");
        }
        if let KindSpec::Image(image) = &column.kind
            && let Some(problem) = image_problem(image)
        {
            return wrong(&column.name, problem);
        }
        if let KindSpec::Tokens(tokens) = &column.kind
            && (!(1..=1 << 24).contains(&tokens.length) || tokens.stride == Some(0))
        {
            return wrong(
                &column.name,
                "a sample has between 1 and 16,777,216 tokens, and the next begins after it does",
            );
        }
    }
    Ok(())
}

fn image_problem(image: &ImageSpec) -> Option<&'static str> {
    let sides = 1..=1 << 14;
    if !sides.contains(&image.width) || !sides.contains(&image.height) {
        return Some("an image is drawn to between 1 and 16,384 pixels each way");
    }
    if !(0.0..=1.0).contains(&image.flip) {
        return Some("the share of images that are flipped is between 0 and 1");
    }
    if image.std.iter().any(|deviation| !deviation.is_normal()) || image.mean.iter().any(|mean| !mean.is_finite()) {
        return Some("mean and std are three numbers each, and std is not 0");
    }
    let differs = |number: &f32, usual: f32| number.to_bits() != usual.to_bits();
    let is_normalised =
        image.mean.iter().any(|mean| differs(mean, 0.0)) || image.std.iter().any(|deviation| differs(deviation, 1.0));
    if image.dtype == PixelType::UInt8 && is_normalised {
        return Some("bytes are not normalised: leave mean and std out, or ask for float32");
    }
    if let Some(problem) = image.jitter.as_ref().and_then(jitter_problem) {
        return Some(problem);
    }
    match image.crop {
        CropSpec::Random { area, ratio } => {
            let areas = 0.0 < area.0 && area.0 <= area.1 && area.1 <= 1.0;
            let ratios = 0.0 < ratio.0 && ratio.0 <= ratio.1 && ratio.1.is_finite();
            (!(areas && ratios))
                .then_some("a crop's scale lies within 0 to 1 and its ratio above 0, each from low to high")
        }
        CropSpec::Centre { shorter: 0 } => Some("the shorter side is at least one pixel"),
        CropSpec::Centre { .. } | CropSpec::Whole => None,
    }
}

/// The largest factor: far beyond what leaves anything of a picture, and far from where factors stop being numbers.
const FACTOR_MAX: f64 = 1000.0;

fn jitter_problem(jitter: &JitterSpec) -> Option<&'static str> {
    let lies_within = |range: Option<(f64, f64)>, least: f64, most: f64| {
        range.is_none_or(|(low, high)| least <= low && low <= high && high <= most)
    };
    let factors = [jitter.brightness, jitter.contrast, jitter.saturation];
    if !factors.into_iter().all(|range| lies_within(range, 0.0, FACTOR_MAX)) {
        return Some("a jitter's brightness, contrast and saturation lie within 0 to 1,000, each from low to high");
    }
    if !lies_within(jitter.hue, -0.5, 0.5) {
        return Some("a jitter's hue lies within -0.5 to 0.5, from low to high");
    }
    let are_shares = [jitter.chance, jitter.gray].iter().all(|share| (0.0..=1.0).contains(share));
    (!are_shares).then_some("the shares of images that are jittered and that are gray are between 0 and 1")
}

/// How the files are read: tokens say themselves where samples begin.
fn format(columns: &[ColumnSpec]) -> Result<Format, LoaderError> {
    let mut formats = columns.iter().filter_map(|column| match &column.kind {
        KindSpec::Tokens(TokensSpec { length, stride, dtype }) => {
            Some(Format::Tokens(Tokens { length: *length, stride: stride.unwrap_or(*length), token: *dtype }))
        }
        KindSpec::Image(_) | KindSpec::Integer | KindSpec::Bytes | KindSpec::Text | KindSpec::Part { .. } => {
            Some(Format::ByName)
        }
        KindSpec::Number => None,
    });
    let first = formats.next().unwrap_or(Format::ByName);
    if formats.any(|other| other != first) {
        let problem = "all columns are cut from the same files: tokens stand alone, or all with the same length";
        return Err(LoaderError::Spec { what: "columns".to_owned(), problem: problem.to_owned() });
    }
    Ok(first)
}

fn columns(spec: &Spec) -> Result<Vec<Column>, LoaderError> {
    let column = |column: &ColumnSpec| {
        let kind = match &column.kind {
            KindSpec::Integer => Kind::Integer,
            KindSpec::Number => Kind::Number,
            KindSpec::Bytes => Kind::Bytes,
            KindSpec::Text => Kind::Text,
            KindSpec::Tokens(tokens) => Kind::Tokens { length: tokens.length, token: tokens.dtype },
            KindSpec::Image(image) => Kind::Photograph(photograph(image, spec.seed)),
            KindSpec::Part { of } => {
                let found = spec.columns.iter().find(|other| other.name == *of).map(|other| (other, &other.kind));
                let Some((other, KindSpec::Image(image))) = found else {
                    let problem = format!("there is no column {of:?} of images");
                    return Err(LoaderError::Spec { what: column.name.clone(), problem });
                };
                let (name, fields) = (column.name.clone(), other.fields.clone());
                return Ok(Column { name, fields, kind: Kind::Part(photograph(image, spec.seed)) });
            }
        };
        Ok(Column { name: column.name.clone(), fields: column.fields.clone(), kind })
    };
    spec.columns.iter().map(column).collect()
}

fn photograph(image: &ImageSpec, seed: u64) -> Photograph {
    Photograph {
        crop: match image.crop {
            CropSpec::Whole => Crop::Whole,
            CropSpec::Centre { shorter } => Crop::Centre { shorter },
            CropSpec::Random { area, ratio } => Crop::Random(RandomCrop { area, ratio }),
        },
        width: image.width,
        height: image.height,
        mirror: image.flip,
        jitter: image.jitter.map(|JitterSpec { brightness, contrast, saturation, hue, chance, gray }| Jitter {
            brightness,
            contrast,
            saturation,
            hue,
            chance,
            gray,
        }),
        pixels: match image.dtype {
            PixelType::Float32 => Pixels::Normalised(Normalise::new(image.mean, image.std)),
            PixelType::UInt8 => Pixels::Bytes,
        },
        seed,
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

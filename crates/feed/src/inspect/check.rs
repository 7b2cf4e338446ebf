//! The second look: every field of every sample is read, images are decoded, text and JSON are taken at their word. Threads take
//! runs of samples; what they find hangs on no order.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde::de::IgnoredAny;

use super::problems::{Found, Problem, ProblemKind};
use super::sizes::Sizes;
use super::survey::Survey;
use crate::cores;
use crate::format::{Encoding, FieldInfo, Shard, ShardKind};
use crate::image::jpeg::{Planes, Region, Size};
use crate::image::{Decoder, ImageKind};
use crate::progress::{Progress, Stage};
use crate::spec::many_pixels;

/// Samples that a thread takes at once.
const RUN: u64 = 32;
/// So many samples' names are compared: 16 bytes each, 512 MiB in all.
pub(super) const NAMES_MAX: u64 = 1 << 25;
/// A field that fewer of a hundred samples have is taken to be one that some have.
const EXPECTED_PERCENT: u64 = 50;

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) samples: u64,
    /// The images of each field of each format.
    pub(super) images: Vec<Vec<Images>>,
    /// Names that samples of several shards have.
    pub(super) names_across_shards: u64,
    /// The name of each sample, as a number, and the sample.
    names: Vec<(u64, u64)>,
}

/// Images that were decoded.
#[derive(Clone, Debug, Default)]
pub(super) struct Images {
    pub(super) jpeg: u64,
    pub(super) png: u64,
    pub(super) webp: u64,
    pub(super) width: Sizes,
    pub(super) height: Sizes,
    pub(super) pixels: Sizes,
}

/// What a field should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Image,
    Json,
    Text,
    Anything,
}

/// What is known of a format's fields.
struct Expected<'a> {
    survey: &'a Survey,
    /// For each format, what its fields should be.
    contents: Vec<Vec<Content>>,
}

/// Reads everything, until it is stopped.
pub(super) fn check(shards: &[&dyn Shard], survey: &Survey, found: &mut Found, progress: &Progress) -> Checked {
    let mut starts = vec![0];
    for shard in shards {
        starts.push(starts[starts.len() - 1] + shard.samples());
    }
    let total = starts[starts.len() - 1];
    progress.begin(Stage::Checking, total);
    let expected = Expected { contents: contents(shards, survey), survey };
    let (next, found_by_all) = (AtomicU64::new(0), Mutex::new(std::mem::take(found)));
    let work = || {
        let mut worker = Worker::new(shards, &expected, &found_by_all);
        while !progress.is_stopped() {
            let first = next.fetch_add(RUN, Ordering::Relaxed);
            if first >= total {
                break;
            }
            for sample in first..total.min(first + RUN) {
                let shard = starts.partition_point(|start| *start <= sample) - 1;
                let bytes = worker.sample(shard, sample - starts[shard], sample);
                progress.add(1, bytes);
            }
        }
        worker.checked
    };
    let threads = cores::usable();
    let mut checked = Checked::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            checked.merge(worker.join().expect("what is read is an error, and no panic"));
        }
    });
    *found = found_by_all.into_inner().expect("nobody panics while holding it");
    checked.compare_names(shards, &starts, found);
    checked
}

/// What the fields of each format should be: as their names say, and images where their first sample is one.
fn contents(shards: &[&dyn Shard], survey: &Survey) -> Vec<Vec<Content>> {
    let mut bytes = Vec::new();
    let of_format = |format: &super::survey::FormatTally| {
        let fields = format.fields.iter().map(|field| {
            let ending = field.name.rsplit('.').next().unwrap_or_default().to_lowercase();
            match ending.as_str() {
                // A line is parsed to know its fields, and JSON has no bytes that could be an image.
                _ if format.kind == ShardKind::JsonLines => Content::Anything,
                _ if format.kind == ShardKind::Text => Content::Text,
                "jpg" | "jpeg" | "png" | "webp" => Content::Image,
                "json" => Content::Json,
                "txt" => Content::Text,
                _ => {
                    let (shard, sample) = field.first;
                    let read = shards[shard].read(sample, std::slice::from_ref(&field.name), &mut bytes);
                    let is_plain = matches!(read, Ok(Some(Encoding::Plain)));
                    if is_plain && begins_as_image(&bytes) { Content::Image } else { Content::Anything }
                }
            }
        });
        fields.collect()
    };
    survey.formats.iter().map(of_format).collect()
}

/// Whether bytes that nobody called an image begin as one. In a JPEG, the byte FF of another marker comes third; without it,
/// one in 65,536 of all pairs of bytes would pass.
fn begins_as_image(bytes: &[u8]) -> bool {
    match ImageKind::of(bytes) {
        Some(ImageKind::Jpeg) => bytes.get(2) == Some(&0xff),
        kind => kind.is_some(),
    }
}

/// One thread's part.
struct Worker<'a> {
    shards: &'a [&'a dyn Shard],
    expected: &'a Expected<'a>,
    found: &'a Mutex<Found>,
    checked: Checked,
    decoder: Decoder,
    planes: Planes,
    bytes: Vec<u8>,
    name: [String; 1],
}

impl<'a> Worker<'a> {
    fn new(shards: &'a [&'a dyn Shard], expected: &'a Expected<'a>, found: &'a Mutex<Found>) -> Self {
        let images = expected.contents.iter().map(|fields| vec![Images::default(); fields.len()]).collect();
        Worker {
            shards,
            expected,
            found,
            checked: Checked { images, ..Checked::default() },
            decoder: Decoder::new(many_pixels()),
            planes: Planes::default(),
            bytes: Vec::new(),
            name: [String::new()],
        }
    }

    /// Reads a sample, the one of that place in all data; how many bytes it has.
    fn sample(&mut self, number: usize, sample: u64, place: u64) -> u64 {
        let shard = self.shards[number];
        self.checked.samples += 1;
        if place < NAMES_MAX
            && let Some(key) = shard.key(sample)
        {
            let mut hasher = DefaultHasher::new();
            key.hash(&mut hasher);
            self.checked.names.push((hasher.finish(), place));
        }
        // The survey has told of samples whose fields cannot be listed.
        let Ok(fields) = shard.fields(sample) else { return 0 };
        let format = self.expected.survey.shards[number].format;
        self.look_for_missing((number, sample), format, &fields);
        let mut bytes = 0;
        for (place, field) in fields.iter().enumerate() {
            let is_repeated = fields[..place].iter().any(|before| before.name == field.name);
            if !is_repeated && shard.kind() != ShardKind::JsonLines {
                bytes += self.field((number, sample), (format, place), field);
            }
        }
        bytes
    }

    fn look_for_missing(&mut self, (number, sample): (usize, u64), format: usize, fields: &[FieldInfo<'_>]) {
        let tally = &self.expected.survey.formats[format];
        // A file of a folder has one ending, and others have another: that is no field that is missing.
        if tally.kind == ShardKind::Folder {
            return;
        }
        for (place, field) in tally.fields.iter().enumerate() {
            let is_expected = field.sizes.count() * 100 > tally.samples * EXPECTED_PERCENT;
            if is_expected && !fields.iter().any(|other| other.name == field.name) {
                let reason = format!("it is missing; {} of {} samples have it", field.sizes.count(), tally.samples);
                self.problem((number, sample), (ProblemKind::MissingField, place), Some(&field.name), reason);
            }
        }
    }

    /// Reads a field; how many bytes it has.
    fn field(&mut self, at: (usize, u64), (format, place): (usize, usize), field: &FieldInfo<'_>) -> u64 {
        self.name[0].clear();
        self.name[0].push_str(&field.name);
        let name = Some(&*field.name).filter(|name| !name.is_empty());
        match self.shards[at.0].read(at.1, &self.name, &mut self.bytes) {
            Ok(Some(_)) => {}
            Ok(None) => return 0,
            Err(error) => {
                self.problem(at, (ProblemKind::Sample, place), name, error.to_string());
                return 0;
            }
        }
        let known = self.expected.survey.formats[format].place_of(&field.name);
        let content = known.map_or(Content::Anything, |known| self.expected.contents[format][known]);
        let wrong = match content {
            Content::Image => self.decode((format, known.unwrap_or(0))).map(|reason| (ProblemKind::Image, reason)),
            Content::Json => serde_json::from_slice::<IgnoredAny>(&self.bytes)
                .err()
                .map(|error| (ProblemKind::Json, format!("it is no JSON: {error}"))),
            Content::Text => std::str::from_utf8(&self.bytes).err().map(|error| {
                (ProblemKind::Text, format!("it is no text in UTF-8 from byte {} on", error.valid_up_to()))
            }),
            Content::Anything => None,
        };
        if let Some((kind, reason)) = wrong {
            self.problem(at, (kind, place), name, reason);
        }
        self.bytes.len() as u64
    }

    /// Decodes what was read, all of it; why that cannot be.
    fn decode(&mut self, (format, field): (usize, usize)) -> Option<String> {
        let whole = |size: Size| Region { left: 0, top: 0, width: size.width, height: size.height };
        let size = match self.decoder.decode(&self.bytes, whole, usize::MAX, &mut self.planes) {
            Ok(size) => size,
            Err(error) => return Some(error.to_string()),
        };
        let images = &mut self.checked.images[format][field];
        match ImageKind::of(&self.bytes) {
            Some(ImageKind::Jpeg) => images.jpeg += 1,
            Some(ImageKind::Png) => images.png += 1,
            Some(ImageKind::WebP) => images.webp += 1,
            None => {}
        }
        images.width.add(size.width as u64);
        images.height.add(size.height as u64);
        images.pixels.add(size.width as u64 * size.height as u64);
        None
    }

    fn problem(
        &self,
        (number, sample): (usize, u64),
        (kind, place): (ProblemKind, usize),
        field: Option<&str>,
        reason: String,
    ) {
        let shard = self.shards[number];
        self.found.lock().expect("nobody panics while holding it").add(kind, (number, sample, place), || Problem {
            kind,
            file: shard.name().to_owned(),
            sample: Some(shard.sample_name(sample)),
            field: field.map(str::to_owned),
            reason,
        });
    }
}

impl Checked {
    fn merge(&mut self, other: Checked) {
        self.samples += other.samples;
        self.names.extend(other.names);
        if self.images.is_empty() {
            self.images = other.images;
            return;
        }
        for (mine, theirs) in self.images.iter_mut().flatten().zip(other.images.into_iter().flatten()) {
            mine.jpeg += theirs.jpeg;
            mine.png += theirs.png;
            mine.webp += theirs.webp;
            mine.width.merge(theirs.width);
            mine.height.merge(theirs.height);
            mine.pixels.merge(theirs.pixels);
        }
    }

    /// Finds names that came before. Within a shard that is a mistake; several shards may count from 0, each for itself.
    fn compare_names(&mut self, shards: &[&dyn Shard], starts: &[u64], found: &mut Found) {
        self.names.sort_unstable();
        for pair in self.names.windows(2) {
            let [(before, first), (name, second)] = [pair[0], pair[1]];
            if before != name {
                continue;
            }
            let shard_of = |place: u64| starts.partition_point(|start| *start <= place) - 1;
            let (number, sample) = (shard_of(second), second - starts[shard_of(second)]);
            if shard_of(first) != number {
                self.names_across_shards += 1;
                continue;
            }
            let shard = shards[number];
            found.add(ProblemKind::RepeatedName, (number, sample, 0), || Problem {
                kind: ProblemKind::RepeatedName,
                file: shard.name().to_owned(),
                sample: Some(shard.sample_name(sample)),
                field: None,
                reason: format!("sample {} of the file, counted from 0, has the same name", first - starts[number]),
            });
        }
        self.names = Vec::new();
    }
}

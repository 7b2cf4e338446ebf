//! What a loader is asked for, as it is written down: by the Python package, and in files.
//!
//! Unknown names are errors, so that a misspelt option is not an option that has no effect.

mod sequences;

use std::collections::BTreeMap;

pub use sequences::{Overlong, PaddedTo, RowsSpec, SequencesSpec, TokenName, TokenSource};
use serde::{Deserialize, Serialize};

use crate::meter::Price;
use crate::order::Shuffle;

/// All that is asked of a loader.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Files, folders, or names with `*`, `?` and `{first..last}`; none where sources are mixed.
    #[serde(default)]
    pub data: Vec<String>,
    /// Sources that are mixed, in the place of `data`.
    #[serde(default)]
    pub mix: Option<MixSpec>,
    /// The columns of a batch.
    pub columns: Vec<ColumnSpec>,
    /// Samples of a batch of one rank.
    pub batch: u64,
    /// How an epoch is arranged; of sources that are mixed, each for itself.
    #[serde(default)]
    pub shuffle: Shuffle,
    /// How samples of similar size are brought together, where they are.
    #[serde(default)]
    pub buckets: Option<BucketsSpec>,
    /// Names the arrangement and all draws.
    #[serde(default)]
    pub seed: u64,
    /// Ranks that share each epoch.
    #[serde(default = "one")]
    pub world: u64,
    /// This one.
    #[serde(default)]
    pub rank: u64,
    /// Workers that take the batches of this rank in turn.
    #[serde(default = "one")]
    pub workers: u64,
    /// This one.
    #[serde(default)]
    pub worker: u64,
    /// Whether the samples of an epoch that make no whole batch for each rank are left out.
    #[serde(default)]
    pub drop_last: bool,
    /// Threads that make batches; tuned where it is not told.
    #[serde(default)]
    pub threads: Option<usize>,
    /// Batches that are made ahead of the consumer, at most; tuned where it is not told.
    #[serde(default)]
    pub ahead: Option<usize>,
    /// Requests that are under way at once, where data are in a store; tuned where it is not told.
    #[serde(default)]
    pub requests: Option<usize>,
    /// Where tuning begins, where that is to be seen.
    #[serde(default)]
    pub tune_from: Option<TuneFrom>,
    /// Bytes of decoded images that are kept for later epochs, at most; decided by what an epoch takes where it is not told.
    #[serde(default)]
    pub decoded_cache: Option<u64>,
    /// Bytes of memory that the loader may use, at most; a part of what is available where it is not told.
    #[serde(default)]
    pub memory: Option<u64>,
    /// Loaders like this one on this machine, which share what is available.
    #[serde(default = "one")]
    pub loaders_here: u64,
    /// Where blocks of objects are kept on this machine, for all loaders that are told the same folder.
    #[serde(default)]
    pub cache: Option<CacheSpec>,
    /// What stores of objects are told, such as `aws_endpoint`; beside what the environment tells them.
    #[serde(default)]
    pub storage_options: BTreeMap<String, String>,
    /// Images of more pixels are refused.
    #[serde(default = "many_pixels")]
    pub pixels_max: u64,
    /// What an hour costs of all that waits while the consumer does.
    #[serde(default)]
    pub price_per_hour: Option<Price>,
}

/// Sources that are mixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixSpec {
    /// Each of them.
    pub sources: Vec<SourceSpec>,
    /// Samples of an epoch; where it is not told, as many as bring the source that lasts longest at its share once.
    #[serde(default)]
    pub epoch_samples: Option<u64>,
}

/// One of the sources that are mixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// What it is called.
    pub name: String,
    /// Its files, as `data` names them.
    pub data: Vec<String>,
    /// Its share, beside the others' weights.
    pub weight: f64,
}

/// How samples of similar size are brought together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketsSpec {
    /// Samples of a group, which are of similar size.
    pub group: u64,
    /// Groups of a window, within which samples are sorted.
    pub groups: u64,
    /// The field whose bytes are a sample's size: the first of these that it has. Where none is named, all that columns are made from.
    #[serde(default)]
    pub fields: Vec<String>,
}

/// Where tuning begins; each where it should where it is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TuneFrom {
    /// Threads.
    #[serde(default)]
    pub threads: Option<usize>,
    /// Batches that are made ahead.
    #[serde(default)]
    pub prefetch: Option<usize>,
    /// Requests that are under way at once.
    #[serde(default)]
    pub requests: Option<usize>,
}

/// A folder for blocks of objects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheSpec {
    /// Its path.
    pub folder: String,
    /// Bytes that it may hold.
    pub bytes: u64,
}

/// A column of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnSpec {
    /// What the consumer calls it.
    pub name: String,
    /// The field it is made from: the first of these that a sample has.
    #[serde(default)]
    pub fields: Vec<String>,
    /// What is made of it.
    pub kind: KindSpec,
}

/// What is made of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KindSpec {
    /// A picture, decoded and drawn to one size: red, green and blue one after the other.
    Image(ImageSpec),
    /// A whole number, in digits or as it is stored.
    Integer,
    /// The field as it is.
    Bytes,
    /// The field as it is, which must be text in UTF-8.
    Text,
    /// Tokens that lie behind each other, without anything between.
    Tokens(TokensSpec),
    /// Documents of tokens, from text or as they are stored, padded or packed to rows.
    Sequences(SequencesSpec),
    /// The part of an image that is looked at: left, top, width, height, and whether it is flipped.
    Part {
        /// The image's column.
        of: String,
    },
    /// The sample's place in the data, counted from 0.
    Number,
    /// What its source is called, of those that are mixed.
    SourceName,
    /// Its source, counted from 0 in the order in which they are told.
    SourceNumber,
}

/// What is done to an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSpec {
    /// Pixels from left to right that it is drawn to.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// The part that is looked at.
    #[serde(default)]
    pub crop: CropSpec,
    /// How often left and right change places: 0 to 1.
    #[serde(default)]
    pub flip: f64,
    /// Whether a JPEG is decoded at a half, a quarter or an eighth of its size where that leaves as many samples as come out.
    #[serde(default)]
    pub dct_scaling: bool,
    /// How colours are changed by chance.
    #[serde(default)]
    pub jitter: Option<JitterSpec>,
    /// What is taken from each channel of 0 to 1.
    #[serde(default)]
    pub mean: [f32; 3],
    /// What it is then divided by.
    #[serde(default = "ones")]
    pub std: [f32; 3],
    /// What comes out.
    #[serde(default)]
    pub dtype: PixelType,
}

/// What the samples of an image come out as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelType {
    /// Floating-point numbers, from 0 to 1 before they are normalised.
    #[default]
    Float32,
    /// Bytes, from 0 to 255.
    UInt8,
}

/// The part of an image that is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CropSpec {
    /// All of it.
    #[default]
    Whole,
    /// The middle, in the shape of what it is drawn to: as if the image's shorter side were drawn to `shorter` pixels.
    Centre {
        /// Pixels of the shorter side.
        shorter: usize,
    },
    /// A part drawn anew each time.
    Random {
        /// Its share of the image's pixels, at least and at most.
        area: (f64, f64),
        /// Its width by its height, at least and at most.
        ratio: (f64, f64),
    },
}

/// How colours are changed by chance: pairs are what factors are drawn from, at least and at most. What is not told is left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JitterSpec {
    /// What samples are multiplied by.
    #[serde(default)]
    pub brightness: Option<(f64, f64)>,
    /// How far samples are from the mean of the gray picture: 1 as they are, 0 not at all.
    #[serde(default)]
    pub contrast: Option<(f64, f64)>,
    /// How far samples are from the gray picture: 1 as they are, 0 not at all.
    #[serde(default)]
    pub saturation: Option<(f64, f64)>,
    /// How far colours are turned, in shares of their circle: -0.5 to 0.5.
    #[serde(default)]
    pub hue: Option<(f64, f64)>,
    /// How often these are done: 0 to 1.
    #[serde(default = "always")]
    pub chance: f64,
    /// How often the picture is gray in the end, whatever else was done: 0 to 1.
    #[serde(default)]
    pub gray: f64,
}

/// Tokens that lie behind each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensSpec {
    /// Tokens of a sample.
    pub length: usize,
    /// Tokens from one sample's first to the next one's; `length` where it is not told.
    #[serde(default)]
    pub stride: Option<usize>,
    /// How a token is stored.
    #[serde(default)]
    pub dtype: TokenType,
}

/// How a token is stored, least byte first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// 16 bits, no sign.
    #[default]
    UInt16,
    /// 32 bits, no sign.
    UInt32,
    /// 32 bits.
    Int32,
    /// 64 bits.
    Int64,
}

impl TokenType {
    /// Bytes of a token.
    pub fn bytes(self) -> usize {
        match self {
            TokenType::UInt16 => 2,
            TokenType::UInt32 | TokenType::Int32 => 4,
            TokenType::Int64 => 8,
        }
    }
}

impl std::fmt::Display for TokenType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            TokenType::UInt16 => "uint16",
            TokenType::UInt32 => "uint32",
            TokenType::Int32 => "int32",
            TokenType::Int64 => "int64",
        })
    }
}

impl Spec {
    /// The names of files of each source; of one source where none are mixed.
    pub fn data_of_sources(&self) -> impl Iterator<Item = &[String]> {
        let mixed = self.mix.iter().flat_map(|mix| mix.sources.iter().map(|source| &source.data[..]));
        let alone = self.mix.is_none().then_some(&self.data[..]);
        alone.into_iter().chain(mixed)
    }
}

fn one() -> u64 {
    1
}

fn always() -> f64 {
    1.0
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

/// 178,956,970 pixels, as Pillow has it: 512 MiB of three bytes each.
pub(crate) fn many_pixels() -> u64 {
    (512 << 20) / 3
}

//! What comes out: plain figures, for whoever shows them.

use serde::Serialize;

use super::balance::Balance;
use super::check::{Checked, Images};
use super::problems::{Found, Problems};
use super::sizes::Spread;
use super::survey::{FormatTally, Survey};
use crate::format::{Shard, ShardKind};

/// The version of this form.
const VERSION: u32 = 1;

/// What is inside a dataset.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inspection {
    /// Of this form.
    pub version: u32,
    /// Whether all of it was looked at.
    pub ended: Ended,
    /// Samples in all that could be opened.
    pub samples: u64,
    /// Samples whose fields were looked at, and could be.
    pub samples_surveyed: u64,
    /// Samples that were read whole; none where that was not asked for.
    pub samples_checked: Option<u64>,
    /// Bytes of all files that could be opened.
    pub bytes: u64,
    /// The formats, in the order in which they were met.
    pub formats: Vec<FormatReport>,
    /// The shards, in order.
    pub shards: Vec<ShardReport>,
    /// Samples that are called as one of another shard; none where nothing was checked.
    pub names_across_shards: Option<u64>,
    /// What is wrong.
    pub problems: Problems,
}

/// How looking ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// All was looked at.
    Complete,
    /// It was told to stop; what was found until then is here.
    Interrupted,
}

/// The shards of one format.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FormatReport {
    /// The format.
    pub format: ShardKind,
    /// Shards.
    pub shards: u64,
    /// Samples.
    pub samples: u64,
    /// Bytes.
    pub bytes: u64,
    /// The fields, in the order in which they were met.
    pub fields: Vec<FieldReport>,
    /// Fields of samples that are not among these, for there are too many names.
    pub fields_untold: u64,
    /// How even the shards are.
    pub balance: Option<Balance>,
}

/// One field of a format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldReport {
    /// Its name; empty where samples are one thing without a name.
    pub name: String,
    /// How many samples have it.
    pub samples: u64,
    /// How many lack it.
    pub missing: u64,
    /// Its bytes in all samples.
    pub bytes: u64,
    /// Its bytes in one sample.
    pub sizes: Option<Spread>,
    /// The images that it is, where they were decoded.
    pub images: Option<ImagesReport>,
}

/// Images that were decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImagesReport {
    /// How many are JPEGs.
    pub jpeg: u64,
    /// How many are in PNG.
    pub png: u64,
    /// How many are WebP.
    pub webp: u64,
    /// Pixels from left to right.
    pub width: Spread,
    /// Pixels from top to bottom.
    pub height: Spread,
    /// Pixels in all.
    pub pixels: Spread,
}

/// One shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardReport {
    /// Its file or folder.
    pub name: String,
    /// Its format.
    pub format: ShardKind,
    /// Its samples.
    pub samples: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Its fields.
    pub fields: Vec<ShardField>,
}

/// A field of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShardField {
    /// Its name.
    pub name: String,
    /// How many samples of the shard have it.
    pub samples: u64,
}

/// Puts together what was seen.
pub(super) fn report(
    shards: &[&dyn Shard],
    survey: Survey,
    checked: Option<Checked>,
    found: Found,
    ended: Ended,
) -> Inspection {
    let told: Vec<ShardReport> = shards
        .iter()
        .zip(&survey.shards)
        .map(|(shard, tally)| {
            let names = survey.formats[tally.format].fields.iter().map(|field| field.name.clone());
            let fields = names.zip(&tally.fields).filter(|(_, samples)| **samples > 0);
            ShardReport {
                name: shard.name().to_owned(),
                format: shard.kind(),
                samples: shard.samples(),
                bytes: tally.bytes,
                fields: fields.map(|(name, samples)| ShardField { name, samples: *samples }).collect(),
            }
        })
        .collect();
    let formats = survey.formats.iter().enumerate();
    let images = |number: usize| checked.as_ref().and_then(|checked| checked.images.get(number));
    Inspection {
        version: VERSION,
        ended,
        samples: told.iter().map(|shard| shard.samples).sum(),
        samples_surveyed: survey.formats.iter().map(|format| format.samples).sum(),
        samples_checked: checked.as_ref().map(|checked| checked.samples),
        bytes: told.iter().map(|shard| shard.bytes).sum(),
        formats: formats.map(|(number, tally)| format(tally, &told, images(number))).collect(),
        shards: told,
        names_across_shards: checked.as_ref().map(|checked| checked.names_across_shards),
        problems: found.finish(),
    }
}

fn format(tally: &FormatTally, shards: &[ShardReport], images: Option<&Vec<Images>>) -> FormatReport {
    let own: Vec<(u64, u64)> =
        shards.iter().filter(|shard| shard.format == tally.kind).map(|shard| (shard.samples, shard.bytes)).collect();
    let fields = tally.fields.iter().enumerate().map(|(place, field)| FieldReport {
        name: field.name.clone(),
        samples: field.sizes.count(),
        missing: tally.samples - field.sizes.count(),
        bytes: field.sizes.sum(),
        sizes: field.sizes.spread(),
        images: images.and_then(|images| images.get(place)).and_then(images_of),
    });
    FormatReport {
        format: tally.kind,
        shards: own.len() as u64,
        samples: own.iter().map(|(samples, _)| samples).sum(),
        bytes: own.iter().map(|(_, bytes)| bytes).sum(),
        fields: fields.collect(),
        fields_untold: tally.fields_untold,
        balance: Balance::of(&own),
    }
}

fn images_of(images: &Images) -> Option<ImagesReport> {
    let Images { jpeg, png, webp, width, height, pixels } = images;
    Some(ImagesReport {
        jpeg: *jpeg,
        png: *png,
        webp: *webp,
        width: width.spread()?,
        height: height.spread()?,
        pixels: pixels.spread()?,
    })
}

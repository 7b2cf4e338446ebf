//! From the columns that are asked for to what is done to samples.

use std::sync::Arc;

use super::LoaderError;
use crate::dataset::{Dataset, Format, Tokens};
use crate::image::Normalise;
use crate::image::crop::{Crop, RandomCrop};
use crate::image::jitter::Jitter;
use crate::sequence::Sequences;
use crate::spec::{ColumnSpec, CropSpec, ImageSpec, JitterSpec, KindSpec, PixelType, Spec, TokensSpec};
use crate::state::TOKENIZER;
use crate::work::{Column, Kind, Photograph, Pixels};

/// How the files are read: tokens say themselves where samples begin.
pub(super) fn format(columns: &[ColumnSpec]) -> Result<Format, LoaderError> {
    let mut formats = columns.iter().filter_map(|column| match &column.kind {
        KindSpec::Tokens(TokensSpec { length, stride, dtype }) => {
            Some(Format::Tokens(Tokens { length: *length, stride: stride.unwrap_or(*length), token: *dtype }))
        }
        KindSpec::Image(_)
        | KindSpec::Integer
        | KindSpec::Bytes
        | KindSpec::Text
        | KindSpec::Sequences(_)
        | KindSpec::Part { .. } => Some(Format::ByName),
        KindSpec::Number | KindSpec::SourceName | KindSpec::SourceNumber => None,
    });
    let first = formats.next().unwrap_or(Format::ByName);
    if formats.any(|other| other != first) {
        let problem = "all columns are cut from the same files: tokens stand alone, or all with the same length";
        return Err(LoaderError::Spec { what: "columns".to_owned(), problem: problem.to_owned() });
    }
    Ok(first)
}

pub(super) fn columns(spec: &Spec) -> Result<Vec<Column>, LoaderError> {
    let column = |column: &ColumnSpec| {
        let kind = match &column.kind {
            KindSpec::Integer => Kind::Integer,
            KindSpec::Number => Kind::Number,
            KindSpec::SourceName => Kind::SourceName,
            KindSpec::SourceNumber => Kind::SourceNumber,
            KindSpec::Bytes => Kind::Bytes,
            KindSpec::Text => Kind::Text,
            KindSpec::Tokens(tokens) => Kind::Tokens { length: tokens.length, token: tokens.dtype },
            KindSpec::Image(image) => Kind::Photograph(photograph(image, spec.seed)),
            KindSpec::Sequences(sequences) => {
                let opened = Sequences::open(sequences);
                let wrong = |problem| LoaderError::Spec { what: column.name.clone(), problem };
                Kind::Sequences(Arc::new(opened.map_err(wrong)?))
            }
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

/// What tells data, and what tokens are made of them, from others: a state of one belongs to no other.
pub(super) fn digest(dataset: &Dataset, columns: &[Column]) -> String {
    let of_column = |column: &Column| match &column.kind {
        Kind::Sequences(sequences) => sequences.digest().map(str::to_owned),
        _ => None,
    };
    let mut tokenizers: Vec<String> = columns.iter().filter_map(of_column).collect();
    tokenizers.sort_unstable();
    tokenizers.dedup();
    [dataset.digest()].into_iter().chain(tokenizers).collect::<Vec<String>>().join(TOKENIZER)
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
        dct_scaling: image.dct_scaling,
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

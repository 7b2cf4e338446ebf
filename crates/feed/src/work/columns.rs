//! Columns of a batch, made from the fields of its samples.

use std::sync::Arc;

use super::decoded::Decoded;
use super::photograph::{Darkroom, Photograph};
use crate::buffer::Slot;
use crate::dataset::{Dataset, Shard};
use crate::format::tar;
use crate::image::jpeg::JpegError;
use crate::pipeline::{Output, SampleError, Turn, Type, Work};

/// One column of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What the consumer calls it.
    pub name: String,
    /// The field that it is made from: the first of these that the sample has.
    pub fields: Vec<String>,
    /// What is made of the field.
    pub kind: Kind,
}

/// What is made of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A photograph, as numbers.
    Photograph(Photograph),
    /// A whole number that is written in digits.
    Integer,
}

/// Makes the columns of a dataset's samples.
pub struct Columns {
    dataset: Arc<Dataset>,
    columns: Vec<Column>,
    outputs: Vec<Output>,
    decoded: Decoded,
    pixels_max: u64,
}

/// What a thread keeps.
pub struct Scratch {
    file: Vec<u8>,
    darkroom: Darkroom,
}

impl Columns {
    /// `columns` of `dataset`. Decoded images are kept in at most `decoded_bytes_max`; those of more than `pixels_max` pixels are
    /// refused.
    pub fn new(dataset: Arc<Dataset>, columns: Vec<Column>, decoded_bytes_max: usize, pixels_max: u64) -> Columns {
        let outputs = columns
            .iter()
            .map(|column| match &column.kind {
                Kind::Photograph(photograph) => photograph.output(&column.name),
                Kind::Integer => Output { name: column.name.clone(), number: Type::I64, shape: Vec::new() },
            })
            .collect();
        Columns { dataset, columns, outputs, decoded: Decoded::new(decoded_bytes_max), pixels_max }
    }
}

/// Why a column could not be made, as a clause.
struct Reason(String);

impl From<JpegError> for Reason {
    fn from(error: JpegError) -> Reason {
        Reason(error.to_string())
    }
}

impl Work for Columns {
    type Scratch = Scratch;

    fn scratch(&self) -> Scratch {
        Scratch { file: Vec::new(), darkroom: Darkroom::new(self.pixels_max) }
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    fn write(&self, scratch: &mut Scratch, turn: Turn, slots: &mut [Slot<'_>]) -> Result<(), SampleError> {
        let (shard, place) = self.dataset.find(turn.sample);
        for (column, slot) in self.columns.iter().zip(slots) {
            let Scratch { file, darkroom } = scratch;
            let made = match &column.kind {
                Kind::Photograph(photograph) => {
                    let output = slot.as_numbers();
                    photograph.make(
                        turn,
                        || read_field(shard, place, &column.fields, file),
                        &self.decoded,
                        darkroom,
                        output,
                    )
                }
                Kind::Integer => read_field(shard, place, &column.fields, file)
                    .and_then(integer)
                    .map(|number| slot.as_numbers::<i64>()[0] = number),
            };
            made.map_err(|Reason(reason)| SampleError { sample: named(shard, place), reason })?;
        }
        Ok(())
    }
}

/// The file of a sample and its name there.
fn named(shard: &Shard, place: u64) -> String {
    let file = shard.file.name();
    let offset = shard.fields(place)[0].offset;
    match tar::sample_name(&*shard.file, offset) {
        Ok(name) => format!("{file}: {name}"),
        Err(_) => format!("{file}: sample {place}"),
    }
}

/// Reads the first field of a sample that has one of some names.
fn read_field<'b>(shard: &Shard, place: u64, names: &[String], bytes: &'b mut Vec<u8>) -> Result<&'b [u8], Reason> {
    let fields = shard.fields(place);
    let field = names
        .iter()
        .filter_map(|name| shard.index.field(name))
        .find_map(|name| fields.iter().find(|field| field.name == name))
        .ok_or_else(|| Reason(format!("it has no field {}", names.join(" or "))))?;
    bytes.resize(field.bytes as usize, 0);
    shard.file.read_at(field.offset, bytes).map_err(|error| Reason(error.to_string()))?;
    Ok(bytes)
}

fn integer(bytes: &[u8]) -> Result<i64, Reason> {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
    text.parse().map_err(|_| Reason(format!("{:?} is no whole number", String::from_utf8_lossy(bytes))))
}

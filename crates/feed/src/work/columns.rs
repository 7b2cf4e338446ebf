//! Columns of a batch, made from the fields of its samples.

use std::sync::Arc;

use super::decoded::Decoded;
use super::photograph::{Darkroom, Photograph};
use super::tokens::widen;
use crate::buffer::Slot;
use crate::dataset::{Dataset, Shard};
use crate::image::jpeg::{self, JpegError};
use crate::pipeline::{Output, SampleError, Turn, Type, Work};
use crate::spec::TokenType;

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
    /// The part of a photograph that is looked at: left, top, width, height, and whether it is mirrored.
    Part(Photograph),
    /// The sample's place in the data.
    Number,
    /// A whole number that is written in digits.
    Integer,
    /// Tokens, as they are stored.
    Tokens {
        /// How many.
        length: usize,
        /// How each is stored.
        token: TokenType,
    },
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
                Kind::Integer | Kind::Number => {
                    Output { name: column.name.clone(), number: Type::I64, shape: Vec::new() }
                }
                Kind::Part(_) => Output { name: column.name.clone(), number: Type::I64, shape: vec![5] },
                Kind::Tokens { length, .. } => {
                    Output { name: column.name.clone(), number: Type::I64, shape: vec![*length] }
                }
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
                Kind::Part(photograph) => read_field(shard, place, &column.fields, file)
                    .and_then(|file| jpeg::size(file).map_err(Reason::from))
                    .map(|size| photograph.tell_part(turn, size, slot.as_numbers())),
                Kind::Number => {
                    slot.as_numbers::<i64>()[0] = turn.sample as i64;
                    Ok(())
                }
                Kind::Integer => read_field(shard, place, &column.fields, file)
                    .and_then(integer)
                    .map(|number| slot.as_numbers::<i64>()[0] = number),
                Kind::Tokens { length, token } => read_field(shard, place, &column.fields, file).and_then(|stored| {
                    if stored.len() != length * token.bytes() {
                        let (bytes, expected) = (stored.len(), length * token.bytes());
                        return Err(Reason(format!("it has {bytes} bytes, and {length} tokens take {expected}")));
                    }
                    widen(stored, *token, slot.as_numbers());
                    Ok(())
                }),
            };
            made.map_err(|Reason(reason)| SampleError { sample: shard.name_of(place), reason })?;
        }
        Ok(())
    }
}

/// Reads the first field of a sample that has one of some names.
fn read_field<'b>(shard: &Shard, place: u64, names: &[String], bytes: &'b mut Vec<u8>) -> Result<&'b [u8], Reason> {
    let extent = shard.extent(place, names).ok_or_else(|| Reason(format!("it has no field {}", names.join(" or "))))?;
    bytes.resize(extent.bytes as usize, 0);
    shard.file.read_at(extent.offset, bytes).map_err(|error| Reason(error.to_string()))?;
    Ok(bytes)
}

fn integer(bytes: &[u8]) -> Result<i64, Reason> {
    let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
    text.parse().map_err(|_| Reason(format!("{:?} is no whole number", String::from_utf8_lossy(bytes))))
}

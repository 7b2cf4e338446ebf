//! Columns of a batch, made from the fields of its samples.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::asking::Asking;
use super::darkroom::Darkrooms;
use super::decoded::Decoded;
use super::desk::{Desk, Rooms, Seat};
use super::photograph::Photograph;
use super::sequences;
use super::tokens::widen;
use crate::buffer::{Number, Slot};
use crate::dataset::Dataset;
use crate::format::{Encoding, ReadError, Shard};
use crate::image::{ImageError, size};
use crate::memory::Share;
use crate::meter::{Meter, Turns};
use crate::order::Mix;
use crate::pipeline::{self, Ahead, Arrivals, Asked, Cell, Cells, Join, Output, Place, SampleError, Turn, Type, Work};
use crate::sequence::{Counts, Made, Sequences};
use crate::source::remote::{Ticket, Want};
use crate::spec::TokenType;

/// One column of a batch.
#[derive(Clone, Debug)]
pub struct Column {
    /// What the consumer calls it.
    pub name: String,
    /// The field that it is made from: the first of these that the sample has.
    pub fields: Vec<String>,
    /// What is made of the field.
    pub kind: Kind,
}

/// What is made of a field.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A photograph, as numbers.
    Photograph(Photograph),
    /// The part of a photograph that is looked at: left, top, width, height, and whether it is mirrored.
    Part(Photograph),
    /// The sample's place in the data.
    Number,
    /// What its source is called, where several are mixed.
    SourceName,
    /// The number of its source.
    SourceNumber,
    /// A whole number that is written in digits, or as numbers are stored.
    Integer,
    /// The field as it is.
    Bytes,
    /// The field as it is, which must be text in UTF-8.
    Text,
    /// Tokens, as they are stored.
    Tokens {
        /// How many.
        length: usize,
        /// How each is stored.
        token: TokenType,
    },
    /// Documents of tokens, laid into rows.
    Sequences(Arc<Sequences>),
}

/// Makes the columns of a dataset's samples.
pub struct Columns {
    dataset: Arc<Dataset>,
    columns: Vec<Column>,
    outputs: Vec<Output>,
    decoded: Decoded,
    darkrooms: Darkrooms,
    /// The sources, where several are mixed.
    mix: Option<Arc<Mix>>,
    desk: Desk,
    /// What is asked ahead, where data are in a store.
    asking: Option<Asking>,
    meter: Meter,
}

/// What a thread keeps.
pub struct Scratch {
    file: Vec<u8>,
    /// Time spent on getting bytes, over all samples.
    reading: Duration,
    /// Of which samples it is measured how long they take a core.
    turns: Turns,
}

impl Columns {
    /// `columns` of `dataset`, made in `rooms`. Decoded images are kept in at most `decoded_bytes_max`; those of more than `pixels_max`
    /// pixels are refused.
    pub fn new(
        dataset: Arc<Dataset>,
        columns: Vec<Column>,
        rooms: Rooms,
        decoded_bytes_max: usize,
        pixels_max: u64,
    ) -> Columns {
        let outputs = columns
            .iter()
            .map(|Column { name, kind, .. }| match kind {
                Kind::Photograph(photograph) => photograph.output(name),
                Kind::Integer | Kind::Number | Kind::SourceNumber => Output::numbers(name, Type::I64, &[]),
                Kind::Part(_) => Output::numbers(name, Type::I64, &[5]),
                Kind::Tokens { length, .. } => Output::numbers(name, Type::I64, &[*length]),
                Kind::Bytes => Output::of_bytes(name),
                Kind::Text | Kind::SourceName => Output::of_text(name),
                Kind::Sequences(_) => Output::joined(name),
            })
            .collect();
        Columns {
            dataset,
            columns,
            outputs,
            decoded: Decoded::new(decoded_bytes_max),
            darkrooms: Darkrooms::new(pixels_max),
            mix: None,
            desk: Desk::new(rooms),
            asking: None,
            meter: Meter::default(),
        }
    }

    /// Samples that there are.
    pub fn samples(&self) -> u64 {
        self.dataset.samples()
    }

    /// What a sample is called: its file, and its name there.
    pub fn sample_name(&self, number: u64) -> String {
        let (shard, sample) = self.dataset.find(number);
        format!("{}: {}", shard.name(), shard.sample_name(sample))
    }

    /// Bytes of images that are kept decoded.
    pub fn decoded_bytes(&self) -> usize {
        self.decoded.bytes()
    }

    /// What became of documents, where columns are made of them.
    pub fn sequences(&self) -> Option<Made> {
        Counts::sum(self.documents().map(|(_, sequences)| sequences.counts()))
    }

    /// Columns that are made of documents, in order.
    fn documents(&self) -> impl Iterator<Item = (&Column, &Sequences)> {
        self.columns.iter().filter_map(|column| match &column.kind {
            Kind::Sequences(sequences) => Some((column, &**sequences)),
            _ => None,
        })
    }

    /// The same, of data that are not on this machine: what they are made from is asked for ahead.
    pub fn fetched_ahead(self, asking: Asking) -> Columns {
        Columns { asking: Some(asking), ..self }
    }

    /// The same; decoded images are kept once that is allowed, in memory that others take theirs from.
    pub fn keeping_within(self, memory: Arc<Share>) -> Columns {
        Columns { decoded: Decoded::within(memory), ..self }
    }

    /// From now on, decoded images are kept in so many bytes.
    pub fn keep_decoded(&self, bytes_max: usize) {
        self.decoded.allow(bytes_max);
    }

    /// Gives up decoded images that are kept in memory which others could have, and keeps none any more; whether there were any.
    pub fn give_up_decoded(&self) -> bool {
        self.decoded.give_up()
    }

    /// The same, of data that are sources which are mixed.
    pub fn of_mix(self, mix: Arc<Mix>) -> Columns {
        Columns { mix: Some(mix), ..self }
    }
}

/// Why a column could not be made, as a clause.
pub(super) struct Reason(pub(super) String);

impl From<ImageError> for Reason {
    fn from(error: ImageError) -> Reason {
        Reason(error.to_string())
    }
}

impl From<ReadError> for Reason {
    fn from(error: ReadError) -> Reason {
        Reason(error.to_string())
    }
}

impl Work for Columns {
    type Scratch = Scratch;

    fn scratch(&self) -> Scratch {
        Scratch { file: Vec::new(), reading: Duration::ZERO, turns: Turns::default() }
    }

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    type Ticket = Ticket;

    fn ahead(&self) -> Ahead {
        self.asking.as_ref().map_or(Ahead::Nothing, Asking::ahead)
    }

    fn ask(
        &self,
        turns: &mut dyn Iterator<Item = (pipeline::Seat, Turn)>,
        arrivals: &Weak<dyn Arrivals>,
    ) -> Vec<Asked<Ticket>> {
        let asking = self.asking.as_ref();
        asking.map_or_else(Vec::new, |asking| asking.ask(turns, arrivals, |turn| self.want(turn)))
    }

    fn bytes(&self, turn: Turn) -> usize {
        let (shard, sample) = self.dataset.find(turn.sample);
        let bytes = |column: &Column| match column.kind {
            // What cannot be told now is told as an error when it is read.
            Kind::Bytes | Kind::Text => shard.bytes(sample, &column.fields).unwrap_or(0) as usize,
            Kind::SourceName => self.source(turn).1.len(),
            _ => 0,
        };
        self.columns.iter().map(bytes).sum()
    }

    fn joined_bytes(&self, turns: &[Turn]) -> usize {
        let of_column = |(column, sequences): (&Column, &Sequences)| {
            sequences.batch_bytes(turns.iter().map(|turn| {
                let (shard, sample) = self.dataset.find(turn.sample);
                // What cannot be told now is told as an error when it is read.
                let bytes = shard.bytes(sample, &column.fields).unwrap_or(0) as usize;
                sequences.tokens_max(bytes, sequences::written(shard.kind()))
            }))
        };
        self.documents().map(of_column).fold(0, usize::saturating_add)
    }

    fn join(&self, turns: &[Turn], cells: Vec<Cells>) -> Join {
        let start = Instant::now();
        let join = sequences::join(&self.columns, cells, |slot| self.sample_name(turns[slot].sample));
        self.meter.make.stop(start);
        join
    }

    fn write(&self, scratch: &mut Scratch, turn: Turn, places: &mut [Place<'_>]) -> Result<(), SampleError> {
        let (shard, sample) = self.dataset.find(turn.sample);
        let (start, read_before) = (Instant::now(), scratch.reading);
        let begun = self.meter.cores.begin(&mut scratch.turns);
        let written = self.write_columns(scratch, (shard, sample), turn, places);
        self.meter.cores.end(begun);
        let reading = scratch.reading - read_before;
        self.meter.read.add(reading);
        self.meter.make.add(start.elapsed().saturating_sub(reading));
        written.map_err(|Reason(reason)| SampleError { sample: self.sample_name(turn.sample), reason })
    }

    fn meter(&self) -> &Meter {
        &self.meter
    }
}

impl Columns {
    /// What is to be fetched for a sample.
    fn want(&self, turn: Turn) -> Option<Want> {
        let (shard, sample) = self.dataset.find(turn.sample);
        let is_read = |(place, column): &(usize, &Column)| match &column.kind {
            Kind::Number | Kind::SourceName | Kind::SourceNumber => false,
            Kind::Photograph(_) => !self.decoded.has((turn.sample, self.first_alike(&self.columns[*place]))),
            _ => true,
        };
        let read = self.columns.iter().enumerate().filter(is_read);
        let fields: Vec<&[String]> = read.map(|(_, column)| &column.fields[..]).collect();
        if fields.is_empty() { None } else { shard.want(sample, &fields) }
    }

    /// The number and the name of a sample's source; the only one has no name.
    fn source(&self, turn: Turn) -> (usize, &str) {
        let Some(mix) = &self.mix else { return (0, "") };
        let number = mix.source_of(turn.sample);
        (number, &mix.sources()[number].name)
    }

    /// The first column that is made from the same field.
    fn first_alike(&self, column: &Column) -> usize {
        self.columns.iter().position(|other| other.fields == column.fields).unwrap_or(0)
    }

    fn write_columns(
        &self,
        scratch: &mut Scratch,
        (shard, sample): (&dyn Shard, u64),
        turn: Turn,
        places: &mut [Place<'_>],
    ) -> Result<(), Reason> {
        let mut seat = self.desk.sit(self.read_bytes(shard, sample, turn)?)?;
        let write = |(column, place)| self.write_column((scratch, &mut seat), (shard, sample), turn, column, place);
        let written = self.columns.iter().zip(places).try_for_each(write);
        if seat.is_large() {
            // What it took must not stay taken, for the next one's turn to begin.
            scratch.file = Vec::new();
        }
        written
    }

    /// Bytes that are read of a sample to be worked on, and not to where they belong: at most.
    fn read_bytes(&self, shard: &dyn Shard, sample: u64, turn: Turn) -> Result<usize, Reason> {
        let mut most = 0;
        for column in &self.columns {
            let is_read = match &column.kind {
                Kind::Number | Kind::SourceName | Kind::SourceNumber | Kind::Bytes | Kind::Text => false,
                Kind::Photograph(_) => !self.decoded.has((turn.sample, self.first_alike(column))),
                Kind::Part(_) | Kind::Integer | Kind::Tokens { .. } | Kind::Sequences(_) => true,
            };
            if is_read {
                most = most.max(shard.bytes(sample, &column.fields)?);
            }
        }
        Ok((most + shard.work_bytes(sample)) as usize)
    }

    fn write_column(
        &self,
        (scratch, seat): (&mut Scratch, &mut Seat<'_>),
        (shard, sample): (&dyn Shard, u64),
        turn: Turn,
        column: &Column,
        place: &mut Place<'_>,
    ) -> Result<(), Reason> {
        let Scratch { file, reading, turns } = scratch;
        let mut read = |bytes: &mut Vec<u8>| {
            let (start, begun) = (Instant::now(), self.meter.cores.begin_reading(turns));
            let encoding = read(shard, sample, &column.fields, bytes);
            self.meter.cores.end_reading(begun);
            *reading += start.elapsed();
            self.meter.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            encoding
        };
        match &column.kind {
            Kind::Photograph(photograph) => {
                let read_file = |file: &mut Vec<u8>| read(file).map(drop);
                let image = (turn.sample, self.first_alike(column));
                photograph.make(
                    turn,
                    (file, read_file),
                    (&self.decoded, image),
                    (&self.darkrooms, seat, &self.meter),
                    slot(place),
                )
            }
            Kind::Part(photograph) => {
                read(file)?;
                photograph.tell_part(turn, size(file)?, numbers(place));
                Ok(())
            }
            Kind::Number => {
                numbers::<i64>(place)[0] = turn.sample as i64;
                Ok(())
            }
            Kind::SourceNumber => {
                numbers::<i64>(place)[0] = self.source(turn).0 as i64;
                Ok(())
            }
            Kind::SourceName => {
                let Place::Bytes(bytes) = place else { unreachable!("the output was made for this column") };
                bytes.own().clear();
                bytes.own().extend_from_slice(self.source(turn).1.as_bytes());
                Ok(())
            }
            Kind::Integer => {
                let encoding = read(file)?;
                numbers::<i64>(place)[0] = integer(file, encoding)?;
                Ok(())
            }
            Kind::Bytes | Kind::Text => {
                let Place::Bytes(cell) = place else { unreachable!("the output was made for this column") };
                match shard.part(sample, &column.fields)? {
                    Some(part) => {
                        self.meter.bytes.fetch_add(part.as_ref().len() as u64, Ordering::Relaxed);
                        **cell = Cell::Shared(Box::new(part));
                    }
                    None => drop(read(cell.own())?),
                }
                if matches!(column.kind, Kind::Text)
                    && let Err(error) = std::str::from_utf8(cell)
                {
                    return Err(Reason(format!("it is no text in UTF-8 from byte {} on", error.valid_up_to())));
                }
                Ok(())
            }
            Kind::Tokens { length, token } => {
                read(file)?;
                if file.len() != length * token.bytes() {
                    let (bytes, expected) = (file.len(), length * token.bytes());
                    return Err(Reason(format!("it has {bytes} bytes, and {length} tokens take {expected}")));
                }
                widen(file, *token, numbers(place));
                Ok(())
            }
            Kind::Sequences(documents) => {
                let Place::Bytes(cell) = place else { unreachable!("the output was made for this column") };
                let encoding = read(file)?;
                let written = sequences::written(shard.kind());
                let work = documents.work_bytes(file.len(), written);
                if work > seat.left() {
                    seat.grow(work)?;
                }
                sequences::write(documents, (file, encoding), written, cell.own())
            }
        }
    }
}

/// The numbers of a place that is made of them.
fn numbers<'p, T: Number>(place: &'p mut Place<'_>) -> &'p mut [T] {
    slot(place).as_numbers()
}

/// The slot of a place that is made of numbers.
fn slot<'p, 'a>(place: &'p mut Place<'a>) -> &'p mut Slot<'a> {
    let Place::Numbers(slot) = place else { unreachable!("the output was made for this column") };
    slot
}

/// Reads the first field of a sample that has one of some names.
fn read(shard: &dyn Shard, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Encoding, Reason> {
    let encoding = shard.read(sample, names, bytes)?;
    encoding.ok_or_else(|| match names {
        [] => Reason("its fields have names, and none was asked for".to_owned()),
        names => Reason(format!("it has no field {}", names.join(" or "))),
    })
}

fn integer(bytes: &[u8], encoding: Encoding) -> Result<i64, Reason> {
    match encoding {
        Encoding::Plain => {
            let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
            text.parse().map_err(|_| Reason(format!("{:?} is no whole number", String::from_utf8_lossy(bytes))))
        }
        Encoding::Integer { is_signed } => {
            if !matches!(bytes.len(), 1 | 2 | 4 | 8) {
                return Err(Reason(format!("a whole number is stored in {} bytes", bytes.len())));
            }
            let word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            let above = 64 - 8 * bytes.len() as u32;
            if is_signed {
                return Ok((word << above) as i64 >> above);
            }
            i64::try_from(word).map_err(|_| Reason(format!("{word} is more than 64 bits with a sign hold")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_as_they_are_stored() {
        let stored = |bytes: &[u8], is_signed| integer(bytes, Encoding::Integer { is_signed }).ok();
        assert_eq!(stored(&[0xfe], true), Some(-2));
        assert_eq!(stored(&[0xfe], false), Some(254));
        assert_eq!(stored(&[0x01, 0x80], true), Some(-0x7fff));
        assert_eq!(stored(&(-5_i64).to_le_bytes(), true), Some(-5));
        assert_eq!(stored(&u64::MAX.to_le_bytes(), false), None);
        assert_eq!(stored(&[1, 2, 3], true), None);
        assert_eq!(integer(b" 12\n", Encoding::Plain).ok(), Some(12));
        assert!(integer(b"twelve", Encoding::Plain).is_err());
    }
}

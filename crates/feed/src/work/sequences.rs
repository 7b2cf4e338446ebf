//! Documents of a batch, joined to rows once all of them are there.

use super::columns::{Column, Kind, Reason};
use crate::format::{Encoding, ShardKind};
use crate::pipeline::{Cells, Join, SampleError};
use crate::sequence::{Laid, Sequences, Written};

/// How the fields of a shard are written that documents are made from.
pub(super) fn written(shard: ShardKind) -> Written {
    if shard == ShardKind::JsonLines { Written::Json } else { Written::Plain }
}

/// Writes a document.
pub(super) fn write(
    sequences: &Sequences,
    field: (&[u8], Encoding),
    written: Written,
    cell: &mut Vec<u8>,
) -> Result<(), Reason> {
    match field {
        (_, Encoding::Integer { .. }) => {
            Err(Reason("it is a whole number, and neither text nor a list of tokens".to_owned()))
        }
        (bytes, Encoding::Plain) => sequences.write(bytes, written, cell).map_err(Reason),
    }
}

/// Lays the documents of some columns into rows. A sample that has no room in one of them is in none; `name` says what it is called.
pub(super) fn join(columns: &[Column], mut cells: Vec<Cells>, name: impl Fn(usize) -> String) -> Join {
    let columns: Vec<(&str, &Sequences)> = columns.iter().filter_map(of_sequences).collect();
    let mut join = Join::default();
    let laid = loop {
        let laid: Vec<Laid> =
            columns.iter().zip(&cells).map(|((_, sequences), cells)| sequences.lay(&there(cells))).collect();
        let failed_before = join.failed.len();
        for (((column, sequences), laid), own) in columns.iter().zip(&laid).zip(&cells) {
            let slots: Vec<usize> =
                own.iter().enumerate().filter(|(_, cell)| cell.is_some()).map(|(slot, _)| slot).collect();
            for slot in laid.left_out.iter().map(|document| slots[*document]) {
                if !join.failed.iter().any(|(other, _)| *other == slot) {
                    let reason = format!("{column}: {}", sequences.no_room());
                    join.failed.push((slot, SampleError { sample: name(slot), reason }));
                }
            }
        }
        if join.failed.len() == failed_before {
            break laid;
        }
        // Without them there may be fewer rows in another column.
        for (slot, _) in &join.failed[failed_before..] {
            cells.iter_mut().for_each(|cells| cells[*slot] = None);
        }
    };
    join.arrays = columns
        .iter()
        .zip(&laid)
        .zip(cells)
        .map(|(((name, sequences), laid), cells)| sequences.arrays(name, &there(&cells), laid))
        .collect();
    join
}

/// The column's name and its documents, where it is made of them.
fn of_sequences(column: &Column) -> Option<(&str, &Sequences)> {
    match &column.kind {
        Kind::Sequences(sequences) => Some((&column.name, sequences)),
        _ => None,
    }
}

/// What was written for those samples that did not fail.
fn there(cells: &Cells) -> Vec<&[u8]> {
    cells.iter().filter_map(|cell| cell.as_deref()).collect()
}

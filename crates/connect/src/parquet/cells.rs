//! Cells of a batch as fields of CSV.

use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

/// Whether values of a type can be written as a field.
pub(super) fn has_place(of: &DataType) -> bool {
    matches!(
        of,
        DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Float32
            | DataType::Float64
            | DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
    )
}

/// A line of texts.
pub(super) fn line<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a str>) {
    for (at, field) in texts.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        text(out, field);
    }
    out.push(b'\n');
}

/// The rows of a batch, of columns that have a place.
pub(super) fn rows(out: &mut Vec<u8>, batch: &RecordBatch) {
    for row in 0..batch.num_rows() {
        for (at, column) in batch.columns().iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            if column.is_valid(row) {
                cell(out, column.as_ref(), row);
            }
        }
        out.push(b'\n');
    }
}

fn cell(out: &mut Vec<u8>, column: &dyn Array, row: usize) {
    match column.data_type() {
        DataType::Boolean => text(out, if column.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Int8 => number::<Int8Type>(out, column, row),
        DataType::Int16 => number::<Int16Type>(out, column, row),
        DataType::Int32 => number::<Int32Type>(out, column, row),
        DataType::Int64 => number::<Int64Type>(out, column, row),
        DataType::UInt8 => number::<UInt8Type>(out, column, row),
        DataType::UInt16 => number::<UInt16Type>(out, column, row),
        DataType::UInt32 => number::<UInt32Type>(out, column, row),
        DataType::UInt64 => number::<UInt64Type>(out, column, row),
        // Tables that went through data frames say "not a number" where they have none.
        DataType::Float32 if column.as_primitive::<Float32Type>().value(row).is_nan() => {}
        DataType::Float32 => number::<Float32Type>(out, column, row),
        DataType::Float64 if column.as_primitive::<Float64Type>().value(row).is_nan() => {}
        DataType::Float64 => number::<Float64Type>(out, column, row),
        DataType::Utf8 => text(out, column.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(out, column.as_string::<i64>().value(row)),
        DataType::Utf8View => text(out, column.as_string_view().value(row)),
        other => unreachable!("a column of {other} has no place, and is not read"),
    }
}

/// With as many digits as it takes to read the same number again.
fn number<T: ArrowPrimitiveType<Native: std::fmt::Display>>(out: &mut Vec<u8>, column: &dyn Array, row: usize) {
    write!(out, "{}", column.as_primitive::<T>().value(row)).expect("memory takes what is written");
}

/// In quotation marks where it holds what would end a field.
fn text(out: &mut Vec<u8>, text: &str) {
    if text.contains(['"', ',', '\n', '\r']) {
        out.push(b'"');
        out.extend(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend(text.as_bytes());
    }
}

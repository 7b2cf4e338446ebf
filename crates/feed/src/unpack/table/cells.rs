//! What becomes of a column, by its type:
//!
//! - text and bytes are what they are; of a struct of `bytes` and `path`, as Hugging Face stores images and sounds, that is `bytes`;
//! - whole numbers, truth values (0 and 1), dates and times (in the unit in which they are stored) are numbers of as many bytes;
//! - floating-point numbers and decimals are text: the fewest digits that are read as the same number;
//! - lists of numbers are these, one behind the other, least byte first, as they are stored; one that is missing is 0;
//! - other lists are JSON;
//! - the members of other structs are columns of their own, called by the struct's name, a dot, and theirs.
//!
//! What is none of these is left out.

use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Fields, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How the values of a column are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stored {
    /// As bytes, of which each row has its own number.
    Bytes,
    /// As whole numbers, least byte first.
    Integer {
        /// Bytes of each.
        bytes: u32,
        /// Whether the highest bit is a sign.
        is_signed: bool,
    },
}

impl Stored {
    /// Bytes of each value, where all have as many.
    pub(crate) fn bytes(self) -> Option<u32> {
        match self {
            Stored::Bytes => None,
            Stored::Integer { bytes, .. } => Some(bytes),
        }
    }
}

/// Where a column is found in a batch.
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) stored: Stored,
    /// The place of a column, then of a member of each struct.
    path: Vec<usize>,
}

/// The values of a column in a batch.
pub(super) struct Cells {
    /// The structs that it is in.
    around: Vec<ArrayRef>,
    values: ArrayRef,
    /// Of a dictionary, the place of each row's value.
    keys: Option<Vec<usize>>,
}

/// The columns of a schema, and those that have no place here, with their types.
pub(super) fn plan(schema: &Schema) -> (Vec<Plan>, Vec<(String, String)>) {
    let (mut plans, mut left_out) = (Vec::new(), Vec::new());
    for (place, field) in schema.fields().iter().enumerate() {
        add(field.name().clone(), field.data_type(), vec![place], (&mut plans, &mut left_out));
    }
    (plans, left_out)
}

fn add(name: String, kind: &DataType, path: Vec<usize>, into: (&mut Vec<Plan>, &mut Vec<(String, String)>)) {
    let below = |place: usize| path.iter().copied().chain([place]).collect::<Vec<usize>>();
    let (plans, left_out) = into;
    match kind {
        DataType::Struct(members) => match file_of(members) {
            Some(place) => add(name, members[place].data_type(), below(place), (plans, left_out)),
            None => {
                for (place, member) in members.iter().enumerate() {
                    let name = format!("{name}.{}", member.name());
                    add(name, member.data_type(), below(place), (plans, left_out));
                }
            }
        },
        _ => match stored(kind) {
            Some(stored) => plans.push(Plan { name, stored, path }),
            None => left_out.push((name, kind.to_string())),
        },
    }
}

/// The member with the bytes of a file, of a struct of a file's bytes and path.
fn file_of(members: &Fields) -> Option<usize> {
    let place = |name: &str| members.iter().position(|member| member.name() == name);
    let bytes = place("bytes").filter(|place| is_bytes(members[*place].data_type()))?;
    (members.len() == 2 && place("path").is_some()).then_some(bytes)
}

fn is_bytes(kind: &DataType) -> bool {
    use DataType as T;
    matches!(kind, T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_))
        || matches!(kind, T::Utf8 | T::LargeUtf8 | T::Utf8View)
}

fn stored(kind: &DataType) -> Option<Stored> {
    use DataType as T;
    let integer = |bytes, is_signed| Some(Stored::Integer { bytes, is_signed });
    match kind {
        T::Boolean | T::UInt8 => integer(1, false),
        T::UInt16 => integer(2, false),
        T::UInt32 => integer(4, false),
        T::UInt64 => integer(8, false),
        T::Int8 => integer(1, true),
        T::Int16 => integer(2, true),
        T::Int32 | T::Date32 | T::Time32(_) => integer(4, true),
        T::Int64 | T::Date64 | T::Time64(_) | T::Timestamp(..) | T::Duration(_) => integer(8, true),
        T::Float16 | T::Float32 | T::Float64 | T::Decimal128(..) | T::Decimal256(..) => Some(Stored::Bytes),
        T::List(item) | T::LargeList(item) | T::FixedSizeList(item, _) => {
            (is_number(item.data_type()) || is_json(item.data_type())).then_some(Stored::Bytes)
        }
        T::Dictionary(_, values) if !matches!(**values, T::Dictionary(..)) => stored(values),
        kind => is_bytes(kind).then_some(Stored::Bytes),
    }
}

/// Whether values of a type have as many bytes each, and no more to them.
fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || kind.is_floating()
}

/// Whether JSON has words for a type.
fn is_json(kind: &DataType) -> bool {
    match kind {
        DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            is_json(item.data_type())
        }
        DataType::Struct(members) => members.iter().all(|member| is_json(member.data_type())),
        kind => is_number(kind),
    }
}

impl Plan {
    /// Its values in a batch.
    pub(super) fn cells(&self, batch: &RecordBatch) -> Cells {
        let mut values = ArrayRef::clone(batch.column(self.path[0]));
        let mut around = Vec::new();
        for place in &self.path[1..] {
            let member = ArrayRef::clone(values.as_struct().column(*place));
            around.push(values);
            values = member;
        }
        let DataType::Dictionary(..) = values.data_type() else { return Cells { around, values, keys: None } };
        let dictionary = values.as_any_dictionary();
        // Without values, all rows lack one, and keys are not looked at.
        let keys = if dictionary.values().is_empty() { Vec::new() } else { dictionary.normalized_keys() };
        let told = ArrayRef::clone(dictionary.values());
        around.push(values);
        Cells { around, values: told, keys: Some(keys) }
    }
}

impl Cells {
    /// Writes the value of a row behind `out`; whether there is one.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> bool {
        if self.around.iter().any(|around| around.is_null(row)) {
            return false;
        }
        let row = match &self.keys {
            Some(keys) if keys.is_empty() => return false,
            Some(keys) => keys[row],
            None => row,
        };
        if self.values.is_null(row) {
            return false;
        }
        write(&self.values, row, out);
        true
    }
}

fn write(values: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    use DataType as T;
    if let Some(bytes) = bytes(values, row) {
        out.extend_from_slice(bytes);
        return;
    }
    match values.data_type() {
        T::Float16 => text(out, values.as_primitive::<Float16Type>().value(row).to_f32()),
        T::Float32 => text(out, values.as_primitive::<Float32Type>().value(row)),
        T::Float64 => text(out, values.as_primitive::<Float64Type>().value(row)),
        T::Decimal128(..) => text(out, values.as_primitive::<Decimal128Type>().value_as_string(row)),
        T::Decimal256(..) => text(out, values.as_primitive::<Decimal256Type>().value_as_string(row)),
        T::List(_) | T::LargeList(_) | T::FixedSizeList(..) => {
            let items = items(values, row);
            if is_number(items.data_type()) {
                (0..items.len()).for_each(|item| number(&items, item, out));
            } else {
                text(out, json(values, row));
            }
        }
        _ => number(values, row, out),
    }
}

fn text(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("memory takes what is written to it");
}

/// The bytes of a value that has some.
fn bytes(values: &ArrayRef, row: usize) -> Option<&[u8]> {
    use DataType as T;
    Some(match values.data_type() {
        T::Binary => values.as_binary::<i32>().value(row),
        T::LargeBinary => values.as_binary::<i64>().value(row),
        T::BinaryView => values.as_binary_view().value(row),
        T::FixedSizeBinary(_) => values.as_fixed_size_binary().value(row),
        T::Utf8 => values.as_string::<i32>().value(row).as_bytes(),
        T::LargeUtf8 => values.as_string::<i64>().value(row).as_bytes(),
        T::Utf8View => values.as_string_view().value(row).as_bytes(),
        _ => return None,
    })
}

/// The items of a list.
fn items(values: &ArrayRef, row: usize) -> ArrayRef {
    match values.data_type() {
        DataType::List(_) => values.as_list::<i32>().value(row),
        DataType::LargeList(_) => values.as_list::<i64>().value(row),
        _ => values.as_fixed_size_list().value(row),
    }
}

/// Writes a number as it is stored; 0 for one that is missing.
fn number(values: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    use DataType as T;
    macro_rules! stored {
        ($kind:ty) => {{
            let value = values.as_primitive::<$kind>().value(row);
            let value = if values.is_null(row) { Default::default() } else { value };
            out.extend_from_slice(&value.to_le_bytes());
        }};
    }
    match values.data_type() {
        T::Boolean => out.push(u8::from(values.as_boolean().value(row))),
        T::Int8 => stored!(Int8Type),
        T::Int16 => stored!(Int16Type),
        T::Int32 => stored!(Int32Type),
        T::Int64 => stored!(Int64Type),
        T::UInt8 => stored!(UInt8Type),
        T::UInt16 => stored!(UInt16Type),
        T::UInt32 => stored!(UInt32Type),
        T::UInt64 => stored!(UInt64Type),
        T::Float16 => stored!(Float16Type),
        T::Float32 => stored!(Float32Type),
        T::Float64 => stored!(Float64Type),
        T::Date32 => stored!(Date32Type),
        T::Date64 => stored!(Date64Type),
        _ => moment(values, row, out),
    }
}

/// Writes a time as it is stored: as a number of its unit.
fn moment(values: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    let data = values.to_data();
    let bytes = values.data_type().primitive_width().expect("only types of a fixed width are stored so");
    let start = (data.offset() + row) * bytes;
    out.extend_from_slice(&data.buffers()[0][start..start + bytes]);
}

/// A value in the words of JSON.
fn json(values: &ArrayRef, row: usize) -> Value {
    use DataType as T;
    if values.is_null(row) {
        return Value::Null;
    }
    if let Some(bytes) = bytes(values, row) {
        return Value::String(String::from_utf8_lossy(bytes).into_owned());
    }
    match values.data_type() {
        T::Boolean => Value::Bool(values.as_boolean().value(row)),
        T::List(_) | T::LargeList(_) | T::FixedSizeList(..) => {
            let items = items(values, row);
            Value::Array((0..items.len()).map(|item| json(&items, item)).collect())
        }
        T::Struct(members) => {
            let columns = members.iter().zip(values.as_struct().columns());
            Value::Object(columns.map(|(member, values)| (member.name().clone(), json(values, row))).collect())
        }
        T::Float16 => Value::from(values.as_primitive::<Float16Type>().value(row).to_f32()),
        T::Float32 => Value::from(values.as_primitive::<Float32Type>().value(row)),
        T::Float64 => Value::from(values.as_primitive::<Float64Type>().value(row)),
        T::UInt64 => Value::from(values.as_primitive::<UInt64Type>().value(row)),
        _ => {
            let mut bytes = Vec::new();
            number(values, row, &mut bytes);
            let is_signed = values.data_type().is_signed_integer();
            let is_negative = is_signed && bytes.last().is_some_and(|byte| byte & 0x80 != 0);
            bytes.resize(8, if is_negative { 0xff } else { 0 });
            Value::from(i64::from_le_bytes(bytes.try_into().expect("it has eight bytes")))
        }
    }
}

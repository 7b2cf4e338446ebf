//! The look at all samples before anything is written: whether the format can hold them, and how the columns of MDS are stored.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::PackError;
use super::sample::Samples;
use super::{Layout, PackedField};
use crate::format::folder::CLASS;
use crate::format::{FieldInfo, ShardKind};
use crate::image::ImageKind;
use crate::progress::{Progress, Stage};

/// So many names of fields are written. Objects whose members are named by their contents have no end of them.
const FIELDS_MAX: usize = 1_000;

/// How a column of MDS is stored, by the library's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnEncoding {
    /// Whole numbers: 64 bits with a sign, least byte first.
    Int,
    /// Text in UTF-8.
    Str,
    /// JPEGs.
    Jpeg,
    /// Images in PNG.
    Png,
    /// Anything else.
    Bytes,
}

impl ColumnEncoding {
    /// Its name in an index.
    pub fn name(self) -> &'static str {
        match self {
            ColumnEncoding::Int => "int",
            ColumnEncoding::Str => "str",
            ColumnEncoding::Jpeg => "jpeg",
            ColumnEncoding::Png => "png",
            ColumnEncoding::Bytes => "bytes",
        }
    }

    /// Its bytes, where all values have as many.
    pub(super) fn size(self) -> Option<u32> {
        (self == ColumnEncoding::Int).then_some(8)
    }

    /// How a column is stored whose first value this is. Images are told by it alone: readers open one of another kind, too.
    fn of_first(value: &[u8]) -> ColumnEncoding {
        match ImageKind::of(value) {
            Some(ImageKind::Jpeg) => ColumnEncoding::Jpeg,
            Some(ImageKind::Png) => ColumnEncoding::Png,
            Some(ImageKind::WebP) => ColumnEncoding::Bytes,
            None => ColumnEncoding::Int.with(value),
        }
    }

    /// How images are stored whose files end so.
    fn of_ending(ending: &str) -> ColumnEncoding {
        match ending {
            "jpg" | "jpeg" => ColumnEncoding::Jpeg,
            "png" => ColumnEncoding::Png,
            _ => ColumnEncoding::Bytes,
        }
    }

    /// How a column is stored that has this value, too.
    fn with(self, value: &[u8]) -> ColumnEncoding {
        match self {
            ColumnEncoding::Int if whole_number(value).is_some() => ColumnEncoding::Int,
            ColumnEncoding::Int | ColumnEncoding::Str if std::str::from_utf8(value).is_ok() => ColumnEncoding::Str,
            ColumnEncoding::Int | ColumnEncoding::Str => ColumnEncoding::Bytes,
            settled => settled,
        }
    }

    /// Whether a further value can change it.
    fn is_settled(self) -> bool {
        !matches!(self, ColumnEncoding::Int | ColumnEncoding::Str)
    }
}

/// The number that digits tell, where they are its only way to be written: others would come back different.
pub(super) fn whole_number(digits: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

/// A field of the samples.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) encoding: ColumnEncoding,
}

/// The fields of all samples, in the order in which they were met.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) columns: Vec<Column>,
    places: BTreeMap<String, usize>,
}

impl Schema {
    /// Looks at all samples.
    pub(super) fn take(samples: &Samples<'_>, progress: &Progress) -> Result<Schema, PackError> {
        progress.begin(Stage::Surveying, samples.count());
        let mut schema = Schema { columns: Vec::new(), places: BTreeMap::new() };
        for sample in 0..samples.count() {
            if progress.is_stopped() {
                return Err(PackError::Stopped);
            }
            schema.look(samples, sample)?;
            progress.add(1, 0);
        }
        let has = |name: &String| schema.places.contains_key(name);
        match samples.wanted.iter().find(|name| !has(name)) {
            Some(name) => {
                let have = schema.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
                let have =
                    if have.is_empty() { String::new() } else { format!("; of those asked for, they have {have}") };
                Err(PackError::Fields { sample: None, reason: format!("no sample has the field {name}{have}") })
            }
            None => Ok(schema),
        }
    }

    fn look(&mut self, samples: &Samples<'_>, sample: u64) -> Result<(), PackError> {
        let fields = samples.fields(sample)?;
        let wrong = |reason: String| PackError::Fields { sample: Some(samples.name(sample)), reason };
        if fields.is_empty() {
            let which =
                if samples.wanted.is_empty() { String::new() } else { format!(" {}", samples.wanted.join(", ")) };
            return Err(wrong(format!("it has no field{which}, and no format has a place for a sample without one")));
        }
        for (place, (_, name)) in fields.iter().enumerate() {
            problem_of(samples.layout, name).map_or(Ok(()), |problem| Err(wrong(problem)))?;
            let alike = |other: &String| match samples.layout {
                Layout::WebDataset => other.to_lowercase() == name.to_lowercase(),
                Layout::Mds => other == name,
            };
            if let Some((_, other)) = fields[..place].iter().find(|(_, other)| alike(other)) {
                return Err(wrong(format!(
                    "its fields {other} and {name} would have the same name, and one would be lost"
                )));
            }
        }
        match samples.layout {
            Layout::WebDataset => fields.into_iter().try_for_each(|(_, name)| self.place(name).map(drop)),
            Layout::Mds => self.look_at_columns(samples, sample, fields),
        }
    }

    /// The place of a field, which is made where it is new.
    fn place(&mut self, name: String) -> Result<usize, PackError> {
        if let Some(place) = self.places.get(&name) {
            return Ok(*place);
        }
        if self.columns.len() >= FIELDS_MAX {
            let reason = format!("the samples have more than {FIELDS_MAX} names of fields");
            return Err(PackError::Fields { sample: None, reason });
        }
        self.places.insert(name.clone(), self.columns.len());
        self.columns.push(Column { name, encoding: ColumnEncoding::Int });
        Ok(self.columns.len() - 1)
    }

    /// In MDS, each sample has all columns.
    fn look_at_columns(
        &mut self,
        samples: &Samples<'_>,
        sample: u64,
        fields: Vec<(FieldInfo<'_>, String)>,
    ) -> Result<(), PackError> {
        let lacks = |sample, name: &str, other| {
            let reason = format!("it has no field {name}, and {other} has; in MDS every sample has every field");
            Err(PackError::Fields { sample: Some(samples.name(sample)), reason })
        };
        if let Some(column) = self.columns.iter().find(|column| !fields.iter().any(|(_, name)| *name == column.name)) {
            return lacks(sample, &column.name, samples.name(0));
        }
        for (field, name) in fields {
            if sample > 0 && !self.places.contains_key(&name) {
                return lacks(0, &name, samples.name(sample));
            }
            let place = self.place(name)?;
            let before = (sample > 0).then_some(self.columns[place].encoding);
            self.columns[place].encoding = encoding(samples, sample, &field, before)?;
        }
        Ok(())
    }

    /// What is told of the fields.
    pub(super) fn fields(&self, layout: Layout) -> Vec<PackedField> {
        let fields = self.columns.iter().map(|column| PackedField {
            name: column.name.clone(),
            encoding: (layout == Layout::Mds).then_some(column.encoding),
        });
        fields.collect()
    }
}

/// How a column is stored that has a field of this sample, and was stored as `before` for those before it.
fn encoding(
    samples: &Samples<'_>,
    sample: u64,
    field: &FieldInfo<'_>,
    before: Option<ColumnEncoding>,
) -> Result<ColumnEncoding, PackError> {
    match (samples.kind(sample), before) {
        // Stored numbers are no text, even where their bytes could be.
        (ShardKind::Tokens, _) => Ok(ColumnEncoding::Bytes),
        // The images of a folder are told by their files' names.
        (ShardKind::Folder, before) if field.name != CLASS => {
            let told = ColumnEncoding::of_ending(&field.name);
            Ok(if before.is_none_or(|before| before == told) { told } else { ColumnEncoding::Bytes })
        }
        (_, None) => Ok(ColumnEncoding::of_first(&samples.read_field(sample, field)?)),
        (_, Some(settled)) if settled.is_settled() => Ok(settled),
        (_, Some(before)) => Ok(before.with(&samples.read_field(sample, field)?)),
    }
}

/// Why a field cannot have this name, if it cannot.
fn problem_of(layout: Layout, name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("it has a field without a name: a file without an ending, or a member called \"\"".to_owned());
    }
    let unfit = |letter: char| letter == '/' || letter.is_whitespace() || letter.is_control();
    (layout == Layout::WebDataset && (name.contains(unfit) || name.len() > 100)).then(|| {
        format!(
            "its field {name:?} would be the ending of a file, which has no space and no slash, and at most 100 bytes"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_stored_as_all_their_values_fit() {
        let of = |values: &[&[u8]]| {
            let first = ColumnEncoding::of_first(values[0]);
            values[1..].iter().fold(first, |encoding, value| encoding.with(value))
        };
        for (values, expected) in [
            (&[&b"7"[..], b"-12"][..], ColumnEncoding::Int),
            (&[b"7", b"007"], ColumnEncoding::Str),
            (&[b"7", b"18446744073709551615"], ColumnEncoding::Str),
            (&[b"a cat", b""], ColumnEncoding::Str),
            (&[b"a cat", b"\xff"], ColumnEncoding::Bytes),
            (&[b"7", b"\xff", b"8"], ColumnEncoding::Bytes),
            (&[b"\xff\xd8\xff", b"7"], ColumnEncoding::Jpeg),
            (&[b"\x89PNG", b"\xff\xd8\xff"], ColumnEncoding::Png),
            (&[b"RIFF....WEBP"], ColumnEncoding::Bytes),
        ] {
            assert_eq!(of(values), expected, "{values:?}");
        }
    }
}

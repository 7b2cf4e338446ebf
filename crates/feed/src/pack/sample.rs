//! Samples as they are to be written: fields chosen and named, numbers in digits.

use std::borrow::Cow;

use super::error::PackError;
use super::{Layout, Plan};
use crate::dataset::Dataset;
use crate::format::folder::CLASS;
use crate::format::{Encoding, FieldInfo, ShardKind};

/// A sample, read.
pub(super) struct Sample {
    /// What the data call it, or its number.
    pub(super) key: String,
    /// Its place in the data, which no other has.
    pub(super) number: String,
    pub(super) fields: Vec<FieldBytes>,
}

/// A field, read.
pub(super) struct FieldBytes {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl Sample {
    pub(super) fn bytes(&self) -> u64 {
        self.fields.iter().map(|field| field.bytes.len() as u64).sum()
    }
}

/// Where samples come from.
pub(super) struct Samples<'a> {
    dataset: &'a Dataset,
    pub(super) layout: Layout,
    /// All where none is named.
    pub(super) wanted: &'a [String],
    /// Digits of the largest number of a sample.
    digits: usize,
}

/// Numbers of samples have so many digits at least.
const DIGITS_MIN: usize = 6;

impl<'a> Samples<'a> {
    pub(super) fn new(dataset: &'a Dataset, plan: &'a Plan) -> Samples<'a> {
        let digits = dataset.samples().saturating_sub(1).to_string().len().max(DIGITS_MIN);
        Samples { dataset, layout: plan.layout, wanted: &plan.fields, digits }
    }

    pub(super) fn count(&self) -> u64 {
        self.dataset.samples()
    }

    /// The file and the name of a sample, for errors.
    pub(super) fn name(&self, sample: u64) -> String {
        let (shard, place) = self.dataset.find(sample);
        format!("{}: {}", shard.name(), shard.sample_name(place))
    }

    pub(super) fn wrong(&self, sample: u64, reason: impl ToString) -> PackError {
        PackError::Sample { sample: self.name(sample), reason: reason.to_string() }
    }

    /// The fields of a sample that are to be written: how the shard calls them, and how they are to be called.
    pub(super) fn fields(&self, sample: u64) -> Result<Vec<(FieldInfo<'a>, String)>, PackError> {
        let (shard, place) = self.dataset.find(sample);
        let fields = shard.fields(place).map_err(|error| self.wrong(sample, error))?;
        let named = fields.into_iter().map(|field| {
            let name = self.called(shard.kind(), &field.name).into_owned();
            (field, name)
        });
        Ok(named.filter(|(_, name)| self.wanted.is_empty() || self.wanted.contains(name)).collect())
    }

    /// What a field is to be called. What has no name is given one that tells what it is; and the images of a folder are one column,
    /// whatever their files end in.
    fn called<'n>(&self, kind: ShardKind, name: &'n str) -> Cow<'n, str> {
        match (kind, self.layout) {
            (ShardKind::Text, Layout::WebDataset) => Cow::Borrowed("txt"),
            (ShardKind::Text, Layout::Mds) => Cow::Borrowed("text"),
            (ShardKind::Tokens, _) => Cow::Borrowed("tokens"),
            (ShardKind::Folder, Layout::Mds) if name != CLASS => Cow::Borrowed("image"),
            _ => Cow::Borrowed(name),
        }
    }

    /// How a sample is stored.
    pub(super) fn kind(&self, sample: u64) -> ShardKind {
        self.dataset.find(sample).0.kind()
    }

    /// Reads a field of a sample; numbers become digits.
    pub(super) fn read_field(&self, sample: u64, field: &FieldInfo<'_>) -> Result<Vec<u8>, PackError> {
        let (shard, place) = self.dataset.find(sample);
        let (name, mut bytes) = ([field.name.clone().into_owned()], Vec::new());
        let read = shard.read(place, &name, &mut bytes).map_err(|error| self.wrong(sample, error))?;
        match read {
            Some(Encoding::Plain) => Ok(bytes),
            Some(Encoding::Integer { is_signed }) => digits(&bytes, is_signed).ok_or_else(|| {
                let reason = format!("its field {} is a whole number of {} bytes", field.name, bytes.len());
                self.wrong(sample, reason)
            }),
            None => Err(self.wrong(sample, format!("its field {} is gone: was the file changed?", field.name))),
        }
    }

    /// Reads a sample.
    pub(super) fn read(&self, sample: u64) -> Result<Sample, PackError> {
        let (shard, place) = self.dataset.find(sample);
        let number = format!("{sample:0digits$}", digits = self.digits);
        let mut fields = Vec::new();
        for (field, name) in self.fields(sample)? {
            fields.push(FieldBytes { name, bytes: self.read_field(sample, &field)? });
        }
        let key = shard.key(place).and_then(|key| fit(&key)).unwrap_or_else(|| number.clone());
        Ok(Sample { key, number, fields })
    }
}

/// A stored whole number in digits; none where it is stored in a number of bytes that none is.
fn digits(bytes: &[u8], is_signed: bool) -> Option<Vec<u8>> {
    if !matches!(bytes.len(), 1 | 2 | 4 | 8) {
        return None;
    }
    let word = bytes.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    let above = 64 - 8 * bytes.len() as u32;
    let text = if is_signed { ((word << above) as i64 >> above).to_string() } else { word.to_string() };
    Some(text.into_bytes())
}

/// The longest name of a sample that is kept, in bytes: with a field behind it, it is still a file's name anywhere.
const KEY_BYTES_MAX: usize = 200;

/// A name as a member of a WebDataset can have it, where one can be made of it.
///
/// In its last part, a dot would begin the name of a field. Spaces would end it in the index that DALI reads. Readers of WebDataset
/// pass over members whose first part begins and ends with two underscores.
fn fit(key: &str) -> Option<String> {
    let key = key.trim_start_matches("./");
    let base = key.rfind('/').map_or(0, |slash| slash + 1);
    let fit = |(place, letter): (usize, char)| {
        let is_unfit = letter.is_whitespace() || letter.is_control() || (letter == '.' && place >= base);
        if is_unfit { '_' } else { letter }
    };
    let fitted: String = key.char_indices().map(fit).collect();
    let is_usable = fitted.len() <= KEY_BYTES_MAX
        && !fitted.starts_with("__")
        && fitted.split('/').all(|part| !matches!(part, "" | "." | ".."));
    is_usable.then_some(fitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_as_far_as_members_can_have_them() {
        for (key, expected) in [
            ("000012", Some("000012")),
            ("dogs.1/rex", Some("dogs.1/rex")),
            ("./dogs/rex.v2", Some("dogs/rex_v2")),
            ("my dogs/rex at home", Some("my_dogs/rex_at_home")),
            ("../rex", None),
            ("/rex", None),
            ("rex/", None),
            ("__meta__/rex", None),
            ("", None),
        ] {
            assert_eq!(fit(key).as_deref(), expected, "{key}");
        }
        assert_eq!(fit(&"x".repeat(KEY_BYTES_MAX + 1)), None);
    }

    #[test]
    fn stored_numbers_become_digits() {
        for (bytes, is_signed, expected) in [
            (&[0xfe][..], true, Some("-2")),
            (&[0xfe], false, Some("254")),
            (&u64::MAX.to_le_bytes(), false, Some("18446744073709551615")),
            (&i64::MIN.to_le_bytes(), true, Some("-9223372036854775808")),
            (&[1, 2, 3], true, None),
            (&[], true, None),
        ] {
            assert_eq!(digits(bytes, is_signed), expected.map(|text| text.as_bytes().to_vec()), "{bytes:?}");
        }
    }
}

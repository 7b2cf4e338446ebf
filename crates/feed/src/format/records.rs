//! Records of one size that lie behind each other from the file's first byte, such as the tokens of a text that was written as
//! plain numbers. They may share their ends: each can begin before the one in front of it is over.

use std::borrow::Cow;
use std::fmt;

use super::{Encoding, Extent, FieldInfo, ReadError, Shard, ShardKind};
use crate::source::remote::Want;
use crate::source::{File, ReadAt};

/// Where the records of a file lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Records {
    samples: u64,
    layout: Layout,
}

/// The size of records, and how far apart they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of a record.
    pub bytes: u64,
    /// Bytes from where one begins to where the next does.
    pub stride: u64,
    /// Bytes of a number, of which a file holds a whole number.
    pub number: u64,
}

/// A file's size is not that of whole numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsError {
    /// The file.
    pub file: String,
    /// Its bytes.
    pub bytes: u64,
    /// Bytes of a number.
    pub number: u64,
}

impl Records {
    /// The records of a file of `bytes`. What is left behind the last whole record is no sample.
    ///
    /// # Errors
    ///
    /// Where the file ends within a number.
    pub fn new(file: &str, bytes: u64, layout: Layout) -> Result<Records, RecordsError> {
        if !bytes.is_multiple_of(layout.number) {
            return Err(RecordsError { file: file.to_owned(), bytes, number: layout.number });
        }
        let samples = bytes.checked_sub(layout.bytes).map_or(0, |left| left / layout.stride + 1);
        Ok(Records { samples, layout })
    }

    /// How many there are.
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Where one lies.
    pub fn extent(&self, sample: u64) -> Extent {
        Extent { offset: sample * self.layout.stride, bytes: self.layout.bytes }
    }
}

/// A file of records.
pub struct RecordsShard {
    /// The file.
    pub file: File,
    /// Where the first record begins in it.
    pub start: u64,
    /// Its records.
    pub records: Records,
}

impl Shard for RecordsShard {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn kind(&self) -> ShardKind {
        ShardKind::Tokens
    }

    fn size(&self) -> u64 {
        self.file.size()
    }

    fn samples(&self) -> u64 {
        self.records.samples()
    }

    fn sample_name(&self, sample: u64) -> String {
        format!("sample {sample}")
    }

    fn fields(&self, sample: u64) -> Result<Vec<FieldInfo<'_>>, ReadError> {
        let bytes = self.records.extent(sample).bytes;
        Ok(vec![FieldInfo { name: Cow::Borrowed(""), bytes, encoding: Encoding::Plain }])
    }

    fn bytes(&self, _sample: u64, _names: &[String]) -> Result<u64, ReadError> {
        Ok(self.records.layout.bytes)
    }

    fn index_bytes(&self) -> usize {
        0
    }

    fn want(&self, sample: u64, _fields: &[&[String]]) -> Option<Want> {
        let extent = self.records.extent(sample);
        self.file.want(Extent { offset: self.start + extent.offset, ..extent })
    }

    fn read(&self, sample: u64, _names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError> {
        let extent = self.records.extent(sample);
        bytes.resize(extent.bytes as usize, 0);
        self.file.read_at(self.start + extent.offset, bytes)?;
        Ok(Some(Encoding::Plain))
    }
}

impl fmt::Display for RecordsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RecordsError { file, bytes, number } = self;
        write!(f, "{file}: its {bytes} bytes are no whole number of tokens of {number} bytes: is this their type?")
    }
}

impl std::error::Error for RecordsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_may_share_their_ends_and_a_rest_is_left_out() {
        let apart = Layout { bytes: 20, stride: 20, number: 2 };
        let sharing = Layout { bytes: 22, stride: 20, number: 2 };
        for (layout, bytes, samples) in
            [(apart, 118, 5), (apart, 18, 0), (sharing, 102, 5), (sharing, 100, 4), (sharing, 0, 0)]
        {
            let records = Records::new("tokens.bin", bytes, layout).unwrap();
            assert_eq!(records.samples(), samples, "{layout:?} in {bytes}");
            if let Some(last) = samples.checked_sub(1) {
                let extent = records.extent(last);
                assert!(extent.offset + extent.bytes <= bytes);
            }
        }
        assert!(Records::new("tokens.bin", 101, apart).is_err());
    }
}

//! A chunk of LitData's as samples. It lies as a shard of MDS does, each field with a size in front; how fields are stored differs.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use super::fields::{Fields, Header, Stored};
use crate::format::mds::MdsShard;
use crate::format::{Encoding, Extent, FieldInfo, ReadError, Shard, ShardKind};
use crate::source::ReadAt;
use crate::source::remote::Want;

/// Digits of a floating-point number that is written without an exponent, at most: 324 behind the point, and as many signs as there are.
const FLOAT_BYTES_MAX: u64 = 512;
/// Bytes of the types of arrays by their numbers, in `_NUMPY_DTYPES_MAPPING` and `_TORCH_DTYPES_MAPPING`; those that are left out are
/// Python's objects and texts, of which an array does not hold what they are.
const NUMPY_BYTES: [u64; 14] = [1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 8, 16, 1];
const TORCH_BYTES: [u64; 21] = [4, 4, 8, 8, 8, 8, 16, 16, 2, 2, 2, 1, 1, 2, 2, 4, 4, 8, 8, 1, 2];
/// Sides of an array, at most: NumPy has 64.
const SIDES_MAX: u64 = 64;

/// A chunk.
pub(super) struct LitDataShard {
    chunk: MdsShard,
    fields: Arc<Fields>,
}

impl LitDataShard {
    /// The chunk that lies as that shard does.
    pub(super) fn new(chunk: MdsShard, fields: Arc<Fields>) -> LitDataShard {
        LitDataShard { chunk, fields }
    }

    /// A floating-point number.
    fn float(&self, extent: Extent) -> Result<f64, ReadError> {
        let mut bytes = [0; 8];
        if extent.bytes != bytes.len() as u64 {
            return Err(ReadError::Corrupt { what: "a floating-point number in it has not 8 bytes" });
        }
        self.chunk.file().read_at(extent.offset, &mut bytes)?;
        Ok(f64::from_le_bytes(bytes))
    }

    /// The numbers of an array, which stand behind its type and its shape.
    fn numbers(&self, extent: Extent, header: Header) -> Result<Extent, ReadError> {
        let short = || ReadError::Corrupt { what: "an array in it is too short for its shape" };
        let word = |at: u64| {
            let mut word = [0; 4];
            if at + 4 > extent.bytes {
                return Err(short());
            }
            self.chunk.file().read_at(extent.offset + at, &mut word)?;
            Ok(u64::from(match header {
                Header::Numpy => u32::from_le_bytes(word),
                Header::Torch => u32::from_be_bytes(word),
            }))
        };
        let (kind, sides) = (word(0)?, word(4)?);
        let sizes: &[u64] = match header {
            Header::Numpy => &NUMPY_BYTES,
            Header::Torch => &TORCH_BYTES,
        };
        let Some(size) = sizes.get(kind as usize) else {
            return Err(ReadError::Corrupt { what: "an array in it is of a type that is not read" });
        };
        if sides > SIDES_MAX {
            return Err(ReadError::Corrupt { what: "an array in it has more sides than any" });
        }
        let mut count = Some(*size);
        for side in 0..sides {
            let side = word(8 + 4 * side)?;
            count = count.and_then(|count| count.checked_mul(side));
        }
        let head = 8 + 4 * sides;
        if count != extent.bytes.checked_sub(head) {
            return Err(short());
        }
        Ok(Extent { offset: extent.offset + head, bytes: extent.bytes - head })
    }
}

fn encoding(stored: Stored) -> Encoding {
    match stored {
        Stored::Integer { is_signed } => Encoding::Integer { is_signed },
        Stored::Plain | Stored::Float | Stored::Array(_) => Encoding::Plain,
    }
}

impl Shard for LitDataShard {
    fn name(&self) -> &str {
        self.chunk.name()
    }

    fn kind(&self) -> ShardKind {
        ShardKind::LitData
    }

    fn size(&self) -> u64 {
        self.chunk.size()
    }

    fn samples(&self) -> u64 {
        self.chunk.samples()
    }

    fn sample_name(&self, sample: u64) -> String {
        self.chunk.sample_name(sample)
    }

    fn fields(&self, sample: u64) -> Result<Vec<FieldInfo<'_>>, ReadError> {
        let extents = self.chunk.extents(sample)?;
        let told = self.fields.read().map(|(place, field, stored)| {
            let extent = extents[place];
            let bytes = match stored {
                Stored::Plain | Stored::Integer { .. } => extent.bytes,
                Stored::Float => self.float(extent)?.to_string().len() as u64,
                Stored::Array(header) => self.numbers(extent, header)?.bytes,
            };
            Ok(FieldInfo { name: Cow::Borrowed(field.name.as_str()), bytes, encoding: encoding(stored) })
        });
        told.collect()
    }

    fn bytes(&self, sample: u64, names: &[String]) -> Result<u64, ReadError> {
        match self.fields.find(names) {
            None => Ok(0),
            Some((_, Stored::Float)) => Ok(FLOAT_BYTES_MAX),
            // Not more than all its fields together.
            Some((_, Stored::Plain | Stored::Integer { .. } | Stored::Array(_))) => self.chunk.sample_bytes(sample),
        }
    }

    fn index_bytes(&self) -> usize {
        self.chunk.index_bytes()
    }

    fn want(&self, sample: u64, fields: &[&[String]]) -> Option<Want> {
        self.chunk.want(sample, fields)
    }

    fn lacks(&self, names: &[String]) -> Option<String> {
        self.fields.lacks(names)
    }

    fn read(&self, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError> {
        let Some((place, stored)) = self.fields.find(names) else { return Ok(None) };
        let extent = self.chunk.extents(sample)?[place];
        let extent = match stored {
            Stored::Plain | Stored::Integer { .. } => extent,
            Stored::Array(header) => self.numbers(extent, header)?,
            Stored::Float => {
                bytes.clear();
                write!(bytes, "{}", self.float(extent)?).expect("memory takes what is written to it");
                return Ok(Some(Encoding::Plain));
            }
        };
        bytes.resize(extent.bytes as usize, 0);
        self.chunk.file().read_at(extent.offset, bytes)?;
        Ok(Some(encoding(stored)))
    }
}

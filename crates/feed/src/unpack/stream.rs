//! Compressed files.

use std::io::{self, BufReader, Read, Write};

use flate2::bufread::MultiGzDecoder;

use super::room::Room;
use super::{Compression, Packing, UnpackError};
use crate::format::Extent;
use crate::source::{File, ReadAt, SourceError};

/// What is read, and what is written, at once.
const BUFFER: usize = 256 << 10;

/// Writes what `file` holds to a file in `room`; with how many bytes that is.
pub(super) fn unpack(file: &File, compression: Compression, to: &str, room: &mut Room<'_>) -> Result<u64, UnpackError> {
    check_magic(file, compression)?;
    let packing = Packing::Compressed(compression);
    let in_order = file.in_order();
    let packed = BufReader::with_capacity(BUFFER, InOrder { file: &*in_order, at: 0 });
    match compression {
        Compression::Gzip => copy(MultiGzDecoder::new(packed), packing, to, room),
        Compression::Zstandard => {
            // What asks for a window of more than 128 MiB is refused by the library.
            let decoder = zstd::Decoder::with_buffer(packed);
            copy(decoder.map_err(|error| UnpackError::reading(room.file(), packing, error))?, packing, to, room)
        }
    }
}

/// Writes a part of a file as it is.
pub(super) fn copy_part(
    file: &File,
    extent: Extent,
    packing: Packing,
    to: &str,
    room: &mut Room<'_>,
) -> Result<u64, UnpackError> {
    let in_order = file.in_order();
    copy(InOrder { file: &*in_order, at: extent.offset }.take(extent.bytes), packing, to, room)
}

fn copy(mut from: impl Read, packing: Packing, to: &str, room: &mut Room<'_>) -> Result<u64, UnpackError> {
    let mut file = room.create(to)?;
    let mut buffer = vec![0; BUFFER];
    let mut total = 0;
    loop {
        let bytes = match from.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(UnpackError::reading(room.file(), packing, error)),
        };
        room.take(bytes as u64)?;
        file.write_all(&buffer[..bytes]).map_err(|error| room.failed(error))?;
        total += bytes as u64;
    }
}

/// Whether a file begins as its packing has it: decoders take an empty one for nothing that was packed, and it was cut.
fn check_magic(file: &File, compression: Compression) -> Result<(), UnpackError> {
    let mut magic = [0; 4];
    let bytes = magic.len().min(file.size() as usize);
    file.read_at(0, &mut magic[..bytes]).map_err(UnpackError::Source)?;
    let is_right = match compression {
        Compression::Gzip => magic[..2] == [0x1f, 0x8b],
        // Frames of data, and those that are to be skipped (RFC 8878, 3.1).
        Compression::Zstandard => {
            magic == [0x28, 0xb5, 0x2f, 0xfd] || (magic[0] & 0xf0 == 0x50 && magic[1..] == [0x2a, 0x4d, 0x18])
        }
    };
    if is_right {
        return Ok(());
    }
    let problem = if bytes == 0 { "it is empty" } else { "it does not begin as such files do" };
    let packing = Packing::Compressed(compression);
    Err(UnpackError::Damaged { file: file.name().to_owned(), packing, problem: problem.to_owned() })
}

/// Reads a file from front to back.
struct InOrder<'a> {
    file: &'a dyn ReadAt,
    at: u64,
}

impl Read for InOrder<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = bytes.len().min((self.file.size() - self.at) as usize);
        self.file.read_at(self.at, &mut bytes[..count]).map_err(io::Error::other::<SourceError>)?;
        self.at += count as u64;
        Ok(count)
    }
}

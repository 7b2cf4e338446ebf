//! Arrow's files and streams: message by message. A file is a stream between two marks, with an index that is not needed here.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::{Message, root_as_message};

use super::{Rows, Table, TableError};
use crate::unpack::room::Room;

/// What files begin and end with. Zeros follow the first: up to a multiple of eight, as the format has it, or of more.
const MAGIC: &[u8; 6] = b"ARROW1";
/// What files of Feather begin with that are not Arrow's.
const OLD_MAGIC: &[u8; 4] = b"FEA1";
/// What stands before the size of a message, but in the oldest files.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// A message is read as a whole: it has no more than this, also once it is decompressed.
const MESSAGE_BYTES_MAX: u64 = 4 << 30;

/// Writes the rows of a file or a stream.
pub(super) fn read(file: &File, room: &mut Room<'_>) -> Result<Table, TableError> {
    let (start, end) = bounds(file)?;
    let mut messages = Messages { file: BufReader::with_capacity(1 << 20, file), left: end - start };
    messages.file.seek(SeekFrom::Start(start)).map_err(|error| damaged(&error))?;
    let mut decoder = StreamDecoder::new();
    let mut room = Some(room);
    let mut rows: Option<Rows<'_, '_>> = None;
    while let Some(message) = messages.next()? {
        let mut message = Buffer::from_vec(message);
        let batch = decoder.decode(&mut message).map_err(|error| damaged(&error))?;
        if rows.is_none()
            && let Some(schema) = decoder.schema()
            && let Some(room) = room.take()
        {
            rows = Some(Rows::begin(&schema, None, room)?);
        }
        if let (Some(batch), Some(rows)) = (batch, &mut rows) {
            rows.add(&batch)?;
        }
    }
    rows.ok_or_else(|| TableError::Damaged("it has no schema".to_owned()))?.finish()
}

fn damaged(error: &dyn std::fmt::Display) -> TableError {
    TableError::Damaged(error.to_string())
}

fn cut() -> TableError {
    TableError::Damaged("it ends too early: it was cut".to_owned())
}

/// Where the messages begin and end.
fn bounds(file: &File) -> Result<(u64, u64), TableError> {
    let size = file.metadata().map_err(|error| damaged(&error))?.len();
    let at = |offset: u64, bytes: &mut [u8]| file.read_exact_at(bytes, offset).map_err(|error| damaged(&error));
    let mut magic = [0; 8];
    if size < 8 {
        return Err(cut());
    }
    at(0, &mut magic)?;
    if magic.starts_with(OLD_MAGIC) {
        return Err(TableError::Damaged(
            "it is Feather of version 1, which is not read: write it anew as version 2".to_owned(),
        ));
    }
    if !magic.starts_with(MAGIC) {
        return Ok((0, size));
    }
    // The size of the index, and the mark.
    let mut tail = [0; 10];
    let before = size.checked_sub(8 + tail.len() as u64).ok_or_else(cut)?;
    at(8 + before, &mut tail)?;
    let (index, mark) = tail.split_at(4);
    let index = u32::from_le_bytes([index[0], index[1], index[2], index[3]]);
    let end = before.checked_sub(u64::from(index)).filter(|_| mark == MAGIC).ok_or_else(cut)?;
    let mut start = 8;
    let mut word = [0; 8];
    while start + 8 <= 8 + end {
        at(start, &mut word)?;
        if word != [0; 8] {
            break;
        }
        start += 8;
    }
    Ok((start, 8 + end))
}

/// Messages as they come, each as a whole, with what stands before it.
struct Messages<'a> {
    file: BufReader<&'a File>,
    left: u64,
}

impl Messages<'_> {
    /// The next one; none at the end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, TableError> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.read(&mut bytes, 4)?;
        let mut size = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if size == CONTINUATION {
            self.read(&mut bytes, 4)?;
            size = [bytes[4], bytes[5], bytes[6], bytes[7]];
        }
        let size = u32::from_le_bytes(size);
        if size == 0 {
            return Ok(None);
        }
        let head = bytes.len();
        self.read(&mut bytes, u64::from(size))?;
        let (body, has_compressed) = {
            let message = root_as_message(&bytes[head..]).map_err(|_| {
                TableError::Damaged("it is neither a file nor a stream of Arrow's, or damaged".to_owned())
            })?;
            (message.bodyLength(), is_compressed(&message))
        };
        let start = bytes.len();
        self.read(&mut bytes, u64::try_from(body).map_err(|_| cut())?)?;
        if has_compressed {
            check_unpacked(&bytes[head..start], &bytes[start..])?;
        }
        Ok(Some(bytes))
    }

    /// Reads bytes behind those that are there.
    fn read(&mut self, bytes: &mut Vec<u8>, count: u64) -> Result<(), TableError> {
        // What says that it has more than there is takes no memory.
        self.left = self.left.checked_sub(count).ok_or_else(cut)?;
        let total = bytes.len() as u64 + count;
        if total > MESSAGE_BYTES_MAX {
            return Err(too_large(total));
        }
        bytes.reserve_exact(count as usize);
        let read = self.file.by_ref().take(count).read_to_end(bytes).map_err(|error| damaged(&error))?;
        if read as u64 == count { Ok(()) } else { Err(cut()) }
    }
}

fn too_large(bytes: u64) -> TableError {
    TableError::Damaged(format!(
        "a batch of its rows has {} MiB, and {} MiB are read at once: write it in smaller batches",
        bytes >> 20,
        MESSAGE_BYTES_MAX >> 20
    ))
}

/// The batch of rows that a message is, or that its dictionary is.
fn batch_of<'a>(message: &Message<'a>) -> Option<arrow_ipc::RecordBatch<'a>> {
    message.header_as_record_batch().or_else(|| message.header_as_dictionary_batch()?.data())
}

fn is_compressed(message: &Message<'_>) -> bool {
    batch_of(message).is_some_and(|batch| batch.compression().is_some())
}

/// Looks how much the buffers of a message have once they are decompressed: each says so at its front, in eight bytes.
fn check_unpacked(message: &[u8], body: &[u8]) -> Result<(), TableError> {
    let Ok(message) = root_as_message(message) else { return Ok(()) };
    let Some(buffers) = batch_of(&message).and_then(|batch| batch.buffers()) else { return Ok(()) };
    let mut total: u64 = 0;
    for buffer in buffers {
        let front = usize::try_from(buffer.offset()).ok().and_then(|start| body.get(start..)?.first_chunk::<8>());
        // A buffer that is empty has no front, and one below zero is not compressed.
        let Some(front) = front.filter(|_| buffer.length() >= 8) else { continue };
        total = total.saturating_add(u64::try_from(i64::from_le_bytes(*front)).unwrap_or(0));
    }
    if total > MESSAGE_BYTES_MAX { Err(too_large(total)) } else { Ok(()) }
}

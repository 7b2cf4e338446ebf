//! One block: its name, and its file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

/// How a block's file begins: what it is and of which version, then its bytes and their checksum (CRC-32, as zip has it), least byte
/// first.
const MAGIC: &[u8; 8] = b"trimtab1";
const HEADER: u64 = 24;

/// What names a block.
#[derive(Clone)]
pub(in crate::source) struct Key(Sha256);

impl Key {
    /// Of an object at an address, in a version.
    pub(in crate::source) fn of(address: &str, version: Option<&str>) -> Key {
        let mut digest = Sha256::new();
        for part in [address, version.unwrap_or_default()] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Key(digest)
    }

    /// Of a block of that object.
    pub(in crate::source) fn block(&self, number: u64) -> Key {
        Key(self.0.clone().chain_update(number.to_le_bytes()))
    }

    pub(super) fn name(&self) -> String {
        self.0.clone().finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Bytes of the file of a block of so many.
pub(super) fn bytes_of(bytes: u64) -> u64 {
    HEADER + bytes
}

pub(super) fn write(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    let mut header = [0; HEADER as usize];
    header[..8].copy_from_slice(MAGIC);
    header[8..16].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
    header[16..20].copy_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    file.write_all(&header)?;
    file.write_all(bytes)
}

/// Fills `part` with what a block has from `offset` on.
pub(super) fn read_part(path: &Path, offset: u64, part: &mut [u8]) -> io::Result<()> {
    File::open(path)?.read_exact_at(part, HEADER + offset)
}

/// The same, and looks whether all of the block is as it was written. It is noted that the block is in use.
pub(super) fn read_whole(path: &Path, offset: u64, part: &mut [u8]) -> io::Result<()> {
    let damaged = || io::Error::from(io::ErrorKind::InvalidData);
    let mut file = File::open(path)?;
    let mut header = [0; HEADER as usize];
    file.read_exact(&mut header)?;
    let word = |at: usize| header[at..at + 8].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    if header[..8] != *MAGIC || word(8) != file.metadata()?.len().saturating_sub(HEADER) {
        return Err(damaged());
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    if u64::from(crc32fast::hash(&bytes)) != word(16) {
        return Err(damaged());
    }
    part.copy_from_slice(bytes.get(offset as usize..).and_then(|rest| rest.get(..part.len())).ok_or_else(damaged)?);
    // Where the file belongs to somebody else, its age says when it was written.
    drop(file.set_modified(SystemTime::now()));
    Ok(())
}

//! The blocks of one object that are kept on this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::format::Extent;
use crate::source::cache::{BLOCK, Cache, Key};

/// Which blocks there are of an object, and the cache that has them.
pub(super) struct Kept {
    cache: Arc<Cache>,
    key: Key,
    size: u64,
    /// A bit for each block: whether this process has looked at all of it.
    known: Box<[AtomicU64]>,
}

impl Kept {
    pub(super) fn new(cache: &Arc<Cache>, name: &str, size: u64, version: Option<&str>) -> Kept {
        let words = size.div_ceil(BLOCK).div_ceil(64);
        let known = (0..words).map(|_| AtomicU64::new(0)).collect();
        Kept { cache: Arc::clone(cache), key: Key::of(name, version), size, known }
    }

    /// Fills the front of `bytes` from the block that has `offset`; with how many, where the block is there.
    pub(super) fn read(&self, offset: u64, bytes: &mut [u8]) -> Option<usize> {
        let block = offset / BLOCK;
        let within = offset % BLOCK;
        let count = (self.extent(block).bytes - within).min(bytes.len() as u64) as usize;
        let is_there = self.cache.read(&self.key.block(block), within, &mut bytes[..count], self.is_known(block));
        self.note(block, is_there);
        is_there.then_some(count)
    }

    /// Whether all blocks of an extent are there.
    pub(super) fn has(&self, extent: Extent) -> bool {
        self.blocks(extent).all(|block| self.is_known(block) || self.cache.has(&self.key.block(block)))
    }

    /// An extent in whole blocks, where blocks are written now; else as it is.
    pub(super) fn blocks_around(&self, extent: Extent) -> Extent {
        if !self.cache.takes() {
            return extent;
        }
        let start = extent.offset / BLOCK * BLOCK;
        let end = (extent.offset + extent.bytes).next_multiple_of(BLOCK).min(self.size);
        Extent { offset: start, bytes: end - start }
    }

    /// Writes the whole blocks of what was fetched.
    pub(super) fn write(&self, extent: Extent, bytes: &[u8]) {
        for block in self.blocks(extent) {
            let Extent { offset, bytes: count } = self.extent(block);
            let is_whole = offset >= extent.offset && offset + count <= extent.offset + extent.bytes;
            if is_whole {
                let start = (offset - extent.offset) as usize;
                self.cache.write(&self.key.block(block), &bytes[start..start + count as usize]);
            }
        }
    }

    /// The blocks that have something of an extent.
    fn blocks(&self, extent: Extent) -> impl Iterator<Item = u64> + use<> {
        extent.offset / BLOCK..(extent.offset + extent.bytes).div_ceil(BLOCK)
    }

    fn extent(&self, block: u64) -> Extent {
        let offset = block * BLOCK;
        Extent { offset, bytes: BLOCK.min(self.size - offset) }
    }

    fn is_known(&self, block: u64) -> bool {
        self.known[block as usize / 64].load(Ordering::Relaxed) >> (block % 64) & 1 == 1
    }

    fn note(&self, block: u64, is_known: bool) {
        let bit = 1 << (block % 64);
        let word = &self.known[block as usize / 64];
        if is_known {
            word.fetch_or(bit, Ordering::Relaxed);
        } else {
            word.fetch_and(!bit, Ordering::Relaxed);
        }
    }
}

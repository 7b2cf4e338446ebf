//! Checkpoints: a real file, on the disk before it takes the place of the one before.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::Context;

use super::model::Model;

/// What is written at once and is on the disk before the next is. All at once would be one request to the kernel's limits, which lets
/// a small one pass at once and a large one wait for all of its bytes: a checkpoint's time would jump from nothing to half a step.
const BLOCK_BYTES: usize = 1 << 20;

/// Keeps weights and momentum, again and again until the file has this length.
pub(super) fn write(folder: &Path, model: &Model, bytes: u64) -> anyhow::Result<()> {
    let path = folder.join("checkpoint");
    let new = folder.join("checkpoint.new");
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&new)?;
        let mut values = model.weights.iter().chain(&model.momentum).cycle();
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        let mut left = bytes as usize;
        while left > 0 {
            block.clear();
            let length = left.min(BLOCK_BYTES);
            block.extend(values.by_ref().take(length.div_ceil(4)).flat_map(|value| value.to_le_bytes()));
            block.truncate(length);
            file.write_all(&block)?;
            file.sync_data()?;
            left -= length;
        }
        file.sync_all()?;
        fs::rename(&new, &path)?;
        // The name too is on the disk only when its folder is.
        File::open(folder)?.sync_all()
    };
    write().with_context(|| format!("cannot write {}", new.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_has_the_length_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        for bytes in [7, 4 << 20] {
            write(folder.path(), &Model::new(1000), bytes).unwrap();
            assert_eq!(fs::metadata(folder.path().join("checkpoint")).unwrap().len(), bytes);
        }
        assert!(!folder.path().join("checkpoint.new").exists());
    }
}

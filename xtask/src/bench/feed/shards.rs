//! Shards of WebDataset whose samples are nothing but bytes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use super::photographs::member;

/// How many, and of what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) shards: usize,
    /// Samples of each.
    pub(super) samples: usize,
    /// Bytes of each sample.
    pub(super) bytes: usize,
}

/// Writes shards `0.tar`, `1.tar`, ... to a folder, unless they lie there already.
pub(super) fn write(folder: &Path, shape: Shape) -> anyhow::Result<()> {
    let told = format!("{shape:?}");
    let stamp = folder.join(".shape");
    if fs::read_to_string(&stamp).is_ok_and(|had| had == told) {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut bytes = vec![0_u8; shape.bytes];
    let mut state = 1_u64;
    for shard in 0..shape.shards {
        let path = folder.join(format!("{shard}.tar"));
        let failed = || format!("cannot write {}", path.display());
        let mut file = BufWriter::new(File::create(&path).with_context(failed)?);
        for sample in 0..shape.samples {
            for word in bytes.chunks_exact_mut(8) {
                // Knuth's multiplier for linear congruences.
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                word.copy_from_slice(&state.to_le_bytes());
            }
            let mut packed = Vec::new();
            member(&mut packed, &format!("{shard:02}-{sample:06}.bin"), &bytes);
            file.write_all(&packed).with_context(failed)?;
        }
        file.write_all(&[0; 1024]).with_context(failed)?;
        file.flush().with_context(failed)?;
    }
    fs::write(&stamp, told).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Writes an index beside each shard, as DALI's wds2idx does: where each sample's data lie.
pub(super) fn index(folder: &Path, shape: Shape) -> anyhow::Result<()> {
    let packed = 512 + shape.bytes.next_multiple_of(512);
    for shard in 0..shape.shards {
        let lines = (0..shape.samples)
            .map(|sample| format!("bin {} {} {shard:02}-{sample:06}.bin\n", sample * packed + 512, shape.bytes));
        let text: String = [format!("v1.2 {}\n", shape.samples)].into_iter().chain(lines).collect();
        fs::write(folder.join(format!("{shard}.idx")), text)?;
    }
    Ok(())
}

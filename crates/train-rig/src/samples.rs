//! Sample files: made by the rig, read and prepared by loaders, made heavier by a fault.
//!
//! A file is `TRIMTAB1`; how many passes its preparation takes, for how many µs it waits for something else, and the sum of its plain
//! bytes (u32 each, little-endian); and its bytes, each told as the difference from the one before. To prepare it is real work: undo the
//! differences, compare the sum, scale the bytes to mean 0 and spread 1, and pass over them as often as the file says.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, ensure};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use crate::random::Random;
use crate::shape::Shape;

const MAGIC: &[u8; 8] = b"TRIMTAB1";
const HEADER_BYTES: usize = 20;
/// Where in the file its effort stands.
const EFFORT_AT: u64 = 8;
/// The most passes that a loader believes.
const PASSES_MAX: u32 = 1_000_000;
/// The longest wait that a loader believes, µs.
const WAIT_MAX_US: u32 = 60_000_000;

/// What the preparation of a sample takes besides what its bytes take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Effort {
    /// Passes over its values, as of an augmentation.
    pub passes: u32,
    /// How long it waits for something else, as for a lock or for an answer from elsewhere, µs.
    pub wait_us: u32,
}

impl Effort {
    fn bytes(self) -> [u8; 8] {
        (u64::from(self.wait_us) << 32 | u64::from(self.passes)).to_le_bytes()
    }

    fn of(bytes: [u8; 8]) -> Self {
        let both = u64::from_le_bytes(bytes);
        Self { passes: both as u32, wait_us: (both >> 32) as u32 }
    }
}

/// Makes the shard of a rank, on the disk and out of the page cache: whoever reads it first is charged for its pages.
pub(crate) fn make_shard(folder: &Path, shape: &Shape, effort: Effort, seed: u64) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut random = Random::new(seed, 2);
    for number in 0..shape.shard_samples {
        let path = path(folder, number);
        fs::write(&path, make(shape.sample_bytes, effort, &mut random))
            .and_then(|()| File::open(&path)?.sync_all())
            .with_context(|| format!("cannot write {}", path.display()))?;
        drop_cached(&path)?;
    }
    Ok(())
}

/// The file of a sample.
pub(crate) fn path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:04}.sample"))
}

/// Drops what the page cache holds of a file.
pub(crate) fn drop_cached(path: &Path) -> anyhow::Result<()> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)
        .with_context(|| format!("cannot drop the cached pages of {}", path.display()))
}

/// Says in a file what its preparation takes, and returns what it took until now.
pub(crate) fn set_effort(path: &Path, effort: Effort) -> anyhow::Result<Effort> {
    let change = || -> std::io::Result<Effort> {
        let file = File::options().read(true).write(true).open(path)?;
        let mut before = [0; 8];
        file.read_exact_at(&mut before, EFFORT_AT)?;
        file.write_all_at(&effort.bytes(), EFFORT_AT)?;
        Ok(Effort::of(before))
    };
    change().with_context(|| format!("cannot change {}", path.display()))
}

/// Reads a file; drops its pages afterwards where they are not to be kept.
pub(crate) fn read(path: &Path, streamed: bool) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut read = || -> std::io::Result<()> {
        let mut file = File::open(path)?;
        file.read_to_end(&mut bytes)?;
        if streamed {
            posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)?;
        }
        Ok(())
    };
    read().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// Prepares a sample; appends its values, one for each byte.
pub(crate) fn prepare(mut bytes: Vec<u8>, values: &mut Vec<f32>) -> anyhow::Result<()> {
    ensure!(bytes.len() > HEADER_BYTES && bytes.starts_with(MAGIC), "this is no sample");
    let mut effort = [0; 8];
    effort.copy_from_slice(&bytes[8..16]);
    let Effort { passes, wait_us } = Effort::of(effort);
    let sum = u32::from_le_bytes([bytes[16], bytes[17], bytes[18], bytes[19]]);
    ensure!(passes <= PASSES_MAX, "a sample asks for {passes} passes, of at most {PASSES_MAX}");
    ensure!(wait_us <= WAIT_MAX_US, "a sample asks for a wait of {wait_us} µs, of at most {WAIT_MAX_US}");
    if wait_us > 0 {
        sleep(Duration::from_micros(wait_us.into()));
    }
    let plain = &mut bytes[HEADER_BYTES..];
    let mut last = 0u8;
    for byte in plain.iter_mut() {
        last = last.wrapping_add(*byte);
        *byte = last;
    }
    let found = plain.iter().fold(0u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    ensure!(found == sum, "the sum of a sample's bytes is {found}, and should be {sum}");
    let mean = f64::from(sum) / plain.len() as f64;
    let start = values.len();
    values.extend(plain.iter().map(|byte| (f32::from(*byte) - mean as f32) / 74.0));
    for pass in 0..passes {
        scale(&mut values[start..], pass);
    }
    Ok(())
}

/// One pass over a sample, as of an augmentation: a little brighter, or a little darker.
fn scale(values: &mut [f32], pass: u32) {
    let (by, shift) = if pass.is_multiple_of(2) { (1.01, 0.005) } else { (1.0 / 1.01, -0.005) };
    for value in values {
        *value = (*value * by + shift).clamp(-4.0, 4.0);
    }
}

fn make(length: u32, effort: Effort, random: &mut Random) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEADER_BYTES + length as usize);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&effort.bytes());
    file.extend_from_slice(&[0; 4]);
    let (mut sum, mut last) = (0u32, 0u8);
    while file.len() < HEADER_BYTES + length as usize {
        for difference in random.any().to_le_bytes() {
            last = last.wrapping_add(difference);
            sum = sum.wrapping_add(u32::from(last));
            file.push(difference);
        }
    }
    file[16..HEADER_BYTES].copy_from_slice(&sum.to_le_bytes());
    file
}

/// A sample in memory, to measure what its preparation takes.
pub(crate) fn specimen(length: u32, passes: u32) -> Vec<u8> {
    make(length, Effort { passes, wait_us: 0 }, &mut Random::new(0, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_prepared_to_values_around_zero_and_a_damaged_one_is_refused() {
        let mut values = Vec::new();
        prepare(specimen(4096, 3), &mut values).unwrap();
        assert_eq!(values.len(), 4096);
        let mean = values.iter().sum::<f32>() / 4096.0;
        assert!(mean.abs() < 0.1, "{mean}");
        let mut damaged = specimen(4096, 3);
        damaged[1000] ^= 1;
        assert!(prepare(damaged, &mut values).unwrap_err().to_string().contains("sum"));
        assert!(prepare(vec![0; 100], &mut values).is_err());
    }

    #[test]
    fn a_file_can_be_made_heavier_and_light_again() {
        let folder = tempfile::tempdir().unwrap();
        let shape = Shape { shard_samples: 1, sample_bytes: 1 << 10, ..Shape::default() };
        let (light, heavy) = (Effort { passes: 2, wait_us: 0 }, Effort { passes: 40, wait_us: 7 });
        make_shard(folder.path(), &shape, light, 1).unwrap();
        let path = path(folder.path(), 0);
        assert_eq!(set_effort(&path, heavy).unwrap(), light);
        assert_eq!(set_effort(&path, light).unwrap(), heavy);
        assert_eq!(read(&path, true).unwrap().len(), HEADER_BYTES + (1 << 10));
    }
}

//! Two thousand photographs, made of those at hand under other names: as files in folders by their class, and in shards.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use feed::dataset::{Dataset, Format};
use feed::memory::Fetching;
use feed::source::find;
use feed::source::remote::Buckets;

use crate::workspace;

/// How many photographs there are.
pub(super) const COUNT: usize = 2_000;
/// How many lie in a shard.
const SHARD: usize = 500;

/// The folder that holds `files/CLASS/NAME.jpg` and `shards/NUMBER.tar`, made of the shards in `source`.
pub(super) fn make(source: &Path) -> anyhow::Result<PathBuf> {
    let folder = workspace::target_folder().join("bench/feed/images");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let (files, shards) = (folder.join("files"), folder.join("shards"));
    fs::create_dir_all(&shards).with_context(|| format!("cannot make {}", shards.display()))?;
    let photographs = photographs(source)?;
    let mut shard = Vec::new();
    for number in 0..COUNT {
        let (jpeg, class) = &photographs[number % photographs.len()];
        let of_class = files.join(class);
        fs::create_dir_all(&of_class)?;
        fs::write(of_class.join(format!("{number:06}.jpg")), jpeg)?;
        member(&mut shard, &format!("{number:06}.jpg"), jpeg);
        member(&mut shard, &format!("{number:06}.cls"), class.as_bytes());
        if (number + 1) % SHARD == 0 {
            shard.resize(shard.len() + 1024, 0);
            fs::write(shards.join(format!("{:04}.tar", number / SHARD)), &shard)?;
            shard.clear();
        }
    }
    Ok(folder)
}

/// The JPEG and the class of each photograph in the shards of a folder.
fn photographs(source: &Path) -> anyhow::Result<Vec<(Vec<u8>, String)>> {
    let pattern = source.join("*.tar").display().to_string();
    let shards = find(&[pattern], &Buckets::new(BTreeMap::new(), Fetching::of(0)))?;
    let dataset = Dataset::open(&shards, Format::ByName)?;
    let mut photographs = Vec::new();
    for sample in 0..dataset.samples() {
        let (shard, place) = dataset.find(sample);
        let field = |name: &str| {
            let mut bytes = Vec::new();
            let found = shard.read(place, &[name.to_owned()], &mut bytes)?;
            found.map(|_| bytes).with_context(|| format!("a sample has no {name}"))
        };
        photographs.push((field("jpg")?, String::from_utf8(field("cls")?)?.trim().to_owned()));
    }
    ensure!(!photographs.is_empty(), "there are no photographs in {}", source.display());
    Ok(photographs)
}

/// Adds a file to a tar, with a plain header.
pub(super) fn member(tar: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend(header);
    tar.extend(bytes);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

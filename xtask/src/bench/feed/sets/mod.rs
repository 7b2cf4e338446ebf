//! The same samples in every format: each says which it is.

mod chunked;
mod packed;

use std::fs;
use std::path::Path;

use anyhow::Context;
use feed::spec::KindSpec;

use super::photographs::member;
use super::resume::{Set, tokens, write};

/// Shards of formats that have them.
const SHARDS: u64 = 4;

/// Writes all sets to a folder.
pub(super) fn make(folder: &Path, samples: u64) -> anyhow::Result<Vec<Set>> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let each = samples / SHARDS;
    let shard = |shard: u64| shard * each..(shard + 1) * each;
    let set = |name, data, kind, field| Set { name, data, kind, field };

    for number in 0..SHARDS {
        let mut tar = Vec::new();
        shard(number).for_each(|sample| member(&mut tar, &format!("{sample:06}.id"), sample.to_string().as_bytes()));
        tar.resize(tar.len() + 1024, 0);
        write(&folder.join(format!("tar/{number}.tar")), &tar)?;
        write(&folder.join(format!("tar-gz/{number}.tar.gz")), &packed::gz(&tar)?)?;
    }
    let lines: String = (0..samples).map(|sample| format!("{sample}\n")).collect();
    write(&folder.join("lines.txt"), lines.as_bytes())?;
    write(&folder.join("packed.txt.gz"), &packed::gz(lines.as_bytes())?)?;
    let objects: String = (0..samples).map(|sample| format!("{{\"text\": \"a\", \"id\": {sample}}}\n")).collect();
    write(&folder.join("lines.jsonl"), objects.as_bytes())?;
    let words: Vec<u8> = (0..samples).flat_map(|sample| [sample as i32; 4]).flat_map(i32::to_le_bytes).collect();
    write(&folder.join("tokens.bin"), &words)?;
    write(&folder.join("megatron/text.bin"), &words)?;
    write(&folder.join("megatron/text.idx"), &chunked::megatron_index(samples))?;
    chunked::write_mds(&folder.join("mds"), shard)?;
    chunked::write_litdata(&folder.join("litdata"), shard)?;
    for number in 0..SHARDS {
        packed::write_tables(&folder.join("tables"), number, shard(number))?;
    }
    for sample in 0..samples {
        let file = format!("folders/{:03}/{sample:06}.id", sample / 200);
        write(&folder.join(file), sample.to_string().as_bytes())?;
    }
    Ok(vec![
        set("WebDataset", folder.join("tar"), KindSpec::Integer, "id"),
        set("WebDataset in gz", folder.join("tar-gz"), KindSpec::Integer, "id"),
        set("MDS", folder.join("mds"), KindSpec::Integer, "id"),
        set("LitData", folder.join("litdata"), KindSpec::Integer, "id"),
        set("Parquet", folder.join("tables/*.parquet"), KindSpec::Integer, "id"),
        set("Arrow", folder.join("tables/*.arrow"), KindSpec::Integer, "id"),
        set("text", folder.join("lines.txt"), KindSpec::Integer, ""),
        set("text in gz", folder.join("packed.txt.gz"), KindSpec::Integer, ""),
        set("JSON lines", folder.join("lines.jsonl"), KindSpec::Integer, "id"),
        set("tokens", folder.join("tokens.bin"), tokens(), ""),
        set("Megatron", folder.join("megatron/text.bin"), tokens(), ""),
        set("folders", folder.join("folders"), KindSpec::Integer, "id"),
    ])
}

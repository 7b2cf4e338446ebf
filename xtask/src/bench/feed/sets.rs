//! The same samples in every format: each says which it is.

use std::fs;
use std::path::Path;

use anyhow::Context;
use feed::spec::KindSpec;
use serde_json::json;

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
    }
    let lines: String = (0..samples).map(|sample| format!("{sample}\n")).collect();
    write(&folder.join("lines.txt"), lines.as_bytes())?;
    let objects: String = (0..samples).map(|sample| format!("{{\"text\": \"a\", \"id\": {sample}}}\n")).collect();
    write(&folder.join("lines.jsonl"), objects.as_bytes())?;
    let words: Vec<u8> = (0..samples).flat_map(|sample| [sample as i32; 4]).flat_map(i32::to_le_bytes).collect();
    write(&folder.join("tokens.bin"), &words)?;
    write(&folder.join("megatron/text.bin"), &words)?;
    write(&folder.join("megatron/text.idx"), &megatron_index(samples))?;
    write_mds(&folder.join("mds"), shard)?;
    for sample in 0..samples {
        let file = format!("folders/{:03}/{sample:06}.id", sample / 200);
        write(&folder.join(file), sample.to_string().as_bytes())?;
    }
    Ok(vec![
        set("WebDataset", folder.join("tar"), KindSpec::Integer, "id"),
        set("MDS", folder.join("mds"), KindSpec::Integer, "id"),
        set("text", folder.join("lines.txt"), KindSpec::Integer, ""),
        set("JSON lines", folder.join("lines.jsonl"), KindSpec::Integer, "id"),
        set("tokens", folder.join("tokens.bin"), tokens(), ""),
        set("Megatron", folder.join("megatron/text.bin"), tokens(), ""),
        set("folders", folder.join("folders"), KindSpec::Integer, "id"),
    ])
}

/// Documents of four tokens of 32 bits.
fn megatron_index(documents: u64) -> Vec<u8> {
    let mut index = b"MMIDIDX\0\0".to_vec();
    index.extend(1_u64.to_le_bytes());
    index.push(4);
    index.extend(documents.to_le_bytes());
    index.extend((documents + 1).to_le_bytes());
    (0..documents).for_each(|_| index.extend(4_i32.to_le_bytes()));
    (0..documents).for_each(|document| index.extend((16 * document).to_le_bytes()));
    (0..=documents).for_each(|document| index.extend(document.to_le_bytes()));
    index
}

/// Shards with a text of any length and a whole number.
fn write_mds(folder: &Path, shard: impl Fn(u64) -> std::ops::Range<u64>) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    for number in 0..SHARDS {
        let samples: Vec<Vec<u8>> = shard(number)
            .map(|sample| {
                let text = "x".repeat(sample as usize % 50);
                let size = (text.len() as u32).to_le_bytes();
                [&size[..], text.as_bytes(), &sample.to_le_bytes()].concat()
            })
            .collect();
        let count = samples.len() as u32;
        let mut data = count.to_le_bytes().to_vec();
        let mut at = 4 + 4 * (count + 1);
        data.extend(at.to_le_bytes());
        for sample in &samples {
            at += sample.len() as u32;
            data.extend(at.to_le_bytes());
        }
        data.extend(samples.concat());
        let name = format!("shard.{number:05}.mds");
        write(&folder.join(&name), &data)?;
        entries.push(json!({
            "column_encodings": ["str", "int"], "column_names": ["text", "id"], "column_sizes": [null, 8],
            "compression": null, "format": "mds", "hashes": [], "samples": count, "size_limit": null, "version": 2,
            "raw_data": {"basename": name, "bytes": data.len(), "hashes": {}}, "zip_data": null,
        }));
    }
    write(&folder.join("index.json"), json!({"shards": entries, "version": 2}).to_string().as_bytes())
}

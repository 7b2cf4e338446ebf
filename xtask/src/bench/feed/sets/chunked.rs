//! Formats that lie in chunks behind an index of their own.

use std::ops::Range;
use std::path::Path;

use serde_json::json;

use super::SHARDS;
use crate::bench::feed::resume::write;

/// Documents of four tokens of 32 bits.
pub(super) fn megatron_index(documents: u64) -> Vec<u8> {
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
pub(super) fn write_mds(folder: &Path, shard: impl Fn(u64) -> Range<u64>) -> anyhow::Result<()> {
    let mut entries = Vec::new();
    for number in 0..SHARDS {
        let samples: Vec<Vec<u8>> = shard(number)
            .map(|sample| {
                let text = "x".repeat(sample as usize % 50);
                let size = (text.len() as u32).to_le_bytes();
                [&size[..], text.as_bytes(), &sample.to_le_bytes()].concat()
            })
            .collect();
        let (count, data) = (samples.len(), counted(&samples));
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

/// Chunks of dictionaries with a text of any length and a number in digits, as LitData writes them.
pub(super) fn write_litdata(folder: &Path, shard: impl Fn(u64) -> Range<u64>) -> anyhow::Result<()> {
    let mut chunks = Vec::new();
    for number in 0..SHARDS {
        let samples: Vec<Vec<u8>> = shard(number)
            .map(|sample| {
                let (text, id) = ("x".repeat(sample as usize % 50), sample.to_string());
                let sizes = [text.len(), id.len()].map(|size| (size as u32).to_le_bytes()).concat();
                [&sizes[..], text.as_bytes(), id.as_bytes()].concat()
            })
            .collect();
        let data = counted(&samples);
        let name = format!("chunk-0-{number}.bin");
        write(&folder.join(&name), &data)?;
        chunks.push(json!({"chunk_bytes": data.len(), "chunk_size": samples.len(), "dim": null, "filename": name}));
    }
    let leaf = r#"{"type": null, "context": null, "children_spec": []}"#;
    let names = r#""[\"text\", \"id\"]""#;
    let spec = format!(r#"[1, {{"type": "builtins.dict", "context": {names}, "children_spec": [{leaf}, {leaf}]}}]"#);
    let config = json!({
        "chunk_bytes": 64 << 20, "chunk_size": null, "compression": null, "compression_level": null, "encryption": null,
        "data_format": ["str", "str"], "data_spec": spec, "item_loader": "PyTreeLoader", "types": null,
    });
    let index = json!({"chunks": chunks, "config": config, "updated_at": "1796007076.09"});
    write(&folder.join("index.json"), index.to_string().as_bytes())
}

/// How many there are, where each begins and the last ends, and all of them: MDS and LitData both lay out samples so.
fn counted(samples: &[Vec<u8>]) -> Vec<u8> {
    let count = samples.len() as u32;
    let mut data = count.to_le_bytes().to_vec();
    let mut at = 4 + 4 * (count + 1);
    data.extend(at.to_le_bytes());
    for sample in samples {
        at += sample.len() as u32;
        data.extend(at.to_le_bytes());
    }
    data.extend(samples.concat());
    data
}

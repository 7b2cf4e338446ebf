//! Data of each kind, in a folder.

use std::fs;
use std::path::Path;

/// Members of a tar file, one behind the other.
pub(crate) fn tar(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, data) in members {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// Bytes that differ from number to number, in size too.
pub(crate) fn data(number: usize) -> Vec<u8> {
    (0..100 + number * 7919 % 5000).map(|at| (at * 31 + number * 17) as u8).collect()
}

pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    fs::write(path, bytes).expect("files can be written");
}

/// Shards of each kind.
pub(crate) fn fill(folder: &Path) {
    for shard in 0..3 {
        let members: Vec<_> = (0..50)
            .flat_map(|sample| {
                let number = shard * 50 + sample;
                [
                    (format!("{number:04}.bin"), data(number)),
                    (format!("{number:04}.cls"), number.to_string().into_bytes()),
                ]
            })
            .collect();
        write(&folder.join(format!("part-{shard}.tar")), tar(&members));
        let lines: String = (0..100).map(|line| format!("{{\"text\": \"{shard} and {line}\"}}\n")).collect();
        write(&folder.join(format!("part-{shard}.jsonl")), lines);
    }
    let tokens: Vec<u8> = (0..40_000_u32).flat_map(|token| (token as u16).to_le_bytes()).collect();
    write(&folder.join("tokens.bin"), tokens);
    for class in ["cats", "dogs"] {
        fs::create_dir_all(folder.join("animals").join(class)).expect("folders can be made");
        for number in 0..20 {
            write(&folder.join("animals").join(class).join(format!("{number:02}.raw")), data(number));
        }
    }
    mds(&folder.join("mds"));
}

/// A dataset of MDS with two shards.
pub(crate) fn mds(folder: &Path) {
    fs::create_dir_all(folder).expect("folders can be made");
    let mut entries = Vec::new();
    for shard in 0..2 {
        let samples: Vec<Vec<u8>> = (0..30)
            .map(|sample| {
                let data = data(shard * 30 + sample);
                let mut bytes = (data.len() as u32).to_le_bytes().to_vec();
                bytes.extend(data);
                bytes
            })
            .collect();
        let mut offset = 4 + 4 * (samples.len() as u32 + 1);
        let mut bytes = (samples.len() as u32).to_le_bytes().to_vec();
        bytes.extend(offset.to_le_bytes());
        for sample in &samples {
            offset += sample.len() as u32;
            bytes.extend(offset.to_le_bytes());
        }
        bytes.extend(samples.concat());
        let name = format!("shard.{shard:05}.mds");
        entries.push(format!(
            "{{\"format\": \"mds\", \"samples\": 30, \"column_names\": [\"data\"], \"column_encodings\": [\"bytes\"], \
             \"column_sizes\": [null], \"compression\": null, \"raw_data\": {{\"basename\": \"{name}\", \"bytes\": {}}}}}",
            bytes.len()
        ));
        write(&folder.join(name), bytes);
    }
    let index = format!("{{\"version\": 2, \"shards\": [{}]}}", entries.join(", "));
    write(&folder.join("index.json"), index);
}

/// What is asked of each kind of shards: what names them, and the column.
pub(crate) const ASKED: [(&str, &str); 5] = [
    ("part-{0..2}.tar", r#"{"name": "data", "fields": ["bin"], "kind": "bytes"}"#),
    ("part-*.jsonl", r#"{"name": "text", "fields": ["text"], "kind": "text"}"#),
    ("tokens.bin", r#"{"name": "tokens", "kind": {"tokens": {"length": 64}}}"#),
    ("animals", r#"{"name": "file", "fields": ["raw"], "kind": "bytes"}"#),
    ("mds", r#"{"name": "data", "fields": ["data"], "kind": "bytes"}"#),
];

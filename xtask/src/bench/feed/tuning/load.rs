//! What is slow, and a loader that is run under it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use object_rig::{Behaviour, Server};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::bench::feed::peers::Own;
use crate::bench::feed::photographs::COUNT;
use crate::{venv, workspace};

/// What is slow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Load {
    /// A store: what passes before each answer, and bytes a second of all together, as a part of those that can be decoded here.
    Network { latency_ms: f64, part: f64 },
    /// A disk: the same of reads.
    Disk { latency_ms: f64, part: f64 },
    /// Nothing but what is to be done to photographs, which are made so many pixels high and wide.
    Decode { size: u64 },
    /// A function of Python that waits with each sample; behind photographs, or behind tokens, which cost next to nothing.
    Transform { each_ms: f64, kind: &'static str },
    /// Whoever takes batches: samples a second, as a part of those that can be decoded here.
    Consumer { part: f64 },
}

/// Bytes that all photographs have room in, decoded.
pub(super) const KEPT: u64 = 2 << 30;
/// Photographs as most models want them.
pub(super) const DECODE: Load = Load::Decode { size: 224 };

impl Load {
    /// As a report names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Load::Network { .. } => "network",
            Load::Disk { .. } => "disk",
            Load::Decode { .. } => "decode",
            Load::Transform { .. } => "transform",
            Load::Consumer { .. } => "consumer",
        }
    }
}

/// How a loader is run.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct How {
    /// What it is told.
    pub(super) options: Map<String, Value>,
    /// Workers of the function of Python, where they are told.
    pub(super) workers: Option<u64>,
    /// Cores that it may use; all where it is not told.
    pub(super) cores: Option<usize>,
    /// Seconds that pass before its rate is measured.
    pub(super) warm: f64,
    /// Epochs that pass before that.
    pub(super) warm_epochs: u64,
    /// Seconds that it is measured for.
    pub(super) measure: f64,
}

/// What a run printed.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Ran {
    pub(super) rate: f64,
    pub(super) bottleneck: String,
    pub(super) without_bottleneck: Option<f64>,
    pub(super) another_core: Option<f64>,
    pub(super) decoded_cache: Option<f64>,
}

/// What all runs have in common.
pub(super) struct Bench<'a> {
    own: &'a Own,
    server: &'a Server,
    photographs: &'a Path,
    tokens: &'a Path,
    slow_disk: PathBuf,
    /// Photographs that are decoded here in a second, and bytes of each.
    decoded: f64,
    bytes: f64,
}

/// Samples of a batch.
const BATCH: u64 = 64;
/// Memory of loaders that read from a store: a tenth of it is for what is fetched, less than the photographs take, so that they come anew
/// with each epoch.
const MEMORY: u64 = 512 << 20;

impl<'a> Bench<'a> {
    pub(super) fn new(
        own: &'a Own,
        server: &'a Server,
        photographs: &'a Path,
        tokens: &'a Path,
    ) -> anyhow::Result<Bench<'a>> {
        let source = workspace::root().join("xtask/src/bench/feed/programs/slow_disk.c");
        let slow_disk = workspace::target_folder().join("bench/feed/slow_disk.so");
        let mut compiler = std::process::Command::new("cc");
        compiler.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&slow_disk).arg(source).args(["-ldl", "-lpthread"]);
        venv::run(&mut compiler)?;
        let mut bench = Bench { own, server, photographs, tokens, slow_disk, decoded: 0.0, bytes: bytes(photographs)? };
        bench.decoded = bench.run(DECODE, &How { warm: 2.0, measure: 3.0, ..How::default() })?.rate;
        Ok(bench)
    }

    /// Bytes a second, as a part of those that can be decoded.
    fn bytes_per_second(&self, part: f64) -> u64 {
        (part * self.decoded * self.bytes) as u64
    }

    /// Runs a loader under a load.
    pub(super) fn run(&self, load: Load, how: &How) -> anyhow::Result<Ran> {
        self.server.behave(Behaviour::default());
        let mut told = json!(how);
        let shards = self.photographs.join("*.tar").display().to_string();
        let (kind, data) = match load {
            Load::Network { .. } => ("photographs", self.server.url("*.tar")),
            Load::Transform { kind: "tokens", .. } => ("tokens", self.tokens.display().to_string()),
            Load::Transform { .. } | Load::Disk { .. } | Load::Decode { .. } | Load::Consumer { .. } => {
                ("photographs", shards)
            }
        };
        (told["kind"], told["data"], told["batch_size"]) = (json!(kind), json!(data), json!(BATCH));
        let mut preloaded = None;
        match load {
            Load::Network { latency_ms, part } => {
                told["options"]["memory_limit"] = json!(MEMORY);
                self.server.behave(Behaviour {
                    latency: Duration::from_secs_f64(latency_ms / 1e3),
                    link_bytes_per_second: Some(self.bytes_per_second(part)),
                    ..Behaviour::default()
                });
            }
            Load::Disk { latency_ms, part } => {
                told["disk"] = json!([(latency_ms * 1e3) as u64, self.bytes_per_second(part)]);
                preloaded = Some(&self.slow_disk);
            }
            Load::Transform { each_ms, .. } => told["transform_ms"] = json!(each_ms),
            Load::Consumer { part } => told["consumer_ms"] = json!(1e3 * BATCH as f64 / (part * self.decoded)),
            Load::Decode { size } => told["size"] = json!(size),
        }
        let environment = preloaded.map(|library| ("LD_PRELOAD", library.as_os_str()));
        let printed = self.own.run_with("tuning_trimtab.py", &[told.to_string()], environment)?;
        serde_json::from_str(&printed).with_context(|| printed)
    }
}

/// Bytes of a photograph in a folder of shards.
fn bytes(folder: &Path) -> anyhow::Result<f64> {
    let failed = || format!("cannot list {}", folder.display());
    let mut bytes = 0;
    for shard in fs::read_dir(folder).with_context(failed)? {
        bytes += shard.and_then(|shard| shard.metadata()).with_context(failed)?.len();
    }
    Ok(bytes as f64 / COUNT as f64)
}

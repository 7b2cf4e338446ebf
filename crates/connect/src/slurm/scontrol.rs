//! What `scontrol show node`, `show partition` and `show config` print, as text (all releases) and as JSON (23.02 and later;
//! shapes from Slurm's `src/plugins/data_parser/v0.0.42/parsers.c`). Pure.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use fleet::history::NodeRecord;
use fleet::text::lines::{Line, Lines};
use fleet::text::shown;
use serde_json::Value;

use super::json_job::{Number, number, text};
use super::tres::gres;
use super::word::{self, Limit};
use crate::bound;
use crate::import::BadRow;

/// A node, and whether it can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) record: NodeRecord,
    /// Its state in Slurm's words: `IDLE`, `MIXED+DRAIN`, `FUTURE`.
    pub(super) state: String,
    /// Its place among the nodes, in Slurm's own order.
    pub(super) place: usize,
    /// It has GPUs of several models, of which the first is told.
    pub(super) mixed: bool,
}

/// A partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) name: String,
    pub(super) nodes: String,
    pub(super) time_max: Limit,
    pub(super) time_default: Limit,
    pub(super) qos: String,
    pub(super) tier: u64,
    pub(super) preempt_mode: String,
}

/// One thing that `scontrol` shows as `Key=Value Key=Value ...` over several lines.
pub(super) type Block = BTreeMap<String, String>;

/// Reads blocks one by one; each begins with a line whose first key is `first`.
pub(super) struct Blocks<R> {
    lines: Lines<R>,
    first: &'static str,
    begun: Option<(u64, Block)>,
}

impl<R: BufRead> Blocks<R> {
    pub(super) fn new(input: R, first: &'static str) -> Self {
        Self { lines: Lines::new(input), first, begun: None }
    }

    /// The next block and the line on which it begins.
    pub(super) fn next_block(&mut self) -> io::Result<Option<(u64, Result<Block, BadRow>)>> {
        loop {
            let Some(line) = self.lines.next_line()? else {
                return Ok(self.begun.take().map(|(number, block)| (number, Ok(block))));
            };
            let line = match line {
                Line::Text(line) => line.trim_ascii(),
                Line::Bad(reason) => {
                    let bad = BadRow::whole(reason);
                    return Ok(Some((self.lines.number(), Err(bad))));
                }
            };
            let begins = line.strip_prefix(self.first).is_some_and(|rest| rest.starts_with('='));
            let pairs = pairs(line);
            let number = self.lines.number();
            if begins {
                let block = pairs.into_iter().collect();
                if let Some((number, whole)) = self.begun.replace((number, block)) {
                    return Ok(Some((number, Ok(whole))));
                }
            } else if let Some((_, block)) = &mut self.begun {
                block.extend(pairs);
            }
        }
    }
}

/// Splits `A=1 B=two words C=3`: what has no `=` belongs to the value before it.
fn pairs(line: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for word in line.split_ascii_whitespace() {
        let key = word.split_once('=').filter(|(key, _)| {
            key.starts_with(|c: char| c.is_ascii_alphabetic())
                && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        match (key, pairs.last_mut()) {
            (Some((key, value)), _) => pairs.push((key.to_owned(), value.to_owned())),
            (None, Some((_, value))) => {
                value.push(' ');
                value.push_str(word);
            }
            (None, None) => {}
        }
    }
    pairs
}

/// Reads a node's block.
pub(super) fn node(block: &Block) -> Result<Node, BadRow> {
    let get = |key: &str| block.get(key).map(String::as_str).filter(|value| *value != "(null)").unwrap_or_default();
    let count = |key: &str| match get(key) {
        "" => Ok(None),
        text => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| BadRow::field(key, format!("`{}` is no whole number, zero or above", shown(text)))),
    };
    let cpus = match count("CPUEfctv")? {
        Some(cpus) => Some(cpus),
        None => count("CPUTot")?,
    };
    let pools = get("Partitions").split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    new_node(get("NodeName"), get("State"), pools, cpus, count("RealMemory")?, get("Gres"))
}

/// Reads a node of `scontrol show node --json`.
pub(super) fn node_json(value: &Value) -> Result<Node, BadRow> {
    let words = |path: &str| -> Vec<String> {
        match value.get(path) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(Value::String(text)) => text.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    };
    let cpus = match number(value, "effective_cpus")? {
        Number::Set(cpus) => Some(cpus),
        _ => number(value, "cpus")?.get(),
    };
    let memory = number(value, "real_memory")?.get();
    new_node(text(value, "name")?, &words("state").join("+"), words("partitions"), cpus, memory, text(value, "gres")?)
}

fn new_node(
    name: &str,
    state: &str,
    pools: Vec<String>,
    cpus: Option<u64>,
    memory_mib: Option<u64>,
    gres_text: &str,
) -> Result<Node, BadRow> {
    if name.is_empty() || name.len() > bound::NAME_MAX {
        return Err(BadRow::field("NodeName", "it is absent or too long; expected a name"));
    }
    let kinds = gres(gres_text).map_err(|reason| BadRow::field("Gres", reason))?;
    let devices: u64 = kinds.iter().map(|(_, count)| count).sum();
    if devices > 1_024 {
        return Err(BadRow::field("Gres", format!("{devices} GPUs in one node; expected at most 1,024")));
    }
    let most = u64::from(bound::TASKS_MAX);
    if cpus.is_some_and(|cpus| cpus > most) {
        return Err(BadRow::field("CPUTot", format!("expected at most {most} cores")));
    }
    let memory = memory_mib.filter(|&mib| mib <= bound::MEMORY_MAX.0 >> 20);
    if memory != memory_mib {
        return Err(BadRow::field("RealMemory", format!("expected at most {}", bound::MEMORY_MAX)));
    }
    let record = NodeRecord {
        name: name.to_owned(),
        pools,
        cpu_milli: cpus.map(|cpus| cpus * 1_000),
        // A node whose memory nobody configured has 1 MiB in Slurm's eyes.
        memory_bytes: memory.filter(|&mib| mib > 1).map(|mib| mib << 20),
        devices: devices as u32,
        model: kinds.first().and_then(|(model, _)| model.clone()),
        ..NodeRecord::default()
    };
    Ok(Node { record, state: state.to_owned(), place: 0, mixed: kinds.len() > 1 })
}

/// Reads a partition's block.
pub(super) fn partition(block: &Block) -> Result<Partition, BadRow> {
    let get = |key: &str| block.get(key).map(String::as_str).filter(|value| *value != "(null)").unwrap_or_default();
    let limit = |key: &str| word::limit(get(key)).map_err(|reason| BadRow::field(key, reason));
    let name = get("PartitionName");
    if name.is_empty() || name.len() > bound::NAME_MAX {
        return Err(BadRow::field("PartitionName", "it is absent or too long; expected a name"));
    }
    Ok(Partition {
        name: name.to_owned(),
        nodes: get("Nodes").to_owned(),
        time_max: limit("MaxTime")?,
        time_default: limit("DefaultTime")?,
        qos: Some(get("QoS")).filter(|qos| *qos != "N/A").unwrap_or_default().to_owned(),
        tier: get("PriorityTier").parse().unwrap_or(1),
        preempt_mode: get("PreemptMode").to_ascii_uppercase(),
    })
}

/// Reads a partition of `scontrol show partition --json`.
pub(super) fn partition_json(value: &Value) -> Result<Partition, BadRow> {
    let limit = |path: &str| match number(value, path)? {
        Number::Unset => Ok(Limit::Unknown),
        Number::Infinite => Ok(Limit::Unlimited),
        Number::Set(minutes) => word::limit_minutes(minutes).map_err(|reason| BadRow::field(path, reason)),
    };
    let name = text(value, "name")?;
    if name.is_empty() || name.len() > bound::NAME_MAX {
        return Err(BadRow::field("name", "it is absent or too long; expected a name"));
    }
    Ok(Partition {
        name: name.to_owned(),
        nodes: text(value, "nodes/configured")?.to_owned(),
        time_max: limit("maximums/time")?,
        time_default: limit("defaults/time")?,
        qos: text(value, "qos/assigned")?.to_owned(),
        tier: number(value, "priority/tier")?.get().unwrap_or(1),
        // The JSON of 24.11 does not tell it.
        preempt_mode: String::new(),
    })
}

/// Reads a line of `scontrol show config`: `Key    = value`.
pub(super) fn setting(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim_ascii(), value.trim_ascii());
    (!key.is_empty() && !key.contains(' ')).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "NodeName=n1 Arch=x86_64 CoresPerSocket=1
   CPUAlloc=0 CPUEfctv=64 CPUTot=64 CPULoad=0.43
   Gres=gpu:a100:8(S:0-1)
   OS=Linux 6.1 #1 SMP =odd
   RealMemory=512000 AllocMem=0
   State=IDLE+DRAIN ThreadsPerCore=1
   Partitions=main,small
   Reason=broken fan [root@2026-11-23T23:35:07]

NodeName=login CPUTot=4 RealMemory=1 Gres=(null) State=FUTURE
";

    #[test]
    fn nodes_of_a_text() {
        let mut blocks = Blocks::new(NODES.as_bytes(), "NodeName");
        let (line, block) = blocks.next_block().unwrap().expect("a node");
        let found = node(&block.unwrap()).unwrap();
        assert_eq!(line, 1);
        let expected = NodeRecord {
            name: "n1".into(),
            pools: vec!["main".into(), "small".into()],
            cpu_milli: Some(64_000),
            memory_bytes: Some(512_000 << 20),
            devices: 8,
            model: Some("a100".into()),
            ..NodeRecord::default()
        };
        assert_eq!((found.record, found.state.as_str(), found.mixed), (expected, "IDLE+DRAIN", false));
        let (line, block) = blocks.next_block().unwrap().expect("a second node");
        let found = node(&block.unwrap()).unwrap();
        assert_eq!((line, found.record.devices, found.record.memory_bytes), (10, 0, None));
        assert!(blocks.next_block().unwrap().is_none());
    }

    #[test]
    fn nodes_and_partitions_of_json() {
        let value: Value = serde_json::from_str(
            r#"{"name":"n1","cpus":64,"effective_cpus":62,"real_memory":512000,"gres":"gpu:a100:4,gpu:v100:4",
                "partitions":["main"],"state":["IDLE","DRAIN"]}"#,
        )
        .unwrap();
        let node = node_json(&value).unwrap();
        assert_eq!((node.record.cpu_milli, node.record.devices, node.mixed), (Some(62_000), 8, true));
        assert_eq!(node.state, "IDLE+DRAIN");
        let value: Value = serde_json::from_str(
            r#"{"name":"main","nodes":{"configured":"n[1-4]"},"maximums":{"time":{"set":true,"infinite":false,"number":1440}},
                "defaults":{"time":{"set":false,"infinite":true,"number":0}},"qos":{"assigned":"short"},
                "priority":{"tier":3}}"#,
        )
        .unwrap();
        let partition = partition_json(&value).unwrap();
        assert_eq!(partition.time_max, Limit::After(fleet::quantity::Millis::hours(24)));
        assert_eq!((partition.time_default, partition.qos.as_str(), partition.tier), (Limit::Unlimited, "short", 3));
    }

    #[test]
    fn settings() {
        assert_eq!(setting("SchedulerType           = sched/backfill"), Some(("SchedulerType", "sched/backfill")));
        assert_eq!(setting("Slurmctld(primary) at vm is UP"), None);
    }
}

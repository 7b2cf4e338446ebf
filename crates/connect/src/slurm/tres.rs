//! Trackable resources: what a job asked for and what it held, as `cpu=4,gres/gpu=8,gres/gpu:a100=8,mem=64G,node=1`. Pure.

use fleet::quantity::Bytes;
use fleet::text::shown;

use super::word::memory;
use crate::bound;
use crate::number::whole;

/// Amounts of one job; absent is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tres {
    /// Cores (or hardware threads, where Slurm counts those).
    pub(super) cpus: Option<u64>,
    /// Memory of all nodes together.
    pub(super) memory: Option<Bytes>,
    /// Nodes.
    pub(super) nodes: Option<u64>,
    /// GPUs of any model.
    pub(super) gpus: Option<u64>,
    /// GPUs by model.
    pub(super) models: Vec<(String, u64)>,
    /// It names parts of GPUs (`gres/mps`, `gres/shard`), which are not read.
    pub(super) shares: bool,
}

impl Tres {
    /// GPUs, however they are told.
    pub(super) fn devices(&self) -> u64 {
        self.gpus.unwrap_or_else(|| self.models.iter().map(|(_, count)| count).sum())
    }

    /// Reads the whole text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut tres = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, count) =
                part.split_once('=').ok_or_else(|| format!("`{}` has no amount; expected name=amount", shown(part)))?;
            tres.take_text(name, count)?;
        }
        Ok(tres)
    }

    /// The memory alone. What steps used is told in the same form but with other units: `cpu=00:00:02,mem=1540K`.
    pub(super) fn memory_alone(text: &str) -> Result<Option<Bytes>, String> {
        let amount = text.split(',').find_map(|part| part.strip_prefix("mem="));
        Ok(amount.map(|amount| memory(amount, Bytes(1))).transpose()?.map(|(bytes, _)| bytes))
    }

    fn take_text(&mut self, name: &str, count: &str) -> Result<(), String> {
        if name == "mem" {
            // A bare number is in MiB, the unit in which Slurm keeps memory.
            return self.take_memory(memory(count, Bytes::mebi(1))?.0);
        }
        let kept = matches!(name, "cpu" | "node") || name.starts_with("gres/");
        if !kept {
            return Ok(());
        }
        let count = whole(count).ok().and_then(|count| u64::try_from(count).ok());
        let count = count.ok_or_else(|| format!("the amount of `{}` is no whole number above zero", shown(name)))?;
        self.take(name, count)
    }

    /// Takes memory.
    pub(super) fn take_memory(&mut self, amount: Bytes) -> Result<(), String> {
        // The bound is of one node; a job may hold many.
        self.memory = Some(amount);
        Ok(())
    }

    /// Takes an amount of what `name` says: `cpu`, `node`, `gres/gpu`, `gres/gpu:a100`; passes over what is nothing to us.
    pub(super) fn take(&mut self, name: &str, count: u64) -> Result<(), String> {
        if count > u64::from(bound::TASKS_MAX) {
            return Err(format!("{count} of `{}`; expected at most {}", shown(name), bound::TASKS_MAX));
        }
        match name {
            "cpu" => self.cpus = Some(count),
            "node" => self.nodes = Some(count),
            "gres/gpu" => self.gpus = Some(count),
            "gres/mps" | "gres/shard" => self.shares = count > 0,
            _ => {
                if let Some(model) = name.strip_prefix("gres/gpu:")
                    && count > 0
                {
                    if model.is_empty() || model.len() > bound::NAME_MAX {
                        return Err(format!("`{}` names no model", shown(name)));
                    }
                    self.models.push((model.to_owned(), count));
                } else if name.starts_with("gres/mps:") || name.starts_with("gres/shard:") {
                    self.shares = count > 0;
                }
            }
        }
        Ok(())
    }
}

/// GPUs of a node's or an old job's `Gres`: `gpu:a100:8(S:0-1)`, `gpu:8`, `gpu:a100:4,gpu:v100:2`, `gpu`, `(null)`.
pub(super) fn gres(text: &str) -> Result<Vec<(Option<String>, u64)>, String> {
    let mut found = Vec::new();
    let mut depth = 0_u32;
    // Commas inside parentheses (`(S:0,2)`) belong to sockets.
    let parts = text.split(|c: char| {
        depth = match c {
            '(' => depth + 1,
            ')' => depth.saturating_sub(1),
            _ => depth,
        };
        c == ',' && depth == 0
    });
    for part in parts {
        let part = part.split('(').next().unwrap_or_default();
        let words: Vec<&str> = part.split(':').collect();
        if words.first() != Some(&"gpu") && words.first() != Some(&"gres/gpu") {
            continue;
        }
        let count = |text: &str| text.parse::<u64>().ok().filter(|&count| count <= u64::from(bound::TASKS_MAX));
        let gpus = match words[1..] {
            [] => (None, 1),
            [last] => count(last).map_or((Some(last.to_owned()), 1), |count| (None, count)),
            [model, last] => {
                let count = count(last).ok_or_else(|| format!("`{}` says no number of GPUs", shown(part)))?;
                (Some(model.to_owned()), count)
            }
            _ => return Err(format!("`{}` is no GRES; expected one such as gpu:a100:8", shown(part))),
        };
        found.push(gpus);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tres_of_a_job() {
        let tres = Tres::parse("billing=1,cpu=4,gres/gpu:a100=8,gres/gpu=8,mem=50M,node=2").unwrap();
        let expected = Tres {
            cpus: Some(4),
            memory: Some(Bytes::mebi(50)),
            nodes: Some(2),
            gpus: Some(8),
            models: vec![("a100".to_owned(), 8)],
            shares: false,
        };
        assert_eq!(tres, expected);
        assert_eq!(Tres::parse("").unwrap(), Tres::default());
        assert_eq!(Tres::parse("gres/gpu:a100=2,gres/gpu:v100=1").unwrap().devices(), 3);
        assert!(Tres::parse("cpu=1,gres/shard=2").unwrap().shares);
        assert_eq!(Tres::memory_alone("cpu=00:00:02,energy=0,mem=1540K"), Ok(Some(Bytes(1_540 << 10))));
        assert_eq!(Tres::memory_alone("energy=0"), Ok(None));
    }

    #[test]
    fn what_is_no_tres_is_refused() {
        for text in ["cpu", "cpu=-4", "cpu=4.5", "gres/gpu=99999999999", "mem=lots", "gres/gpu:=2"] {
            assert!(Tres::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn gres_of_a_node() {
        let a100 = Some("a100".to_owned());
        assert_eq!(gres("gpu:a100:8(S:0-1)").unwrap(), [(a100.clone(), 8)]);
        assert_eq!(gres("gpu:8").unwrap(), [(None, 8)]);
        assert_eq!(gres("gpu:a100:4(S:0,2),nic:2,gpu:v100:1").unwrap(), [(a100, 4), (Some("v100".to_owned()), 1)]);
        assert_eq!(gres("(null)").unwrap(), []);
        assert!(gres("gpu:a:b:c").is_err());
    }
}

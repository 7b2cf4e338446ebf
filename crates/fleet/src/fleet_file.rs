//! The fleet file: what a job log does not say. Nodes, devices, prices, queues, policy, in TOML.
//!
//! ```toml
//! version = 1
//! currency = "USD"
//!
//! [[nodes]]
//! name = "gpu"            # gpu-1 to gpu-64
//! count = 64
//! pools = ["main"]
//! cores = 96
//! memory_gib = 1024
//! devices = 8
//! model = "H100"
//! price_per_hour = "31.50"  # of one node
//!
//! [[queues]]
//! name = "research"
//! quota_devices = 256
//!
//! [policy]
//! order = "backfill"
//! ```

use serde::{Deserialize, Serialize};

use crate::history::{NodeRecord, QueueRecord};
use crate::money::{Currency, Money};
use crate::node::Node;
use crate::policy::Policy;
use crate::problem::Problem;
use crate::quantity::{MilliDevice, Millis};

/// A parsed fleet file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetFile {
    /// The format's version, 1.
    pub version: u32,
    /// The currency of all prices in the file.
    #[serde(default = "usd")]
    pub currency: Currency,
    /// Kinds of nodes, each so many times.
    #[serde(default)]
    pub nodes: Vec<NodeGroup>,
    /// Queues and their rules. Queues that only the history names get none.
    #[serde(default)]
    pub queues: Vec<QueueEntry>,
    /// The rules of scheduling the fleet runs by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// Nodes of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeGroup {
    /// The kind's name; nodes are called `name-1`, `name-2` and so on.
    pub name: String,
    /// How many.
    pub count: u32,
    /// The pools they belong to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<String>,
    /// Cores of one node; absent: unknown, never in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Memory of one node; absent: unknown, never in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_gib: Option<u64>,
    /// Accelerators of one node.
    #[serde(default)]
    pub devices: u32,
    /// Their model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What one node costs an hour, as a decimal number in quotes: `"31.50"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_per_hour: Option<Decimal>,
    /// So many of them are under a contract (a reservation, a lease): no recommendation gives these up.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub committed: u32,
}

/// A queue and its rules, counted in devices (in cores where the fleet has no devices).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueEntry {
    /// Its name, as the history has it.
    pub name: String,
    /// What it may use before it borrows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota_devices: Option<u32>,
    /// What it may never pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_devices: Option<u32>,
    /// What one of its users may never pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_devices_per_user: Option<u32>,
    /// How many workloads may run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_running: Option<u32>,
    /// How many workloads of one user may run at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_running_per_user: Option<u32>,
    /// Higher goes first among queues.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// The longest a workload may ask to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_max_minutes: Option<u32>,
    /// The time limit of a workload that asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_default_minutes: Option<u32>,
    /// The pools its workloads may use; absent: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<String>,
    /// Its workloads may be put back at any time to make room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preemptible: bool,
    /// No recommendation may make this queue wait longer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
    /// What its users were promised: 95 of 100 of its workloads wait no longer. No recommendation may break it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_p95_max_minutes: Option<u32>,
}

impl QueueEntry {
    /// A recorded queue as a fleet file tells it: all its rules.
    #[must_use]
    pub fn of(queue: &QueueRecord) -> Self {
        let small = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let devices = |amount: Option<MilliDevice>| amount.map(|amount| small(amount.0 / MilliDevice::WHOLE));
        let minutes = |length: Option<Millis>| length.map(|length| small(length.0.max(0) as u64 / 60_000));
        Self {
            name: queue.name.clone(),
            quota_devices: devices(queue.quota_milli),
            limit_devices: devices(queue.limit_milli),
            limit_devices_per_user: devices(queue.limit_per_user_milli),
            limit_running: queue.limit_running,
            limit_running_per_user: queue.limit_running_per_user,
            priority: queue.priority,
            time_limit_max_minutes: minutes(queue.time_limit_max_ms),
            time_limit_default_minutes: minutes(queue.time_limit_default_ms),
            pools: queue.pools.clone(),
            preemptible: queue.preemptible,
            protected: queue.protected,
            wait_p95_max_minutes: minutes(queue.wait_p95_max_ms),
        }
    }

    /// Its table in a fleet file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        format!("[[queues]]\n{}", toml::to_string(self).expect("a queue is plain data").trim_end())
    }
}

/// A decimal number of money with at most six digits after the point, kept exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// Millionths.
    pub micros: i64,
}

impl Decimal {
    /// Reads `31`, `31.5` or `0.000001`; no sign, no exponent.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 6 {
            return None;
        }
        let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
        let micros = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction)?;
        Some(Self { micros })
    }
}

impl Serialize for Decimal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:06}", self.micros / 1_000_000, self.micros % 1_000_000);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        serializer.serialize_str(text)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is not a price; expected digits with at most six after the point, such as \"31.50\""
            ))
        })
    }
}

impl FleetFile {
    /// The version this code reads and writes.
    pub const VERSION: u32 = 1;
    /// More nodes than this in one file are taken for a slip of the pen.
    pub const NODES_MAX: u64 = 1_000_000;

    /// Reads a fleet file and checks that it means something. `file` is the name that errors give.
    ///
    /// # Errors
    /// If it is no TOML, has unknown fields, or contradicts itself.
    pub fn parse(text: &str, file: &str) -> Result<Self, Problem> {
        let problem =
            |line: u64, field: Option<String>, reason: String| Problem { file: file.to_owned(), line, field, reason };
        let parsed: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| {
                1 + text[..span.start.min(text.len())].bytes().filter(|&b| b == b'\n').count() as u64
            });
            problem(line, None, error.message().to_owned())
        })?;
        parsed.check().map_err(|(field, reason)| problem(0, Some(field), reason))?;
        Ok(parsed)
    }

    /// All nodes, one by one.
    pub fn node_records(&self) -> impl Iterator<Item = NodeRecord> + '_ {
        self.nodes.iter().flat_map(move |group| {
            (1..=group.count).map(move |number| NodeRecord {
                name: format!("{}-{number}", group.name),
                at: None,
                pools: group.pools.clone(),
                cpu_milli: group.cores.map(|cores| u64::from(cores) * 1_000),
                memory_bytes: group.memory_gib.map(|gib| gib << 30),
                devices: group.devices,
                model: group.model.clone(),
                group: Some(group.name.clone()),
                price_per_hour: self.price_per_hour(group),
                committed: number <= group.committed,
            })
        })
    }

    /// All queues, as a history records them.
    pub fn queue_records(&self) -> impl Iterator<Item = QueueRecord> + '_ {
        let devices = |count: Option<u32>| count.map(|count| MilliDevice::whole(u64::from(count)));
        let minutes = |count: Option<u32>| count.map(|count| Millis::minutes(i64::from(count)));
        self.queues.iter().map(move |queue| QueueRecord {
            name: queue.name.clone(),
            quota_milli: devices(queue.quota_devices),
            limit_milli: devices(queue.limit_devices),
            limit_per_user_milli: devices(queue.limit_devices_per_user),
            limit_running: queue.limit_running,
            limit_running_per_user: queue.limit_running_per_user,
            priority: queue.priority,
            time_limit_max_ms: minutes(queue.time_limit_max_minutes),
            time_limit_default_ms: minutes(queue.time_limit_default_minutes),
            pools: queue.pools.clone(),
            preemptible: queue.preemptible,
            protected: queue.protected,
            wait_p95_max_ms: minutes(queue.wait_p95_max_minutes),
        })
    }

    /// What one node of a group costs an hour.
    #[must_use]
    pub fn price_per_hour(&self, group: &NodeGroup) -> Option<Money> {
        group.price_per_hour.map(|price| Money { micros: price.micros, currency: self.currency })
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.version != Self::VERSION {
            return Err(("version".into(), format!("{} is not known; expected {}", self.version, Self::VERSION)));
        }
        let nodes: u64 = self.nodes.iter().map(|group| u64::from(group.count)).sum();
        if nodes > Self::NODES_MAX {
            return Err(("nodes".into(), format!("{nodes} nodes; expected at most {}", Self::NODES_MAX)));
        }
        for (index, group) in self.nodes.iter().enumerate() {
            let field = |name: &str| format!("nodes[{index}].{name}");
            if group.name.is_empty() {
                return Err((field("name"), "it is empty; expected a name".into()));
            }
            if self.nodes[..index].iter().any(|other| other.name == group.name) {
                return Err((field("name"), format!("`{}` stands twice; names must differ", group.name)));
            }
            if group.committed > group.count {
                let reason = format!("{} is more than the {} there are", group.committed, group.count);
                return Err((field("committed"), reason));
            }
            if group.devices > Node::DEVICES_MAX {
                let most = Node::DEVICES_MAX;
                return Err((field("devices"), format!("{}; expected at most {most} a node", group.devices)));
            }
        }
        for (index, queue) in self.queues.iter().enumerate() {
            let field = |name: &str| format!("queues[{index}].{name}");
            if self.queues[..index].iter().any(|other| other.name == queue.name) {
                return Err((field("name"), format!("`{}` stands twice; names must differ", queue.name)));
            }
            if let (Some(quota), Some(limit)) = (queue.quota_devices, queue.limit_devices)
                && quota > limit
            {
                return Err((field("quota_devices"), format!("{quota} is above the queue's limit of {limit}")));
            }
        }
        Ok(())
    }
}

fn usd() -> Currency {
    Currency::USD
}

fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Plan;

    const LAB: &str = r#"
version = 1
[[nodes]]
name = "gpu"
count = 2
cores = 96
devices = 8
model = "H100"
price_per_hour = "31.50"
[[queues]]
name = "research"
quota_devices = 8
limit_devices = 12
[policy]
order = "backfill"
"#;

    #[test]
    fn a_fleet_file_gives_nodes_queues_and_prices() {
        let file = FleetFile::parse(LAB, "lab.toml").expect("a fleet file");
        let nodes: Vec<_> = file.node_records().collect();
        assert_eq!(nodes[1].name, "gpu-2");
        assert_eq!(nodes[1].cpu_milli, Some(96_000));
        assert_eq!(file.price_per_hour(&file.nodes[0]).map(|p| p.micros), Some(31_500_000));
        let queue = file.queue_records().next().expect("a queue");
        assert_eq!(queue.quota_milli, Some(MilliDevice::whole(8)));
    }

    #[test]
    fn a_queue_written_as_a_table_reads_back() {
        let text = "version = 1\n[[queues]]\nname = \"a b\"\nquota_devices = 8\nlimit_running = 3\npriority = -1\n\
                    time_limit_max_minutes = 60\npools = [\"x\"]\npreemptible = true\nwait_p95_max_minutes = 30\n";
        let file = FleetFile::parse(text, "f").expect("a fleet file");
        let record = file.queue_records().next().expect("a queue");
        let entry = QueueEntry::of(&record);
        assert_eq!(entry, file.queues[0]);
        let again = FleetFile::parse(&format!("version = 1\n{}", entry.to_toml()), "f").expect("a fleet file");
        assert_eq!(again.queues, file.queues);
    }

    #[test]
    fn a_plan_has_defaults_and_no_unknown_fields() {
        let plan = |lines: &str| {
            let text = LAB.replace("order = \"backfill\"", &format!("order = \"backfill\"\n{lines}"));
            FleetFile::parse(&text, "lab.toml").map(|file| file.policy.expect("a policy").backfill_plan)
        };
        assert_eq!(plan(""), Ok(None));
        assert_eq!(plan("backfill_plan = {}"), Ok(Some(Plan::default())));
        let some = Plan { depth: 50, window: Millis::hours(1), ..Plan::default() };
        assert_eq!(plan("[policy.backfill_plan]\ndepth = 50\nwindow_ms = 3600000"), Ok(Some(some)));
        let problem = plan("backfill_plan = { deep = 5 }").expect_err("`deep` is none of its fields").to_string();
        assert!(problem.contains("unknown field `deep`"), "{problem}");
    }

    #[test]
    fn errors_name_the_line_or_the_field() {
        let cases = [
            (LAB.replace("version = 1", "version = 2"), "field `version`: 2 is not known"),
            (LAB.replace("\"31.50\"", "\"31,50\""), "lab.toml:9: `31,50` is not a price"),
            (LAB.replace("limit_devices = 12", "limit_devices = 4"), "8 is above the queue's limit of 4"),
            (LAB.replace("cores = 96", "corse = 96"), "lab.toml:6: unknown field `corse`"),
            (LAB.replace("devices = 8\n", "devices = 800\n"), "expected at most 64 a node"),
            (LAB.replace("count = 2\n", "count = 2\ncommitted = 3\n"), "3 is more than the 2 there are"),
        ];
        for (text, expected) in cases {
            let problem = FleetFile::parse(&text, "lab.toml").expect_err(expected).to_string();
            assert!(problem.contains(expected), "{problem} lacks {expected}");
        }
    }
}

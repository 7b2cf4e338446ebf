//! Slurm: what its accounting and its controller print, as a history.
//!
//! [`request`] says which programs to run; [`read`] takes what they printed, any of it in any order, tells the inputs apart by
//! their beginning, reads what they say of the cluster into memory (bounded) and then the jobs one by one. Nothing here runs
//! a program. `sacct --json` is read as 22.05 and as 24.11 write it, `sacct -P` with any columns.
//!
//! Two things Slurm does not tell: jobs that could never have started (held until they were cancelled) are in no answer
//! of `sacct` for a span of time, and what a job waited for is gone once it ended: [`fleet::history::WorkloadRecord`] then
//! has the moment when it became eligible, and no `depends_on`.
//!
//! Start at [`read`]; `row` is one record in our words, `json_job` and `parsable` fill it, `workload` turns it into ours.

mod attempts;
mod cluster;
mod gather;
mod hosts;
mod jobs;
mod json;
mod json_job;
mod parsable;
pub mod request;
mod row;
mod sacctmgr;
mod scontrol;
mod source;
#[cfg(test)]
mod tests;
mod tres;
mod word;
mod workload;

use std::io::BufRead;

use fleet::history::{Header, Record};

use crate::import::{Each, Gate, Options, Report, Stop, Zone};

use cluster::Cluster;
use jobs::Jobs;
use source::Kind;

/// What one of Slurm's programs printed.
pub struct Printed<'a> {
    /// The name that problems give.
    pub name: String,
    /// What it holds.
    pub content: Box<dyn BufRead + 'a>,
}

/// What a queue of the history is. Slurm has three things with limits; a history's queue is one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueuesAre {
    /// Where jobs wait and which nodes they may use.
    #[default]
    Partitions,
    /// Who pays.
    Accounts,
    /// Qualities of service.
    Qos,
}

impl QueuesAre {
    /// The name it has in a history's header.
    fn name(self) -> &'static str {
        match self {
            Self::Partitions => "partitions",
            Self::Accounts => "accounts",
            Self::Qos => "qos",
        }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Partitions => "Partition",
            Self::Accounts => "Account",
            Self::Qos => "QOS",
        }
    }
}

/// Reads an export: the jobs (`sacct`), and whatever there is of the cluster (`scontrol`, `sacctmgr`).
///
/// What a fleet file says of nodes, queues or policy goes before what Slurm says of them.
///
/// # Errors
/// If an input is none of what Slurm prints, no job can be read, bad rows are refused, or `each` fails.
pub fn read(
    inputs: Vec<Printed<'_>>,
    queues_are: QueuesAre,
    options: &Options,
    each: Each<'_>,
) -> Result<Report, Stop> {
    let first = inputs.first().map_or_else(|| "-".to_owned(), |input| input.name.clone());
    let mut gate = Gate::new(&first, options, each);
    let zone = options.time_zone.clone().unwrap_or_else(Zone::utc);

    let mut cluster = Cluster::default();
    let mut of_jobs = Vec::new();
    for mut input in inputs {
        gate.turn_to(&input.name);
        let beginning = input.content.fill_buf().map_err(|error| gate.fatal(0, format!("failed to read: {error}")))?;
        let Some(kind) = source::kind(beginning) else {
            return Err(gate.fatal(
                1,
                "this is nothing that Slurm prints for an import; expected the output of `sacct --json`, `sacct -P`, \
                 `scontrol show node|partition|config` or `sacctmgr -P show qos|assoc|event`",
            ));
        };
        match kind {
            Kind::Jobs | Kind::JobsJson => of_jobs.push((kind, input)),
            _ => cluster.read(kind, input.content, &zone, &mut gate)?,
        }
    }
    if of_jobs.is_empty() {
        return Err(gate.fatal(0, "no input holds jobs; give the output of `sacct --json` or `sacct -P` too"));
    }

    let jobs = begin(&cluster, queues_are, options, zone, &mut gate)?;
    jobs.read(of_jobs, &mut gate)?;
    gate.finish()
}

/// Hands out all that goes before the jobs.
fn begin(
    cluster: &Cluster,
    queues_are: QueuesAre,
    options: &Options,
    zone: Zone,
    gate: &mut Gate<'_>,
) -> Result<Jobs, Stop> {
    let told = cluster.tell(queues_are);
    let header = Header {
        source: "slurm".into(),
        queues_are: Some(queues_are.name().to_owned()),
        time_zone: options.time_zone.as_ref().map(|zone| zone.name().to_owned()),
        notes: told.notes,
        ..Header::default()
    };
    gate.begin(header, options.fleet.as_ref())?;
    let fleet = options.fleet.as_ref();
    let devices_per_node = match fleet.filter(|fleet| !fleet.nodes.is_empty()) {
        Some(fleet) => fleet.nodes.iter().map(|group| u64::from(group.devices)).max(),
        None => {
            for node in told.nodes {
                gate.pass(Record::Node(node))?;
            }
            cluster.devices_per_node()
        }
    };
    let known: Vec<&str> =
        fleet.map_or_else(Vec::new, |fleet| fleet.queues.iter().map(|queue| queue.name.as_str()).collect());
    for queue in told.queues.into_iter().filter(|queue| !known.contains(&queue.name.as_str())) {
        gate.pass(Record::Queue(queue))?;
    }
    if let Some(policy) = told.policy.filter(|_| fleet.is_none_or(|fleet| fleet.policy.is_none())) {
        gate.pass(Record::Policy(policy))?;
    }
    for event in told.events {
        gate.pass(event)?;
    }
    for (what, times) in told.remarks {
        gate.report().remark_times(what, times);
    }
    Ok(Jobs::new(queues_are, options.id_prefix.clone(), devices_per_node, zone))
}

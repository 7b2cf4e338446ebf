//! The Standard Workload Format of the Parallel Workloads Archive: one job a line, eighteen numbers, -1 where unknown, and
//! comments at the top that describe the machine. Definition: Chapin et al., "Benchmarks and Standards for the Evaluation of
//! Parallel Job Schedulers" (JSSPP 1999), version 2.2 as published by the archive.
//!
//! A processor is a task of one core; tasks may lie anywhere. CPU time and memory are averages per processor there and sums
//! here. Start at [`read`]; `header` reads the comments, `row` the numbers, `burst` joins the parts of a job that was put
//! back.

mod burst;
mod header;
mod row;
#[cfg(test)]
mod tests;

use std::io::BufRead;

use fleet::history::{Header, NodeRecord, Record};
use fleet::text::lines::{Line, Lines};

use crate::bound;
use crate::import::{BadRow, Each, Gate, Ids, Options, Report, Stop};

use burst::Pending;
use header::Comments;
use row::{Job, Place};

/// Reads a log. `file` is the name that problems give.
///
/// Without a fleet file the machine is the one the comments tell, its processors dealt to its nodes as evenly as they go.
///
/// # Errors
/// If no row can be read, bad rows are refused, or `each` fails.
pub fn read(input: impl BufRead, file: &str, options: &Options, each: Each<'_>) -> Result<Report, Stop> {
    let mut gate = Gate::new(file, options, each);
    let mut lines = Lines::new(input);
    let mut comments = Comments::default();
    let mut log: Option<Log> = None;
    loop {
        let number = lines.number() + 1;
        let line = match lines.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => return Err(gate.fatal(number, format!("reading stopped here: {error}"))),
        };
        let text = match line {
            Line::Text(text) => text.trim_ascii(),
            Line::Bad(reason) => {
                gate.bad(number, BadRow::whole(reason))?;
                continue;
            }
        };
        if let Some(comment) = text.strip_prefix(';') {
            if log.is_none() {
                comments.take(comment);
            }
        } else if !text.is_empty() {
            if log.is_none() {
                log = Some(Log::begin(&mut comments, options, &mut gate)?);
            }
            let log = log.as_mut().expect("it was set above");
            log.take(number, text, &mut gate)?;
        }
    }
    if let Some(log) = log {
        log.finish(&mut gate)?;
    }
    gate.finish()
}

/// The jobs, once the comments are over.
struct Log {
    place: Place,
    ids: Ids,
    pending: Option<Pending>,
}

impl Log {
    fn begin(comments: &mut Comments, options: &Options, gate: &mut Gate<'_>) -> Result<Self, Stop> {
        // A fleet file may tell of queues alone; the nodes are then the log's.
        let fleet_nodes = options.fleet.as_ref().map(|fleet| &fleet.nodes).filter(|nodes| !nodes.is_empty());
        let header = Header {
            source: "swf".into(),
            time_zone: options
                .time_zone
                .as_ref()
                .map(|zone| zone.name().to_owned())
                .or_else(|| comments.time_zone.take()),
            notes: comments.notes(fleet_nodes.is_some()),
            ..Header::default()
        };
        gate.begin(header, options.fleet.as_ref())?;
        let processors_max = match fleet_nodes {
            // One kind of node with unknown cores, and nothing can be said.
            Some(nodes) => nodes
                .iter()
                .map(|group| Some(u64::from(group.count) * u64::from(group.cores?)))
                .sum::<Option<u64>>()
                .filter(|&cores| cores > 0),
            None => {
                pass_nodes(comments, gate)?;
                comments.processors()
            }
        };
        gate.report().from = comments.unix_start;
        let place = Place {
            begin: comments.unix_start,
            processors_max,
            queues: std::mem::take(&mut comments.queues),
            id_prefix: options.id_prefix.clone(),
        };
        Ok(Self { place, ids: Ids::default(), pending: None })
    }

    fn take(&mut self, number: u64, text: &str, gate: &mut Gate<'_>) -> Result<(), Stop> {
        let job = match Job::parse(text, &self.place) {
            Ok(job) => job,
            Err(bad) => {
                if let Some(pending) = &mut self.pending {
                    pending.keep_sum();
                }
                return gate.bad(number, bad);
            }
        };
        gate.good();
        if let (Some(pending), Some(part)) = (&mut self.pending, job.part)
            && pending.id() == job.id
        {
            return match pending.add(&job, part) {
                Ok(()) => Ok(()),
                Err(bad) => gate.bad(number, bad),
            };
        }
        if !self.ids.is_new(job.id) {
            let reason = format!("job {} stands twice; its first line was taken", job.id);
            return gate.bad(number, BadRow::field(row::FIELDS[0], reason));
        }
        self.flush(gate)?;
        for remark in &job.remarks {
            gate.report().remark(remark);
        }
        self.pending = Some(Pending::new(job));
        Ok(())
    }

    fn flush(&mut self, gate: &mut Gate<'_>) -> Result<(), Stop> {
        match self.pending.take() {
            Some(pending) => gate.pass(pending.into_record()),
            None => Ok(()),
        }
    }

    fn finish(mut self, gate: &mut Gate<'_>) -> Result<(), Stop> {
        if self.ids.is_full() {
            gate.report().remark("there are more jobs than are remembered to find doubled ones");
        }
        self.flush(gate)
    }
}

/// The machine of the comments: its processors dealt to its nodes as evenly as integers allow.
fn pass_nodes(comments: &Comments, gate: &mut Gate<'_>) -> Result<(), Stop> {
    let Some(processors) = comments.processors() else { return Ok(()) };
    let nodes = comments.max_nodes.unwrap_or(1).min(processors);
    for number in 0..nodes {
        let cores = processors / nodes + u64::from(number < processors % nodes);
        gate.pass(Record::Node(NodeRecord {
            name: format!("node-{}", number + 1),
            cpu_milli: Some(cores * 1_000),
            ..NodeRecord::default()
        }))?;
    }
    Ok(())
}

/// A machine of more nodes than this is taken for a slip.
const NODES_MAX: u64 = 1_000_000;

/// Whether a count can be one of processors.
fn is_processors(count: u64) -> bool {
    (1..=u64::from(bound::TASKS_MAX)).contains(&count)
}

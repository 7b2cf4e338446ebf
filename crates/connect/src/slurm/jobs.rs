//! Reads jobs one by one and hands them out as workloads.

use std::io::BufRead;

use fleet::history::{Record, WorkloadRecord};
use fleet::time::Timestamp;

use super::attempts::{Attempts, Next};
use super::json::{self, Ending};
use super::row::JobRow;
use super::source::Kind;
use super::workload::{self, Place};
use super::{Printed, QueuesAre, json_job, parsable};
use crate::import::{BadRow, Gate, Stop, Zone};
use crate::moment::Named;

/// The jobs of all inputs.
pub(super) struct Jobs {
    place: Place,
    zone: Zone,
    attempts: Attempts,
    /// Names of clusters, in the order in which they came; the first needs no mark on its ids.
    clusters: Vec<String>,
    /// The last moment anything tells of, and whether something still waited or ran then.
    last: Option<Timestamp>,
    open: bool,
}

/// More clusters than this in one export are taken for a slip.
const CLUSTERS_MAX: usize = 1_000;

impl Jobs {
    pub(super) fn new(queues_are: QueuesAre, id_prefix: String, devices_per_node: Option<u64>, zone: Zone) -> Self {
        Self {
            place: Place { queues_are, id_prefix, devices_per_node },
            zone,
            attempts: Attempts::default(),
            clusters: Vec::new(),
            last: None,
            open: false,
        }
    }

    /// Reads all inputs and hands out what they hold.
    pub(super) fn read(mut self, inputs: Vec<(Kind, Printed<'_>)>, gate: &mut Gate<'_>) -> Result<(), Stop> {
        for (kind, input) in inputs {
            gate.turn_to(&input.name);
            match kind {
                Kind::JobsJson => self.read_json(input.content, gate)?,
                _ => self.read_table(input.content, gate)?,
            }
        }
        for ((cluster, _), workload) in self.attempts.rest() {
            let _: u16 = cluster;
            gate.pass(Record::Workload(Box::new(workload)))?;
        }
        if self.open {
            gate.report().until = self.last;
        }
        Ok(())
    }

    fn read_json(&mut self, input: impl BufRead, gate: &mut Gate<'_>) -> Result<(), Stop> {
        let (count, ending) = json::elements(input, "jobs", &mut |number, value| match json_job::job(&value) {
            Ok(row) => self.take(number, &row, gate),
            Err(bad) => gate.bad(number, bad),
        })?;
        match ending {
            Ending::Whole => Ok(()),
            Ending::Broken(reason) => gate.bad(count + 1, BadRow::whole(reason)),
        }
    }

    fn read_table(&mut self, input: impl BufRead, gate: &mut Gate<'_>) -> Result<(), Stop> {
        let mut reader = parsable::Reader::begin(input, self.zone.clone()).map_err(|reason| gate.fatal(1, reason))?;
        loop {
            match reader.next_job() {
                Ok(None) => return Ok(()),
                Ok(Some(found)) => match found.row {
                    Ok(row) => self.take(found.line, &row, gate)?,
                    Err(bad) => gate.bad(found.line, bad)?,
                },
                Err(error) => {
                    return gate.bad(reader.line() + 1, BadRow::whole(format!("reading stopped here: {error}")));
                }
            }
        }
    }

    fn take(&mut self, line: u64, row: &JobRow, gate: &mut Gate<'_>) -> Result<(), Stop> {
        let cluster = match self.cluster(&row.cluster) {
            Ok(cluster) => cluster,
            Err(bad) => return gate.bad(line, bad),
        };
        let read = match workload::read(row, &self.place) {
            Ok(Ok(read)) => read,
            Ok(Err(remark)) => {
                gate.report().remark(remark);
                return Ok(());
            }
            Err(bad) => return gate.bad(line, bad),
        };
        for remark in &read.remarks {
            gate.report().remark(remark);
        }
        if row.named == Named::ByZone {
            gate.report().remark(&format!("jobs' times name no zone; taken as of {}", self.zone.name()));
        }
        self.note_time(&read.workload);
        let mut workload = read.workload;
        if cluster > 0 {
            workload.id = format!("{}/{}", self.clusters[usize::from(cluster)], workload.id);
        }
        match self.attempts.take((cluster, row.id.raw), row.submit, workload, read.goes_on) {
            Next::Wait => Ok(()),
            Next::Done(workload) => hand_out(*workload, read.more, gate),
            Next::Again(mut workload) => {
                gate.report().remark("jobs that had ended were started again by hand; told as workloads of their own");
                workload.id = format!("{}#{}", workload.id, row.submit.0 / 1_000);
                hand_out(*workload, read.more, gate)
            }
            Next::Double => {
                let reason = format!("job {} stands twice; its first record was taken", workload_id(row));
                gate.bad(line, BadRow::field("JobID", reason))
            }
        }
    }

    fn cluster(&mut self, name: &str) -> Result<u16, BadRow> {
        let place = match self.clusters.iter().position(|known| known == name) {
            Some(place) => place,
            None if self.clusters.len() == CLUSTERS_MAX => {
                return Err(BadRow::field("Cluster", format!("it is the {CLUSTERS_MAX}th cluster; expected fewer")));
            }
            None => {
                self.clusters.push(name.to_owned());
                self.clusters.len() - 1
            }
        };
        Ok(u16::try_from(place).expect("there are fewer than CLUSTERS_MAX"))
    }

    fn note_time(&mut self, workload: &WorkloadRecord) {
        let attempt = workload.attempts.last();
        let known = [
            Some(workload.submit),
            attempt.and_then(|attempt| attempt.start),
            attempt.and_then(|attempt| Some(attempt.start? + attempt.run?)),
            workload.withdrawn,
        ];
        self.last = known.into_iter().flatten().chain(self.last).max();
        self.open |= match attempt {
            Some(attempt) => attempt.run.is_none(),
            None => workload.withdrawn.is_none(),
        };
    }
}

fn hand_out(workload: WorkloadRecord, more: Vec<String>, gate: &mut Gate<'_>) -> Result<(), Stop> {
    for id in more {
        gate.pass(Record::Workload(Box::new(WorkloadRecord { id, ..workload.clone() })))?;
    }
    gate.pass(Record::Workload(Box::new(workload)))
}

fn workload_id(row: &JobRow) -> u64 {
    row.id.raw
}

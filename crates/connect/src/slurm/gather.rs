//! Reads the files about the cluster into memory. All are small beside the jobs, and bounded.

use std::io::{self, BufRead};

use fleet::text::lines::{Line, Lines};

use super::cluster::{Cluster, MOST};
use super::json::{self, Ending};
use super::sacctmgr::{self, Row, Table};
use super::scontrol::{self, Block, Blocks};
use super::source::Kind;
use crate::import::{BadRow, Gate, Stop, Zone};

impl Cluster {
    /// Takes what an input says; `kind` is none of jobs.
    pub(super) fn read(
        &mut self,
        kind: Kind,
        input: impl BufRead,
        zone: &Zone,
        gate: &mut Gate<'_>,
    ) -> Result<(), Stop> {
        match kind {
            Kind::Nodes => blocks(input, "NodeName", gate, |block| self.add_node(scontrol::node(block)?)),
            Kind::Partitions => {
                blocks(input, "PartitionName", gate, |block| self.add_partition(scontrol::partition(block)?))
            }
            Kind::NodesJson => elements(input, "nodes", gate, |value| self.add_node(scontrol::node_json(value)?)),
            Kind::PartitionsJson => {
                elements(input, "partitions", gate, |value| self.add_partition(scontrol::partition_json(value)?))
            }
            Kind::Config => self.read_config(input, gate),
            Kind::Qos => rows(input, gate, |row| {
                let qos = sacctmgr::qos(row)?;
                room(self.qos.len())?;
                self.qos.insert(qos.name.clone(), qos);
                Ok(())
            }),
            Kind::Associations => rows(input, gate, |row| {
                room(self.associations.len())?;
                self.associations.push(sacctmgr::association(row)?);
                Ok(())
            }),
            Kind::Events => rows(input, gate, |row| {
                room(self.events.len())?;
                self.events.extend(sacctmgr::event(row, zone)?);
                Ok(())
            }),
            Kind::Reservations => {
                rows(input, gate, |row| {
                    self.reservations += 1;
                    self.reservations_unused_s += sacctmgr::unused_seconds(row)?;
                    Ok(())
                })?;
                Ok(())
            }
            Kind::Jobs | Kind::JobsJson => unreachable!("jobs are read by `Jobs`"),
        }
    }

    fn add_node(&mut self, node: scontrol::Node) -> Result<(), BadRow> {
        room(self.nodes.len())?;
        let node = scontrol::Node { place: self.nodes.len(), ..node };
        self.nodes.insert(node.record.name.clone(), node);
        Ok(())
    }

    fn add_partition(&mut self, partition: scontrol::Partition) -> Result<(), BadRow> {
        room(self.partitions.len())?;
        self.partitions.insert(partition.name.clone(), partition);
        Ok(())
    }

    fn read_config(&mut self, input: impl BufRead, gate: &mut Gate<'_>) -> Result<(), Stop> {
        let mut lines = Lines::new(input);
        loop {
            let number = lines.number() + 1;
            match lines.next_line() {
                Ok(None) => return Ok(()),
                Ok(Some(Line::Bad(reason))) => gate.bad(number, BadRow::whole(reason))?,
                Ok(Some(Line::Text(text))) => {
                    if let Some((key, value)) = scontrol::setting(text).filter(|_| self.config.len() < MOST) {
                        self.config.insert(key.to_owned(), value.to_owned());
                    }
                }
                Err(error) => return Err(stopped(gate, number, &error)),
            }
        }
    }
}

fn room(count: usize) -> Result<(), BadRow> {
    if count < MOST { Ok(()) } else { Err(BadRow::whole(format!("more than {MOST} of these; expected fewer"))) }
}

fn stopped(gate: &Gate<'_>, line: u64, error: &io::Error) -> Stop {
    gate.fatal(line, format!("reading stopped here: {error}"))
}

fn blocks(
    input: impl BufRead,
    first: &'static str,
    gate: &mut Gate<'_>,
    mut take: impl FnMut(&Block) -> Result<(), BadRow>,
) -> Result<(), Stop> {
    let mut blocks = Blocks::new(input, first);
    loop {
        match blocks.next_block() {
            Ok(None) => return Ok(()),
            Ok(Some((line, block))) => {
                if let Err(bad) = block.and_then(|block| take(&block)) {
                    gate.bad(line, bad)?;
                }
            }
            Err(error) => return Err(stopped(gate, 0, &error)),
        }
    }
}

fn elements(
    input: impl BufRead,
    list: &str,
    gate: &mut Gate<'_>,
    mut take: impl FnMut(&serde_json::Value) -> Result<(), BadRow>,
) -> Result<(), Stop> {
    let (count, ending) = json::elements(input, list, &mut |number, value| match take(&value) {
        Ok(()) => Ok(()),
        Err(bad) => gate.bad(number, bad),
    })?;
    match ending {
        Ending::Whole => Ok(()),
        // Half a fleet would be taken for the whole one.
        Ending::Broken(reason) => Err(gate.fatal(count + 1, reason)),
    }
}

fn rows(
    input: impl BufRead,
    gate: &mut Gate<'_>,
    mut take: impl FnMut(&Row) -> Result<(), BadRow>,
) -> Result<(), Stop> {
    let mut table = Table::begin(input).map_err(|error| stopped(gate, 1, &error))?;
    loop {
        match table.next_row() {
            Ok(None) => return Ok(()),
            Ok(Some((line, row))) => {
                if let Err(bad) = row.and_then(|row| take(&row)) {
                    gate.bad(line, bad)?;
                }
            }
            Err(error) => return Err(stopped(gate, 0, &error)),
        }
    }
}

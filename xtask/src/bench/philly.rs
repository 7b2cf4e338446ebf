//! Philly's job list on fleets of our choosing: several bars are measured on it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, bail};
use connect::import::Options;
use fleet::fleet_file::{FleetFile, NodeGroup};
use fleet::history::{Header, Record};
use fleet::policy::{Order, Policy};
use replay::history::History;
use replay::scenario::{Change, Limit, Scenario, Who};

/// Where the list lies in the data folder.
pub(super) const FILE: &str = "philly/philly.csv";

/// Nodes of one kind: so many, each with so many devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) count: u32,
    pub(super) devices: u32,
}

/// So many nodes of eight devices.
pub(super) const fn eights(count: u32) -> [Kind; 1] {
    [Kind { count, devices: 8 }]
}

/// The real fleet: 552 nodes of two sizes.
pub(super) const REAL_FLEET: [Kind; 2] = [Kind { count: 321, devices: 2 }, Kind { count: 231, devices: 8 }];

/// Reads the list as the history of a fleet. It must be read whole: figures of a part would not be those of the list.
pub(super) fn read(path: &Path, kinds: &[Kind]) -> anyhow::Result<History> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let options = Options { fleet: Some(fleet_of(kinds)), ..Options::default() };
    let mut records: Vec<Record> = Vec::new();
    let name = path.display().to_string();
    let report = connect::philly::read(BufReader::new(file), &name, &options, &mut |record| {
        records.push(record);
        Ok(())
    })?;
    if let Some(problem) = report.problems.kept().first() {
        bail!("{} rows cannot be read; the first: {problem}", report.problems.count());
    }
    let header = match records.first() {
        Some(Record::Header(header)) => header.clone(),
        _ => Header::default(),
    };
    Ok(History::from_records(header, records.into_iter()))
}

/// A policy under quotas by recorded GPU-hours, without time limits: what a run will take is not known to it.
pub(super) fn unknown_durations(order: Order) -> Scenario {
    Scenario::of(Change::Policy { policy: Policy::new(order) }).with(Change::QuotaByUse)
}

/// A policy that is told the true duration of everything as its time limit.
pub(super) fn true_durations(order: Order) -> Scenario {
    Scenario::of(Change::Policy { policy: Policy::new(order) })
        .with(Change::TimeLimit { who: Who::default(), limit: Limit::TrueRun })
}

fn fleet_of(kinds: &[Kind]) -> FleetFile {
    let group = |kind: &Kind| NodeGroup {
        name: format!("gpu{}", kind.devices),
        count: kind.count,
        devices: kind.devices,
        ..NodeGroup::default()
    };
    FleetFile {
        version: FleetFile::VERSION,
        currency: fleet::money::Currency::USD,
        nodes: kinds.iter().map(group).collect(),
        queues: Vec::new(),
        policy: None,
    }
}

//! The job list of Microsoft's Philly, as a CSV: `timestamp` (submit), `duration` in seconds, `num_gpus`, `gpu_time` (their
//! product), `cluster` (a virtual cluster: here a queue). It holds no start, user, status, limit, cores or memory; all of
//! them stay unknown. An id is the number of the line.

use std::io::BufRead;

use fleet::event::EndCause;
use fleet::history::{Attempt, Header, Record, WorkloadRecord};
use fleet::node::Resources;
use fleet::quantity::Millis;
use fleet::text::shown;
use fleet::text::table::{Fields, Row, Table};
use fleet::time::Timestamp;
use fleet::workload::Spread;

use crate::bound;
use crate::import::{BadRow, Each, Gate, Options, Report, Stop, Zone};
use crate::moment::{self, Named};
use crate::number;

/// The columns, as the file names them.
const COLUMNS: [&str; 5] = ["timestamp", "duration", "num_gpus", "gpu_time", "cluster"];

/// What whoever reads such a history should know.
const NOTE: &str = "the list holds submits, run times and sizes only: when a job started, and how it ended, is unknown";

/// Reads a job list. `file` is the name that problems give. Times that name no zone are in `options.time_zone`, else UTC.
///
/// # Errors
/// If columns are missing, no row can be read, bad rows are refused, or `each` fails.
pub fn read(input: impl BufRead, file: &str, options: &Options, each: Each<'_>) -> Result<Report, Stop> {
    let mut gate = Gate::new(file, options, each);
    let mut table = Table::begin(input, b',').map_err(|error| gate.fatal(1, error.to_string()))?;
    let columns = find_columns(&table).map_err(|reason| gate.fatal(1, reason))?;
    let zone = options.time_zone.clone().unwrap_or_else(Zone::utc);
    let header = Header {
        source: "philly".into(),
        time_zone: Some(zone.name().into()),
        notes: vec![NOTE.into()],
        ..Header::default()
    };
    gate.begin(header, options.fleet.as_ref())?;
    loop {
        let (line, row) = match table.next_row() {
            Ok(Some(row)) => row,
            Ok(None) => return gate.finish(),
            Err(error) => return Err(gate.fatal(table.line(), format!("reading stopped after this line: {error}"))),
        };
        let job = match row {
            Row::Fields(fields) => parse(fields, columns, &zone),
            Row::Bad(reason) => Err(BadRow::whole(reason)),
        };
        match job {
            Ok(job) => {
                for remark in job.remarks() {
                    gate.report().remark(remark);
                }
                gate.pass(job.into_record(format!("{}{line}", options.id_prefix)))?;
            }
            Err(bad) => gate.bad(line, bad)?,
        }
    }
}

/// The places of the columns.
fn find_columns<R: BufRead>(table: &Table<R>) -> Result<[usize; 5], String> {
    let mut places = [0; 5];
    for (place, name) in places.iter_mut().zip(COLUMNS) {
        *place = table.column(name).ok_or_else(|| {
            format!(
                "there is no column `{name}`; expected {}, found {}",
                COLUMNS.join(", "),
                shown(&table.columns().join(", "))
            )
        })?;
    }
    Ok(places)
}

/// What a row says.
struct Job<'a> {
    submit: Timestamp,
    named: Named,
    run: Millis,
    devices: u32,
    queue: &'a str,
    agrees: bool,
}

fn parse<'a>(fields: Fields<'a>, columns: [usize; 5], zone: &Zone) -> Result<Job<'a>, BadRow> {
    let [timestamp, duration, num_gpus, gpu_time, cluster] = columns.map(|column| fields.get(column));
    let (submit, named) = moment::iso(timestamp, zone).map_err(|reason| BadRow::field(COLUMNS[0], reason))?;
    let run = length(duration).map_err(|reason| BadRow::field(COLUMNS[1], reason))?;
    let devices = number::whole(num_gpus).map_err(|reason| BadRow::field(COLUMNS[2], reason))?;
    let devices = u32::try_from(devices)
        .ok()
        .filter(|count| (1..=bound::TASKS_MAX).contains(count))
        .ok_or_else(|| BadRow::field(COLUMNS[2], format!("{devices} devices; expected 1 to {}", bound::TASKS_MAX)))?;
    let device_time = number::thousandths(gpu_time).map_err(|reason| BadRow::field(COLUMNS[3], reason))?;
    let agrees = (i128::from(device_time) - i128::from(run.0) * i128::from(devices)).abs() <= 1_000;
    if cluster.is_empty() || cluster.len() > bound::NAME_MAX {
        return Err(BadRow::field(COLUMNS[4], format!("expected a name of 1 to {} bytes", bound::NAME_MAX)));
    }
    Ok(Job { submit, named, run, devices, queue: cluster, agrees })
}

/// A length of time in seconds.
fn length(text: &str) -> Result<Millis, String> {
    let length = Millis(number::thousandths(text)?);
    if (Millis::ZERO..=bound::LENGTH_MAX).contains(&length) {
        Ok(length)
    } else {
        Err(format!("{} s; expected 0 to {} s", shown(text), bound::LENGTH_MAX.0 / 1_000))
    }
}

impl Job<'_> {
    fn remarks(&self) -> impl Iterator<Item = &'static str> {
        let zone = match self.named {
            Named::ByZone => None,
            Named::Itself => Some("the time names its own zone, which was taken instead of the file's"),
            Named::Ambiguous => Some("the clock was changed at that time; the first reading of it was taken"),
        };
        let product = (!self.agrees).then_some("gpu_time is not duration × num_gpus; it was not used");
        zone.into_iter().chain(product)
    }

    fn into_record(self, id: String) -> Record {
        Record::Workload(Box::new(WorkloadRecord {
            id,
            queue: self.queue.to_owned(),
            submit: self.submit,
            tasks: self.devices,
            request: Resources::devices(1),
            spread: Spread::Packed,
            attempts: vec![Attempt {
                start: None,
                run: Some(self.run),
                cause: EndCause::Unknown,
                nodes: Vec::new(),
                ..Attempt::default()
            }],
            ..WorkloadRecord::default()
        }))
    }
}

#[cfg(test)]
mod tests;

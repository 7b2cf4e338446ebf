//! Any table of jobs, by a mapping in TOML that says which column is what. docs/HISTORY.md has the mapping's full text.
//!
//! Start at [`Mapping`] (what a person writes), then [`read`]. `source` finds the columns, `value` reads one field, `row` makes
//! a workload of a row.

mod mapping;
mod row;
mod source;
#[cfg(test)]
mod tests;
mod value;

pub use mapping::{Field, Mapping};

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufRead;

use fleet::history::{Header, Record};
use fleet::text::shown;
use fleet::text::table::{Row, Table};

use crate::import::{BadRow, Each, Gate, Ids, Options, Report, Stop, Zone};

use row::Reading;
use source::Sources;

/// Reads a table. `file` is the name that problems give. Times that name no zone are in `options.time_zone`, else in the
/// mapping's, else in UTC.
///
/// # Errors
/// If a column of the mapping is missing, no row can be read, bad rows are refused, or `each` fails.
pub fn read(
    input: impl BufRead,
    file: &str,
    mapping: &Mapping,
    options: &Options,
    each: Each<'_>,
) -> Result<Report, Stop> {
    let mut gate = Gate::new(file, options, each);
    let mut table = Table::begin(input, mapping.delimiter_byte()).map_err(|error| gate.fatal(1, error.to_string()))?;
    let sources = Sources::find(mapping, table.columns()).map_err(|reason| gate.fatal(1, reason))?;
    let zone = match (&options.time_zone, &mapping.time_zone) {
        (Some(zone), _) => zone.clone(),
        (None, Some(name)) => Zone::named(name).map_err(|reason| gate.fatal(0, reason))?,
        (None, None) => Zone::utc(),
    };
    let header = Header {
        source: mapping.source.clone().unwrap_or_else(|| "csv".into()),
        time_zone: Some(zone.name().into()),
        notes: mapping.notes.clone(),
        ..Header::default()
    };
    gate.begin(header, options.fleet.as_ref())?;
    let mut ids = Ids::default();
    loop {
        let (line, row) = match table.next_row() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) => return Err(gate.fatal(table.line(), format!("reading stopped after this line: {error}"))),
        };
        let mut reading = Reading::new(&sources, mapping, &zone);
        let workload = match row {
            Row::Fields(fields) => reading.workload(fields, line, &options.id_prefix),
            Row::Bad(reason) => Err(BadRow::whole(reason)),
        };
        let remarks = reading.remarks;
        match workload {
            Ok(workload) if sources.has_ids() && !ids.is_new(hash(&workload.id)) => {
                let reason = format!("`{}` stands twice; its first row was taken", shown(&workload.id));
                gate.bad(line, BadRow::field("id", reason))?;
            }
            Ok(workload) => {
                for remark in remarks {
                    gate.report().remark(remark);
                }
                gate.pass(Record::Workload(Box::new(workload)))?;
            }
            Err(bad) => gate.bad(line, bad)?,
        }
    }
    if ids.is_full() {
        gate.report().remark("there are more rows than are remembered to find doubled ids");
    }
    gate.finish()
}

/// 64 bits of an id. Among the four million that are remembered, two different ones meet once in two million files.
fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

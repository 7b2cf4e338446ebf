//! What `sacctmgr -P show qos`, `assoc`, `event` and `reservation` print: tables divided by `|`, columns by name. Pure.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use fleet::quantity::{MilliDevice, Millis};
use fleet::text::lines::{Line, Lines};
use fleet::text::shown;
use fleet::time::Timestamp;

use super::tres::Tres;
use super::word;
use crate::import::{BadRow, Zone};

/// Limits of a quality of service or an association, as far as a queue can have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) devices: Option<MilliDevice>,
    pub(super) devices_per_user: Option<MilliDevice>,
    pub(super) running: Option<u32>,
    pub(super) running_per_user: Option<u32>,
    pub(super) time_max: Option<Millis>,
}

impl Limits {
    /// Whether there is any.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A quality of service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Qos {
    pub(super) name: String,
    pub(super) priority: u64,
    /// Those whose jobs it may put back.
    pub(super) preempts: Vec<String>,
    pub(super) limits: Limits,
}

/// An account, or one user of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Association {
    pub(super) account: String,
    pub(super) user: String,
    /// The account above; empty at the root, for users, and where it was not asked for.
    pub(super) parent: String,
    pub(super) limits: Limits,
    pub(super) share: String,
}

/// A span in which a node was not itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) node: String,
    pub(super) from: Timestamp,
    pub(super) until: Option<Timestamp>,
    pub(super) state: String,
    pub(super) reason: String,
}

/// A table with a line of column names.
pub(super) struct Table<R> {
    lines: Lines<R>,
    columns: Vec<String>,
}

/// A row by column name.
pub(super) type Row = BTreeMap<String, String>;

impl<R: BufRead> Table<R> {
    pub(super) fn begin(input: R) -> io::Result<Self> {
        let mut lines = Lines::new(input);
        let columns = match lines.next_line()? {
            Some(Line::Text(text)) => text.trim_end_matches('|').split('|').map(str::to_ascii_lowercase).collect(),
            _ => Vec::new(),
        };
        Ok(Self { lines, columns })
    }

    /// The next row and its line.
    pub(super) fn next_row(&mut self) -> io::Result<Option<(u64, Result<Row, BadRow>)>> {
        loop {
            let Some(line) = self.lines.next_line()? else { return Ok(None) };
            let row = match line {
                Line::Text("") => continue,
                Line::Bad(reason) => Err(BadRow::whole(reason)),
                Line::Text(text) => {
                    let mut fields: Vec<&str> = text.split('|').collect();
                    if fields.len() == self.columns.len() + 1 && fields.last() == Some(&"") {
                        fields.pop();
                    }
                    if fields.len() == self.columns.len() {
                        Ok(self.columns.iter().cloned().zip(fields.into_iter().map(str::to_owned)).collect())
                    } else {
                        let reason = format!("the row has {} fields; expected {}", fields.len(), self.columns.len());
                        Err(BadRow::whole(reason))
                    }
                }
            };
            return Ok(Some((self.lines.number(), row)));
        }
    }
}

fn get<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", |value| value.trim_ascii())
}

/// Reads a row of `show qos`.
pub(super) fn qos(row: &Row) -> Result<Qos, BadRow> {
    Ok(Qos {
        name: required(row, "name")?,
        priority: count(row, "priority")?.unwrap_or(0),
        preempts: get(row, "preempt").split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        limits: Limits {
            devices: devices(row, "grptres")?,
            devices_per_user: devices(row, "maxtrespu")?,
            running: small(row, "grpjobs")?,
            running_per_user: small(row, "maxjobspu")?,
            time_max: wall(row)?,
        },
    })
}

/// Reads a row of `show assoc`.
pub(super) fn association(row: &Row) -> Result<Association, BadRow> {
    Ok(Association {
        account: required(row, "account")?,
        user: get(row, "user").to_owned(),
        // The heading that `sacctmgr` gives the column `ParentName`, and its own name.
        parent: [get(row, "par name"), get(row, "parentname")].concat(),
        share: get(row, "share").to_owned(),
        limits: Limits {
            devices: devices(row, "grptres")?,
            devices_per_user: None,
            running: small(row, "grpjobs")?,
            // An account hands `MaxJobs` down to each of its users.
            running_per_user: small(row, "maxjobs")?,
            time_max: wall(row)?,
        },
    })
}

/// Reads a row of `show event`; `None` for events of the whole cluster.
pub(super) fn event(row: &Row, zone: &Zone) -> Result<Option<Event>, BadRow> {
    let node = get(row, "nodename");
    if node.is_empty() {
        return Ok(None);
    }
    let time = |column: &str| {
        let read = word::time(get(row, column), zone).map_err(|reason| BadRow::field(column, reason))?;
        Ok::<_, BadRow>(read.map(|(at, _)| at))
    };
    let from = time("timestart")?.ok_or_else(|| BadRow::field("timestart", "it is not told; expected a time"))?;
    let until = time("timeend")?;
    if let Some(until) = until.filter(|&until| until < from) {
        return Err(BadRow::field("timeend", format!("it ends ({until}) before it starts ({from})")));
    }
    Ok(Some(Event {
        node: node.to_owned(),
        from,
        until,
        state: get(row, "state").to_ascii_uppercase(),
        reason: get(row, "reason").to_owned(),
    }))
}

/// For how many seconds a row of `show reservation` was not used.
pub(super) fn unused_seconds(row: &Row) -> Result<u64, BadRow> {
    let text = get(row, "unusedwall");
    // A number with decimals, or nothing where the column was not asked for.
    let whole = text.split('.').next().unwrap_or_default();
    if whole.is_empty() {
        return Ok(0);
    }
    let wrong = || BadRow::field("unusedwall", format!("`{}` is no number of seconds", shown(text)));
    whole.parse().map_err(|_| wrong())
}

fn required(row: &Row, column: &str) -> Result<String, BadRow> {
    match get(row, column) {
        "" => Err(BadRow::field(column, "it is empty; expected a name")),
        name => super::row::name(column, name),
    }
}

fn count(row: &Row, column: &str) -> Result<Option<u64>, BadRow> {
    match get(row, column) {
        "" | "-1" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| BadRow::field(column, format!("`{}` is no whole number, zero or above", shown(text)))),
    }
}

fn small(row: &Row, column: &str) -> Result<Option<u32>, BadRow> {
    let found = count(row, column)?;
    found
        .map(|count| u32::try_from(count).map_err(|_| BadRow::field(column, format!("{count} is too many"))))
        .transpose()
}

fn devices(row: &Row, column: &str) -> Result<Option<MilliDevice>, BadRow> {
    let tres = Tres::parse(get(row, column)).map_err(|reason| BadRow::field(column, reason))?;
    Ok(tres.gpus.map(MilliDevice::whole))
}

fn wall(row: &Row) -> Result<Option<Millis>, BadRow> {
    Ok(word::limit(get(row, "maxwall")).map_err(|reason| BadRow::field("maxwall", reason))?.length())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Result<Row, BadRow>> {
        let mut table = Table::begin(text.as_bytes()).unwrap();
        let mut rows = Vec::new();
        while let Some((_, row)) = table.next_row().unwrap() {
            rows.push(row);
        }
        rows
    }

    #[test]
    fn limits_of_a_quality_of_service() {
        let text = "Name|Priority|Preempt|GrpTRES|GrpJobs|MaxWall|MaxTRESPU|MaxJobsPU\n\
                    short|10|scavenge|cpu=5,gres/gpu=12||00:10:00|gres/gpu=4|3\n";
        let qos = qos(rows(text)[0].as_ref().unwrap()).unwrap();
        assert_eq!(qos.preempts, ["scavenge"]);
        let expected = Limits {
            devices: Some(MilliDevice::whole(12)),
            devices_per_user: Some(MilliDevice::whole(4)),
            running: None,
            running_per_user: Some(3),
            time_max: Some(Millis::minutes(10)),
        };
        assert_eq!((qos.priority, qos.limits), (10, expected));
    }

    #[test]
    fn events_of_nodes_and_of_the_cluster() {
        let text = "Cluster|NodeName|TimeStart|TimeEnd|State|Reason|User\n\
                    rig||1795478610|Unknown||Cluster Registered TRES|\n\
                    rig|n3|1795478612|1795478620|DRAIN|fan|root(0)\n\
                    rig|n3|1795478612|1795478600|DRAIN|fan|root(0)\n\
                    rig|n3\n";
        let rows = rows(text);
        let read = |row: usize| event(rows[row].as_ref().unwrap(), &Zone::utc());
        assert_eq!(read(0).unwrap(), None);
        let drained = read(1).unwrap().expect("an event");
        assert_eq!((drained.node.as_str(), drained.until), ("n3", Some(Timestamp(1_795_478_620_000))));
        assert!(read(2).unwrap_err().reason.contains("before it starts"));
        assert!(rows[3].is_err());
    }
}

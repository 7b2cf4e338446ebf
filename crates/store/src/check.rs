//! Whether a file holds what it should.
//!
//! SQLite looks at its pages, and tables and indexes are held against what they were made as; chunks of series are unpacked. Then the log is read from the first entry to the last, added up again in a file of its own by the code that added
//! it up before, and the two are compared row by row.

use std::fmt;
use std::path::Path;

use fleet::ids::ActionId;
use fleet::time::Timestamp;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::commit::{Batch, Log};
use crate::error::{Fault, StoreError};
use crate::{connection, entries, findings, schema, series};

/// The most problems that are told.
const PROBLEMS_MAX: usize = 100;

/// How many entries are added up between two looks at the disk.
const BATCH: usize = 10_000;

/// What the log adds up to, with what tells the rows of each table apart.
const TABLES: &[(&str, &str)] = &[
    ("workloads", "id"),
    ("lives", "id"),
    ("counts", "queue, state"),
    ("head", "one"),
    ("nodes", "id"),
    ("queues", "name"),
    ("policy", "one"),
];

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries of the log.
    pub entries: u64,
    /// Workloads.
    pub workloads: u64,
    /// Chunks of series.
    pub chunks: u64,
    /// Scrapes that are in no chunk yet.
    pub scrapes: u64,
    /// What is wrong, in sentences, at most 100; none: nothing is.
    pub problems: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn tell(&mut self, problem: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, workloads, chunks, scrapes, problems } = self;
        if problems.is_empty() {
            write!(f, "sound: {entries} entries in the log, which add up to the {workloads} workloads that are kept")?;
            return match (chunks, scrapes) {
                (0, 0) => Ok(()),
                _ => write!(f, "; series in {chunks} chunks, and {scrapes} scrapes that are in none yet"),
            };
        }
        write!(f, "damaged:")?;
        problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))?;
        if problems.len() == PROBLEMS_MAX {
            write!(f, "\n  and there may be more")?;
        }
        write!(f, "\nkeep the file as it is, and go on with a copy that `trimtab store backup` made before")
    }
}

/// Checks the store at `path`. It may be in use, and is not changed.
///
/// # Errors
/// If it cannot be read at all, or is no store of this version. Damage is no error: the report tells of it.
pub fn check(path: impl AsRef<Path>) -> Result<Report, StoreError> {
    let path = path.as_ref();
    let connection = match connection::reading(path) {
        Err(Fault::Corrupt { what }) => return Ok(Report { problems: vec![what], ..Report::default() }),
        opened => opened.map_err(StoreError::at(path))?,
    };
    let mut report = Report::default();
    match look(&connection, &mut report) {
        Err(Fault::Corrupt { what }) => report.tell(what),
        // Damage to the first page, seen late.
        Err(fault @ Fault::Foreign { .. }) => report.tell(fault.to_string()),
        looked => looked.map_err(StoreError::at(path))?,
    }
    Ok(report)
}

fn look(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    let snapshot = connection.unchecked_transaction()?;
    pages(&snapshot, report)?;
    if let Some(name) = schema::difference(&snapshot)? {
        report.tell(format!("{name} is not as it was made"));
    }
    let checked = series::check(&snapshot, &mut |problem| report.tell(problem))?;
    findings::check(&snapshot, &mut |problem| report.tell(problem))?;
    (report.chunks, report.scrapes) = (checked.chunks, checked.scrapes);
    let sum = connection::adding_up()?;
    add_up(&snapshot, &sum, report)?;
    if report.is_sound() {
        for (table, key) in TABLES {
            compare(&snapshot, &sum, table, key, report)?;
        }
    }
    Ok(())
}

fn pages(connection: &Connection, report: &mut Report) -> Result<(), Fault> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({PROBLEMS_MAX})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            report.tell(format!("SQLite: {line}"));
        }
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, id): (String, Option<i64>) = (row.get(0)?, row.get(1)?);
        report.tell(format!("row {id:?} of table {table} belongs to nothing"));
    }
    Ok(())
}

/// Adds the log up in a file of its own.
fn add_up(connection: &Connection, sum: &Connection, report: &mut Report) -> Result<(), Fault> {
    let mut after = 0;
    let mut last_at = Timestamp::MIN;
    let mut last_action: Option<ActionId> = None;
    loop {
        let logged = entries::since(connection, after, BATCH)?;
        let Some(last) = logged.last() else { return Ok(()) };
        let transaction = sum.unchecked_transaction()?;
        let mut batch = Batch::new(&transaction, last_action, Log::IsElsewhere);
        for (expected, entry) in (after + 1..).zip(&logged) {
            if entry.seq != expected {
                report.tell(format!("entry {expected} of the log is absent"));
                return Ok(());
            }
            if entry.at < last_at {
                report.tell(format!("entry {expected} of the log is older than the one before it"));
            }
            last_at = entry.at;
            match batch.take(0, entry) {
                Err(Fault::OutOfPlace { why, .. }) => {
                    report.tell(format!("entry {expected} of the log cannot follow those before it: {why}"));
                    return Ok(());
                }
                taken => taken?,
            }
            report.entries += 1;
        }
        last_action = batch.finish()?;
        transaction.commit()?;
        after = last.seq;
    }
}

/// Compares a table with what it should be.
fn compare(kept: &Connection, sum: &Connection, table: &str, key: &str, report: &mut Report) -> Result<(), Fault> {
    // A count that came to nothing may stay as a zero in one and have never been in the other.
    let some = if table == "counts" { "WHERE workloads > 0" } else { "" };
    let text = format!("SELECT * FROM {table} {some} ORDER BY {key}");
    let (mut kept, mut sum) = (kept.prepare(&text)?, sum.prepare(&text)?);
    let names: Vec<String> = sum.column_names().map(str::to_owned).collect();
    let (mut kept, mut sum) = (kept.query([])?, sum.query([])?);
    loop {
        let (is, should) = (values(kept.next()?, names.len())?, values(sum.next()?, names.len())?);
        let problem = match (is, should) {
            (None, None) => return Ok(()),
            (Some(is), Some(should)) => {
                report.workloads += u64::from(table == "workloads");
                let Some(at) = is.iter().zip(&should).position(|(is, should)| is != should) else { continue };
                let first = shown(&should[0]);
                let (is, should) = (shown(&is[at]), shown(&should[at]));
                format!("table {table}, row {first}: {} is {is}, and by the log it is {should}", names[at])
            }
            (Some(is), None) => format!("table {table}: row {} is nowhere in the log", shown(&is[0])),
            (None, Some(should)) => format!("table {table}: row {} is absent", shown(&should[0])),
        };
        report.tell(problem);
        if report.problems.len() == PROBLEMS_MAX {
            return Ok(());
        }
    }
}

fn values(row: Option<&rusqlite::Row<'_>>, columns: usize) -> Result<Option<Vec<Value>>, Fault> {
    let Some(row) = row else { return Ok(None) };
    (0..columns).map(|column| Ok(row.get(column)?)).collect::<Result<_, Fault>>().map(Some)
}

/// A value for people, cut to a line.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => number.to_string(),
        Value::Text(text) if text.chars().count() > 80 => format!("{:?}…", text.chars().take(80).collect::<String>()),
        Value::Text(text) => format!("{text:?}"),
        Value::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

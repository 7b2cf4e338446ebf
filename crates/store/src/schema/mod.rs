//! The shape of the file, version by version.
//!
//! A step takes a file from one version to the next, each in a transaction of its own, so that a step that fails leaves the version before
//! it. Steps that were released never change: another version is another file and another line here.

use std::collections::BTreeSet;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::Fault;

/// Tells a file of Trimtab from any other SQLite file: "trim" in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x7472_696d;

/// The version this code reads and writes.
pub const VERSION: u32 = STEPS.len() as u32;

/// From nothing to version 1, from 1 to 2, and so on.
const STEPS: &[&str] =
    &[include_str!("v1.sql"), include_str!("v2.sql"), include_str!("v3.sql"), include_str!("v4.sql")];

/// What a file is, before anything of it is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Nothing is in it.
    Empty,
    /// It is Trimtab's, of this version.
    Version(u32),
}

/// Asks a file what it is. Changes nothing.
pub(crate) fn identify(connection: &Connection) -> Result<Identity, Fault> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let application = number("application_id")?;
    let version = number("user_version")?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, version, tables) {
        (0, 0, 0) => Ok(Identity::Empty),
        (APPLICATION_ID, 1.., 1..) => {
            let found = version.unsigned_abs();
            if found > VERSION { Err(Fault::Newer { found, known: VERSION }) } else { Ok(Identity::Version(found)) }
        }
        (APPLICATION_ID, ..) => Err(Fault::Corrupt { what: "it has a version without tables, or none".into() }),
        _ => Err(Fault::Foreign { what: "an SQLite file of another program".into() }),
    }
}

/// The first table or index that a file of this version has otherwise than it was made, if there is one.
pub(crate) fn difference(connection: &Connection) -> Result<Option<String>, Fault> {
    let mut made = Connection::open_in_memory()?;
    migrate(&mut made)?;
    let (is, should) = (objects(connection)?, objects(&made)?);
    let differs = is.symmetric_difference(&should).next();
    Ok(differs.map(|(name, _)| name.clone()))
}

/// Tables and indexes, with the text that made them.
fn objects(connection: &Connection) -> Result<BTreeSet<(String, Option<String>)>, Fault> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema")?;
    let objects = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(objects.collect::<Result<_, _>>()?)
}

/// Brings a file to this version.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    migrate_by(STEPS, connection)
}

fn migrate_by(steps: &[&str], connection: &mut Connection) -> Result<(), Fault> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = match identify(&transaction)? {
            Identity::Empty => 0,
            Identity::Version(version) => version,
        };
        let Some(step) = steps.get(version as usize) else {
            return Ok(());
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_becomes_the_newest_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(identify(&connection).unwrap(), Identity::Empty);
        migrate(&mut connection).unwrap();
        assert_eq!(identify(&connection).unwrap(), Identity::Version(VERSION));
        migrate(&mut connection).unwrap();
        let heads: i64 = connection.query_row("SELECT count(*) FROM head", [], |row| row.get(0)).unwrap();
        assert_eq!(heads, 1, "a step is taken once");
    }

    #[test]
    fn a_step_that_fails_leaves_the_version_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE a (b); INSERT INTO a VALUES (1)", "ALTER TABLE a ADD COLUMN c; SELECT nonsense"];
        migrate_by(&steps, &mut connection).unwrap_err();
        assert_eq!(identify(&connection).unwrap(), Identity::Version(1));
        let columns: i64 =
            connection.query_row("SELECT count(*) FROM pragma_table_info('a')", [], |row| row.get(0)).unwrap();
        assert_eq!(columns, 1);
    }

    #[test]
    fn a_file_of_version_1_keeps_all_it_has_and_can_hold_series() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_by(&STEPS[..1], &mut connection).unwrap();
        connection.execute_batch("INSERT INTO samples (at, node, metric, value) VALUES (7, 0, 'busy', 0.5)").unwrap();
        migrate_by(&STEPS[..2], &mut connection).unwrap();
        assert_eq!(identify(&connection).unwrap(), Identity::Version(2));
        let kept: (i64, f64) =
            connection.query_row("SELECT at, value FROM samples", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(kept, (7, 0.5));
        for table in ["sources", "series", "scrapes", "chunks", "pieces", "pins"] {
            let rows = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
            assert_eq!(rows, Ok(0_i64), "{table}");
        }
    }

    #[test]
    fn a_file_of_version_2_keeps_its_series_and_pins_and_can_hold_findings() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_by(&STEPS[..2], &mut connection).unwrap();
        connection
            .execute_batch("INSERT INTO sources (id, name) VALUES (3, 'n'); INSERT INTO pins VALUES ('f', 3, 1, 2)")
            .unwrap();
        migrate_by(&STEPS[..3], &mut connection).unwrap();
        assert_eq!(identify(&connection).unwrap(), Identity::Version(3));
        let pins: (String, i64) =
            connection.query_row("SELECT finding, until FROM pins", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(pins, ("f".into(), 2));
        let findings = connection.query_row("SELECT count(*) FROM findings", [], |row| row.get(0));
        assert_eq!(findings, Ok(0_i64));
    }

    #[test]
    fn a_file_of_version_3_keeps_its_findings_and_can_hold_agents() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate_by(&STEPS[..3], &mut connection).unwrap();
        connection
            .execute_batch(
                "INSERT INTO findings (id, rule, places, opened, seen, returns, confidence, version, body) \
                 VALUES (7, 'hang', '[]', 1, 2, 0, 'likely', 1, '{}')",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        assert_eq!(identify(&connection).unwrap(), Identity::Version(4));
        let kept = connection.query_row("SELECT id FROM findings", [], |row| row.get(0));
        assert_eq!(kept, Ok(7_i64));
        for table in ["agents", "spools"] {
            let rows = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0));
            assert_eq!(rows, Ok(0_i64), "{table}");
        }
    }

    #[test]
    fn a_newer_version_and_a_foreign_file_are_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE a (b)").unwrap();
        assert!(matches!(migrate(&mut connection), Err(Fault::Foreign { .. })));
        connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", VERSION + 1).unwrap();
        assert!(matches!(migrate(&mut connection), Err(Fault::Newer { .. })));
    }
}

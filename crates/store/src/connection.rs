//! Opening the file, for one who writes and for those who read.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::error::Fault;
use crate::schema::{self, Identity, VERSION};

/// How long one waits for another connection that holds the file. The writer waits for nobody but a checkpoint or a backup's start.
const BUSY: Duration = Duration::from_secs(10);

/// How many statements stay prepared. There are about 80 in all.
const STATEMENTS_MAX: usize = 128;

/// How much of a file in which a log is added up stays in memory, in KiB.
const ADDING_UP_KIB: i64 = 64 << 10;

/// The write-ahead log is cut back to this many bytes once it was copied into the file.
const JOURNAL_BYTES: i64 = 64 << 20;

/// A connection that writes, to a file that is there. Nothing is written yet, and the file may be of any version or none.
pub(crate) fn writing(path: &Path) -> Result<Connection, Fault> {
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// As [`writing`]; the file is made where there is none.
pub(crate) fn creating(path: &Path) -> Result<Connection, Fault> {
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
}

/// Sets a file that is Trimtab's, or empty, up for writing: what was acknowledged is on the disk.
pub(crate) fn set_up_for_writing(connection: &Connection) -> Result<(), Fault> {
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(if connection.is_readonly("main")? { Fault::ReadOnly } else { Fault::Busy });
    }
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update_and_check(None, "journal_size_limit", JOURNAL_BYTES, |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(())
}

/// A connection that reads a file of exactly this version.
pub(crate) fn reading(path: &Path) -> Result<Connection, Fault> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    match schema::identify(&connection)? {
        Identity::Version(VERSION) => {}
        Identity::Version(found) => return Err(Fault::Older { found }),
        Identity::Empty => return Err(Fault::Foreign { what: "an empty file".into() }),
    }
    // Many may be open at once: a mebibyte each instead of two.
    connection.pragma_update(None, "cache_size", -1_024)?;
    Ok(connection)
}

/// A file of this version without a name, gone when it is closed, in which a log that is elsewhere is added up. Nothing of it is needed after a
/// failure, and nothing in it refers to the log, so it is spared what makes others safe, and the indexes, by which nobody looks there.
pub(crate) fn adding_up() -> Result<Connection, Fault> {
    let mut connection = Connection::open_with_flags("", OpenFlags::default() | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    keep_statements(&connection)?;
    schema::migrate(&mut connection)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update_and_check(None, "journal_mode", "off", |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -ADDING_UP_KIB)?;
    let indexes = {
        // Those that a table makes by itself have no text.
        let mut statement =
            connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")?;
        let names = statement.query_map([], |row| row.get::<_, String>(0))?;
        names.collect::<Result<Vec<_>, _>>()?
    };
    for index in indexes {
        connection.execute_batch(&format!("DROP INDEX {index}"))?;
    }
    Ok(connection)
}

/// Statements stay prepared, whatever the values they are given: otherwise SQLite may plan one anew at each use, for the values of that use.
fn keep_statements(connection: &Connection) -> Result<(), Fault> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, Fault> {
    let creates = flags.contains(OpenFlags::SQLITE_OPEN_CREATE);
    if !creates && !path.try_exists()? {
        return Err(Fault::Missing);
    }
    if path.is_dir() {
        return Err(Fault::Foreign { what: "a folder".into() });
    }
    // A connection is used by one thread at a time, which the compiler sees to.
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    keep_statements(&connection)?;
    // For files that were damaged or made to harm (https://www.sqlite.org/security.html).
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

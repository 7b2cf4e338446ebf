//! Recent measurements of hosts and devices. They are bounded by age and by number: what is wanted for longer belongs elsewhere.

mod means;

use fleet::ids::NodeId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use crate::error::{Fault, StoreError};
use crate::reader::Reader;
use crate::writer::Store;

pub use means::{Lately, Mean, MeanQuery};

/// One measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When it was made.
    pub at: Timestamp,
    /// Of which node.
    pub node: NodeId,
    /// Of which of its devices; absent: of the node as a whole.
    pub device: Option<u32>,
    /// What was measured, with its unit last: `cpu_busy_ratio`, `memory_used_bytes`.
    pub metric: String,
    /// What came out; absent: it was asked for, and is not known.
    pub value: Option<f64>,
}

/// How much is kept. Both bounds hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// No sample that is older than this, seen from the newest of a batch.
    pub age_max: Millis,
    /// No more samples than this.
    pub rows_max: u64,
}

impl Default for Retention {
    /// A day, and a million samples: about 80 MB.
    fn default() -> Self {
        Self { age_max: Millis::hours(24), rows_max: 1_000_000 }
    }
}

/// Which samples are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleQuery {
    /// What was measured.
    pub metric: String,
    /// Of which node; absent: of all.
    pub node: Option<NodeId>,
    /// Of which of its devices.
    pub device: DeviceFilter,
    /// Not before.
    pub from: Timestamp,
    /// Before.
    pub until: Timestamp,
    /// At most so many, the latest; at most [`SampleQuery::LIMIT_MAX`].
    pub limit: usize,
}

impl SampleQuery {
    /// The most samples of one answer.
    pub const LIMIT_MAX: usize = 100_000;

    /// All samples of a metric.
    #[must_use]
    pub fn of(metric: &str) -> Self {
        Self {
            metric: metric.into(),
            node: None,
            device: DeviceFilter::Any,
            from: Timestamp::MIN,
            until: Timestamp::MAX,
            limit: Self::LIMIT_MAX,
        }
    }
}

/// Which devices' samples are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceFilter {
    /// Those of devices, and of nodes as a whole.
    Any,
    /// Those of nodes as a whole.
    Whole,
    /// Those of one device of each node.
    Device(u32),
}

/// When something was last measured.
pub(crate) fn newest(connection: &Connection) -> Result<Option<Timestamp>, Fault> {
    let mut statement = connection.prepare_cached("SELECT at FROM samples ORDER BY id DESC LIMIT 1")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?.map(Timestamp))
}

impl Store {
    /// Appends samples, and lets go of old ones.
    ///
    /// # Errors
    /// If the file cannot be written; none of them is there then.
    pub fn append_samples(&mut self, samples: &[Sample], retention: Retention) -> Result<(), StoreError> {
        self.write(|transaction| {
            append(transaction, samples)?;
            let newest = samples.iter().map(|sample| sample.at).max();
            newest.map_or(Ok(()), |newest| let_go(transaction, newest, retention))
        })
    }
}

impl Reader {
    /// Samples, oldest first.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn samples(&self, query: &SampleQuery) -> Result<Vec<Sample>, StoreError> {
        self.read(|snapshot| select(snapshot, query))
    }

    /// The latest sample of each metric of each node and device, or of those of one node, if it is not before `from`; in order of node,
    /// device and metric.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn latest_samples(&self, node: Option<NodeId>, from: Timestamp) -> Result<Vec<Sample>, StoreError> {
        self.read(|snapshot| latest(snapshot, node, from))
    }
}

fn append(connection: &Connection, samples: &[Sample]) -> Result<(), Fault> {
    let mut statement = connection
        .prepare_cached("INSERT INTO samples (at, node, device, metric, value) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for sample in samples {
        let value = sample.value.filter(|value| value.is_finite());
        statement.execute(params![sample.at.0, sample.node.0, sample.device, sample.metric, value])?;
    }
    Ok(())
}

/// Ids rise with time but for jumps of the clock, so that what is old is what has the lowest ids: no index by time is needed.
fn let_go(connection: &Connection, newest: Timestamp, retention: Retention) -> Result<(), Fault> {
    let oldest = newest - retention.age_max;
    connection
        .prepare_cached(
            "DELETE FROM samples WHERE id < coalesce((SELECT id FROM samples WHERE at >= ?1 ORDER BY id LIMIT 1), 0)",
        )?
        .execute([oldest.0])?;
    connection
        .prepare_cached("DELETE FROM samples WHERE id <= (SELECT max(id) FROM samples) - ?1")?
        .execute([i64::try_from(retention.rows_max).unwrap_or(i64::MAX)])?;
    Ok(())
}

fn select(connection: &Connection, query: &SampleQuery) -> Result<Vec<Sample>, Fault> {
    let mut conditions = vec!["metric = ?", "at >= ?", "at < ?"];
    let mut values: Vec<Value> = vec![query.metric.clone().into(), query.from.0.into(), query.until.0.into()];
    if let Some(node) = query.node {
        conditions.push("node = ?");
        values.push(node.0.into());
    }
    match query.device {
        DeviceFilter::Any => {}
        DeviceFilter::Whole => conditions.push("device IS NULL"),
        DeviceFilter::Device(device) => {
            conditions.push("device = ?");
            values.push(device.into());
        }
    }
    values.push((query.limit.min(SampleQuery::LIMIT_MAX) as i64).into());
    let text = format!(
        "SELECT at, node, device, metric, value FROM samples WHERE {} ORDER BY at DESC, id DESC LIMIT ?",
        conditions.join(" AND ")
    );
    let mut samples = collect(connection, &text, values)?;
    samples.reverse();
    Ok(samples)
}

fn latest(connection: &Connection, node: Option<NodeId>, from: Timestamp) -> Result<Vec<Sample>, Fault> {
    // SQLite takes the other columns from the row that has the maximum (https://www.sqlite.org/lang_select.html, bare columns).
    let text = "SELECT max(at), node, device, metric, value FROM samples \
        WHERE id > ?1 AND at >= ?2 AND (?3 IS NULL OR node = ?3) GROUP BY node, device, metric ORDER BY node, device, metric";
    let node = node.map_or(Value::Null, |node| node.0.into());
    collect(connection, text, vec![after(connection, from)?.into(), from.0.into(), node])
}

/// The id after which all samples that are not before `from` come. Ids rise with time but for jumps of the clock (see [`let_go`]), so
/// that what is recent is read off the end of the table, however much there is before it.
fn after(connection: &Connection, from: Timestamp) -> Result<i64, Fault> {
    let mut statement = connection
        .prepare_cached("SELECT coalesce((SELECT id FROM samples WHERE at < ?1 ORDER BY id DESC LIMIT 1), -1)")?;
    Ok(statement.query_row([from.0], |row| row.get(0))?)
}

fn collect(connection: &Connection, text: &str, values: Vec<Value>) -> Result<Vec<Sample>, Fault> {
    let mut statement = connection.prepare_cached(text)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut samples = Vec::new();
    while let Some(row) = rows.next()? {
        samples.push(Sample {
            at: Timestamp(row.get(0)?),
            node: NodeId(row.get(1)?),
            device: row.get(2)?,
            metric: row.get(3)?,
            value: row.get(4)?,
        });
    }
    Ok(samples)
}

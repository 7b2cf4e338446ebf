//! What samples come to over lengths of time: for lines, and for how busy each device was of late.

use std::collections::BTreeMap;

use fleet::ids::NodeId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use rusqlite::{Connection, params};

use super::after;
use crate::error::{Fault, StoreError};
use crate::reader::Reader;

/// Which samples are taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeanQuery {
    /// What was measured.
    pub metric: String,
    /// Of which node.
    pub node: NodeId,
    /// Of which of its devices; absent: of all of them, or of the node as a whole.
    pub device: Option<u32>,
    /// Not before; intervals are counted from here.
    pub from: Timestamp,
    /// Before.
    pub until: Timestamp,
    /// How long an interval is; at least a millisecond.
    pub interval: Millis,
}

/// What the samples of one interval, of one device or of the node as a whole, come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// When the interval begins.
    pub at: Timestamp,
    /// Of which device; absent: of the node as a whole.
    pub device: Option<u32>,
    /// The mean of what is known; absent: it was asked for, and is not known.
    pub mean: Option<f64>,
    /// The least that is known.
    pub least: Option<f64>,
    /// The most that is known.
    pub most: Option<f64>,
    /// How many of the samples are known.
    pub known: u64,
}

/// How something was of late, of one device of one node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lately {
    /// The node.
    pub node: NodeId,
    /// The device.
    pub device: u32,
    /// The mean of what is known; absent: nothing is.
    pub mean: Option<f64>,
    /// The mean of what is known of the last part.
    pub mean_of_late: Option<f64>,
    /// The first moment at which it was known.
    pub known_since: Option<Timestamp>,
}

impl Reader {
    /// Samples taken together interval by interval, in order of time and device. Intervals in which nothing was sampled are absent.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn means(&self, query: &MeanQuery) -> Result<Vec<Mean>, StoreError> {
        self.read(|snapshot| means(snapshot, query))
    }

    /// How a metric was of late, for every device of every node at once, or of one node; in order of node and device. `of_late` is when
    /// the last part begins.
    ///
    /// # Errors
    /// If the file cannot be read, or is damaged.
    pub fn lately(
        &self,
        metric: &str,
        node: Option<NodeId>,
        from: Timestamp,
        of_late: Timestamp,
    ) -> Result<Vec<Lately>, StoreError> {
        self.read(|snapshot| lately(snapshot, metric, node, from, of_late))
    }
}

/// The index brings samples in order of time, so that only one interval is added up at once: for an hour of 64 devices that takes a third
/// of the time in which SQLite groups them.
fn means(connection: &Connection, query: &MeanQuery) -> Result<Vec<Mean>, Fault> {
    let (from, interval) = (query.from.0, query.interval.0.max(1));
    let mut statement = connection.prepare_cached(
        "SELECT at, device, value FROM samples \
         WHERE metric = ?1 AND node = ?2 AND at >= ?3 AND at < ?4 AND (?5 IS NULL OR device = ?5) ORDER BY at",
    )?;
    let values = params![query.metric, query.node.0, from, query.until.0, query.device];
    let mut rows = statement.query(values)?;
    let (mut means, mut begin) = (Vec::new(), from);
    let mut sums: BTreeMap<Option<u32>, Sum> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (at, device): (i64, Option<u32>) = (row.get(0)?, row.get(1)?);
        let passed = at.saturating_sub(begin) / interval;
        if passed > 0 {
            close(&mut sums, begin, &mut means);
            begin += passed * interval;
        }
        sums.entry(device).or_default().add(row.get(2)?);
    }
    close(&mut sums, begin, &mut means);
    Ok(means)
}

/// What is known of one device in one interval.
#[derive(Default)]
struct Sum {
    sum: f64,
    known: u64,
    bounds: Option<(f64, f64)>,
}

impl Sum {
    fn add(&mut self, value: Option<f64>) {
        let Some(value) = value else { return };
        self.sum += value;
        self.known += 1;
        let (least, most) = self.bounds.unwrap_or((value, value));
        self.bounds = Some((least.min(value), most.max(value)));
    }
}

fn close(sums: &mut BTreeMap<Option<u32>, Sum>, begin: i64, means: &mut Vec<Mean>) {
    for (device, Sum { sum, known, bounds }) in std::mem::take(sums) {
        means.push(Mean {
            at: Timestamp(begin),
            device,
            mean: (known > 0).then(|| sum / known as f64),
            least: bounds.map(|(least, _)| least),
            most: bounds.map(|(_, most)| most),
            known,
        });
    }
}

fn lately(
    connection: &Connection,
    metric: &str,
    node: Option<NodeId>,
    from: Timestamp,
    of_late: Timestamp,
) -> Result<Vec<Lately>, Fault> {
    // With a plus before it, the metric leads to no index: that is by node, and would bring all there is of it.
    let mut statement = connection.prepare_cached(
        "SELECT node, device, avg(value), avg(value) FILTER (WHERE at >= ?5), min(at) FILTER (WHERE value IS NOT NULL) FROM samples \
         WHERE id > ?1 AND at >= ?2 AND +metric = ?3 AND (?4 IS NULL OR node = ?4) AND device IS NOT NULL \
         GROUP BY node, device ORDER BY node, device",
    )?;
    let values = params![after(connection, from)?, from.0, metric, node.map(|node| node.0), of_late.0];
    let mut rows = statement.query(values)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Lately {
            node: NodeId(row.get(0)?),
            device: row.get(1)?,
            mean: row.get(2)?,
            mean_of_late: row.get(3)?,
            known_since: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        });
    }
    Ok(found)
}

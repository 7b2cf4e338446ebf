//! `trimtab history anonymise`.

use std::io::BufRead;
use std::path::PathBuf;

use clap::Args;
use fleet::history::{End, Header, Reader, Record, WorkloadRecord};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use sha2::{Digest, Sha256};

use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::history_file::{self, HistoryFile};
use crate::progress;

/// Make a history that can be shared: names become pseudonyms
///
/// Names of workloads, users, accounts, queues, pools, kinds of nodes and nodes are replaced, each always by the same
/// pseudonym, under a random key that is not kept: nobody can turn them back, and two anonymised files cannot be joined.
/// Notes, reasons and prices are left out.
///
/// What remains can still tell people something: when work was handed in, how long it ran and what it used, the sizes and
/// device models of the fleet, limits and quotas, the time zone. Whoever knows when a certain job ran can find it unless
/// times are shifted, and may find it by its length even then.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab history anonymise jobs.zst -o shared.zst
  trimtab history anonymise jobs.zst --shift-times --keep-prices -o shared.zst")]
pub(crate) struct Arguments {
    /// A history made by `trimtab import`; `-` is standard input
    history: PathBuf,
    /// The history to write; compressed if its name ends in .zst, `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Move all times back by one random whole number of weeks: days and hours stay, dates do not
    #[arg(long)]
    shift_times: bool,
    /// Keep what nodes cost
    #[arg(long)]
    keep_prices: bool,
}

/// Times are moved back by at most this many weeks: five years.
const WEEKS_MAX: u64 = 260;

pub(crate) fn run(arguments: &Arguments, global: Global) -> Outcome {
    let (reader, progress) = history_file::open(&arguments.history)?;
    let line = progress::Line::reading(&arguments.history.display().to_string(), progress, global);
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| Failure::input(format!("this system gives no random key: {error}")))?;
    let mask = Mask::new(
        key,
        if arguments.shift_times { Times::Shifted } else { Times::Kept },
        if arguments.keep_prices { Prices::Kept } else { Prices::LeftOut },
    );
    let mut output = HistoryFile::create(&arguments.output)?;
    let end = rewrite(reader, &mask, &mut |record| {
        output.take(record).map_err(|error| Failure::writing(arguments.output.display(), &error))
    })?;
    output.finish(end)?;
    drop(line);
    Ok(())
}

/// Hands out the masked records of a history, and its end.
fn rewrite<R: BufRead>(mut reader: Reader<R>, mask: &Mask, each: &mut dyn FnMut(Record) -> Outcome) -> Outcome<End> {
    each(Record::Header(mask.header(reader.header())))?;
    while let Some(record) = reader.next_record()? {
        each(mask.record(record))?;
    }
    let end = reader.end().cloned().unwrap_or_default();
    Ok(End { from: end.from.map(|at| mask.time(at)), until: end.until.map(|at| mask.time(at)), ..end })
}

/// Whether times are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Kept,
    Shifted,
}

/// Whether prices stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prices {
    Kept,
    LeftOut,
}

/// Replaces what names somebody or something.
struct Mask {
    key: [u8; 32],
    back: Millis,
    prices: Prices,
}

impl Mask {
    fn new(key: [u8; 32], times: Times, prices: Prices) -> Self {
        let mut mask = Self { key, back: Millis::ZERO, prices };
        if times == Times::Shifted {
            let weeks = 1 + mask.number("shift", "") % WEEKS_MAX;
            mask.back = Millis::hours(7 * 24 * weeks as i64);
        }
        mask
    }

    /// The first 64 bits of SHA-256 over the key, the kind of name and the name: a million names of one kind hold two alike
    /// once in forty million files.
    fn number(&self, kind: &str, name: &str) -> u64 {
        let digest =
            Sha256::new().chain_update(self.key).chain_update(kind).chain_update([0]).chain_update(name).finalize();
        let first = digest.first_chunk().expect("SHA-256 has 32 bytes");
        u64::from_be_bytes(*first)
    }

    fn name(&self, kind: &str, name: &str) -> String {
        format!("{kind}-{:016x}", self.number(kind, name))
    }

    fn some(&self, kind: &str, name: Option<&String>) -> Option<String> {
        name.map(|name| self.name(kind, name))
    }

    fn all(&self, kind: &str, names: &[String]) -> Vec<String> {
        names.iter().map(|name| self.name(kind, name)).collect()
    }

    fn time(&self, at: Timestamp) -> Timestamp {
        at - self.back
    }

    fn header(&self, header: &Header) -> Header {
        let mut notes = vec!["anonymised: names are pseudonyms, notes and reasons are left out".to_owned()];
        if self.back > Millis::ZERO {
            notes.push(
                "all times are moved by one whole number of weeks; clocks may have been changed on other days".into(),
            );
        }
        Header { notes, ..header.clone() }
    }

    fn record(&self, record: Record) -> Record {
        match record {
            Record::Header(header) => Record::Header(self.header(&header)),
            Record::Node(mut node) => {
                node.name = self.name("node", &node.name);
                node.at = node.at.map(|at| self.time(at));
                node.pools = self.all("pool", &node.pools);
                node.group = self.some("group", node.group.as_ref());
                node.price_per_hour = node.price_per_hour.filter(|_| self.prices == Prices::Kept);
                Record::Node(node)
            }
            Record::Queue(mut queue) => {
                queue.name = self.name("queue", &queue.name);
                queue.pools = self.all("pool", &queue.pools);
                Record::Queue(queue)
            }
            Record::Policy(mut policy) => {
                policy.at = policy.at.map(|at| self.time(at));
                Record::Policy(policy)
            }
            Record::NodeEvent(mut event) => {
                event.at = self.time(event.at);
                event.node = self.name("node", &event.node);
                event.reason = None;
                Record::NodeEvent(event)
            }
            Record::Workload(workload) => Record::Workload(Box::new(self.workload(*workload))),
            Record::End(end) => Record::End(end),
        }
    }

    fn workload(&self, mut workload: WorkloadRecord) -> WorkloadRecord {
        for attempt in &mut workload.attempts {
            attempt.start = attempt.start.map(|at| self.time(at));
            attempt.nodes = self.all("node", &attempt.nodes);
        }
        WorkloadRecord {
            id: self.name("job", &workload.id),
            queue: self.name("queue", &workload.queue),
            user: self.some("user", workload.user.as_ref()),
            name: self.some("name", workload.name.as_ref()),
            account: self.some("account", workload.account.as_ref()),
            array: self.some("array", workload.array.as_ref()),
            depends_on: self.all("job", &workload.depends_on),
            submit: self.time(workload.submit),
            eligible: workload.eligible.map(|at| self.time(at)),
            withdrawn: workload.withdrawn.map(|at| self.time(at)),
            pools: self.all("pool", &workload.pools),
            ..workload
        }
    }
}

#[cfg(test)]
mod tests {
    use fleet::history::Writer;

    use super::*;
    use crate::lab;

    fn written(records: Vec<Record>) -> Vec<u8> {
        let mut records = records.into_iter();
        let Some(Record::Header(header)) = records.next() else { panic!("a header first") };
        let mut writer = Writer::begin(Vec::new(), header).unwrap();
        records.for_each(|record| writer.write(&record).unwrap());
        writer.finish(End::default()).unwrap()
    }

    fn masked(times: Times, prices: Prices) -> Vec<Record> {
        let bytes = written(lab::records(lab::SEED));
        let mut records = Vec::new();
        let mask = Mask::new([7; 32], times, prices);
        let end = rewrite(Reader::begin(&bytes[..], "lab").unwrap(), &mask, &mut |record| {
            records.push(record);
            Ok(())
        });
        assert!(end.unwrap().workloads > 0);
        records
    }

    #[test]
    fn no_name_remains() {
        let text = String::from_utf8(written(masked(Times::Kept, Prices::LeftOut))).unwrap();
        let names = ["\"ada\"", "vision", "gpu", "main", "pretrain", "fan", "\"10001\"", "price", "seed"];
        for name in names {
            assert!(!text.contains(name), "{name} remains");
        }
        assert!(text.contains("H100-80GB") && text.contains("Europe/Berlin"));
        let priced = String::from_utf8(written(masked(Times::Kept, Prices::Kept))).unwrap();
        assert!(priced.contains("price_per_hour"));
    }

    #[test]
    fn what_replays_is_the_same() {
        let outcome = |records: Vec<Record>| {
            let Record::Header(header) = records[0].clone() else { panic!("a header first") };
            let history = replay::history::History::from_records(header, records.into_iter());
            let setup = replay::setup::Setup::new(&history, &replay::scenario::Scenario::default()).unwrap();
            let outcome = replay::run(&setup, 0);
            outcome.workloads.iter().map(|fate| fate.wait()).collect::<Vec<_>>()
        };
        let original = outcome(lab::records(lab::SEED));
        assert_eq!(outcome(masked(Times::Kept, Prices::LeftOut)), original);
        assert_eq!(outcome(masked(Times::Shifted, Prices::LeftOut)), original);
    }

    #[test]
    fn times_move_by_whole_weeks() {
        let submit = |records: &[Record]| {
            records.iter().find_map(|record| match record {
                Record::Workload(workload) => Some(workload.submit),
                _ => None,
            })
        };
        let (kept, shifted) = (masked(Times::Kept, Prices::Kept), masked(Times::Shifted, Prices::Kept));
        let back = submit(&kept).unwrap().since(submit(&shifted).unwrap());
        assert!(back > Millis::ZERO && back.0 % Millis::hours(7 * 24).0 == 0, "{back}");
    }
}

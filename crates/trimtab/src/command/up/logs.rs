//! Lets old logs go: at the start and once an hour, apart from the control loop, which has nothing to do with it.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use connect::machine::Logs;
use control::{KeptLogs, LogLimits, let_go};
use fleet::quantity::{Bytes, Millis};
use fleet::time::Timestamp;
use server::LogsKept;
use store::Reader;

use crate::plane::Clock;
use crate::{length, shown};

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(3_600);

#[derive(Debug, clap::Args)]
pub(super) struct KeepingLogs {
    /// Let a workload's logs go so long after it is over
    #[arg(long, value_name = "TIME", value_parser = length::parse, default_value = "30d")]
    logs_keep: Millis,
    /// Let the oldest logs go while all of them are larger; never those of a workload that is not over
    #[arg(long, value_name = "SIZE", value_parser = length::size, default_value = "10GiB")]
    logs_max: Bytes,
}

impl KeepingLogs {
    pub(super) fn limits(&self) -> LogLimits {
        LogLimits { keep: self.logs_keep, max: self.logs_max }
    }
}

/// Looks, until `stop` is closed. What cannot be done is told of, and tried again by the next look.
pub(super) fn keep(logs: &Logs, reader: &Reader, kept: &LogsKept, stop: &Receiver<()>) {
    let clock = Clock::starting_at(None);
    loop {
        if let Err(what) = look(logs, reader, kept, clock.now()) {
            eprintln!("warning: old logs are kept: {what}");
        }
        match stop.recv_timeout(EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return,
        }
    }
}

fn look(logs: &Logs, reader: &Reader, kept: &LogsKept, now: Timestamp) -> Result<(), String> {
    // The logs first: whoever has some by then is in the store.
    let sizes = logs.sizes().map_err(|error| error.to_string())?;
    let ids: Vec<_> = sizes.iter().map(|(workload, _)| *workload).collect();
    let finished = reader.finished_of(&ids).map_err(|error| error.to_string())?;
    let all = sizes.iter().zip(finished);
    let all: Vec<KeptLogs> = all.map(|(&(workload, bytes), finished)| KeptLogs { workload, bytes, finished }).collect();
    let (mut workloads, mut bytes, mut gone) = (all.len() as u64, all.iter().map(|logs| logs.bytes.0).sum::<u64>(), 0);
    let mut failed = None;
    for workload in let_go(all, kept.limits(), now) {
        match logs.remove(workload) {
            Ok(()) => {
                let place = sizes.binary_search_by_key(&workload, |(workload, _)| *workload);
                bytes -= place.map_or(0, |place| sizes[place].1.0);
                (workloads, gone) = (workloads - 1, gone + 1);
            }
            Err(error) => failed = Some(error.to_string()),
        }
    }
    kept.tell(workloads, Bytes(bytes), gone);
    if gone > 0 {
        let LogLimits { keep, max } = kept.limits();
        let of = shown::count(gone as usize, "workload");
        eprintln!("note: the logs of {of} were let go (--logs-keep {keep}, --logs-max {max})");
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser;
    use fleet::event::EndCause;
    use fleet::ids::WorkloadId;
    use fleet::live::{Entry, Submission, log_of};
    use store::Store;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        keeping: KeepingLogs,
    }

    #[test]
    fn logs_are_kept_for_a_month_and_ten_gib_if_nothing_is_said() {
        let limits = |arguments: &[&str]| {
            Line::try_parse_from([&["up"], arguments].concat()).map(|line| line.keeping.limits()).ok()
        };
        let month = LogLimits { keep: Millis::hours(24 * 30), max: Bytes::gibi(10) };
        assert_eq!(limits(&[]), Some(month));
        let said = LogLimits { keep: Millis::hours(12), max: Bytes(512 << 20) };
        assert_eq!(limits(&["--logs-keep", "12h", "--logs-max", "512M"]), Some(said));
        assert_eq!((limits(&["--logs-keep", "much"]), limits(&["--logs-max", "-1"])), (None, None));
    }

    #[test]
    fn what_is_old_goes_and_what_is_not_over_or_not_known_stays() {
        let folder = std::env::temp_dir().join(format!("trimtab-keep-{}", std::process::id()));
        let write = |id: u32| {
            let path: PathBuf = folder.join(log_of(WorkloadId(id), 1));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, [b'x'; 100]).unwrap();
        };
        // The last is in no store.
        (1..=4).for_each(write);
        let mut store = Store::create_or_open(folder.join("trimtab.sqlite")).unwrap();
        let hour = |hours: i64| Timestamp(hours * 3_600_000);
        for id in [1, 2, 3] {
            let workload = WorkloadId(id);
            let submission =
                Submission { command: vec!["true".into()], directory: "/".into(), ..Submission::default() };
            let submitted = Entry::Submitted { workload, submission: Box::new(submission), by: "ada".into() };
            let over = Entry::Finished { workload, cause: EndCause::Cancelled, reason: None };
            let entries = if id == 2 { vec![submitted] } else { vec![submitted, over] };
            store.commit(hour(i64::from(id)), &entries).unwrap();
        }
        let (logs, reader) = (Logs::of(&folder), store.reader().unwrap());
        let look = |keep_hours, max, now| {
            let kept = LogsKept::within(LogLimits { keep: Millis::hours(keep_hours), max: Bytes(max) });
            look(&logs, &reader, &kept, now).unwrap();
            let left = logs.sizes().unwrap();
            (left.iter().map(|(workload, _)| workload.0).collect::<Vec<_>>(), format!("{kept:?}"))
        };
        assert_eq!(look(10, 400, hour(10)).0, [1, 2, 3, 4]);
        let (left, told) = look(10, 400, hour(11));
        assert_eq!(left, [2, 3, 4]);
        assert!(told.contains("workloads: 3, bytes: 300, let_go: 1"), "{told}");
        assert_eq!(look(10, 299, hour(11)).0, [2, 4], "there was too much");
        assert_eq!(look(0, 0, hour(1_000)).0, [2, 4]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}

//! What `trimtab up` watches, handed on to the control loop: at once when something begins, changes or ends, and every ten seconds what was
//! measured since, since each write to the disk costs more than many measurements.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError};

use control::Seen;
use fleet::finding::Finding;
use fleet::ids::WorkloadId;
use fleet::time::Timestamp;
use store::Scrapes;

use super::{Bundle, Second, Watcher, series};
use crate::plane::Heard;

/// What was watched.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) at: Timestamp,
    /// All that is wrong now or was until a while ago, whether it was told before or not: what was not heard is made good by what comes next.
    pub(crate) open: Vec<Seen>,
    /// What was measured since the last.
    pub(crate) scrapes: Vec<Scrapes>,
}

/// Whose workload a process is.
type WorkloadOf<'a> = &'a dyn Fn(u32) -> Option<WorkloadId>;

/// Watches until `stop` is closed.
pub(crate) fn watch(
    mut watcher: Watcher,
    node: &str,
    workload_of: WorkloadOf<'_>,
    line: &SyncSender<Heard>,
    stop: &Receiver<()>,
) {
    let mut notice = |text: &str| eprintln!("note: {text}");
    let mut workloads = Workloads::default();
    let mut bundle = Bundle::default();
    while stop.try_recv() == Err(TryRecvError::Empty) {
        let Some(second) = watcher.turn(&mut notice) else { continue };
        workloads.learn(&second, workload_of);
        bundle.add(second);
        let Some(last) = bundle.seconds().last().filter(|_| bundle.is_due()) else { continue };
        let open: Vec<Seen> = watcher.told().map(|open| workloads.seen(open)).collect();
        let watched = Watched { at: last.at, open, scrapes: series::scrapes(node, bundle.seconds()) };
        match line.try_send(Heard::Watched(Box::new(watched))) {
            Ok(()) => drop(bundle.take()),
            // It stays due: the next second tries again.
            Err(TrySendError::Full(_)) => {}
            Err(TrySendError::Disconnected(_)) => return,
        }
    }
}

/// The workloads of jobs: learnt from the processes that tell, and kept while anybody tells of the job or something is wrong with it.
#[derive(Debug, Default)]
struct Workloads(BTreeMap<String, Option<WorkloadId>>);

impl Workloads {
    fn learn(&mut self, second: &Second, workload_of: WorkloadOf<'_>) {
        let changed = |name: &str| {
            second.changes.iter().any(|change| {
                use ::diagnose::live::Change::{Closed, Opened, Updated};
                let (Opened(open) | Updated(open) | Closed(open)) = change;
                job_of(&open.finding) == Some(name)
            })
        };
        if self.0.len() > JOBS_MAX {
            self.0.retain(|name, _| second.tellers.iter().any(|teller| &*teller.job == name) || changed(name));
        }
        for teller in &second.tellers {
            if !matches!(self.0.get(&*teller.job), Some(Some(_)))
                && let Some(pid) = teller.pid
            {
                self.0.insert(teller.job.to_string(), workload_of(pid));
            }
        }
    }

    fn seen(&self, open: &::diagnose::live::Open) -> Seen {
        let workload = job_of(&open.finding).and_then(|job| self.0.get(job).copied().flatten());
        Seen { finding: open.finding.clone(), workload, opened: open.opened, seen: open.seen, closed: open.closed }
    }
}

/// So many jobs are remembered, whether anybody tells of them or not.
const JOBS_MAX: usize = 1_024;

/// The job that a finding is about.
pub(crate) fn job_of(finding: &Finding) -> Option<&str> {
    finding.place("job")
}

#[cfg(test)]
mod tests {
    use ::diagnose::live::Open;
    use fleet::finding::Place;
    use fleet::series::Scrape;
    use fleet::step::{Rank, Told};

    use super::super::tellers::Tellers;
    use super::*;

    fn open(job: &str) -> Open {
        let mut finding = Finding::new("hang", "It hangs");
        finding.places = vec![Place::new("job", job), Place::new("rank", 1)];
        Open { id: 0, finding, opened: Timestamp(0), seen: Timestamp(5), closed: None, returns: 0 }
    }

    fn second(at: i64, tellers: &mut Tellers) -> Second {
        Second { at: Timestamp(at), scrape: Scrape::default(), tellers: tellers.take(), changes: Vec::new() }
    }

    #[test]
    fn a_finding_names_the_workload_whose_process_told_also_when_nobody_tells_any_more() {
        let (mut tellers, mut workloads) = (Tellers::default(), Workloads::default());
        for (client, job, pid) in [(0, "a", 70), (1, "b", 71)] {
            tellers
                .heard(client, &Told::Began(Rank { job: job.into(), rank: 1, ranks: 2, pid: Some(pid), group: None }));
        }
        let workload_of = |pid| (pid == 70).then_some(WorkloadId(7));
        workloads.learn(&second(1, &mut tellers), &workload_of);
        tellers.gone(0);
        workloads.learn(&second(2, &mut tellers), &workload_of);
        let of = |job: &str| workloads.seen(&open(job)).workload;
        assert_eq!((of("a"), of("b"), of("c")), (Some(WorkloadId(7)), None, None));
    }
}

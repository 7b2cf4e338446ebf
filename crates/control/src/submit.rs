//! Taking in what is handed in, and letting it line up when its turn to wait has come.

use std::collections::{BTreeMap, BTreeSet};

use fleet::event::{EndCause, EventKind};
use fleet::ids::WorkloadId;
use fleet::live::{DEFAULT_QUEUE, Entry, Invalid, Live, Phase, Submission};
use fleet::node::Resources;
use fleet::quantity::Millis;
use fleet::workload::Workload;

use crate::control::{Control, KnownNode};
use crate::input::{Asked, Refused, Reply};

/// Who lined up is remembered for eight days, so that a week can come again,
const CAME_AGE_MAX: Millis = Millis::hours(8 * 24);
/// and no more than so many.
const CAME_MAX: usize = 1 << 14;

impl Control {
    pub(crate) fn submit(
        &mut self,
        asked: Vec<Asked>,
        past: &BTreeMap<WorkloadId, EndCause>,
        by: String,
    ) -> Result<Reply, Refused> {
        for (place, asked) in asked.iter().enumerate() {
            let refused = |what| Refused::Invalid { place, what };
            asked.submission.check().map_err(refused)?;
            self.check_queue(&asked.submission).map_err(refused)?;
            self.check_room(&asked.submission).map_err(refused)?;
            self.check_dependencies(place, asked, past).map_err(refused)?;
        }
        let count = u32::try_from(asked.len()).ok().filter(|&count| self.next_workload.checked_add(count).is_some());
        let first = self.next_workload;
        self.next_workload += count.ok_or(Refused::Invalid { place: 0, what: too_many() })?;
        let ids: Vec<WorkloadId> = (first..self.next_workload).map(WorkloadId).collect();
        for (mut asked, &id) in asked.into_iter().zip(&ids) {
            self.set_defaults(&mut asked.submission);
            asked.submission.depends_on.extend(asked.after.iter().map(|&place| ids[place]));
            self.take_in(id, asked.submission, past, by.clone());
        }
        Ok(Reply::Submitted(ids))
    }

    fn take_in(&mut self, id: WorkloadId, submission: Submission, past: &BTreeMap<WorkloadId, EndCause>, by: String) {
        let on: BTreeSet<WorkloadId> = submission.depends_on.iter().copied().collect();
        let live = Live::new(id, submission.clone(), by.clone(), self.last_at);
        self.lives.insert(live);
        self.write(Entry::Submitted { workload: id, submission: Box::new(submission), by });
        let failed = on.iter().find_map(|&on| {
            // Whoever is of the same list and not there any more depended on what had failed.
            let cause = self.how_ended(on, past).unwrap_or(EndCause::Cancelled);
            (self.lives.get(on).is_none() && cause != EndCause::Completed).then_some((on, cause))
        });
        if let Some((failed, cause)) = failed {
            return self.finish(id, EndCause::Cancelled, Some(dependency_failed(failed, cause)));
        }
        let open: BTreeSet<WorkloadId> = on.into_iter().filter(|&on| self.lives.get(on).is_some()).collect();
        if open.is_empty() { self.line_up(id) } else { self.lives.hold(id, open) }
    }

    /// How one that is over ended: as whoever asks found it, or a moment ago.
    fn how_ended(&self, id: WorkloadId, past: &BTreeMap<WorkloadId, EndCause>) -> Option<EndCause> {
        past.get(&id).copied().or_else(|| self.lives.ended(id))
    }

    /// It may start from now on.
    pub(crate) fn line_up(&mut self, id: WorkloadId) {
        self.write(Entry::Eligible { workload: id });
        self.enter_engine(id);
    }

    pub(crate) fn enter_engine(&mut self, id: WorkloadId) {
        let live = self.lives.get(id).expect("whoever lines up is there");
        let rules = self.queues.get(&live.submission.queue);
        let workload = self.vocabulary.workload(id, &live.submission, rules);
        self.remember(&workload);
        self.tell(EventKind::Submitted { workload: Box::new(workload) });
    }

    /// Remembers who lined up, as far as looking ahead goes back.
    pub(crate) fn remember(&mut self, workload: &Workload) {
        while self.came.front().is_some_and(|(at, _)| self.last_at.since(*at) > CAME_AGE_MAX)
            || self.came.len() >= CAME_MAX
        {
            self.came.pop_front();
        }
        self.came.push_back((self.last_at, workload.clone()));
    }

    /// It does not line up any more, if it did.
    pub(crate) fn leave_line(&mut self, id: WorkloadId) {
        let live = self.lives.get(id).expect("whoever leaves is there");
        match live.phase {
            Phase::Waiting => self.tell(EventKind::Withdrawn { workload: id }),
            Phase::BackingOff { after } => drop(self.backing_off.remove(&(after, id))),
            Phase::Held | Phase::Starting | Phase::Running | Phase::Finished { .. } => {}
        }
    }

    /// It is over for good; and so are those that needed it to complete, if it did not.
    pub(crate) fn finish(&mut self, id: WorkloadId, cause: EndCause, reason: Option<String>) {
        let mut over = vec![(id, cause, reason)];
        while let Some((id, cause, reason)) = over.pop() {
            let held = self.lives.take_held_by(id);
            self.write(Entry::Finished { workload: id, cause, reason });
            for other in held {
                if cause != EndCause::Completed {
                    over.push((other, EndCause::Cancelled, Some(dependency_failed(id, cause))));
                } else if self.lives.let_go(other, id) {
                    self.line_up(other);
                }
            }
        }
    }

    /// Back-offs that are over.
    pub(crate) fn end_back_offs(&mut self) {
        while let Some(&(after, id)) = self.backing_off.first() {
            if after > self.last_at {
                break;
            }
            self.backing_off.pop_first();
            self.line_up(id);
        }
    }

    fn check_queue(&self, asked: &Submission) -> Result<(), Invalid> {
        let Some(rules) = self.queues.get(&asked.queue) else {
            if asked.queue == DEFAULT_QUEUE {
                return Ok(());
            }
            let names: Vec<&str> = self.queues.keys().map(String::as_str).collect();
            let known = if names.is_empty() { DEFAULT_QUEUE.to_owned() } else { names.join(", ") };
            let reason = format!("there is no queue `{}`; there are: {known}", asked.queue);
            return Err(Invalid { field: "queue", reason });
        };
        match (rules.time_limit_max_ms, asked.time_limit_ms) {
            (Some(most), Some(limit)) if limit > most => {
                let reason = format!("queue `{}` allows at most {most}", rules.name);
                Err(Invalid { field: "time_limit_ms", reason })
            }
            _ => Ok(()),
        }
    }

    fn set_defaults(&self, asked: &mut Submission) {
        if let Some(rules) = self.queues.get(&asked.queue) {
            asked.time_limit_ms = asked.time_limit_ms.or(rules.time_limit_default_ms).or(rules.time_limit_max_ms);
        }
    }

    /// What no node could ever take is not left to wait.
    fn check_room(&self, asked: &Submission) -> Result<(), Invalid> {
        let fits = self.nodes.values().any(|known| {
            let facts = &known.facts;
            let most = Resources {
                cpu: facts.cpu_milli.map_or(asked.request.cpu, fleet::quantity::MilliCpu),
                memory: facts.memory_bytes.map_or(asked.request.memory, fleet::quantity::Bytes),
                devices: fleet::quantity::MilliDevice::whole(u64::from(facts.devices)),
            };
            let model =
                asked.models.is_empty() || facts.model.as_ref().is_some_and(|model| asked.models.contains(model));
            asked.request.within(most) && (model || asked.request.devices.0 == 0)
        });
        if fits {
            return Ok(());
        }
        let has = self.nodes.values().map(|known| {
            let KnownNode { facts, .. } = known;
            let model = facts.model.as_deref().unwrap_or("devices");
            let (cores, gib) = (facts.cpu_milli.unwrap_or(0) / 1_000, facts.memory_bytes.unwrap_or(0) >> 30);
            format!("{} has {cores} cores, {gib} GiB, {} {model}", facts.name, facts.devices)
        });
        let has: Vec<String> = has.collect();
        let reason = format!(
            "no node could ever take it: {}",
            if has.is_empty() { "there is none".into() } else { has.join("; ") }
        );
        Err(Invalid { field: "request", reason })
    }

    fn check_dependencies(
        &self,
        place: usize,
        asked: &Asked,
        past: &BTreeMap<WorkloadId, EndCause>,
    ) -> Result<(), Invalid> {
        let field = "depends_on";
        if let Some(later) = asked.after.iter().find(|&&after| after >= place) {
            let reason = format!("workload {} comes no earlier in the list", later + 1);
            return Err(Invalid { field, reason });
        }
        let known = |id: WorkloadId| self.lives.get(id).is_some() || self.how_ended(id, past).is_some();
        let unknown = asked.submission.depends_on.iter().find(|id| !known(**id));
        match unknown {
            Some(id) => Err(Invalid { field, reason: format!("there is no workload {}", id.0) }),
            None => Ok(()),
        }
    }
}

fn dependency_failed(id: WorkloadId, cause: EndCause) -> String {
    format!("it depends on workload {}, which did not complete: {}", id.0, cause.words())
}

fn too_many() -> Invalid {
    Invalid { field: "command", reason: "there are no ids left for so many".into() }
}

//! A workload of a row.

use fleet::event::EndCause;
use fleet::history::{Attempt, Used, WorkloadRecord};
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, MilliDevice, Millis};
use fleet::text::shown;
use fleet::text::table::Fields;
use fleet::time::Timestamp;
use fleet::workload::Spread;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde::de::{Deserialize, IntoDeserializer};

use super::mapping::{Mapping, Per};
use super::source::{Source, Sources};
use crate::bound;
use crate::import::{BadRow, Zone};
use crate::moment::Named;
use crate::number;

/// Start and end told beside a run may differ from it by this much before it is remarked.
const ROUNDING: i64 = 1_000;

/// One row being read.
pub(super) struct Reading<'a> {
    sources: &'a Sources,
    mapping: &'a Mapping,
    zone: &'a Zone,
    /// What was odd.
    pub(super) remarks: Vec<&'static str>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(sources: &'a Sources, mapping: &'a Mapping, zone: &'a Zone) -> Self {
        Self { sources, mapping, zone, remarks: Vec::new() }
    }

    pub(super) fn workload(&mut self, row: Fields<'_>, line: u64, prefix: &str) -> Result<WorkloadRecord, BadRow> {
        let submit =
            self.moment(row, "submit")?.ok_or_else(|| BadRow::field("submit", "it is unknown; expected a time"))?;
        let tasks = self.tasks(row)?;
        let mut workload = WorkloadRecord {
            id: format!("{prefix}{}", self.text(row, "id")?.unwrap_or_else(|| line.to_string())),
            queue: self.text(row, "queue")?.unwrap_or_else(|| "default".to_owned()),
            user: self.text(row, "user")?,
            name: self.text(row, "name")?,
            account: self.text(row, "account")?,
            array: self.text(row, "array")?.map(|array| format!("{prefix}{array}")),
            depends_on: self.list(row, "depends_on")?.into_iter().map(|id| format!("{prefix}{id}")).collect(),
            submit,
            eligible: self.moment(row, "eligible")?,
            tasks,
            request: self.request(row, tasks)?,
            spread: self.word(row, "spread")?.unwrap_or_default(),
            pools: self.list(row, "pools")?,
            models: self.list(row, "models")?,
            priority: self.number(row, "priority")?.map_or(Ok(0), |value| {
                i32::try_from(value / 1_000).map_err(|_| BadRow::field("priority", "expected a 32-bit number"))
            })?,
            time_limit_ms: self.length(row, "time_limit")?.filter(|&limit| limit > Millis::ZERO),
            checkpoint_every_ms: self.length(row, "checkpoint_every")?.filter(|&every| every > Millis::ZERO),
            used: Used {
                cpu_ms: self.length(row, "cpu_used")?,
                memory_peak_bytes: self.memory(row, "memory_used", 1)?,
                device_busy_ms: self.length(row, "device_busy")?,
            },
            ..WorkloadRecord::default()
        };
        if workload.eligible.is_some_and(|eligible| eligible < submit) {
            return Err(BadRow::field("eligible", "it lies before the submission"));
        }
        self.fate(row, &mut workload)?;
        Ok(workload)
    }

    /// What became of it: its run, or that it never started.
    fn fate(&mut self, row: Fields<'_>, workload: &mut WorkloadRecord) -> Result<(), BadRow> {
        let (end, withdrawn) = (self.moment(row, "end")?, self.moment(row, "withdrawn")?);
        let (told_run, wait) = (self.length(row, "run")?, self.length(row, "wait")?);
        let cause: Option<EndCause> = self.word(row, "cause")?;
        let start = match (self.moment(row, "start")?, wait, end, told_run) {
            (Some(start), ..) => Some(start),
            (None, Some(wait), ..) => Some(workload.eligible_at() + wait),
            (None, None, Some(end), Some(run)) => Some(end - run),
            (None, None, ..) => None,
        };
        if let Some(start) = start.filter(|&start| start < workload.submit) {
            let early = workload.submit.since(start);
            return Err(BadRow::field("start", format!("it starts {early} before it was submitted")));
        }
        let run = match (start, end) {
            (Some(start), Some(end)) if end < start => {
                return Err(BadRow::field("end", format!("it ends {} before it starts", start.since(end))));
            }
            (Some(start), Some(end)) => {
                let run = end.since(start);
                if run > bound::LENGTH_MAX {
                    return Err(BadRow::field("end", format!("it runs for {run}; expected at most 20 years")));
                }
                if told_run.is_some_and(|told| (told.0 - run.0).abs() > ROUNDING) {
                    self.remarks.push("the run told is not the time from start to end; the latter was taken");
                }
                Some(run)
            }
            _ => told_run,
        };
        let cause = cause.unwrap_or(EndCause::Unknown);
        if start.is_some() || run.is_some() {
            let nodes = self.list(row, "nodes")?;
            workload.attempts.push(Attempt { start, run, cause, nodes, ..Attempt::default() });
            return Ok(());
        }
        workload.withdrawn = withdrawn.or(end);
        if workload.withdrawn.is_some_and(|at| at < workload.submit) {
            return Err(BadRow::field("withdrawn", "it was withdrawn before it was submitted"));
        }
        if matches!(cause, EndCause::Completed | EndCause::Failed | EndCause::TimedOut | EndCause::OutOfMemory) {
            return Err(BadRow::field("run", format!("it {}, and how long it ran is unknown", cause.words())));
        }
        Ok(())
    }

    fn tasks(&self, row: Fields<'_>) -> Result<u32, BadRow> {
        let Some(value) = self.number(row, "tasks")? else { return Ok(1) };
        u32::try_from(value / 1_000)
            .ok()
            .filter(|count| value % 1_000 == 0 && (1..=bound::TASKS_MAX).contains(count))
            .ok_or_else(|| BadRow::field("tasks", format!("expected a whole number from 1 to {}", bound::TASKS_MAX)))
    }

    fn request(&self, row: Fields<'_>, tasks: u32) -> Result<Resources, BadRow> {
        let each = |part: &str, value: u64| match self.sources.get(part).map(|source| source.field.per) {
            Some(Per::Job) => value.div_ceil(u64::from(tasks)),
            _ => value,
        };
        let amount = |part: &str| -> Result<u64, BadRow> {
            let value = self.number(row, part)?.unwrap_or(0);
            u64::try_from(value)
                .ok()
                .filter(|&value| value <= u64::from(bound::TASKS_MAX) * 1_000)
                .map(|value| each(part, value))
                .ok_or_else(|| BadRow::field(part, format!("expected 0 to {}", bound::TASKS_MAX)))
        };
        let devices = amount("devices")?;
        if devices > MilliDevice::WHOLE && !devices.is_multiple_of(MilliDevice::WHOLE) {
            let reason = "expected whole devices a task, or a share of one device below 1";
            return Err(BadRow::field("devices", reason));
        }
        let divisor =
            if self.sources.get("memory").is_some_and(|source| source.field.per == Per::Job) { tasks } else { 1 };
        Ok(Resources {
            cpu: MilliCpu(amount("cores")?),
            memory: self.memory(row, "memory", divisor)?.unwrap_or(Bytes::ZERO),
            devices: MilliDevice(devices),
        })
    }

    /// The source of a part and its text; `None` where it is unknown.
    fn known<'r>(&'r self, row: Fields<'r>, part: &str) -> Option<(&'r Source, &'r str)> {
        let source = self.sources.get(part)?;
        let text = source.text(row);
        (!text.is_empty() && !self.mapping.unknown.iter().any(|unknown| unknown == text)).then_some((source, text))
    }

    fn text(&self, row: Fields<'_>, part: &str) -> Result<Option<String>, BadRow> {
        let Some((source, text)) = self.known(row, part) else { return Ok(None) };
        if text.len() > bound::NAME_MAX {
            return Err(BadRow::field(part, format!("it is longer than {} bytes", bound::NAME_MAX)));
        }
        Ok(Some(source.field.map.get(text).map_or(text, String::as_str).to_owned()))
    }

    fn list(&self, row: Fields<'_>, part: &str) -> Result<Vec<String>, BadRow> {
        let Some((source, text)) = self.known(row, part) else { return Ok(Vec::new()) };
        let split = source.field.split.as_deref().filter(|split| !split.is_empty()).unwrap_or(",");
        let entries: Vec<String> =
            text.split(split).map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect();
        if entries.iter().any(|entry| entry.len() > bound::NAME_MAX) {
            return Err(BadRow::field(part, format!("an entry is longer than {} bytes", bound::NAME_MAX)));
        }
        Ok(entries)
    }

    fn moment(&mut self, row: Fields<'_>, part: &str) -> Result<Option<Timestamp>, BadRow> {
        let Some((source, text)) = self.known(row, part) else { return Ok(None) };
        let (moment, named) = source.time_format.read(text, self.zone).map_err(|reason| BadRow::field(part, reason))?;
        if named == Named::Ambiguous {
            self.remarks.push("the clock was changed at that time; the first reading of it was taken");
        }
        Ok(Some(moment))
    }

    fn length(&self, row: Fields<'_>, part: &str) -> Result<Option<Millis>, BadRow> {
        let read = |(source, text): (&Source, &str)| source.time_unit.read(text);
        self.known(row, part).map(read).transpose().map_err(|reason| BadRow::field(part, reason))
    }

    fn memory(&self, row: Fields<'_>, part: &str, divisor: u32) -> Result<Option<Bytes>, BadRow> {
        let Some((source, text)) = self.known(row, part) else { return Ok(None) };
        let bytes = source.memory_unit.read(text).map_err(|reason| BadRow::field(part, reason))?;
        let each = Bytes(bytes.0.div_ceil(u64::from(divisor)));
        if each > bound::MEMORY_MAX {
            return Err(BadRow::field(part, format!("{each}; expected at most {}", bound::MEMORY_MAX)));
        }
        Ok(Some(each))
    }

    /// A number in thousandths.
    fn number(&self, row: Fields<'_>, part: &str) -> Result<Option<i64>, BadRow> {
        let read = |(_, text): (&Source, &str)| number::thousandths(text);
        self.known(row, part).map(read).transpose().map_err(|reason| BadRow::field(part, reason))
    }

    /// A word of a closed list, as the history spells it.
    fn word<T: Word>(&self, row: Fields<'_>, part: &str) -> Result<Option<T>, BadRow> {
        let Some((source, text)) = self.known(row, part) else { return Ok(None) };
        let field = &source.field;
        let meant = field.map.get(text).map(String::as_str);
        let direct = T::parse(meant.unwrap_or(text));
        match direct.or_else(|| field.other.as_deref().filter(|_| meant.is_none()).and_then(T::parse)) {
            Some(word) => Ok(Some(word)),
            None => {
                let reason = format!(
                    "`{}` means nothing here; say in the mapping's columns.{part}.map which of {} it is",
                    shown(text),
                    T::LIST
                );
                Err(BadRow::field(part, reason))
            }
        }
    }
}

/// A closed list of words.
trait Word: Sized {
    /// The words, for errors.
    const LIST: &'static str;
    /// One of them.
    fn parse(text: &str) -> Option<Self>;
}

impl Word for EndCause {
    const LIST: &'static str = "completed, failed, cancelled, timed_out, out_of_memory, node_failed, requeued, unknown";
    fn parse(text: &str) -> Option<Self> {
        spelled(text)
    }
}

impl Word for Spread {
    const LIST: &'static str = "packed, any, one_per_node";
    fn parse(text: &str) -> Option<Self> {
        spelled(text)
    }
}

/// The word as the history format spells it.
fn spelled<'de, T: Deserialize<'de>>(text: &'de str) -> Option<T> {
    let deserializer: StrDeserializer<'de, WordError> = text.into_deserializer();
    T::deserialize(deserializer).ok()
}

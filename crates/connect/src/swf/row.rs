//! A line of eighteen numbers.

use std::collections::BTreeMap;

use fleet::event::EndCause;
use fleet::history::{Attempt, Used, WorkloadRecord};
use fleet::node::Resources;
use fleet::quantity::{Bytes, MilliCpu, Millis};
use fleet::time::Timestamp;
use fleet::workload::Spread;

use crate::bound;
use crate::import::BadRow;
use crate::moment;
use crate::number;

/// The fields, by the definition's names.
pub(super) const FIELDS: [&str; 18] = [
    "job number",
    "submit time",
    "wait time",
    "run time",
    "allocated processors",
    "average CPU time used",
    "used memory",
    "requested processors",
    "requested time",
    "requested memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding job",
    "think time",
];

/// Where times count from when the log does not say: 2000-01-01.
const BEGIN_ASSUMED: Timestamp = Timestamp(946_684_800_000);

/// CPU time per processor may pass the run time by this much (clocks differ) before it is taken for wrong.
const CPU_SLACK: Millis = Millis::minutes(1);

/// What holds for every line of a log.
#[derive(Debug)]
pub(super) struct Place {
    /// The moment that all times count from.
    pub(super) begin: Option<Timestamp>,
    /// How many processors there are.
    pub(super) processors_max: Option<u64>,
    /// Names of queues by their number.
    pub(super) queues: BTreeMap<u64, String>,
    /// Stands before every id.
    pub(super) id_prefix: String,
}

impl Place {
    pub(super) fn id(&self, number: u64) -> String {
        format!("{}{number}", self.id_prefix)
    }
}

/// Which part of a job a line tells, where it does not tell the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// More parts follow: status 2.
    Continued,
    /// The last part, and the job completed: status 3.
    Completed,
    /// The last part, and the job failed: status 4.
    Failed,
}

/// One line.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: u64,
    pub(super) part: Option<Part>,
    pub(super) wait: Option<Millis>,
    pub(super) run: Option<Millis>,
    pub(super) record: WorkloadRecord,
    pub(super) remarks: Vec<&'static str>,
}

/// The numbers in thousandths; `None` where -1 stands.
struct Numbers([Option<i64>; 18]);

impl Job {
    pub(super) fn parse(text: &str, place: &Place) -> Result<Self, BadRow> {
        let numbers = Numbers::parse(text)?;
        let mut remarks = Vec::new();
        let id = numbers.count(0)?.ok_or_else(|| BadRow::field(FIELDS[0], "it is unknown (-1); expected a number"))?;
        let offset =
            numbers.length(1)?.ok_or_else(|| BadRow::field(FIELDS[1], "it is unknown (-1); expected seconds"))?;
        let submit = moment::bounded((place.begin.unwrap_or(BEGIN_ASSUMED) + offset).0)
            .map_err(|reason| BadRow::field(FIELDS[1], reason))?;
        let wait = numbers.length(2)?;
        let run = numbers.length(3)?;
        let tasks = numbers.tasks(place, &mut remarks)?;
        let status = Status::parse(numbers.0[10])?;
        let mut record = WorkloadRecord {
            id: place.id(id),
            queue: match numbers.count(14)? {
                None => "unknown".to_owned(),
                Some(number) => place.queues.get(&number).cloned().unwrap_or_else(|| number.to_string()),
            },
            user: numbers.name(11)?,
            account: numbers.name(12)?,
            name: numbers.name(13)?,
            depends_on: numbers
                .count(16)?
                .filter(|&before| before > 0)
                .map(|before| place.id(before))
                .into_iter()
                .collect(),
            submit,
            tasks,
            request: Resources {
                cpu: MilliCpu::whole(1),
                memory: numbers.memory(9)?.unwrap_or(Bytes::ZERO),
                ..Resources::ZERO
            },
            spread: Spread::Any,
            time_limit_ms: numbers.length(8)?.filter(|&limit| limit > Millis::ZERO),
            used: Used {
                cpu_ms: numbers.cpu(run, tasks, &mut remarks)?,
                memory_peak_bytes: numbers.memory(6)?.map(|memory| memory.times(tasks)),
                device_busy_ms: None,
            },
            ..WorkloadRecord::default()
        };
        if let (Some(before), Some(think)) = (numbers.count(16)?, numbers.length(17)?)
            && before > 0
            && think > Millis::ZERO
        {
            remarks.push("the user thought after an earlier job had ended; its submit time holds that already");
        }
        status.fill(&mut record, wait, run, &mut remarks)?;
        Ok(Self { id, part: status.part(), wait, run, record, remarks })
    }
}

impl Numbers {
    fn parse(text: &str) -> Result<Self, BadRow> {
        let mut numbers = [None; 18];
        let mut count = 0;
        for word in text.split_ascii_whitespace() {
            if let Some(place) = numbers.get_mut(count) {
                let value = number::thousandths(word).map_err(|reason| BadRow::field(FIELDS[count], reason))?;
                if value < 0 && value != -1_000 {
                    let reason = format!("{word}; expected at least 0, or -1 for unknown");
                    return Err(BadRow::field(FIELDS[count], reason));
                }
                *place = (value >= 0).then_some(value);
            }
            count += 1;
        }
        if count == numbers.len() {
            Ok(Self(numbers))
        } else {
            Err(BadRow::whole(format!("the line has {count} numbers; expected 18")))
        }
    }

    /// A whole number.
    fn count(&self, field: usize) -> Result<Option<u64>, BadRow> {
        match self.0[field] {
            None => Ok(None),
            Some(value) if value % 1_000 == 0 => Ok(Some(value.unsigned_abs() / 1_000)),
            Some(_) => Err(BadRow::field(FIELDS[field], "expected a whole number")),
        }
    }

    fn name(&self, field: usize) -> Result<Option<String>, BadRow> {
        Ok(self.count(field)?.map(|number| number.to_string()))
    }

    /// A length of time; seconds there, and so thousandths are milliseconds.
    fn length(&self, field: usize) -> Result<Option<Millis>, BadRow> {
        let length = self.0[field].map(Millis);
        match length {
            Some(length) if length > bound::LENGTH_MAX => {
                let reason = format!("{} s; expected at most {} s", length.0 / 1_000, bound::LENGTH_MAX.0 / 1_000);
                Err(BadRow::field(FIELDS[field], reason))
            }
            _ => Ok(length),
        }
    }

    /// An amount of memory; kilobytes there.
    fn memory(&self, field: usize) -> Result<Option<Bytes>, BadRow> {
        let Some(value) = self.0[field] else { return Ok(None) };
        // 1,024 bytes a kilobyte, thousandths of which the value counts.
        let bytes = Bytes((u128::from(value.unsigned_abs()) * 1_024 / 1_000).try_into().unwrap_or(u64::MAX));
        if bytes > bound::MEMORY_MAX {
            return Err(BadRow::field(
                FIELDS[field],
                format!("{bytes} a processor; expected at most {}", bound::MEMORY_MAX),
            ));
        }
        Ok((bytes > Bytes::ZERO).then_some(bytes))
    }

    /// The processors it held; where the log does not tell, those it asked for.
    fn tasks(&self, place: &Place, remarks: &mut Vec<&'static str>) -> Result<u32, BadRow> {
        let (held, asked) = (self.count(4)?.filter(|&n| n > 0), self.count(7)?.filter(|&n| n > 0));
        if let (Some(held), Some(asked)) = (held, asked)
            && held != asked
        {
            remarks.push("the job held another number of processors than it asked for; those it held were taken");
        }
        let field = FIELDS[if held.is_some() { 4 } else { 7 }];
        let count = held
            .or(asked)
            .ok_or_else(|| BadRow::field(field, "neither allocated nor requested processors are told"))?;
        if let Some(most) = place.processors_max
            && count > most
        {
            return Err(BadRow::field(field, format!("{count} processors; the machine has {most}")));
        }
        u32::try_from(count)
            .ok()
            .filter(|&count| count <= bound::TASKS_MAX)
            .ok_or_else(|| BadRow::field(field, format!("{count} processors; expected at most {}", bound::TASKS_MAX)))
    }

    /// The job's CPU time: average per processor there. One that passes the run time is no such average; it stays unknown.
    fn cpu(&self, run: Option<Millis>, tasks: u32, remarks: &mut Vec<&'static str>) -> Result<Option<Millis>, BadRow> {
        let Some(each) = self.length(5)? else { return Ok(None) };
        match run {
            Some(run) if each.0 - CPU_SLACK.0 > run.0 + run.0 / 50 => {
                remarks.push("CPU time per processor is above the run time; it was left unknown");
                Ok(None)
            }
            _ => Ok(Some(each.times(tasks))),
        }
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug)]
enum Status {
    Failed,
    Completed,
    Part(Part),
    Cancelled,
    Unknown,
}

impl Status {
    fn parse(value: Option<i64>) -> Result<Self, BadRow> {
        Ok(match value {
            None => Self::Unknown,
            Some(0) => Self::Failed,
            Some(1_000) => Self::Completed,
            Some(2_000) => Self::Part(Part::Continued),
            Some(3_000) => Self::Part(Part::Completed),
            Some(4_000) => Self::Part(Part::Failed),
            Some(5_000) => Self::Cancelled,
            Some(_) => return Err(BadRow::field(FIELDS[10], "expected 0 to 5, or -1 for unknown")),
        })
    }

    fn part(self) -> Option<Part> {
        match self {
            Self::Part(part) => Some(part),
            _ => None,
        }
    }

    fn cause(self) -> EndCause {
        match self {
            Self::Failed | Self::Part(Part::Failed) => EndCause::Failed,
            Self::Completed | Self::Part(Part::Completed) => EndCause::Completed,
            Self::Cancelled => EndCause::Cancelled,
            // A part that should be continued, and no line that tells the whole: how it ended is not known.
            Self::Unknown | Self::Part(Part::Continued) => EndCause::Unknown,
        }
    }

    /// Sets what became of the job.
    fn fill(
        self,
        record: &mut WorkloadRecord,
        wait: Option<Millis>,
        run: Option<Millis>,
        remarks: &mut Vec<&'static str>,
    ) -> Result<(), BadRow> {
        let start = wait.map(|wait| record.submit + wait);
        match (self, run) {
            // "If the job is cancelled before it starts, its run time is 0 or -1"; the wait is then the time to the cancellation.
            (Self::Cancelled, None | Some(Millis::ZERO)) => {
                record.withdrawn = Some(start.unwrap_or(record.submit));
                record.used = Used::default();
            }
            (_, Some(run)) => {
                record.attempts.push(Attempt {
                    start,
                    run: Some(run),
                    cause: self.cause(),
                    nodes: Vec::new(),
                    ..Attempt::default()
                });
            }
            (_, None) => {
                return Err(BadRow::field(
                    FIELDS[3],
                    "it is unknown (-1), and the job was not cancelled before it started",
                ));
            }
        }
        if matches!(self, Self::Part(_)) {
            remarks
                .push("a part of a job (status 2, 3 or 4) stands without the job's own line; it was taken for a job");
        }
        Ok(())
    }
}

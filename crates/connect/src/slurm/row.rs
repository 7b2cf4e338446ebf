//! One record of `sacct` in our words, whichever form it came in. Pure.

use fleet::quantity::Bytes;
use fleet::text::shown;
use fleet::time::Timestamp;

use super::tres::Tres;
use super::word::{Limit, State};
use crate::bound::NAME_MAX;
use crate::import::BadRow;
use crate::moment::Named;

/// One record: one run of a job, or its waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JobRow {
    pub(super) id: JobId,
    pub(super) cluster: String,
    pub(super) user: String,
    pub(super) account: String,
    pub(super) name: String,
    pub(super) partition: String,
    pub(super) qos: String,
    pub(super) in_reservation: bool,
    pub(super) constrained: bool,
    pub(super) suspended: bool,
    pub(super) submit: Timestamp,
    pub(super) eligible: Option<Timestamp>,
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
    pub(super) state: State,
    pub(super) limit: Limit,
    /// Nodes as Slurm shortens them.
    pub(super) nodes: String,
    pub(super) node_count: Option<u64>,
    pub(super) requested: Tres,
    pub(super) allocated: Tres,
    pub(super) used: Use,
    /// The least sure of its moments.
    pub(super) named: Named,
}

/// What the steps of a job used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// Core time, in thousandths of a second.
    pub(super) cpu_ms: Option<u64>,
    /// The largest memory of a step's tasks together.
    pub(super) memory: Option<Bytes>,
}

impl Use {
    /// Joins a job's own figure with its steps': times add up, the larger memory stays.
    pub(super) fn add_step(&mut self, step: Self) {
        self.cpu_ms = match (self.cpu_ms, step.cpu_ms) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        self.memory = self.memory.max(step.memory);
    }

    /// The larger of two figures of the same thing.
    pub(super) fn or_larger(self, other: Self) -> Self {
        Self { cpu_ms: self.cpu_ms.max(other.cpu_ms), memory: self.memory.max(other.memory) }
    }
}

/// Which job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct JobId {
    /// The number Slurm gave this record; every task of an array that has started has its own.
    pub(super) raw: u64,
    /// Its place.
    pub(super) part: Part,
}

/// What of a submission a record stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// One task of an array.
    Task {
        /// The array.
        array: u64,
        /// Its number.
        task: u32,
    },
    /// The tasks of an array that have not started.
    Tasks {
        /// The array.
        array: u64,
        /// Their numbers.
        tasks: Vec<u32>,
    },
    /// A component of a heterogeneous job.
    Component {
        /// The job.
        job: u64,
        /// Its number.
        offset: u32,
    },
}

impl JobId {
    /// The most tasks one record may stand for; Slurm's own bound on `MaxArraySize`.
    pub(super) const TASKS_MAX: usize = 4_000_001;

    /// Reads `12`, `12_3`, `12_[4-9%2]` or `12+1`; `raw` is the job's own number, where told.
    pub(super) fn parse(text: &str, raw: Option<&str>) -> Result<Self, BadRow> {
        let refuse = || BadRow::field("JobID", format!("`{}` is no job; expected 12, 12_3 or 12_[4-9]", shown(text)));
        let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let small = |text: &str| number(text).and_then(|number| u32::try_from(number).ok());
        let own = match raw {
            None => None,
            Some(raw) => Some(number(raw).ok_or_else(|| {
                BadRow::field("JobIDRaw", format!("`{}` is no job; expected a whole number", shown(raw)))
            })?),
        };
        if let Some((array, task)) = text.split_once('_') {
            let array = number(array).ok_or_else(refuse)?;
            let inside = task.strip_prefix('[').and_then(|task| task.strip_suffix(']'));
            let part = match inside {
                Some(tasks) => Part::Tasks { array, tasks: task_numbers(tasks).ok_or_else(refuse)? },
                None => Part::Task { array, task: small(task).ok_or_else(refuse)? },
            };
            return Ok(Self { raw: own.unwrap_or(array), part });
        }
        if let Some((job, offset)) = text.split_once('+') {
            let job = number(job).ok_or_else(refuse)?;
            let offset = small(offset).ok_or_else(refuse)?;
            return Ok(Self { raw: own.unwrap_or(job + u64::from(offset)), part: Part::Component { job, offset } });
        }
        let job = number(text).ok_or_else(refuse)?;
        Ok(Self { raw: own.unwrap_or(job), part: Part::Whole })
    }
}

/// Reads `1-5,7,9-21:4%2` (the last number of a range with `:` is its step, `%` how many may run at once) or a mask such
/// as `0x3F`, as 22.05 writes it in JSON. `None` where it is neither.
pub(super) fn task_numbers(text: &str) -> Option<Vec<u32>> {
    let text = text.split('%').next()?;
    let mut numbers = Vec::new();
    if let Some(mask) = text.strip_prefix("0x") {
        if mask.is_empty() || mask.len() > JobId::TASKS_MAX / 4 {
            return None;
        }
        for (nibble, digit) in mask.bytes().rev().enumerate() {
            let bits = char::from(digit).to_digit(16)?;
            numbers.extend((0..4).filter(|bit| bits >> bit & 1 == 1).map(|bit| nibble as u32 * 4 + bit));
        }
        return Some(numbers);
    }
    for part in text.split(',') {
        let (range, step) = part.split_once(':').unwrap_or((part, "1"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let [first, last, step] = [first, last, step].map(|number| number.parse::<u32>().ok());
        let (first, last, step) = (first?, last?, step.filter(|&step| step > 0)?);
        if first > last || (last - first) as usize / step as usize + numbers.len() >= JobId::TASKS_MAX {
            return None;
        }
        numbers.extend((first..=last).step_by(step as usize));
    }
    Some(numbers)
}

/// Keeps names within their bound.
pub(super) fn name(field: &str, text: &str) -> Result<String, BadRow> {
    if text.len() > NAME_MAX {
        return Err(BadRow::field(field, format!("it has {} bytes; expected at most {NAME_MAX}", text.len())));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, raw: Option<&str>, expected: Part, number: u64) {
        let id = JobId::parse(text, raw).unwrap();
        assert_eq!((id.part, id.raw), (expected, number), "{text}");
    }

    #[test]
    fn ids_of_jobs_arrays_and_components() {
        check("12", None, Part::Whole, 12);
        check("12_3", Some("15"), Part::Task { array: 12, task: 3 }, 15);
        check("12_[0-2,7%2]", Some("12"), Part::Tasks { array: 12, tasks: vec![0, 1, 2, 7] }, 12);
        check("12+1", None, Part::Component { job: 12, offset: 1 }, 13);
        for text in ["", "x", "12_", "12_[", "12_[3-1]", "12_[0-99999999]", "-5", "12+"] {
            assert!(JobId::parse(text, None).is_err(), "{text}");
        }
        assert!(JobId::parse("12", Some("twelve")).is_err());
    }

    #[test]
    fn numbers_of_tasks() {
        assert_eq!(task_numbers("0x3F"), Some(vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(task_numbers("0x12"), Some(vec![1, 4]));
        assert_eq!(task_numbers("1-9:4"), Some(vec![1, 5, 9]));
        assert_eq!(task_numbers("0xZ"), None);
        assert_eq!(task_numbers("1-9:0"), None);
    }

    #[test]
    fn use_of_steps_adds_up() {
        let mut used = Use::default();
        used.add_step(Use { cpu_ms: Some(5), memory: Some(Bytes(7)) });
        used.add_step(Use { cpu_ms: Some(6), memory: Some(Bytes(3)) });
        assert_eq!(used, Use { cpu_ms: Some(11), memory: Some(Bytes(7)) });
    }
}

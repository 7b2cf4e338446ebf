//! One job of `sacct --json`, as 22.05 writes it (plain numbers) and as 23.11 and later do (`{"set", "infinite",
//! "number"}`, states as lists). Shapes from Slurm's sources: `src/plugins/openapi/dbv0.0.38` of 22.05 and
//! `src/plugins/data_parser/v0.0.42/parsers.c` of 24.11. Pure.

use fleet::quantity::Bytes;
use fleet::text::shown;
use fleet::time::Timestamp;
use serde_json::Value;

use super::row::{JobId, JobRow, Part, Use, name, task_numbers};
use super::tres::Tres;
use super::word::{self, Limit, State};
use crate::import::BadRow;
use crate::moment::Named;

/// A number that may be left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    /// Not told.
    Unset,
    /// Without end.
    Infinite,
    /// So much.
    Set(u64),
}

impl Number {
    pub(super) fn get(self) -> Option<u64> {
        match self {
            Self::Set(number) => Some(number),
            Self::Unset | Self::Infinite => None,
        }
    }
}

/// Reads one element of `jobs`.
pub(super) fn job(value: &Value) -> Result<JobRow, BadRow> {
    if !value.is_object() {
        return Err(BadRow::whole(format!("it is {}; expected a job, an object", kind(value))));
    }
    if value.get("job_state").is_some() && value.get("time").is_none() {
        return Err(BadRow::whole("this is what `scontrol show job` prints; expected the output of `sacct --json`"));
    }
    let mut row = JobRow {
        id: id(value)?,
        cluster: text_name(value, "cluster")?,
        user: text_name(value, "user")?,
        account: text_name(value, "account")?,
        name: text_name(value, "name")?,
        partition: text_name(value, "partition")?,
        qos: text_name(value, "qos")?,
        // 22.05 writes a number where the name belongs.
        in_reservation: number(value, "reservation/id")?.get().is_some_and(|id| id > 0),
        constrained: !text(value, "constraints")?.is_empty(),
        suspended: number(value, "time/suspended")?.get().is_some_and(|seconds| seconds > 0),
        submit: time(value, "time/submission")?
            .ok_or_else(|| BadRow::field("time/submission", "it is absent; expected seconds since 1970"))?,
        eligible: time(value, "time/eligible")?,
        start: time(value, "time/start")?,
        end: time(value, "time/end")?,
        state: state(value)?,
        limit: limit(value)?,
        nodes: text(value, "nodes")?.to_owned(),
        node_count: number(value, "allocation_nodes")?.get().filter(|&count| count > 0),
        requested: tres(value, "tres/requested")?,
        allocated: tres(value, "tres/allocated")?,
        used: used(value)?,
        named: Named::Itself,
    };
    complete(&mut row, value)?;
    Ok(row)
}

/// What the lists of resources may leave out stands elsewhere.
fn complete(row: &mut JobRow, value: &Value) -> Result<(), BadRow> {
    if row.requested.cpus.is_none() {
        row.requested.cpus = number(value, "required/CPUs")?.get();
    }
    if row.requested.memory.is_some() {
        return Ok(());
    }
    let mebi = |mib: u64| Bytes(mib.saturating_mul(1 << 20));
    let nodes = row.requested.nodes.unwrap_or(1);
    let cpus = row.requested.cpus.unwrap_or(1);
    // 22.05 tells one number, with its highest bit set where it is of one core (MEM_PER_CPU in slurm.h).
    const PER_CPU: u64 = 1 << 63;
    row.requested.memory = match number(value, "required/memory")?.get() {
        Some(memory) if memory & PER_CPU != 0 => Some(Bytes(mebi(memory & !PER_CPU).0.saturating_mul(cpus))),
        Some(memory) => Some(Bytes(mebi(memory).0.saturating_mul(nodes))),
        None => {
            let per_cpu = number(value, "required/memory_per_cpu")?.get();
            let per_node = number(value, "required/memory_per_node")?.get();
            per_cpu
                .map(|memory| Bytes(mebi(memory).0.saturating_mul(cpus)))
                .or(per_node.map(|memory| Bytes(mebi(memory).0.saturating_mul(nodes))))
        }
    }
    .filter(|&memory| memory > Bytes::ZERO);
    Ok(())
}

fn id(value: &Value) -> Result<JobId, BadRow> {
    let raw = number(value, "job_id")?
        .get()
        .ok_or_else(|| BadRow::field("job_id", "it is absent; expected a whole number"))?;
    let array = number(value, "array/job_id")?.get().unwrap_or(0);
    let component = number(value, "het/job_id")?.get().unwrap_or(0);
    let small = |path: &str, number: u64| {
        u32::try_from(number).map_err(|_| BadRow::field(path, format!("{number} is no number of a part of a job")))
    };
    let part = if array > 0 {
        match (number(value, "array/task_id")?.get(), text(value, "array/task")?) {
            (Some(task), _) => Part::Task { array, task: small("array/task_id", task)? },
            (None, "") => Part::Whole,
            (None, tasks) => {
                let tasks = task_numbers(tasks).ok_or_else(|| {
                    BadRow::field("array/task", format!("`{}` is no list of tasks; expected 0-5", shown(tasks)))
                })?;
                Part::Tasks { array, tasks }
            }
        }
    } else if component > 0 {
        let offset = number(value, "het/job_offset")?.get().unwrap_or(0);
        Part::Component { job: component, offset: small("het/job_offset", offset)? }
    } else {
        Part::Whole
    };
    Ok(JobId { raw, part })
}

fn state(value: &Value) -> Result<State, BadRow> {
    let path = "state/current";
    let read = match at(value, path) {
        Some(Value::String(word)) => word::state(word),
        Some(Value::Array(words)) => {
            let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
            words.map_or_else(|| Err("expected words".to_owned()), |words| word::states(&words))
        }
        other => Err(format!("it is {}; expected a state such as COMPLETED", other.map_or("absent", kind))),
    };
    read.map_err(|reason| BadRow::field(path, reason))
}

fn limit(value: &Value) -> Result<Limit, BadRow> {
    let path = "time/limit";
    match number(value, path)? {
        Number::Unset => Ok(Limit::Unknown),
        Number::Infinite => Ok(Limit::Unlimited),
        Number::Set(minutes) => word::limit_minutes(minutes).map_err(|reason| BadRow::field(path, reason)),
    }
}

fn used(value: &Value) -> Result<Use, BadRow> {
    let own = Use { cpu_ms: cpu_time(value)?, memory: None };
    let mut steps = Use::default();
    match value.get("steps") {
        None | Some(Value::Null) => {}
        Some(Value::Array(list)) => {
            for step in list {
                // What a step consumed stands under `requested`: Slurm's parsers name the incoming counters (memory, CPU)
                // so and the outgoing ones (bytes written) `consumed`.
                let total = memory_of(step, "tres/requested/total")?;
                let largest = memory_of(step, "tres/requested/max")?;
                let tasks = number(step, "tasks/count")?.get().unwrap_or(1).max(1);
                let memory = total.or(largest.map(|memory| Bytes(memory.0.saturating_mul(tasks))));
                steps.add_step(Use { cpu_ms: cpu_time(step)?, memory });
            }
        }
        Some(other) => return Err(BadRow::field("steps", format!("it is {}; expected a list", kind(other)))),
    }
    let used = own.or_larger(steps);
    // Nothing at all is what Slurm tells of jobs it gathered nothing of.
    let gathered = used.cpu_ms.is_some_and(|ms| ms > 0) || used.memory.is_some();
    Ok(if gathered { used } else { Use::default() })
}

fn cpu_time(value: &Value) -> Result<Option<u64>, BadRow> {
    let Some(seconds) = number(value, "time/total/seconds")?.get() else { return Ok(None) };
    let micros = number(value, "time/total/microseconds")?.get().unwrap_or(0);
    Ok(Some(seconds.saturating_mul(1_000).saturating_add(micros / 1_000)))
}

fn memory_of(step: &Value, path: &str) -> Result<Option<Bytes>, BadRow> {
    let Some(Value::Array(list)) = at(step, path) else { return Ok(None) };
    for entry in list {
        if entry.get("type").and_then(Value::as_str) == Some("mem") {
            return Ok(number(entry, "count")?.get().filter(|&bytes| bytes > 0).map(Bytes));
        }
    }
    Ok(None)
}

/// Reads a list of resources, as a list of objects or as a text.
pub(super) fn tres(value: &Value, path: &str) -> Result<Tres, BadRow> {
    let refuse = |reason: String| BadRow::field(path, reason);
    match at(value, path) {
        None | Some(Value::Null) => Ok(Tres::default()),
        Some(Value::String(text)) => Tres::parse(text).map_err(refuse),
        Some(Value::Array(list)) => {
            let mut tres = Tres::default();
            for entry in list {
                let Some(count) = number(entry, "count")?.get() else { continue };
                let (kind, name) = (text(entry, "type")?, text(entry, "name")?);
                match (kind, name) {
                    ("mem", _) => tres.take_memory(Bytes(count.saturating_mul(1 << 20))),
                    (kind, "") => tres.take(kind, count),
                    (kind, name) => tres.take(&format!("{kind}/{name}"), count),
                }
                .map_err(refuse)?;
            }
            Ok(tres)
        }
        Some(other) => Err(refuse(format!("it is {}; expected a list of resources", kind(other)))),
    }
}

/// A number, plain or as `{"set", "infinite", "number"}`; nothing where it is absent, null or an empty text.
pub(super) fn number(value: &Value, path: &str) -> Result<Number, BadRow> {
    let refuse = |found: &Value| {
        BadRow::field(path, format!("it is {}; expected a whole number, zero or above", shown(&found.to_string())))
    };
    match at(value, path) {
        None | Some(Value::Null) => Ok(Number::Unset),
        Some(Value::String(text)) if text.is_empty() => Ok(Number::Unset),
        Some(found @ Value::String(text)) => text.parse().map(Number::Set).map_err(|_| refuse(found)),
        Some(found @ Value::Number(number)) => number.as_u64().map(Number::Set).ok_or_else(|| refuse(found)),
        Some(found @ Value::Object(object)) => {
            let told = |name: &str| object.get(name).and_then(Value::as_bool).unwrap_or(false);
            match object.get("number").map(Value::as_u64) {
                _ if told("infinite") => Ok(Number::Infinite),
                _ if !told("set") => Ok(Number::Unset),
                Some(Some(number)) => Ok(Number::Set(number)),
                _ => Err(refuse(found)),
            }
        }
        Some(found) => Err(refuse(found)),
    }
}

/// A text; empty where it is absent or null.
pub(super) fn text<'a>(value: &'a Value, path: &str) -> Result<&'a str, BadRow> {
    match at(value, path) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(BadRow::field(path, format!("it is {}; expected a text", kind(other)))),
    }
}

fn text_name(value: &Value, path: &str) -> Result<String, BadRow> {
    name(path, text(value, path)?)
}

fn time(value: &Value, path: &str) -> Result<Option<Timestamp>, BadRow> {
    match number(value, path)?.get() {
        None | Some(0) => Ok(None),
        Some(seconds) => {
            let seconds = i64::try_from(seconds).map_err(|_| BadRow::field(path, format!("{seconds} is no time")))?;
            word::epoch(seconds).map(Some).map_err(|reason| BadRow::field(path, reason))
        }
    }
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/').try_fold(value, |value, name| value.get(name))
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

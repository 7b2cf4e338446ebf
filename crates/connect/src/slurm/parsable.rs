//! What `sacct -P` prints: a line of column names, then one line a job and one a step, divided by `|` (or whatever
//! `--delimiter` says) without any quoting. Any columns in any order; what is absent is unknown.

use std::cell::Cell;
use std::io::BufRead;

use fleet::quantity::Bytes;
use fleet::text::lines::{Line, Lines};
use fleet::text::shown;
use fleet::time::Timestamp;

use super::row::{JobId, JobRow, Use, name};
use super::tres::{Tres, gres};
use super::word::{self, Limit, Per};
use crate::import::{BadRow, Zone};
use crate::moment::Named;
use crate::number::whole;

/// The columns that are read, by the names that `sacct --helpformat` lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    JobId,
    JobIdRaw,
    Cluster,
    User,
    Account,
    JobName,
    Partition,
    Qos,
    ReservationId,
    Reservation,
    Constraints,
    Suspended,
    Submit,
    Eligible,
    Start,
    End,
    State,
    Timelimit,
    TimelimitRaw,
    NodeList,
    Nnodes,
    AllocNodes,
    ReqNodes,
    ReqTres,
    AllocTres,
    ReqCpus,
    AllocCpus,
    ReqMem,
    ReqGres,
    AllocGres,
    TotalCpu,
    MaxRss,
    TresUsageInTot,
    Ntasks,
}

const COLUMNS: [(&str, Column); 36] = [
    ("JobID", Column::JobId),
    ("JobIDRaw", Column::JobIdRaw),
    ("Cluster", Column::Cluster),
    ("User", Column::User),
    ("Account", Column::Account),
    ("JobName", Column::JobName),
    ("Partition", Column::Partition),
    ("QOS", Column::Qos),
    ("ReservationId", Column::ReservationId),
    ("Reservation", Column::Reservation),
    ("Constraints", Column::Constraints),
    ("Suspended", Column::Suspended),
    ("Submit", Column::Submit),
    ("Eligible", Column::Eligible),
    ("Start", Column::Start),
    ("End", Column::End),
    ("State", Column::State),
    ("Timelimit", Column::Timelimit),
    ("TimelimitRaw", Column::TimelimitRaw),
    ("NodeList", Column::NodeList),
    ("NNodes", Column::Nnodes),
    ("AllocNodes", Column::AllocNodes),
    ("ReqNodes", Column::ReqNodes),
    ("ReqTRES", Column::ReqTres),
    ("AllocTRES", Column::AllocTres),
    ("ReqCPUS", Column::ReqCpus),
    ("AllocCPUS", Column::AllocCpus),
    ("NCPUS", Column::AllocCpus),
    ("ReqMem", Column::ReqMem),
    ("ReqGRES", Column::ReqGres),
    ("AllocGRES", Column::AllocGres),
    ("TotalCPU", Column::TotalCpu),
    ("MaxRSS", Column::MaxRss),
    ("TRESUsageInTot", Column::TresUsageInTot),
    ("NTasks", Column::Ntasks),
    ("JobIDraw", Column::JobIdRaw),
];

/// The columns without which nothing can be said of a job.
const NEEDED: [(&str, &[Column]); 5] = [
    ("JobID", &[Column::JobId, Column::JobIdRaw]),
    ("State", &[Column::State]),
    ("Submit", &[Column::Submit]),
    ("Start", &[Column::Start]),
    ("End", &[Column::End]),
];

/// A table and where it stands.
pub(super) struct Reader<R> {
    lines: Lines<R>,
    layout: Layout,
    zone: Zone,
    /// The job whose steps may still come.
    current: Option<(u64, Current)>,
    done: bool,
}

enum Current {
    Good {
        key: String,
        row: Box<JobRow>,
        steps: Use,
    },
    /// Its steps are passed over with it.
    Bad(BadRow),
}

impl Current {
    fn is_of(&self, step_of: &str) -> bool {
        matches!(self, Self::Good { key, .. } if key == step_of)
    }
}

/// A job, and what must be said of it.
pub(super) struct Found {
    pub(super) line: u64,
    pub(super) row: Result<JobRow, BadRow>,
}

struct Layout {
    delimiter: char,
    /// Each line ends with the delimiter too, as under `sacct -p`.
    ends: End,
    columns: Vec<Option<Column>>,
}

impl<R: BufRead> Reader<R> {
    /// Reads the column names.
    ///
    /// # Errors
    /// If they are none, or too few.
    pub(super) fn begin(input: R, zone: Zone) -> Result<Self, String> {
        let mut lines = Lines::new(input);
        let layout = match lines.next_line() {
            Ok(Some(Line::Text(text))) => Layout::parse(text)?,
            Ok(Some(Line::Bad(reason))) => return Err(reason.to_owned()),
            Ok(None) => return Err("it is empty; expected a line of column names".to_owned()),
            Err(error) => return Err(format!("reading stopped: {error}")),
        };
        Ok(Self { lines, layout, zone, current: None, done: false })
    }

    /// The next job with all its steps; `None` after the last.
    ///
    /// # Errors
    /// What the input answers.
    pub(super) fn next_job(&mut self) -> std::io::Result<Option<Found>> {
        while !self.done {
            let Some(line) = self.lines.next_line()? else {
                self.done = true;
                break;
            };
            let parsed = match line {
                Line::Text("") => continue,
                Line::Text(text) => parse(text, &self.layout, &self.zone),
                Line::Bad(reason) => Parsed::Job { key: String::new(), row: Err(BadRow::whole(reason)) },
            };
            let number = self.lines.number();
            match parsed {
                Parsed::Step { key, used } => self.add_step(&key, used),
                Parsed::Job { key, row } => {
                    let current = match row {
                        Ok(row) => Current::Good { key, row, steps: Use::default() },
                        Err(reason) => Current::Bad(reason),
                    };
                    if let Some(found) = self.current.replace((number, current)) {
                        return Ok(Some(finish(found)));
                    }
                }
            }
        }
        Ok(self.current.take().map(finish))
    }

    /// The line read last.
    pub(super) fn line(&self) -> u64 {
        self.lines.number()
    }

    fn add_step(&mut self, step_of: &str, used: Result<Use, BadRow>) {
        let Some((_, current)) = &mut self.current else { return };
        match (current, used) {
            (Current::Good { key, steps, .. }, Ok(used)) if key == step_of => steps.add_step(used),
            // A job with a step that cannot be read would be half read.
            (current, Err(reason)) if current.is_of(step_of) => *current = Current::Bad(reason),
            _ => {}
        }
    }
}

fn finish((line, current): (u64, Current)) -> Found {
    let row = match current {
        Current::Good { mut row, steps, .. } => {
            row.used = row.used.or_larger(steps);
            if row.used.cpu_ms == Some(0) && row.used.memory.is_none() {
                row.used = Use::default();
            }
            Ok(*row)
        }
        Current::Bad(reason) => Err(reason),
    };
    Found { line, row }
}

impl Layout {
    fn parse(header: &str) -> Result<Self, String> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let delimiter = header.chars().find(|&c| !word(c)).ok_or_else(|| {
            format!("`{}` is no line of column names; expected the output of `sacct -P`", shown(header))
        })?;
        let ends = if header.ends_with(delimiter) { End::Delimiter } else { End::Plain };
        let names = header.strip_suffix(delimiter).unwrap_or(header).split(delimiter);
        let columns: Vec<Option<Column>> = names
            .map(|name| {
                let known = COLUMNS.iter().find(|(column, _)| column.eq_ignore_ascii_case(name.trim()));
                known.map(|(_, column)| *column)
            })
            .collect();
        let absent: Vec<&str> = NEEDED
            .iter()
            .filter(|(_, any)| !any.iter().any(|column| columns.contains(&Some(*column))))
            .map(|(name, _)| *name)
            .collect();
        if absent.is_empty() {
            return Ok(Self { delimiter, ends, columns });
        }
        Err(format!(
            "the columns lack {}; export with: sacct -P --format={}",
            absent.join(", "),
            super::request::COLUMNS
        ))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Plain,
    Delimiter,
}

enum Parsed {
    Job { key: String, row: Result<Box<JobRow>, BadRow> },
    Step { key: String, used: Result<Use, BadRow> },
}

fn parse(line: &str, layout: &Layout, zone: &Zone) -> Parsed {
    let mut fields: Vec<&str> = line.split(layout.delimiter).collect();
    if layout.ends == End::Delimiter && fields.last() == Some(&"") {
        fields.pop();
    }
    if fields.len() != layout.columns.len() {
        let reason = format!(
            "the row has {} fields; expected {}; a job's name or comment may hold the delimiter `{}`: leave such columns out",
            fields.len(),
            layout.columns.len(),
            layout.delimiter
        );
        return Parsed::Job { key: String::new(), row: Err(BadRow::whole(reason)) };
    }
    let fields = Fields { values: &fields, columns: &layout.columns, zone, named: Cell::new(Named::Itself) };
    let id = fields.get(Column::JobId).or(fields.get(Column::JobIdRaw)).unwrap_or_default();
    match id.split_once('.') {
        Some((job, _)) => Parsed::Step { key: job.to_owned(), used: fields.used_by_step() },
        None => Parsed::Job { key: id.to_owned(), row: fields.job(id).map(Box::new) },
    }
}

struct Fields<'a> {
    values: &'a [&'a str],
    columns: &'a [Option<Column>],
    zone: &'a Zone,
    /// The least sure of the moments read so far.
    named: Cell<Named>,
}

impl<'a> Fields<'a> {
    /// The first of the columns of that meaning; `None` where there is none.
    fn get(&self, column: Column) -> Option<&'a str> {
        let place = self.columns.iter().position(|known| *known == Some(column))?;
        Some(self.values[place].trim_ascii())
    }

    fn text(&self, column: Column) -> &'a str {
        self.get(column).unwrap_or_default()
    }

    fn job(&self, id: &str) -> Result<JobRow, BadRow> {
        let (submit, eligible) = (self.time(Column::Submit, "Submit")?, self.time(Column::Eligible, "Eligible")?);
        let reserved = matches!(self.get(Column::ReservationId), Some(id) if !matches!(id, "" | "0"))
            || !self.text(Column::Reservation).is_empty();
        let (start, end) = (self.time(Column::Start, "Start")?, self.time(Column::End, "End")?);
        Ok(JobRow {
            id: JobId::parse(id, self.get(Column::JobIdRaw))?,
            cluster: name("Cluster", self.text(Column::Cluster))?,
            user: name("User", self.text(Column::User))?,
            account: name("Account", self.text(Column::Account))?,
            name: name("JobName", self.text(Column::JobName))?,
            partition: name("Partition", self.text(Column::Partition))?,
            qos: name("QOS", self.text(Column::Qos))?,
            in_reservation: reserved,
            constrained: !self.text(Column::Constraints).is_empty(),
            suspended: !matches!(self.text(Column::Suspended), "" | "00:00:00" | "0"),
            submit: submit.ok_or_else(|| BadRow::field("Submit", "it is not told; expected a time"))?,
            eligible,
            start,
            end,
            state: word::state(self.text(Column::State)).map_err(|reason| BadRow::field("State", reason))?,
            limit: self.limit()?,
            nodes: self.text(Column::NodeList).to_owned(),
            node_count: self.count(Column::AllocNodes, "AllocNodes")?.or(self.count(Column::Nnodes, "NNodes")?),
            requested: self.requested()?,
            allocated: self.allocated()?,
            used: Use { cpu_ms: self.cpu_time()?, memory: None },
            named: self.named.get(),
        })
    }

    fn requested(&self) -> Result<Tres, BadRow> {
        let mut tres = self.tres(Column::ReqTres, "ReqTRES")?;
        tres.cpus = tres.cpus.or(self.count(Column::ReqCpus, "ReqCPUS")?);
        tres.nodes = tres.nodes.or(self.count(Column::ReqNodes, "ReqNodes")?);
        let memory = self.text(Column::ReqMem);
        if tres.memory.is_none() && !matches!(memory, "" | "0" | "0n" | "0c") {
            let (amount, per) = word::memory(memory, Bytes::mebi(1)).map_err(|e| BadRow::field("ReqMem", e))?;
            let times = match per {
                // Since 21.08 the amount is the job's whole.
                Per::Whole => 1,
                Per::Node => tres.nodes.unwrap_or(1),
                Per::Core => tres.cpus.unwrap_or(1),
            };
            tres.memory = Some(Bytes(amount.0.saturating_mul(times)));
        }
        self.add_gres(&mut tres, Column::ReqGres, "ReqGRES")?;
        Ok(tres)
    }

    fn allocated(&self) -> Result<Tres, BadRow> {
        let mut tres = self.tres(Column::AllocTres, "AllocTRES")?;
        tres.cpus = tres.cpus.or(self.count(Column::AllocCpus, "AllocCPUS")?);
        self.add_gres(&mut tres, Column::AllocGres, "AllocGRES")?;
        Ok(tres)
    }

    /// `ReqGRES` and `AllocGRES`, which Slurm had until 20.11; per node.
    fn add_gres(&self, tres: &mut Tres, column: Column, field: &str) -> Result<(), BadRow> {
        if tres.devices() > 0 {
            return Ok(());
        }
        let nodes = tres.nodes.unwrap_or(1);
        for (model, count) in gres(self.text(column)).map_err(|reason| BadRow::field(field, reason))? {
            let name = model.map_or_else(|| "gres/gpu".to_owned(), |model| format!("gres/gpu:{model}"));
            tres.take(&name, count.saturating_mul(nodes)).map_err(|reason| BadRow::field(field, reason))?;
        }
        Ok(())
    }

    fn tres(&self, column: Column, field: &str) -> Result<Tres, BadRow> {
        Tres::parse(self.text(column)).map_err(|reason| BadRow::field(field, reason))
    }

    fn limit(&self) -> Result<Limit, BadRow> {
        let raw = self.text(Column::TimelimitRaw);
        if !raw.is_empty() && raw.bytes().all(|byte| byte.is_ascii_digit()) {
            let minutes = raw.parse().map_err(|_| BadRow::field("TimelimitRaw", "it is too large a number"))?;
            return word::limit_minutes(minutes).map_err(|reason| BadRow::field("TimelimitRaw", reason));
        }
        let (text, field) = match self.get(Column::Timelimit) {
            Some(text) => (text, "Timelimit"),
            None => (raw, "TimelimitRaw"),
        };
        word::limit(text).map_err(|reason| BadRow::field(field, reason))
    }

    fn used_by_step(&self) -> Result<Use, BadRow> {
        let total = Tres::memory_alone(self.text(Column::TresUsageInTot));
        let total = total.map_err(|reason| BadRow::field("TRESUsageInTot", reason))?;
        let largest = match self.text(Column::MaxRss) {
            "" | "0" => None,
            text => Some(word::memory(text, Bytes(1)).map_err(|reason| BadRow::field("MaxRSS", reason))?.0),
        };
        let tasks = self.count(Column::Ntasks, "NTasks")?.unwrap_or(1).max(1);
        let largest = largest.map(|largest| Bytes(largest.0.saturating_mul(tasks)));
        Ok(Use { cpu_ms: self.cpu_time()?, memory: total.or(largest).filter(|&memory| memory > Bytes::ZERO) })
    }

    fn cpu_time(&self) -> Result<Option<u64>, BadRow> {
        match self.text(Column::TotalCpu) {
            "" => Ok(None),
            text => {
                let length = word::length(text).map_err(|reason| BadRow::field("TotalCPU", reason))?;
                Ok(u64::try_from(length.0).ok())
            }
        }
    }

    fn time(&self, column: Column, field: &str) -> Result<Option<Timestamp>, BadRow> {
        let read = word::time(self.text(column), self.zone).map_err(|reason| BadRow::field(field, reason))?;
        Ok(read.map(|(at, named)| {
            match (self.named.get(), named) {
                (Named::Ambiguous, _) | (_, Named::Itself) => {}
                _ => self.named.set(named),
            }
            at
        }))
    }

    fn count(&self, column: Column, field: &str) -> Result<Option<u64>, BadRow> {
        match self.text(column) {
            "" | "Unknown" | "0" => Ok(None),
            text => {
                // Old releases shorten large counts: `2K` nodes.
                let (digits, times) = match text.as_bytes().last() {
                    Some(b'K') => (&text[..text.len() - 1], 1_024),
                    _ => (text, 1),
                };
                let count = whole(digits).ok().and_then(|count| u64::try_from(count).ok());
                let count = count.ok_or_else(|| {
                    BadRow::field(field, format!("`{}` is no whole number, zero or above", shown(text)))
                })?;
                Ok(Some(count.saturating_mul(times)))
            }
        }
    }
}

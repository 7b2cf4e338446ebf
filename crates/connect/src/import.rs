//! What every importer takes and gives.
//!
//! An importer reads one log and calls back with the records of a history: the header first, then nodes, queues and policy
//! where they are known, then workloads. It never holds more than a row (and a bounded set of ids) in memory. A row that
//! makes no sense is reported and left out whole; rows that are odd but can be read are told as remarks.

use std::collections::BTreeMap;
use std::fmt;
use std::io;

use fleet::fleet_file::FleetFile;
use fleet::history::{End, Header, PolicyRecord, Record};
use fleet::problem::{Problem, Problems};
use fleet::time::Timestamp;
use jiff::tz::TimeZone;

use crate::bound;

/// Where records go. An error it answers ends the import.
pub type Each<'a> = &'a mut dyn FnMut(Record) -> io::Result<()>;

/// What an importer is told besides its input.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What to do about rows that cannot be read.
    pub bad_rows: BadRows,
    /// The zone of times that name none; absent: the source's own, or UTC.
    pub time_zone: Option<Zone>,
    /// What the log does not say: nodes, queues, policy. It goes before what the log says.
    pub fleet: Option<FleetFile>,
    /// Stands before every id, so that several logs can go into one history.
    pub id_prefix: String,
}

/// What to do about rows that cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BadRows {
    /// Leave them out, count them and tell the first of them.
    #[default]
    LeaveOut,
    /// Stop at the first.
    Refuse,
}

/// A time zone by its IANA name, such as `Europe/Luxembourg`.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// Finds a zone.
    ///
    /// # Errors
    /// If the IANA database has no such zone.
    pub fn named(name: &str) -> Result<Self, String> {
        let rules = TimeZone::get(name)
            .map_err(|_| format!("`{name}` is not a time zone; expected an IANA name such as Europe/Paris, or UTC"))?;
        Ok(Self { name: name.to_owned(), rules })
    }

    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// The zone's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone's rules.
    #[must_use]
    pub fn rules(&self) -> &TimeZone {
        &self.rules
    }
}

/// Why an import stopped.
#[derive(Debug)]
pub enum Stop {
    /// The input cannot be read on, or must not be.
    Input(Problem),
    /// Whoever takes the records could not.
    Output(io::Error),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(problem) => problem.fmt(f),
            Self::Output(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Stop {}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Input(problem)
    }
}

/// What an import came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Workloads handed out.
    pub workloads: u64,
    /// Rows that could not be read, and why.
    pub problems: Problems,
    /// What was odd but read, or had to be assumed: how often, by what it was.
    pub remarks: BTreeMap<String, u64>,
    /// The moment observation began, where the log says so.
    pub from: Option<Timestamp>,
    /// The moment observation ended, where the log says so.
    pub until: Option<Timestamp>,
}

impl Report {
    /// The last record of the history.
    #[must_use]
    pub fn end(&self) -> End {
        End { rows_left_out: self.problems.count(), from: self.from, until: self.until, ..End::default() }
    }

    /// Takes over what another log came to.
    pub fn append(&mut self, other: Self) {
        self.workloads += other.workloads;
        self.problems.append(other.problems);
        for (what, times) in other.remarks {
            *self.remarks.entry(what).or_default() += times;
        }
        self.from = earliest(self.from, other.from);
        self.until = self.until.max(other.until);
    }

    /// Counts something odd. There must be few different ones.
    pub fn remark(&mut self, what: &str) {
        self.remark_times(what, 1);
    }

    /// Counts something odd so many times.
    pub fn remark_times(&mut self, what: &str, times: u64) {
        match self.remarks.get_mut(what) {
            Some(sum) => *sum += times,
            None => {
                self.remarks.insert(what.to_owned(), times);
            }
        }
    }
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// What a row could not be read for: the field to blame, where there is one, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The field to blame.
    pub field: Option<String>,
    /// What is wrong and what was expected.
    pub reason: String,
}

impl BadRow {
    /// Blames a field.
    pub fn field(field: &str, reason: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), reason: reason.into() }
    }

    /// Blames the row as a whole.
    pub fn whole(reason: impl Into<String>) -> Self {
        Self { field: None, reason: reason.into() }
    }
}

/// Passes records on and keeps the report; each importer holds one.
pub struct Gate<'a> {
    file: String,
    bad_rows: BadRows,
    each: Each<'a>,
    report: Report,
    /// Whether any row could be read.
    any_good: bool,
}

impl<'a> Gate<'a> {
    /// So many rows may be bad at the beginning, and not one good, before the file is taken for something else.
    pub const HOPELESS: u64 = 1_000;

    /// A gate in front of `each`. `file` is the name that problems give.
    pub fn new(file: &str, options: &Options, each: Each<'a>) -> Self {
        Self { file: file.to_owned(), bad_rows: options.bad_rows, each, report: Report::default(), any_good: false }
    }

    /// What follows is of another file of the same export.
    pub fn turn_to(&mut self, file: &str) {
        file.clone_into(&mut self.file);
    }

    /// The report so far.
    pub fn report(&mut self) -> &mut Report {
        &mut self.report
    }

    /// Hands out the header, then what the fleet file knows.
    ///
    /// # Errors
    /// What the receiver answers.
    pub fn begin(&mut self, header: Header, fleet: Option<&FleetFile>) -> Result<(), Stop> {
        self.pass(Record::Header(header))?;
        let Some(fleet) = fleet else { return Ok(()) };
        for node in fleet.node_records() {
            self.pass(Record::Node(node))?;
        }
        for queue in fleet.queue_records() {
            self.pass(Record::Queue(queue))?;
        }
        match &fleet.policy {
            Some(policy) => {
                self.pass(Record::Policy(PolicyRecord { at: None, policy: policy.clone(), completing: None }))
            }
            None => Ok(()),
        }
    }

    /// A row could be read, and is held back for what may follow it.
    pub fn good(&mut self) {
        self.any_good = true;
    }

    /// Hands out a record.
    ///
    /// # Errors
    /// What the receiver answers.
    pub fn pass(&mut self, record: Record) -> Result<(), Stop> {
        let workload = matches!(record, Record::Workload(_));
        self.report.workloads += u64::from(workload);
        self.any_good |= workload;
        (self.each)(record).map_err(Stop::Output)
    }

    /// Reports a row that cannot be read.
    ///
    /// # Errors
    /// Where bad rows are refused, and where the file has nothing but bad rows.
    pub fn bad(&mut self, line: u64, row: BadRow) -> Result<(), Stop> {
        let problem = Problem { file: self.file.clone(), line, field: row.field, reason: row.reason };
        if self.bad_rows == BadRows::Refuse {
            return Err(problem.into());
        }
        self.report.problems.add(problem);
        if !self.any_good && self.report.problems.count() == Self::HOPELESS {
            return Err(self.nothing_read());
        }
        Ok(())
    }

    /// The file as a whole cannot be read on.
    #[must_use]
    pub fn fatal(&self, line: u64, reason: impl Into<String>) -> Stop {
        Problem { file: self.file.clone(), line, field: None, reason: reason.into() }.into()
    }

    /// Ends the import.
    ///
    /// # Errors
    /// If not one row could be read.
    pub fn finish(self) -> Result<Report, Stop> {
        if self.report.workloads == 0 {
            return Err(self.nothing_read());
        }
        Ok(self.report)
    }

    fn nothing_read(&self) -> Stop {
        let rows = self.report.problems.count();
        match self.report.problems.kept().first() {
            None => self.fatal(0, "it holds no job; expected at least one"),
            Some(first) => {
                let field = first.field.as_deref().map_or(String::new(), |field| format!("field `{field}`: "));
                let reason = format!(
                    "none of its first {rows} rows could be read; check that the format is the one you named ({field}{})",
                    first.reason
                );
                self.fatal(first.line, reason)
            }
        }
    }
}

/// Ids seen so far, to find doubled ones. Remembers at most [`bound::IDS_KEPT`]; past that, doubles go unseen.
#[derive(Debug, Default)]
pub struct Ids {
    seen: std::collections::BTreeSet<u64>,
    full: bool,
}

impl Ids {
    /// Whether `id` is new (or can no longer be told).
    pub fn is_new(&mut self, id: u64) -> bool {
        if self.seen.len() >= bound::IDS_KEPT {
            self.full = true;
            return !self.seen.contains(&id);
        }
        self.seen.insert(id)
    }

    /// Whether there were more ids than are remembered.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.full
    }
}

//! Writes a history, record by record.

use std::io::{self, Write};

use super::record::{End, Header, Record, VERSION, WorkloadRecord};
use crate::time::Timestamp;

/// Writes records to `out` and counts what the last line must tell. Nothing is kept in memory.
pub struct Writer<W: Write> {
    out: W,
    workloads: u64,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl<W: Write> Writer<W> {
    /// Begins a history with its header; the version is set here.
    ///
    /// # Errors
    /// Whatever `out` answers.
    pub fn begin(mut out: W, header: Header) -> io::Result<Self> {
        write_line(&mut out, &Record::Header(Header { version: VERSION, ..header }))?;
        Ok(Self { out, workloads: 0, from: None, until: None })
    }

    /// Writes one record.
    ///
    /// # Errors
    /// Whatever `out` answers.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        if let Record::Workload(workload) = record {
            self.count(workload);
        }
        write_line(&mut self.out, record)
    }

    /// Ends the history and hands `out` back. What `end` leaves open (counts, the window) is filled in from what was written.
    ///
    /// # Errors
    /// Whatever `out` answers.
    pub fn finish(mut self, end: End) -> io::Result<W> {
        let end = End {
            workloads: self.workloads,
            rows_left_out: end.rows_left_out,
            from: end.from.or(self.from),
            until: end.until.or(self.until),
        };
        write_line(&mut self.out, &Record::End(end))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn count(&mut self, workload: &WorkloadRecord) {
        self.workloads += 1;
        let last = workload.attempts.last().and_then(|a| Some(a.start? + a.run?));
        let last = last.or(workload.withdrawn).unwrap_or(workload.submit);
        self.from = Some(self.from.map_or(workload.submit, |from| from.min(workload.submit)));
        self.until = Some(self.until.map_or(last, |until| until.max(last)));
    }
}

fn write_line(out: &mut impl Write, record: &Record) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

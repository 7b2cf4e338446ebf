//! Reads a history, record by record.

use std::io::BufRead;

use super::record::{End, Header, Record, VERSION};
use crate::node::Node;
use crate::problem::Problem;

/// Reads records one at a time. A history that is damaged is refused whole: it was written by a program, so a bad line is no
/// slip of a pen but a sign that the rest cannot be trusted.
pub struct Reader<R: BufRead> {
    input: R,
    file: String,
    line: u64,
    buffer: Vec<u8>,
    header: Header,
    workloads: u64,
    end: Option<End>,
}

impl<R: BufRead> Reader<R> {
    /// The longest line that is read; a longer one is an error, so that a foreign file cannot fill the memory.
    pub const LINE_MAX: usize = 16 << 20;

    /// Reads the header. `file` is the name that errors give.
    ///
    /// # Errors
    /// If this is no history, or one of a newer version.
    pub fn begin(input: R, file: &str) -> Result<Self, Problem> {
        let mut reader = Self {
            input,
            file: file.to_owned(),
            line: 0,
            buffer: Vec::new(),
            header: Header::default(),
            workloads: 0,
            end: None,
        };
        if !reader.fill()? {
            return Err(reader.problem("the file is empty; expected a Trimtab history"));
        }
        let Ok(Record::Header(header)) = serde_json::from_slice(&reader.buffer) else {
            return Err(reader.problem("this is not a Trimtab history; make one with `trimtab import` from a job log"));
        };
        if header.version != VERSION {
            let reason = format!(
                "the history has version {}, this program reads version {VERSION}; use the program that wrote it, or import again",
                header.version
            );
            return Err(reader.problem(&reason));
        }
        reader.header = header;
        Ok(reader)
    }

    /// The first line.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The last line, once it was read.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The line read last, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next record; `None` after the last. The `end` record is checked here and not handed out.
    ///
    /// # Errors
    /// If a line is no record, or the file ends too early.
    pub fn next_record(&mut self) -> Result<Option<Record>, Problem> {
        if self.end.is_some() {
            return if self.fill()? {
                Err(self.problem("a line follows the `end` record; two histories may have been joined"))
            } else {
                Ok(None)
            };
        }
        if !self.fill()? {
            let reason = format!("the history is cut off after {} workloads; import it again", self.workloads);
            return Err(self.problem(&reason));
        }
        match serde_json::from_slice::<Record>(&self.buffer) {
            Ok(Record::Header(_)) => Err(self.problem("a second header; two histories may have been joined")),
            Ok(Record::End(end)) => {
                if end.workloads != self.workloads {
                    let reason = format!(
                        "the history should hold {} workloads and holds {}; import it again",
                        end.workloads, self.workloads
                    );
                    return Err(self.problem(&reason));
                }
                self.end = Some(end);
                self.next_record()
            }
            Ok(Record::Node(node)) if node.devices > Node::DEVICES_MAX => {
                let (devices, most) = (node.devices, Node::DEVICES_MAX);
                Err(self.problem(&format!("node `{}` has {devices} devices; expected at most {most}", node.name)))
            }
            Ok(record) => {
                self.workloads += u64::from(matches!(record, Record::Workload(_)));
                Ok(Some(record))
            }
            Err(error) => Err(self.problem(&format!("not a history record: {error}"))),
        }
    }

    /// Reads the next line into the buffer; false at the end of the input.
    fn fill(&mut self) -> Result<bool, Problem> {
        self.buffer.clear();
        self.line += 1;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let reason = format!("reading stopped: {error}");
                    return Err(self.problem(&reason));
                }
            };
            if chunk.is_empty() {
                return Ok(!self.buffer.is_empty());
            }
            let (taken, whole) = match chunk.iter().position(|&byte| byte == b'\n') {
                Some(at) => (at, true),
                None => (chunk.len(), false),
            };
            if self.buffer.len() + taken > Self::LINE_MAX {
                let reason = format!("the line is longer than {} MiB", Self::LINE_MAX >> 20);
                return Err(self.problem(&reason));
            }
            self.buffer.extend_from_slice(&chunk[..taken]);
            self.input.consume(taken + usize::from(whole));
            if whole {
                return Ok(true);
            }
        }
    }

    fn problem(&self, reason: &str) -> Problem {
        Problem { file: self.file.clone(), line: self.line, field: None, reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Attempt, Header, Record, WorkloadRecord, Writer};
    use super::*;
    use crate::event::EndCause;
    use crate::node::Resources;
    use crate::quantity::Millis;
    use crate::time::Timestamp;

    fn sample() -> Vec<u8> {
        let header = Header { source: "csv".into(), ..Header::default() };
        let mut writer = Writer::begin(Vec::new(), header).expect("memory");
        let workload = WorkloadRecord {
            id: "1".into(),
            queue: "a".into(),
            submit: Timestamp(1_000),
            tasks: 2,
            request: Resources::devices(1),
            attempts: vec![Attempt {
                start: Some(Timestamp(3_000)),
                run: Some(Millis(4_000)),
                cause: EndCause::Completed,
                nodes: vec!["n1".into()],
                ..Attempt::default()
            }],
            ..WorkloadRecord::default()
        };
        writer.write(&Record::Workload(Box::new(workload))).expect("memory");
        writer.finish(End::default()).expect("memory")
    }

    fn read(bytes: &[u8]) -> Result<Vec<Record>, Problem> {
        let mut reader = Reader::begin(bytes, "h")?;
        let mut records = Vec::new();
        while let Some(record) = reader.next_record()? {
            records.push(record);
        }
        Ok(records)
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = sample();
        let records = read(&bytes).expect("a whole history");
        let [Record::Workload(workload)] = &records[..] else { panic!("one workload: {records:?}") };
        assert_eq!(workload.run(), Some(Millis(4_000)));
        let mut reader = Reader::begin(&bytes[..], "h").expect("a history");
        while reader.next_record().expect("a record").is_some() {}
        let end = reader.end().expect("an end");
        assert_eq!((end.from, end.until), (Some(Timestamp(1_000)), Some(Timestamp(7_000))));
    }

    #[test]
    fn damaged_histories_are_refused_with_a_reason() {
        let whole = String::from_utf8(sample()).expect("text");
        let lines: Vec<&str> = whole.lines().collect();
        let cases = [
            (String::new(), "h:1: the file is empty"),
            ("timestamp,duration\n".into(), "h:1: this is not a Trimtab history"),
            (whole.replace("\"version\":1", "\"version\":9"), "version 9"),
            (format!("{}\n{}\n", lines[0], lines[1]), "h:3: the history is cut off after 1 workloads"),
            (format!("{}\n{}\n", lines[0], lines[2]), "should hold 1 workloads and holds 0"),
            (format!("{whole}{whole}"), "a line follows the `end` record"),
            (whole.replace("\"tasks\":2", "\"tasks\":-2"), "h:2: not a history record"),
            (
                format!("{}\n{{\"node\":{{\"name\":\"big\",\"devices\":65}}}}\n", lines[0]),
                "h:2: node `big` has 65 devices; expected at most 64",
            ),
        ];
        for (text, expected) in cases {
            let problem = read(text.as_bytes()).expect_err(expected).to_string();
            assert!(problem.contains(expected), "{problem} lacks {expected}");
        }
    }
}

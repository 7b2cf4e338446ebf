//! Rows of a delimited table (comma, tab, ...) with a header line, in bounded memory.
//!
//! The crate `csv` would do, but for two things: a quotation mark that is never closed draws the whole file into memory, and
//! under `\r\n` its line numbers are one short. So its inner state machine is driven from here.

use std::io::{self, BufRead, ErrorKind};
use std::ops::Range;

use csv_core::ReadRecordResult;

use super::{COLUMNS_MAX, LINE_MAX};

/// A table whose first line names its columns.
pub struct Table<R> {
    input: R,
    machine: csv_core::Reader,
    columns: Vec<String>,
    /// The fields of the row, one behind the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    /// The line on which the row begins, and line ends passed over between rows.
    line: u64,
    passed: u64,
}

/// One row.
#[derive(Debug)]
pub enum Row<'a> {
    /// The fields, as many as there are columns.
    Fields(Fields<'a>),
    /// It cannot be read, and why.
    Bad(String),
}

/// The fields of a row.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Fields<'a> {
    /// The field of a column, without spaces around it.
    #[must_use]
    pub fn get(&self, column: usize) -> &'a str {
        self.text[range(self.ends, column)].trim_ascii()
    }
}

fn range(ends: &[usize], column: usize) -> Range<usize> {
    let start = column.checked_sub(1).map_or(0, |before| ends[before]);
    start..ends[column]
}

impl<R: BufRead> Table<R> {
    /// Reads the header line.
    ///
    /// # Errors
    /// What the input answers, or that there is no header.
    pub fn begin(input: R, delimiter: u8) -> io::Result<Self> {
        let mut table = Self {
            input,
            machine: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            columns: Vec::new(),
            text: vec![0; 4_096],
            ends: vec![0; 64],
            fields: 0,
            line: 1,
            passed: 0,
        };
        if !table.fill()? {
            return Err(invalid("it is empty; expected a line of column names"));
        }
        let ends = &table.ends[..table.fields];
        let text = std::str::from_utf8(&table.text[..ends.last().copied().unwrap_or(0)])
            .map_err(|_| invalid("the first line is not UTF-8 text; expected column names"))?;
        if let Some(end) = ends.iter().find(|&&end| !text.is_char_boundary(end)) {
            return Err(invalid(&format!("a column name ends within a character, at byte {end}")));
        }
        let fields = Fields { text, ends };
        table.columns = (0..ends.len()).map(|column| fields.get(column).to_owned()).collect();
        Ok(table)
    }

    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The place of a column.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The line on which the row read last began, from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next row and the line on which it begins; `None` after the last. Empty lines are passed over.
    ///
    /// # Errors
    /// What the input answers; a row longer than [`LINE_MAX`] or with more fields than [`COLUMNS_MAX`].
    pub fn next_row(&mut self) -> io::Result<Option<(u64, Row<'_>)>> {
        if !self.fill()? {
            return Ok(None);
        }
        let row = match std::str::from_utf8(&self.text[..self.ends[self.fields - 1]]) {
            _ if self.fields != self.columns.len() => Row::Bad(self.wrong_width()),
            Ok(text) if text.contains('\0') => Row::Bad("the row holds a zero byte; expected text".to_owned()),
            // Two fields may each be broken UTF-8 and sound when joined.
            Ok(text) if self.ends[..self.fields].iter().all(|&end| text.is_char_boundary(end)) => {
                Row::Fields(Fields { text, ends: &self.ends[..self.fields] })
            }
            _ => Row::Bad("the row is not UTF-8; expected text".to_owned()),
        };
        Ok(Some((self.line, row)))
    }

    fn wrong_width(&self) -> String {
        let lines = (self.machine.line() + self.passed).saturating_sub(self.line);
        let spans = match lines {
            0 | 1 => String::new(),
            _ => format!("; it spans {lines} lines: a quotation mark may not be closed"),
        };
        format!("the row has {} fields; expected {}{spans}", self.fields, self.columns.len())
    }

    /// Reads the next row; false at the end of the input.
    fn fill(&mut self) -> io::Result<bool> {
        self.pass_line_ends()?;
        self.line = self.machine.line() + self.passed;
        let (mut written, mut fields) = (0, 0);
        loop {
            let chunk = fill_buf(&mut self.input)?;
            let (result, read, wrote, ended) =
                self.machine.read_record(chunk, &mut self.text[written..], &mut self.ends[fields..]);
            self.input.consume(read);
            written += wrote;
            fields += ended;
            self.fields = fields;
            match result {
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if written >= LINE_MAX => {
                    return Err(invalid("a row is longer than 1 MiB; a quotation mark may not be closed"));
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if fields >= COLUMNS_MAX => {
                    return Err(invalid(&format!("a row has more than {COLUMNS_MAX} fields")));
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
            }
        }
    }

    fn pass_line_ends(&mut self) -> io::Result<()> {
        loop {
            let chunk = fill_buf(&mut self.input)?;
            let count = chunk.iter().take_while(|&&byte| matches!(byte, b'\r' | b'\n')).count();
            self.passed += chunk[..count].iter().filter(|&&byte| byte == b'\n').count() as u64;
            self.input.consume(count);
            if count == 0 {
                return Ok(());
            }
        }
    }
}

fn fill_buf(input: &mut impl BufRead) -> io::Result<&[u8]> {
    // Asked twice because a borrow that is returned cannot be given up within the loop.
    while let Err(error) = input.fill_buf() {
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
    input.fill_buf()
}

fn invalid(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_without_marks_quotes_and_spaces() {
        let mut table = Table::begin(&b"\xef\xbb\xbfname; n\r\n\"a;\"\"b\"\"\" ; 2\r\n\r\nc;3"[..], b';').unwrap();
        assert_eq!(table.columns(), ["name", "n"]);
        let Some((2, Row::Fields(fields))) = table.next_row().unwrap() else { panic!("a row") };
        assert_eq!((fields.get(0), fields.get(1)), ("a;\"b\"", "2"));
        assert!(matches!(table.next_row().unwrap(), Some((4, Row::Fields(_)))));
        assert!(table.next_row().unwrap().is_none());
    }

    #[test]
    fn rows_of_another_width_are_bad() {
        let mut table = Table::begin(&b"a,b\n1\n1,\"2\n3\n4\n"[..], b',').unwrap();
        let Some((2, Row::Bad(reason))) = table.next_row().unwrap() else { panic!("a bad row") };
        assert_eq!(reason, "the row has 1 fields; expected 2");
        // The quotation mark is never closed, and the row still has two fields.
        assert!(matches!(table.next_row().unwrap(), Some((3, Row::Fields(_)))));
        assert!(table.next_row().unwrap().is_none());
    }

    #[test]
    fn a_character_cut_by_a_delimiter_is_no_text() {
        let mut table = Table::begin(&b"a,b\n\xc3,\xa9\n"[..], b',').unwrap();
        assert!(matches!(table.next_row().unwrap(), Some((2, Row::Bad(_)))));
    }

    #[test]
    fn an_open_quotation_mark_does_not_swallow_the_file() {
        let endless = io::BufReader::new(io::Read::chain(&b"a,b\n1,\""[..], io::repeat(b'x')));
        let mut table = Table::begin(endless, b',').unwrap();
        let error = table.next_row().unwrap_err().to_string();
        assert!(error.contains("a quotation mark may not be closed"), "{error}");
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        for (text, expected) in [
            ("a\r\nb\r\n\r\nc\r\nd", vec![2, 4, 5]),
            ("a\nb\n\nc\nd\n", vec![2, 4, 5]),
            ("a\n\"b\nb\"\nc\n\n\nd", vec![2, 4, 7]),
            ("\n\na\nb", vec![4]),
        ] {
            let mut table = Table::begin(io::BufReader::with_capacity(2, text.as_bytes()), b',').unwrap();
            let mut lines = Vec::new();
            while let Some((line, _)) = table.next_row().unwrap() {
                lines.push(line);
            }
            assert_eq!(lines, expected, "{text:?}");
        }
    }
}

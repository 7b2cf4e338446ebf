//! Lines of text in bounded memory, whatever the input is.

use std::io::{self, BufRead};

use super::LINE_MAX;

/// Reads an input line by line. Takes `\n` and `\r\n`, drops a byte-order mark at the very beginning, and passes over the
/// rest of a line that is too long.
pub struct Lines<R> {
    input: R,
    number: u64,
    buffer: Vec<u8>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Its text, without the end of line.
    Text(&'a str),
    /// It cannot be text, and why.
    Bad(&'static str),
}

impl<R: BufRead> Lines<R> {
    /// The lines of `input`.
    pub fn new(input: R) -> Self {
        Self { input, number: 0, buffer: Vec::new() }
    }

    /// The number of the line read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line; `None` after the last.
    ///
    /// # Errors
    /// What the input answers.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.buffer.clear();
        let mut any = false;
        let mut too_long = false;
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let (taken, whole) = match chunk.iter().position(|&byte| byte == b'\n') {
                Some(at) => (at, true),
                None => (chunk.len(), false),
            };
            too_long |= self.buffer.len() + taken > LINE_MAX;
            if !too_long {
                self.buffer.extend_from_slice(&chunk[..taken]);
            }
            self.input.consume(taken + usize::from(whole));
            if whole {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        Ok(Some(if too_long { Line::Bad("the line is longer than 1 MiB") } else { self.text() }))
    }

    fn text(&self) -> Line<'_> {
        let mut bytes = self.buffer.strip_suffix(b"\r").unwrap_or(&self.buffer);
        if self.number == 1 {
            bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains('\0') => Line::Bad("the line holds a zero byte; expected text"),
            Ok(text) => Line::Text(text),
            Err(_) => Line::Bad("the line is not UTF-8; expected text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &[u8], expected: &[Line<'_>]) {
        let mut lines = Lines::new(io::BufReader::with_capacity(3, input));
        for line in expected {
            assert_eq!(lines.next_line().unwrap().as_ref(), Some(line));
        }
        assert_eq!(lines.next_line().unwrap(), None);
    }

    #[test]
    fn ends_of_lines_and_marks_are_dropped() {
        check(b"\xef\xbb\xbfa\r\nb\n\nc", &[Line::Text("a"), Line::Text("b"), Line::Text(""), Line::Text("c")]);
    }

    #[test]
    fn what_is_no_text_is_said_and_passed_over() {
        let mut input = vec![b'x'; LINE_MAX + 1];
        input.extend_from_slice(b"\n\xff\n\0\nok\n");
        check(
            &input,
            &[
                Line::Bad("the line is longer than 1 MiB"),
                Line::Bad("the line is not UTF-8; expected text"),
                Line::Bad("the line holds a zero byte; expected text"),
                Line::Text("ok"),
            ],
        );
    }
}

//! Reads the top of what `sacct --json` and `scontrol --json` print, element by element: never more than one element of
//! the wanted list is in memory, whatever the size of the file.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::import::Stop;

/// The largest element that is read; a job with the 40,000 steps that Slurm allows by default has about this.
pub(super) const ELEMENT_MAX: u64 = 256 << 20;

/// How reading ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// At the end.
    Whole,
    /// In the middle, and why: the file is cut off, is no JSON, or cannot be read.
    Broken(String),
}

/// Where elements go: their number from 1, and what they are.
pub(super) type Element<'a> = &'a mut dyn FnMut(u64, Value) -> Result<(), Stop>;

/// Hands out the elements of the list called `list`. Tells how many there were and how it ended.
///
/// # Errors
/// What `each` answers.
pub(super) fn elements(input: impl BufRead, list: &str, each: Element<'_>) -> Result<(u64, Ending), Stop> {
    elements_within(input, list, ELEMENT_MAX, each)
}

fn elements_within(input: impl BufRead, list: &str, most: u64, each: Element<'_>) -> Result<(u64, Ending), Stop> {
    let read = Rc::new(Cell::new(0));
    let mut input = Limited { input, most, read: Rc::clone(&read) };
    let mut walk = Walk { list, each, count: 0, errors: Vec::new(), found: false, stop: None, read };
    let mut deserializer = serde_json::Deserializer::from_reader(&mut input);
    let result = deserializer.deserialize_map(Top(&mut walk)).and_then(|()| deserializer.end());
    if let Some(stop) = walk.stop {
        return Err(stop);
    }
    let ending = match result {
        Ok(()) if walk.found => Ending::Whole,
        Ok(()) => Ending::Broken(match walk.errors.first() {
            Some(error) => format!("Slurm reported an error instead of `{list}`: {error}; run the export again"),
            None => format!("it holds no list `{list}`"),
        }),
        Err(error) if error.is_eof() => Ending::Broken(format!(
            "the file is cut off after {} of `{list}`, at line {}, column {}; export it again",
            walk.count,
            error.line(),
            error.column()
        )),
        Err(error) => Ending::Broken(format!("reading stopped after {} of `{list}`: {error}", walk.count)),
    };
    Ok((walk.count, ending))
}

struct Walk<'a> {
    list: &'a str,
    each: Element<'a>,
    count: u64,
    errors: Vec<String>,
    found: bool,
    stop: Option<Stop>,
    read: Rc<Cell<u64>>,
}

struct Top<'w, 'a>(&'w mut Walk<'a>);

impl<'de> Visitor<'de> for Top<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with a list `{}`", self.0.list)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.0.read.set(0);
            if key == self.0.list {
                self.0.found = true;
                map.next_value_seed(List(&mut *self.0))?;
            } else if key == "errors" {
                self.0.errors = errors(&map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// The texts of a list of errors, as 22.05 and as later ones write them.
fn errors(value: &Value) -> Vec<String> {
    let text = |error: &Value| {
        let parts = ["description", "error", "source"].map(|part| error.get(part).and_then(Value::as_str));
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    value.as_array().map_or_else(Vec::new, |list| list.iter().map(text).collect())
}

struct List<'w, 'a>(&'w mut Walk<'a>);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list `{}`", self.0.list)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut elements: S) -> Result<(), S::Error> {
        loop {
            self.0.read.set(0);
            let Some(element) = elements.next_element::<Value>()? else { return Ok(()) };
            self.0.count += 1;
            if let Err(stop) = (self.0.each)(self.0.count, element) {
                self.0.stop = Some(stop);
                return Err(S::Error::custom("stopped"));
            }
        }
    }
}

/// Counts what is read since the last element began, and refuses when that is too much.
struct Limited<R> {
    input: R,
    most: u64,
    read: Rc<Cell<u64>>,
}

impl<R: BufRead> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.get() > self.most {
            let reason = format!("one element is larger than {} MiB", self.most >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let count = self.input.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, count: u64, ending: &str) {
        let (read, end) = elements(text.as_bytes(), "jobs", &mut |_, _| Ok(())).unwrap();
        assert_eq!(read, count, "{text}");
        match end {
            Ending::Whole => assert_eq!(ending, "", "{text}"),
            Ending::Broken(reason) => assert!(!ending.is_empty() && reason.contains(ending), "{text}: {reason}"),
        }
    }

    #[test]
    fn elements_come_one_by_one_wherever_the_list_stands() {
        check(r#"{"meta":{"a":[1]},"errors":[],"jobs":[{},{}]}"#, 2, "");
        check(r#"{"jobs":[{"a":1}],"meta":{},"errors":[]}"#, 1, "");
        check(r#"{"jobs":[]}"#, 0, "");
    }

    #[test]
    fn what_is_broken_is_told_with_its_place() {
        check("{\"jobs\":[{},\n{\"a\":", 1, "cut off after 1 of `jobs`, at line 2, column 5");
        check(r#"{"jobs":[{},}"#, 1, "reading stopped after 1 of `jobs`");
        check(r#"{"jobs":[]} x"#, 0, "trailing");
        check(r#"{"nodes":[]}"#, 0, "holds no list `jobs`");
        check(r#"{"errors":[{"description":"no time","source":"start_time"}]}"#, 0, "no time, start_time");
        check("[1]", 0, "an object with a list `jobs`");
        check("", 0, "cut off after 0");
    }

    #[test]
    fn an_endless_element_is_not_held() {
        let endless = io::BufReader::new(Read::chain(&b"{\"jobs\":[{\"a\":\""[..], io::repeat(b'x').take(1 << 40)));
        let (_, ending) = elements_within(endless, "jobs", 1 << 20, &mut |_, _| Ok(())).unwrap();
        let Ending::Broken(reason) = ending else { panic!("it was read whole") };
        assert!(reason.contains("larger than 1 MiB"), "{reason}");
    }
}

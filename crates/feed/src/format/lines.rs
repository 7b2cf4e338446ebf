//! Text: each line is a sample. In JSON lines, each is an object whose members are fields.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Encoding, Extent, FieldInfo, ReadError, Shard, ShardKind};
use crate::source::remote::Want;
use crate::source::{File, ReadAt, SourceError};

/// What is read at once to find where lines end.
const READ_BYTES: usize = 1 << 20;

/// A file of lines, and where each begins: eight bytes for each.
pub struct Lines {
    file: File,
    /// The first byte of each line that is not empty, and where it ends.
    lines: Vec<(u64, u32)>,
    is_json: bool,
}

/// Why a file's lines cannot be used.
#[derive(Debug)]
pub enum LinesError {
    /// It cannot be read.
    Source(SourceError),
    /// A line is longer than 4 GiB.
    TooLong {
        /// The file.
        file: String,
        /// Where the line begins.
        offset: u64,
    },
}

impl Lines {
    /// Finds the lines of a file.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or a line is longer than any that is kept.
    pub fn read(file: File, is_json: bool) -> Result<Lines, LinesError> {
        let mut lines = Vec::new();
        let in_order = file.in_order();
        let mut buffer = vec![0; READ_BYTES];
        let (mut at, mut start) = (0, 0);
        let mut end = |start: u64, end: u64| {
            let length = u32::try_from(end - start)
                .map_err(|_| LinesError::TooLong { file: file.name().to_owned(), offset: start })?;
            if length > 0 {
                lines.push((start, length));
            }
            Ok(())
        };
        while at < file.size() {
            let bytes = READ_BYTES.min((file.size() - at) as usize);
            in_order.read_at(at, &mut buffer[..bytes]).map_err(LinesError::Source)?;
            for place in memchr::memchr_iter(b'\n', &buffer[..bytes]) {
                end(start, at + place as u64)?;
                start = at + place as u64 + 1;
            }
            at += bytes as u64;
        }
        end(start, file.size())?;
        drop(in_order);
        Ok(Lines { file, lines, is_json })
    }
}

impl Lines {
    /// Reads a line, without what ends it.
    fn line(&self, sample: u64, bytes: &mut Vec<u8>) -> Result<(), SourceError> {
        let (start, length) = self.lines[sample as usize];
        bytes.resize(length as usize, 0);
        self.file.read_at(start, bytes)?;
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        Ok(())
    }
}

/// What is said of a line that should be an object and is none.
const NO_OBJECT: ReadError = ReadError::Corrupt { what: "the line is no JSON object" };

impl Shard for Lines {
    fn name(&self) -> &str {
        self.file.name()
    }

    fn kind(&self) -> ShardKind {
        if self.is_json { ShardKind::JsonLines } else { ShardKind::Text }
    }

    fn size(&self) -> u64 {
        self.file.size()
    }

    fn samples(&self) -> u64 {
        self.lines.len() as u64
    }

    fn sample_name(&self, sample: u64) -> String {
        format!("the line at byte {}", self.lines[sample as usize].0)
    }

    fn bytes(&self, sample: u64, _names: &[String]) -> Result<u64, ReadError> {
        Ok(u64::from(self.lines[sample as usize].1))
    }

    /// What a member says is written beside the line that it is read from.
    fn work_bytes(&self, sample: u64) -> u64 {
        if self.is_json { u64::from(self.lines[sample as usize].1) } else { 0 }
    }

    fn index_bytes(&self) -> usize {
        size_of_val(&self.lines[..])
    }

    fn want(&self, sample: u64, _fields: &[&[String]]) -> Option<Want> {
        let (offset, bytes) = self.lines[sample as usize];
        self.file.want(Extent { offset, bytes: u64::from(bytes) })
    }

    fn fields(&self, sample: u64) -> Result<Vec<FieldInfo<'_>>, ReadError> {
        let mut bytes = Vec::new();
        self.line(sample, &mut bytes)?;
        let field = |name, bytes| FieldInfo { name, bytes, encoding: Encoding::Plain };
        if !self.is_json {
            return Ok(vec![field(Cow::Borrowed(""), bytes.len() as u64)]);
        }
        let members = members(&bytes).map_err(|_| NO_OBJECT)?;
        Ok(members.into_iter().map(|(name, bytes)| field(Cow::Owned(name), bytes)).collect())
    }

    fn read(&self, sample: u64, names: &[String], bytes: &mut Vec<u8>) -> Result<Option<Encoding>, ReadError> {
        self.line(sample, bytes)?;
        if !self.is_json || names.is_empty() {
            return Ok(Some(Encoding::Plain));
        }
        match member(bytes, names) {
            Ok(Some(value)) => {
                *bytes = value;
                Ok(Some(Encoding::Plain))
            }
            Ok(None) => Ok(None),
            Err(_) => Err(NO_OBJECT),
        }
    }
}

/// The first member of an object that has one of some names: what a string says, or any other value as it is written.
fn member(line: &[u8], names: &[String]) -> Result<Option<Vec<u8>>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(line);
    let found = reader.deserialize_map(Members { names })?;
    reader.end()?;
    found.map(|value| said(value).map(|said| said.into_owned().into_bytes())).transpose()
}

/// What a string says, or any other value as it is written.
fn said(value: &RawValue) -> Result<Cow<'_, str>, serde_json::Error> {
    let text = value.get();
    if text.starts_with('"') { serde_json::from_str(text).map(|Name(said)| said) } else { Ok(Cow::Borrowed(text)) }
}

/// The name of each member of an object, and how many bytes what it says has.
fn members(line: &[u8]) -> Result<Vec<(String, u64)>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(line);
    let found = reader.deserialize_map(AllMembers)?;
    reader.end()?;
    found.into_iter().map(|(name, value)| Ok((name, said(value)?.len() as u64))).collect()
}

/// Goes through an object's members, and keeps them all.
struct AllMembers;

impl<'de> Visitor<'de> for AllMembers {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name.into_owned(), value));
        }
        Ok(members)
    }
}

/// Goes through an object's members, and keeps the one whose name comes first among some.
struct Members<'a> {
    names: &'a [String],
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut best: Option<(usize, &'de RawValue)> = None;
        while let Some(Name(name)) = map.next_key()? {
            let place = self.names.iter().position(|known| *known == name);
            match place {
                Some(place) if best.is_none_or(|(before, _)| place < before) => best = Some((place, map.next_value()?)),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(best.map(|(_, value)| value))
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::fmt::Display for LinesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LinesError::Source(error) => error.fmt(f),
            LinesError::TooLong { file, offset } => {
                write!(f, "{file}, byte {offset}: the line that begins here is longer than 4 GiB: is this text?")
            }
        }
    }
}

impl std::error::Error for LinesError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Location;

    fn lines(text: &str, is_json: bool) -> Lines {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("lines");
        std::fs::write(&path, text).unwrap();
        Lines::read(Location::Path(path).open().unwrap(), is_json).unwrap()
    }

    fn all(lines: &Lines, names: &[&str]) -> Vec<Option<String>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut bytes = Vec::new();
        (0..lines.samples())
            .map(|sample| {
                let read = lines.read(sample, &names, &mut bytes).unwrap();
                read.map(|_| String::from_utf8_lossy(&bytes).into_owned())
            })
            .collect()
    }

    fn some(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    #[test]
    fn each_line_is_a_sample_and_empty_ones_are_none() {
        assert_eq!(all(&lines("one\r\n\ntwo\nthree", false), &[]), some(&["one", "two", "three"]));
        assert_eq!(all(&lines("", false), &[]), []);
        let long = "x".repeat(READ_BYTES + 7);
        assert_eq!(all(&lines(&format!("{long}\n{long}\n"), false), &["text"]), some(&[&long, &long]));
    }

    #[test]
    fn members_of_objects_are_fields() {
        let text = "{\"id\": 7, \"text\": \"a\\n\\u00e9\"}\n{\"te\\u0078t\":\"b\",\"id\":-1,\"more\":[1,{\"id\":3}]}\n";
        let lines = lines(text, true);
        assert_eq!(all(&lines, &["text"]), some(&["a\né", "b"]));
        assert_eq!(all(&lines, &["label", "id"]), some(&["7", "-1"]));
        assert_eq!(all(&lines, &["more"]), [None, Some("[1,{\"id\":3}]".to_owned())]);
        assert_eq!(all(&lines, &[])[1].as_deref(), Some("{\"te\\u0078t\":\"b\",\"id\":-1,\"more\":[1,{\"id\":3}]}"));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["7", "{", "{\"a\":1} x", "[1]", "{\"a\":}", "\u{7f}"] {
            let read = lines(text, true).read(0, &["a".to_owned()], &mut Vec::new());
            assert!(matches!(read, Err(ReadError::Corrupt { .. })), "{text}");
        }
    }
}

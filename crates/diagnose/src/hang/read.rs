//! Dumps of the flight recorder: as JSON (`torch.distributed` writes it with `_dump_nccl_trace_json`) here, as pickles in `pickled`.

use std::io::BufRead;

use fleet::problem::{Problem, Problems};
use fleet::text::shown;

use super::dump::{Call, Dump, Group, Peer};
use super::pickled;
use crate::json::{Error, Json, Value};
use crate::pickle::is_pickle;

/// So many calls of a rank are kept, the first: a recorder holds 2,000 unless it is told otherwise, and those that are pending are
/// its last.
pub const CALLS_MAX: usize = 1 << 18;

/// A group has at most so many members.
pub(super) const RANKS_MAX: usize = 1 << 20;

/// Whether a file that begins so is a dump: its first keys are few, and none else has them.
#[must_use]
pub fn is_dump(head: &str) -> bool {
    head.trim_start().starts_with('{')
        && ["\"pg_config\"", "\"pg_status\"", "\"nccl_version\"", "\"collective_seq_id\""]
            .iter()
            .any(|key| head.contains(key))
}

/// The rank whose dump a file is, by its name: the number at the end of it, as the recorder names its files.
#[must_use]
pub fn rank_of_name(name: &str) -> Option<u32> {
    let file = name.rsplit('/').next()?;
    let stem = file.split('.').next()?;
    let digits = stem.rsplit(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// Reads a dump. `file` is what problems call it. What could not be read of it is told among the problems, and what came
/// before it is kept.
///
/// # Errors
/// If it is no dump at all.
pub fn read(mut input: impl BufRead, file: &str) -> Result<(Dump, Problems), Problem> {
    // An input that cannot be read says so when it is.
    if input.fill_buf().is_ok_and(is_pickle) {
        return pickled::read(input, file);
    }
    let mut reading = Reading { json: Json::new(input), dump: Dump::default(), problems: Problems::default(), file };
    match reading.top() {
        Ok(true) => {}
        Ok(false) => return Err(reading.problem("it holds no `entries`: this is no dump of a flight recorder")),
        Err(error) if reading.dump == Dump::default() => return Err(reading.problem(&error.to_string())),
        Err(error) => {
            let reason = format!("reading stopped after {} calls: {error}", reading.dump.calls.len());
            let problem = reading.problem(&reason);
            reading.problems.add(problem);
        }
    }
    Ok((reading.dump, reading.problems))
}

struct Reading<'a, R> {
    json: Json<R>,
    dump: Dump,
    problems: Problems,
    file: &'a str,
}

impl<R: BufRead> Reading<'_, R> {
    fn problem(&self, reason: &str) -> Problem {
        Problem { file: self.file.to_owned(), line: 0, field: None, reason: reason.to_owned() }
    }

    /// Whether there were entries.
    fn top(&mut self) -> Result<bool, Error> {
        let mut found = false;
        if self.json.value()? != Value::Object {
            return Ok(false);
        }
        loop {
            match self.json.next_key()? {
                None => return Ok(found),
                Some("pg_config") => self.groups()?,
                Some("entries") => {
                    found = true;
                    self.entries()?;
                }
                Some(_) => self.json.pass()?,
            }
        }
    }

    fn groups(&mut self) -> Result<(), Error> {
        if self.json.value()? != Value::Object {
            return Err(self.json.wrong("process groups"));
        }
        while let Some(key) = self.json.next_key()? {
            let name = key.to_owned();
            let mut group = Group::default();
            if self.json.value()? != Value::Object {
                return Err(self.json.wrong("a process group"));
            }
            loop {
                match self.json.next_key()? {
                    None => break,
                    Some("desc") => group.description = self.text()?,
                    Some("ranks") => group.ranks = self.ranks()?,
                    Some(_) => self.json.pass()?,
                }
            }
            self.dump.groups.insert(name, group);
        }
        Ok(())
    }

    /// A list, or one that was made a text: `[0, 1]`.
    fn ranks(&mut self) -> Result<Vec<u32>, Error> {
        let mut ranks = Vec::new();
        match self.json.value()? {
            Value::List => {
                while self.json.next_item()? {
                    match self.json.value()? {
                        Value::Number(number) if ranks.len() < RANKS_MAX => ranks.extend(number.parse::<u32>().ok()),
                        Value::Object | Value::List => return Err(self.json.wrong("a rank")),
                        _ => {}
                    }
                }
            }
            Value::Text(text) => ranks = ranks_of_text(text),
            Value::Object => return Err(self.json.wrong("a list of ranks")),
            _ => {}
        }
        Ok(ranks)
    }

    fn entries(&mut self) -> Result<(), Error> {
        if self.json.value()? != Value::List {
            return Err(self.json.wrong("a list of entries"));
        }
        let mut passed = 0_u64;
        while self.json.next_item()? {
            if self.dump.calls.len() == CALLS_MAX {
                self.json.pass()?;
                passed += 1;
                continue;
            }
            match self.entry()? {
                Ok(call) => self.dump.calls.push(call),
                Err(reason) => {
                    let problem = self.problem(&reason);
                    self.problems.add(problem);
                }
            }
        }
        if passed > 0 {
            let problem =
                self.problem(&format!("the first {CALLS_MAX} calls were read, and {passed} after them passed over"));
            self.problems.add(problem);
        }
        Ok(())
    }

    fn entry(&mut self) -> Result<Result<Call, String>, Error> {
        let mut entry = Entry::default();
        if self.json.value()? != Value::Object {
            return Err(self.json.wrong("an entry"));
        }
        loop {
            match self.json.next_key()? {
                None => break,
                Some("process_group") => entry.group = self.first_text()?,
                Some("profiling_name") => entry.name = self.text()?,
                Some("collective_seq_id") => entry.collective = self.whole()?,
                Some("p2p_seq_id") => entry.p2p = self.whole()?,
                Some("state") => entry.state = self.text()?,
                Some("time_created_ns") => entry.called_ns = self.whole()?,
                Some("is_p2p") => entry.is_p2p = self.json.value()? == Value::Bool(true),
                Some(_) => self.json.pass()?,
            }
        }
        Ok(entry.call())
    }

    fn text(&mut self) -> Result<String, Error> {
        match self.json.value()? {
            Value::Text(text) => Ok(text.to_owned()),
            Value::Object | Value::List => Err(self.json.wrong("a text")),
            _ => Ok(String::new()),
        }
    }

    /// The first text of a list; the rest is passed over.
    fn first_text(&mut self) -> Result<String, Error> {
        let mut first = None;
        match self.json.value()? {
            Value::List => {}
            Value::Text(text) => return Ok(text.to_owned()),
            _ => return Err(self.json.wrong("a process group")),
        }
        while self.json.next_item()? {
            let text = self.text()?;
            first.get_or_insert(text);
        }
        Ok(first.unwrap_or_default())
    }

    fn whole(&mut self) -> Result<Option<i64>, Error> {
        match self.json.value()? {
            Value::Number(number) => Ok(number.parse().ok()),
            Value::Object | Value::List => Err(self.json.wrong("a number")),
            _ => Ok(None),
        }
    }
}

/// Ranks in a text, as some writers have them: `[0, 1]`.
pub(super) fn ranks_of_text(text: &str) -> Vec<u32> {
    let inner = text.trim_matches(['[', ']']);
    inner.split(',').filter_map(|rank| rank.trim().parse::<u32>().ok()).take(RANKS_MAX).collect()
}

/// What a dump says of a call.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) collective: Option<i64>,
    pub(super) p2p: Option<i64>,
    pub(super) state: String,
    pub(super) called_ns: Option<i64>,
    pub(super) is_p2p: bool,
}

impl Entry {
    pub(super) fn call(self) -> Result<Call, String> {
        let name = self.name.strip_prefix("nccl:").unwrap_or(&self.name).to_owned();
        let (number, field) =
            if self.is_p2p { (self.p2p, "p2p_seq_id") } else { (self.collective, "collective_seq_id") };
        let sequence = number.and_then(|number| u64::try_from(number).ok());
        let sequence = sequence.ok_or_else(|| format!("an entry `{}` has no `{field}`", shown(&name)))?;
        let pending = match self.state.as_str() {
            "scheduled" | "started" => true,
            "completed" => false,
            other => return Err(format!("the state `{}` of `{}` is not known", shown(other), shown(&name))),
        };
        let peer = if self.is_p2p { Peer::of_name(&name) } else { None };
        Ok(Call { group: self.group, name, sequence, peer, pending, called_ns: self.called_ns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_read() {
        let text = r#"{"version": "2.9", "pg_config": {"5": {"name": "5", "desc": "TENSOR", "ranks": "[0, 1]"}},
            "entries": [{"process_group": ["5", "TENSOR"], "collective_seq_id": 7, "profiling_name": "nccl:all_reduce",
            "frames": [{"name": "f"}], "state": "scheduled", "time_created_ns": 12, "is_p2p": false}]}"#;
        let (dump, problems) = read(text.as_bytes(), "d").unwrap();
        assert_eq!(problems.count(), 0);
        assert_eq!(dump.groups["5"], Group { description: "TENSOR".into(), ranks: vec![0, 1] });
        let call = &dump.calls[0];
        assert_eq!(
            (call.name.as_str(), call.sequence, call.pending, call.called_ns),
            ("all_reduce", 7, true, Some(12))
        );
    }

    #[test]
    fn what_is_cut_off_keeps_what_came_before() {
        let text = r#"{"entries": [{"process_group": ["5", ""], "collective_seq_id": 7, "profiling_name": "a", "state":
            "completed"}, {"process_group""#;
        let (dump, problems) = read(text.as_bytes(), "d").unwrap();
        assert_eq!(dump.calls.len(), 1);
        assert!(problems.kept()[0].reason.starts_with("reading stopped after 1 calls: the file is cut off"));
    }

    #[test]
    fn what_is_no_dump_is_refused() {
        for (text, expected) in [
            ("{}", "d: it holds no `entries`: this is no dump of a flight recorder"),
            ("[]", "d: it holds no `entries`: this is no dump of a flight recorder"),
            ("{\"entries\": [", "d: the file is cut off at byte 13; copy it again"),
        ] {
            assert_eq!(read(text.as_bytes(), "d").unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn the_name_tells_the_rank() {
        for (name, rank) in [
            ("/a/_dump_12.json", Some(12)),
            ("nccl_trace_rank_3", Some(3)),
            ("dump7.json.gz", Some(7)),
            ("dump.json", None),
            ("99999999999.json", None),
        ] {
            assert_eq!(rank_of_name(name), rank, "{name}");
        }
    }
}

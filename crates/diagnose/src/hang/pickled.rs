//! Dumps of the flight recorder as pickles, as `torch.distributed` writes them by default (`_dump_nccl_trace`).

use std::io::BufRead;

use fleet::problem::{Problem, Problems};

use super::dump::{Dump, Group};
use super::read::{CALLS_MAX, Entry, RANKS_MAX, ranks_of_text};
use crate::pickle::{Pickle, Place, Value, is_pickle};

/// Whether a file that begins so is such a dump.
#[must_use]
pub fn is_pickled_dump(head: &[u8]) -> bool {
    let keys: [&[u8]; 5] = [b"pg_config", b"pg_status", b"nccl_version", b"comm_lib_version", b"collective_seq_id"];
    is_pickle(head) && keys.iter().any(|key| memchr::memmem::find(head, key).is_some())
}

/// Reads one. What could not be read of it is told among the problems; one that is cut off is not read in part.
pub(super) fn read(input: impl BufRead, file: &str) -> Result<(Dump, Problems), Problem> {
    let problem = |reason: String| Problem { file: file.to_owned(), line: 0, field: None, reason };
    let pickle = Pickle::read(input).map_err(|error| problem(error.to_string()))?;
    let reading = Reading(&pickle);
    let entries = reading.of(pickle.root(), "entries").filter(|at| matches!(pickle.value(*at), Value::List(_)));
    let entries =
        entries.ok_or_else(|| problem("it holds no `entries`: this is no dump of a flight recorder".to_owned()))?;
    let (mut dump, mut problems) = (Dump::default(), Problems::default());
    if let Some(groups) = reading.of(pickle.root(), "pg_config") {
        dump.groups = pickle.pairs(groups).map(|(name, group)| (name.to_owned(), reading.group(group))).collect();
    }
    for entry in pickle.items(entries).take(CALLS_MAX) {
        match reading.entry(entry).call() {
            Ok(call) => dump.calls.push(call),
            Err(reason) => problems.add(problem(reason)),
        }
    }
    let passed = pickle.items(entries).skip(CALLS_MAX).count();
    if passed > 0 {
        problems.add(problem(format!("the first {CALLS_MAX} calls were read, and {passed} after them passed over")));
    }
    Ok((dump, problems))
}

/// Values by their names; what is of another kind than it should be is as if it were not there.
struct Reading<'a>(&'a Pickle);

impl Reading<'_> {
    fn of(&self, dictionary: Place, key: &str) -> Option<Place> {
        self.0.pairs(dictionary).filter(|(name, _)| *name == key).last().map(|(_, value)| value)
    }

    fn text(&self, at: Place) -> String {
        if let Value::Text(text) = self.0.value(at) { text.to_owned() } else { String::new() }
    }

    fn whole(&self, at: Place) -> Option<i64> {
        if let Value::Whole(number) = self.0.value(at) { Some(number) } else { None }
    }

    fn group(&self, at: Place) -> Group {
        let ranks = self.of(at, "ranks").map_or_else(Vec::new, |ranks| match self.0.value(ranks) {
            Value::Text(text) => ranks_of_text(text),
            _ => {
                let ranks = self.0.items(ranks).take(RANKS_MAX).filter_map(|rank| self.whole(rank));
                ranks.filter_map(|rank| u32::try_from(rank).ok()).collect()
            }
        });
        Group { description: self.of(at, "desc").map_or_else(String::new, |text| self.text(text)), ranks }
    }

    fn entry(&self, at: Place) -> Entry {
        let mut entry = Entry::default();
        for (key, value) in self.0.pairs(at) {
            match key {
                "process_group" => {
                    let first = self.0.items(value).next().unwrap_or(value);
                    entry.group = self.text(first);
                }
                "profiling_name" => entry.name = self.text(value),
                "collective_seq_id" => entry.collective = self.whole(value),
                "p2p_seq_id" => entry.p2p = self.whole(value),
                "state" => entry.state = self.text(value),
                "time_created_ns" => entry.called_ns = self.whole(value),
                "is_p2p" => entry.is_p2p = self.0.value(value) == Value::Bool(true),
                _ => {}
            }
        }
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::super::dump::Call;
    use super::*;

    /// `{"version": "2.5", "pg_config": {"5": {"desc": "TENSOR", "ranks": "[0, 1]"}}, "entries": [...]}` by protocol 2.
    fn dump(entries: &[u8]) -> Vec<u8> {
        let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
        let mut bytes = b"\x80\x02}(".to_vec();
        bytes.extend([text("pg_config"), b"}".to_vec(), text("5"), b"}(".to_vec()].concat());
        bytes.extend([text("desc"), text("TENSOR"), text("ranks"), text("[0, 1]"), b"us".to_vec()].concat());
        bytes.extend([text("entries"), b"](".to_vec(), entries.to_vec(), b"eu.".to_vec()].concat());
        bytes
    }

    fn entry(state: &str) -> Vec<u8> {
        let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
        let mut bytes = [b"}(".to_vec(), text("process_group"), text("5"), text("TENSOR"), b"\x86".to_vec()].concat();
        bytes.extend([text("collective_seq_id"), b"K\x07".to_vec(), text("profiling_name")].concat());
        bytes.extend([text("nccl:all_reduce"), text("state"), text(state), b"u".to_vec()].concat());
        bytes
    }

    #[test]
    fn a_dump_is_read() {
        let bytes = dump(&[entry("started"), entry("lost")].concat());
        assert!(is_pickled_dump(&bytes));
        let (dump, problems) = super::super::read(&bytes[..], "d").unwrap();
        assert_eq!(dump.groups["5"], Group { description: "TENSOR".into(), ranks: vec![0, 1] });
        let call = Call {
            group: "5".into(),
            name: "all_reduce".into(),
            sequence: 7,
            peer: None,
            pending: true,
            called_ns: None,
        };
        assert_eq!(dump.calls, [call]);
        assert_eq!(problems.kept()[0].to_string(), "d: the state `lost` of `all_reduce` is not known");
    }

    #[test]
    fn what_is_no_dump_is_refused() {
        let whole = dump(&entry("started"));
        for (bytes, expected) in [
            (&b"\x80\x02}."[..], "d: it holds no `entries`: this is no dump of a flight recorder"),
            (&whole[..whole.len() - 4], "d: the file is cut off; copy it again"),
        ] {
            assert_eq!(super::super::read(bytes, "d").unwrap_err().to_string(), expected);
        }
    }
}

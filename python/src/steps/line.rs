//! The lines of the protocol, version 1: docs/STEPS.md has its grammar. Values hold no blank; what would be one is written `%20`.

use std::fmt::Write;

use super::course::{Doing, Step};
use super::phase::Phase;

/// Bytes of a name, at most, before it is written: a line has 4,096.
const NAME_MAX: usize = 256;
/// How the lines begin that tell what a process is doing.
const NOW: &str = "now ";

/// Who a process is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) job: String,
    pub(super) rank: u64,
    pub(super) ranks: u64,
    pub(super) local_rank: Option<u64>,
    pub(super) group: Option<String>,
    pub(super) node: Option<String>,
}

/// Moments of the clock as Unix time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    /// A moment of the clock.
    pub(super) now_ns: u64,
    /// The same as Unix time.
    pub(super) now_unix_us: u64,
}

impl Moments {
    fn unix_us(self, moment_ns: u64) -> u64 {
        self.now_unix_us.saturating_sub(self.now_ns.saturating_sub(moment_ns) / 1000)
    }
}

/// The first line of a connection.
pub(super) fn first(who: &Who, pid: u32) -> String {
    let mut line = format!("trimtab-steps 1 job={} rank={} ranks={}", value(&who.job), who.rank, who.ranks);
    if let Some(local_rank) = who.local_rank {
        write!(line, " local_rank={local_rank}").expect("a text takes what is written");
    }
    write!(line, " pid={pid}").expect("a text takes what is written");
    for (key, name) in [("group", &who.group), ("node", &who.node)] {
        if let Some(name) = name {
            write!(line, " {key}={}", value(name)).expect("a text takes what is written");
        }
    }
    line.push('\n');
    line
}

/// A step that is over.
pub(super) fn step(line: &mut String, step: &Step, moments: Moments) {
    write!(line, "step {} at={} us={}", step.number, moments.unix_us(step.ended_ns), step.whole_us)
        .expect("a text takes what is written");
    for (phase, spent_us) in Phase::MARKED.into_iter().zip(step.phases_us).filter(|(_, spent_us)| *spent_us > 0) {
        write!(line, " {}={spent_us}", phase.name()).expect("a text takes what is written");
    }
    line.push('\n');
}

/// What the process is doing.
pub(super) fn now(line: &mut String, doing: &Doing, moments: Moments) {
    let (since, step_since) = (moments.unix_us(doing.since_ns), moments.unix_us(doing.step_since_ns));
    writeln!(line, "{NOW}{} in={} since={since} step_since={step_since}", doing.number, doing.phase.name())
        .expect("a text takes what is written");
}

/// Steps that nobody will be told of.
pub(super) fn dropped(line: &mut String, count: u64) {
    writeln!(line, "dropped {count}").expect("a text takes what is written");
}

/// The process ends as it should.
pub(super) const END: &str = "end\n";

/// What of some lines is to be told on another connection, where `sent` bytes of them went to one that broke: lines that did not go
/// whole, but for those that told of a moment that is over.
pub(super) fn left(lines: &str, sent: usize) -> String {
    let whole = lines.as_bytes()[..sent].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    lines[whole..].split_inclusive('\n').filter(|line| !line.starts_with(NOW)).collect()
}

/// A name as a value.
fn value(name: &str) -> String {
    let mut written = String::new();
    for character in name.chars().scan(0, |bytes, character| {
        *bytes += character.len_utf8();
        (*bytes <= NAME_MAX).then_some(character)
    }) {
        if character.is_whitespace() || character.is_control() || matches!(character, '%' | '=') {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                write!(written, "%{byte:02X}").expect("a text takes what is written");
            }
        } else {
            written.push(character);
        }
    }
    written
}

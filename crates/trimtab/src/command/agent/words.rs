//! What changed, for people and for programs.

use std::fmt::Write;

use ::diagnose::live::{Change, Open};
use fleet::finding::Finding;
use fleet::time::Timestamp;
use serde::Serialize;

use crate::command::diagnose;
use crate::wrap::{self, paragraph};

/// A finding that begins or changes, with its evidence; one that ends, in a line.
pub(super) fn change(change: &Change, at: Timestamp) -> String {
    let bold = anstyle::Style::new().bold();
    let width = wrap::width();
    let mut text = String::new();
    match change {
        Change::Opened(open) => {
            let again = if open.returns > 0 { " again" } else { "" };
            let _ = write!(text, "\n{bold}{at}  finding {} begins{again}{bold:#}", open.id);
            diagnose::finding(&open.finding, width, &mut text);
        }
        Change::Updated(open) => {
            let _ = writeln!(text, "\n{bold}{at}  finding {} has news{bold:#}", open.id);
            paragraph(&mut text, width, "  ", &open.finding.verdict);
            if let Some(speedup) = open.finding.speedup {
                paragraph(&mut text, width, "  ", &diagnose::worth(speedup));
            }
        }
        Change::Closed(open) => {
            let seconds = at.since(open.opened).0 / 1_000;
            let _ = writeln!(text, "\n{bold}{at}  finding {} is over, after {seconds} s{bold:#}", open.id);
            paragraph(&mut text, width, "  ", &open.finding.verdict);
            if let Some(realised) = diagnose::realised(&open.finding) {
                paragraph(&mut text, width, "  ", &realised);
            }
        }
    }
    text
}

/// A line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    at: Timestamp,
    change: &'static str,
    id: u64,
    opened: Timestamp,
    closed: Option<Timestamp>,
    returns: u32,
    finding: &'a Finding,
}

pub(super) fn json(change: &Change, at: Timestamp) -> String {
    let (name, open) = match change {
        Change::Opened(open) => ("opened", open),
        Change::Updated(open) => ("updated", open),
        Change::Closed(open) => ("closed", open),
    };
    let Open { id, finding, opened, closed, returns, .. } = open;
    let line =
        Line { version: 1, at, change: name, id: *id, opened: *opened, closed: *closed, returns: *returns, finding };
    serde_json::to_string(&line).expect("a finding is plain data") + "\n"
}

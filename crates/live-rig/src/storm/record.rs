//! What workloads write down of themselves.
//!
//! Each line is one write to a file that is open for appending, so lines of several never mix. That two runs of a workload are alive
//! at once is told by the second: it cannot have the lock that the first holds as long as any process of it lives.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// The file, in the rig's folder.
const FILE: &str = "record";

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) what: What,
    pub(super) workload: u64,
    pub(super) action: u64,
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Start,
    /// Another run of the same workload was alive.
    Overlap,
    End,
}

/// A shell script that writes its start down, does `work`, and writes its end down. Asked to stop it does so at once.
pub(super) fn script(rig: &Path, work: &str) -> String {
    let rig = rig.display();
    format!(
        "say() {{ echo \"$1 $TRIMTAB_WORKLOAD $TRIMTAB_ATTEMPT $TRIMTAB_ACTION $$\" >>'{rig}/{FILE}'; }}\n\
         exec 9>>'{rig}/lock-'$TRIMTAB_WORKLOAD\n\
         flock -n 9 || say overlap\n\
         say start\n\
         {work}\n\
         say end\n"
    )
}

/// All lines.
pub(super) fn read(rig: &Path) -> anyhow::Result<Vec<Record>> {
    let path = rig.join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    text.lines().map(|line| parse(line).with_context(|| format!("`{line}` is no record"))).collect()
}

fn parse(line: &str) -> Option<Record> {
    let words: Vec<&str> = line.split(' ').collect();
    let [what, workload, _attempt, action, _pid] = words[..] else { return None };
    let what = match what {
        "start" => What::Start,
        "overlap" => What::Overlap,
        "end" => What::End,
        _ => return None,
    };
    Some(Record { what, workload: workload.parse().ok()?, action: action.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read() {
        let expected = Record { what: What::Start, workload: 7, action: 12 };
        assert_eq!(parse("start 7 1 12 4711"), Some(expected));
        assert_eq!(parse("start 7 1 12"), None);
        assert_eq!(parse("begin 7 1 12 4711"), None);
    }
}

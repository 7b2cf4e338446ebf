//! What agents on other machines hand in, on its way to the control loop.

use std::fmt;

use fleet::time::Timestamp;
use store::AgentReport;

/// A name of a node is no longer than this: as long as a host's can be (RFC 1035, 2.3.4).
const NODE_BYTES_MAX: usize = 253;
/// No node is called so: it is how the sources of jobs begin.
const NOT_A_NODE: &str = "job";

/// Reports of one agent, in order, and how it stands.
#[derive(Clone, Debug)]
pub struct Reports {
    /// Its node.
    pub node: String,
    /// Of which version it is.
    pub version: String,
    /// Its spool.
    pub spool: String,
    /// When this came, by the clock here.
    pub heard: Timestamp,
    /// What the agent says the time is.
    pub told: Timestamp,
    /// The reports; none, where it only asks what was taken last.
    pub reports: Vec<Numbered>,
}

/// A report with its number.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// Its number.
    pub number: u64,
    /// So many before it the agent lost.
    pub lost: u64,
    /// It; or why it cannot be read, which another try would not change.
    pub report: Result<AgentReport, String>,
}

/// What became of reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// All up to this number is stored, or told of below; nothing, where none ever came of this spool.
    pub acknowledged: Option<u64>,
    /// What was not taken, or not whole, and why.
    pub refused: Vec<(u64, String)>,
}

/// Why reports of an agent are not taken at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Its node is called as the one here.
    OwnName,
    /// As many report here as may.
    TooMany,
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnName => f.write_str("the machine of this server is called so itself"),
            Self::TooMany => write!(f, "{} agents report here already, and no more may", store::AGENTS_MAX),
        }
    }
}

/// Why no node can be called so, if none can.
#[must_use]
pub fn unfit_node(name: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins && name.len() <= NODE_BYTES_MAX && name.bytes().all(fits) && name != NOT_A_NODE {
        return None;
    }
    Some(format!(
        "no node is called `{}`: a name has 1 to {NODE_BYTES_MAX} letters, digits, `-`, `_` and `.`, begins with a letter or digit, and is \
         not `{NOT_A_NODE}`",
        name.escape_default()
    ))
}

/// The source under which what was measured on an agent's node is kept; nothing for one that no agent has. Names of nodes have no `/`, so none is
/// another's.
#[must_use]
pub fn source_on(node: &str, source: &str) -> Option<String> {
    match source {
        "" => Some(node.to_owned()),
        source if source.strip_prefix("job/").is_some_and(|job| !job.is_empty()) => Some(format!("{node}/{source}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_nodes_and_of_what_is_measured_there_never_meet() {
        for name in ["gpu1", "gpu-1.lab.example", "7", "a_b", &"x".repeat(253)] {
            assert_eq!(unfit_node(name), None, "{name}");
        }
        for name in ["", "job", "a/b", "-a", ".a", "a b", "ä", "a\n", "<b>", "..", &"x".repeat(254)] {
            assert!(unfit_node(name).is_some(), "{name}");
        }
        assert_eq!(source_on("n", "").as_deref(), Some("n"));
        assert_eq!(source_on("n", "job/a/b").as_deref(), Some("n/job/a/b"));
        for source in ["n", "job", "job/", "m/job/a"] {
            assert_eq!(source_on("n", source), None, "{source}");
        }
    }
}

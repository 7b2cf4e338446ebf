//! What an input is, told from its beginning: an export is a handful of files, and nobody should have to say which is
//! which.

/// What an input holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `scontrol show config`.
    Config,
    /// `scontrol show node`.
    Nodes,
    /// `scontrol show node --json`.
    NodesJson,
    /// `scontrol show partition`.
    Partitions,
    /// `scontrol show partition --json`.
    PartitionsJson,
    /// `sacctmgr -P show qos`.
    Qos,
    /// `sacctmgr -P show assoc`.
    Associations,
    /// `sacctmgr -P show event`.
    Events,
    /// `sacctmgr -P show reservation`.
    Reservations,
    /// `sacct -P`.
    Jobs,
    /// `sacct --json`.
    JobsJson,
}

/// Tells what an input holds from its first bytes.
pub(super) fn kind(beginning: &[u8]) -> Option<Kind> {
    let beginning = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(beginning).trim_ascii_start();
    if beginning.first() == Some(&b'{') {
        return Some(json_kind(beginning));
    }
    let line = beginning.split(|&byte| byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.trim_ascii();
    for (prefix, kind) in
        [("NodeName=", Kind::Nodes), ("PartitionName=", Kind::Partitions), ("Configuration data as of", Kind::Config)]
    {
        if line.starts_with(prefix) {
            return Some(kind);
        }
    }
    let names: Vec<String> = line.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase).collect();
    let has = |wanted: &[&str]| wanted.iter().all(|name| names.iter().any(|found| found == name));
    let tables: [(&[&str], Kind); 6] = [
        (&["jobid"], Kind::Jobs),
        (&["jobidraw"], Kind::Jobs),
        (&["nodename", "timestart"], Kind::Events),
        (&["cluster", "account", "user"], Kind::Associations),
        (&["name", "priority"], Kind::Qos),
        (&["name", "timestart"], Kind::Reservations),
    ];
    tables.into_iter().find(|(wanted, _)| has(wanted)).map(|(_, kind)| kind)
}

fn json_kind(text: &[u8]) -> Kind {
    for key in top_keys(text) {
        match key {
            b"jobs" => return Kind::JobsJson,
            b"nodes" => return Kind::NodesJson,
            b"partitions" => return Kind::PartitionsJson,
            _ => {}
        }
    }
    Kind::JobsJson
}

/// The keys of the outermost object, as far as they can be seen.
fn top_keys(text: &[u8]) -> Vec<&[u8]> {
    let (mut keys, mut depth, mut at) = (Vec::new(), 0_usize, 0);
    while at < text.len() {
        match text[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = at + 1;
                at = start;
                while at < text.len() && text[at] != b'"' {
                    at += 1 + usize::from(text[at] == b'\\');
                }
                let end = at.min(text.len());
                let behind = text.get(end + 1..).unwrap_or_default().trim_ascii_start();
                if depth == 1 && behind.first() == Some(&b':') {
                    keys.push(&text[start..end]);
                }
            }
            _ => {}
        }
        at += 1;
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_told_apart() {
        for (text, expected) in [
            ("{\n \"meta\": {\"nodes\": 3}, \"errors\": [], \"jobs\": [", Some(Kind::JobsJson)),
            ("{\"nodes\": [{\"partitions\": []", Some(Kind::NodesJson)),
            ("{\"meta\": {}, \"partitions\": [", Some(Kind::PartitionsJson)),
            ("\u{feff}JobID|State|Start\n", Some(Kind::Jobs)),
            ("Account|JobIDRaw|State\n", Some(Kind::Jobs)),
            ("NodeName=n1 Arch=x86_64\n", Some(Kind::Nodes)),
            ("Cluster|NodeName|TimeStart|TimeEnd|State|Reason|User\n", Some(Kind::Events)),
            ("Cluster|Account|User|Partition|Share\n", Some(Kind::Associations)),
            ("Name|Priority|GraceTime\n", Some(Kind::Qos)),
            ("Cluster|Name|TRES|TimeStart|TimeEnd|UnusedWall\n", Some(Kind::Reservations)),
            ("Configuration data as of 2026-11-23T23:35:07\n", Some(Kind::Config)),
            ("; UnixStartTime: 0\n", None),
            ("", None),
        ] {
            assert_eq!(kind(text.as_bytes()), expected, "{text}");
        }
    }
}

//! The pure crates are pure all the way down: nothing they are linked with opens, waits, asks or guesses.

use super::packages::Metadata;
use super::{Outcome, passed_unless};

/// Crates that do what a pure crate must not, by what that is. Clippy watches what the pure crates call themselves; this
/// watches what they call through others.
const BANNED: &[(&str, &[&str])] = &[
    ("runs tasks", &["async-executor", "async-std", "futures-executor", "smol", "tokio"]),
    ("opens sockets", &["async-net", "curl", "h2", "hyper", "isahc", "mio", "quinn", "reqwest", "socket2", "ureq"]),
    ("speaks TLS", &["native-tls", "openssl", "rustls"]),
    ("opens files or databases", &["fs-err", "libsqlite3-sys", "memmap2", "rusqlite", "sqlx", "tempfile", "walkdir"]),
    ("starts threads", &["crossbeam", "crossbeam-channel", "rayon", "rayon-core", "threadpool"]),
    ("reads a clock", &["chrono", "coarsetime", "iana-time-zone", "quanta", "time"]),
    ("asks the machine", &["directories", "dirs", "dotenvy", "hostname", "nix", "num_cpus", "sysinfo", "whoami"]),
    ("is random", &["fastrand", "getrandom", "oorandom", "rand", "uuid"]),
];

/// No pure crate is linked with a banned one.
pub(super) fn run() -> anyhow::Result<Outcome> {
    passed_unless(&problems(&Metadata::read()?))
}

fn problems(metadata: &Metadata) -> Vec<String> {
    let mut problems = Vec::new();
    for member in metadata.pure_members() {
        for path in metadata.linked_with(member) {
            let name = path.last().expect("a path ends where it leads");
            if let Some((what, _)) = BANNED.iter().find(|(_, names)| names.contains(name)) {
                problems.push(format!("{} is pure, but {name} {what}: {}", member.name, path.join(" -> ")));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::packages::example;
    use super::*;

    /// `allocate` uses `middle`, which uses `tokio` for the given kind of dependency; `connect` uses `tokio` itself.
    fn workspace(kind: &str) -> Metadata {
        let package = |name: &str| {
            format!(r#"{{"id": "{name}#1", "name": "{name}", "manifest_path": "/w/{name}", "dependencies": []}}"#)
        };
        let edge = |to: &str, kind: &str| format!(r#"{{"pkg": "{to}#1", "dep_kinds": [{{"kind": {kind}}}]}}"#);
        let node = |name: &str, deps: &str| format!(r#"{{"id": "{name}#1", "deps": [{deps}]}}"#);
        example(&format!(
            r#"{{"packages": [{}, {}, {}, {}], "workspace_members": ["allocate#1", "connect#1"],
                "resolve": {{"nodes": [{}, {}, {}, {}]}}}}"#,
            package("allocate"),
            package("connect"),
            package("middle"),
            package("tokio"),
            node("allocate", &edge("middle", "null")),
            node("connect", &edge("tokio", "null")),
            node("middle", &edge("tokio", kind)),
            node("tokio", ""),
        ))
    }

    #[test]
    fn what_is_linked_through_another_is_found() {
        assert_eq!(
            problems(&workspace("null")),
            ["allocate is pure, but tokio runs tasks: allocate -> middle -> tokio"]
        );
    }

    #[test]
    fn what_only_tests_or_builds_need_is_not_linked() {
        assert!(problems(&workspace(r#""dev""#)).is_empty());
        assert!(problems(&workspace(r#""build""#)).is_empty());
    }
}

//! Every crate is under the workspace's lints, every pure crate under those of `xtask/pure-clippy.toml`, and the latter
//! do catch what they ban.
//!
//! Clippy reads the nearest clippy.toml above a crate's manifest and no other, hence a copy in each pure crate. Nothing in
//! clippy says when such a file is not read, hence the probe: a crate made of what is banned, each line of which must be
//! caught.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use super::packages::{Metadata, PURE};
use super::{Outcome, passed_unless};
use crate::workspace;

/// The one that is edited; the others are its copies.
const PURE_RULES: &str = "xtask/pure-clippy.toml";

/// One banned thing a line, of each kind: none may get past clippy in a pure crate.
const PROBE: &[&str] = &[
    "pub fn clock() -> std::time::SystemTime { unimplemented!() }",
    "pub fn now() { let _ = std::time::Instant::now(); }",
    "pub fn read() { let _ = std::fs::read(\"file\"); }",
    "pub fn open() { let _ = std::fs::File::open(\"file\"); }",
    "pub fn look(path: &std::path::Path) -> bool { path.exists() }",
    "pub fn connect() { let _ = std::net::TcpStream::connect(\"127.0.0.1:1\"); }",
    "pub fn listen() { let _ = std::os::unix::net::UnixStream::connect(\"socket\"); }",
    "pub fn environment() { let _ = std::env::var(\"HOME\"); }",
    "pub fn thread() { let _ = std::thread::spawn(|| ()); }",
    "pub fn sleep() { std::thread::sleep(std::time::Duration::ZERO); }",
    "pub fn start() { let _ = std::process::Command::new(\"true\"); }",
    "pub fn hash() -> std::collections::HashMap<u8, u8> { Default::default() }",
    "pub fn set(items: &[u8]) { let _ = items.iter().collect::<std::collections::HashSet<_>>(); }",
    "pub fn seed() { let _ = std::hash::RandomState::new(); }",
    "pub fn print() { println!(\"text\"); }",
    "pub fn lock() { let _ = std::sync::Mutex::new(0); }",
];

/// The lint tables and lint files are where they must be.
pub(super) fn run() -> anyhow::Result<Outcome> {
    let rules = fs::read_to_string(workspace::root().join(PURE_RULES)).with_context(|| format!("no {PURE_RULES}"))?;
    let mut problems = Vec::new();
    for member in Metadata::read()?.members() {
        let manifest = fs::read_to_string(&member.manifest_path)?;
        if !inherits_lints(&manifest) {
            problems.push(format!("crate {}: its Cargo.toml lacks `[lints]` with `workspace = true`", member.name));
        }
        let folder = Path::new(&member.manifest_path).parent().context("a manifest lies in a folder")?;
        let own = fs::read_to_string(folder.join("clippy.toml")).ok();
        problems.extend(lint_file_problem(&member.name, own.as_deref(), &rules));
    }
    passed_unless(&problems)
}

fn inherits_lints(manifest: &str) -> bool {
    manifest
        .lines()
        .skip_while(|line| line.trim() != "[lints]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.trim() == "workspace = true")
}

/// What is wrong with a crate's own clippy.toml, or with its lacking one.
fn lint_file_problem(crate_name: &str, own: Option<&str>, rules: &str) -> Option<String> {
    let copy = || format!("cp {PURE_RULES} crates/{crate_name}/clippy.toml");
    match (PURE.contains(&crate_name), own) {
        (true, None) => Some(format!("crate {crate_name} is pure and has no clippy.toml: {}", copy())),
        (true, Some(own)) if own != rules => {
            Some(format!("crate {crate_name}: its clippy.toml differs from {PURE_RULES}: {}", copy()))
        }
        (false, Some(_)) => {
            Some(format!("crate {crate_name} is not pure: remove its clippy.toml, which hides the root's"))
        }
        (true, Some(_)) | (false, None) => None,
    }
}

/// Every line of [`PROBE`] is caught by the rules of the pure crates.
pub(super) fn probe() -> anyhow::Result<Outcome> {
    let folder = workspace::target_folder().join("xtask").join("purity-probe");
    fs::create_dir_all(folder.join("src"))?;
    fs::copy(workspace::root().join(PURE_RULES), folder.join("clippy.toml"))?;
    // An empty [workspace]: this crate is no part of the one around it.
    let manifest = "[package]\nname = \"purity-probe\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(folder.join("Cargo.toml"), manifest)?;
    // Written anew each time, so that clippy looks at it again.
    fs::write(folder.join("src/lib.rs"), PROBE.join("\n"))?;

    let output = workspace::cargo()
        .current_dir(&folder)
        .args(["clippy", "--offline", "--message-format", "short", "--target-dir"])
        .arg(folder.join("target"))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("clippy could not read the probe:\n{said}");
    }
    let caught = caught_lines(&said);
    let missed: Vec<String> = (1..)
        .zip(PROBE)
        .filter(|(number, _)| !caught.contains(number))
        .map(|(_, line)| format!("{PURE_RULES} does not catch: {line}"))
        .collect();
    passed_unless(&missed)
}

/// The numbers of the lines that clippy calls disallowed: `src/lib.rs:3:24: warning: use of a disallowed method …`.
fn caught_lines(said: &str) -> BTreeSet<usize> {
    said.lines()
        .filter(|line| line.contains(": use of a disallowed "))
        .filter_map(|line| line.split(':').nth(1)?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_are_inherited_only_from_their_own_table() {
        assert!(inherits_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"));
        assert!(!inherits_lints("[lints]\n\n[dependencies]\nworkspace = true\n"));
        assert!(!inherits_lints("[package]\nname = \"a\"\n"));
    }

    #[test]
    fn a_pure_crate_carries_the_rules_and_no_other_does() {
        assert_eq!(lint_file_problem("fleet", Some("rules"), "rules"), None);
        assert_eq!(lint_file_problem("connect", None, "rules"), None);
        assert!(lint_file_problem("fleet", None, "rules").is_some());
        assert!(lint_file_problem("fleet", Some("other"), "rules").is_some());
        assert!(lint_file_problem("connect", Some("rules"), "rules").is_some());
    }

    #[test]
    fn only_disallowed_uses_count_as_caught() {
        let said = "src/lib.rs:3:24: warning: use of a disallowed method `std::fs::read`\n\
                    src/lib.rs:4:1: warning: unused variable: `x`\n";
        assert_eq!(caught_lines(said), BTreeSet::from([3]));
    }
}

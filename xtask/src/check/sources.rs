//! The shape of source files: how long they are, what they are called, that they ignore no test, that pure crates do not switch
//! off the lints that make them pure, and that unsafe code stays where it may be.

use std::fs;
use std::path::Path;

use super::packages::PURE;
use super::places::tracked_files;
use super::{Outcome, passed_unless};
use crate::workspace;

/// The most lines a source file may have, its tests not counted; 250 is what one aims at.
const LINES_MAX: usize = 500;

/// Names that say nothing about what a file does.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "manager", "misc", "util", "utils"];

/// Folders that may hold unsafe code, each use with its reason: the data path, for vector instructions and for buffers that several
/// threads write; and the Python package, for arrays that are handed over without a copy.
const MAY_BE_UNSAFE: &[&str] = &["crates/feed/", "python/"];

/// Every source file keeps to the rules.
pub(super) fn run() -> anyhow::Result<Outcome> {
    let mut problems = Vec::new();
    for path in tracked_files()?.iter().filter(|path| path.ends_with(".rs")) {
        // A file may be tracked and yet be gone from the tree, while it is being removed.
        if let Ok(source) = fs::read_to_string(workspace::root().join(path)) {
            problems.extend(problems_of(path, &source));
        }
    }
    passed_unless(&problems)
}

fn problems_of(path: &str, source: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = program_lines(source).count();
    if lines > LINES_MAX && !is_test_file(path) {
        problems.push(format!(
            "{path}: {lines} lines without its tests; {LINES_MAX} is the ceiling: split it by what it does"
        ));
    }
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        problems.push(format!("{path}: {stem:?} says nothing: name the file after what it does"));
    }
    problems.extend(silenced_purity(path, source));
    let may_be_unsafe = MAY_BE_UNSAFE.iter().any(|folder| path.starts_with(folder));
    for (number, line) in (1..).zip(source.lines()) {
        if !may_be_unsafe && silences_unsafe(line) {
            let allowed = MAY_BE_UNSAFE.join(", ");
            problems.push(format!("{path}:{number}: unsafe code is for these folders alone: {allowed}"));
        }
        if line.trim_start().starts_with("#[ignore") {
            problems
                .push(format!("{path}:{number}: an ignored test: pin what happens now, or skip with testkit's reason"));
        }
    }
    problems
}

/// Whether the whole file is tests: an integration test, or a module that is compiled for tests only by its name.
fn is_test_file(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Where a pure crate switches off a lint that makes it pure. One use is right: naming a hash map with a fixed hasher, once,
/// as a type of its own.
fn silenced_purity(path: &str, source: &str) -> Vec<String> {
    let is_pure = PURE.iter().any(|name| path.starts_with(&format!("crates/{name}/")));
    if !is_pure || is_test_file(path) {
        return Vec::new();
    }
    let lines: Vec<(usize, &str)> = program_lines(source).collect();
    let mut problems = Vec::new();
    for (index, (number, line)) in lines.iter().enumerate() {
        // An attribute may take a few lines of its own before the item it is on.
        let names_a_type = || lines[index..].iter().take(6).any(|(_, line)| is_type_alias(line));
        let silences = line.contains("clippy::disallowed_methods")
            || line.contains("clippy::disallowed_macros")
            || line.contains("clippy::disallowed_types") && !names_a_type();
        if silences {
            problems.push(format!(
                "{path}:{number}: a pure crate may not switch off what makes it pure: pass the value in"
            ));
        }
    }
    problems
}

/// Whether a line lets unsafe code pass.
fn silences_unsafe(line: &str) -> bool {
    let line = line.trim_start();
    ["#[allow(", "#[expect(", "#![allow(", "#![expect("].iter().any(|start| line.starts_with(start))
        && line.contains("unsafe_code")
}

/// Whether a line begins `type …`, public or not.
fn is_type_alias(line: &str) -> bool {
    line.split_whitespace().find(|word| !word.starts_with("pub")) == Some("type")
}

/// The lines of a file outside its `#[cfg(test)]` modules, numbered. The layout is rustfmt's: such a module starts and ends
/// at the left edge.
fn program_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_tests = false;
    (1..).zip(source.lines()).filter(move |(_, line)| {
        in_tests |= *line == "#[cfg(test)]";
        let is_program = !in_tests;
        // Either a module's end, or a single item such as `mod tests;`.
        if in_tests && (*line == "}" || line.ends_with(';') && !line.starts_with(' ')) {
            in_tests = false;
        }
        is_program
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count_towards_the_length() {
        let source = "fn a() {\n}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(program_lines(source).count(), 4);
        assert_eq!(program_lines("#[cfg(test)]\nmod tests;\nfn a() {}\n").count(), 1);
    }

    #[test]
    fn each_rule_names_the_file() {
        let long = "fn a() {}\n".repeat(LINES_MAX + 1);
        assert!(problems_of("crates/fleet/src/node.rs", &long)[0].contains("501 lines"));
        assert!(problems_of("crates/fleet/tests/node.rs", &long).is_empty());
        assert!(problems_of("crates/fleet/src/util.rs", "")[0].contains("says nothing"));
        let ignored = format!("#[test]\n#[{}]\nfn a() {{}}\n", "ignore");
        assert!(problems_of("crates/fleet/src/node.rs", &ignored)[0].starts_with("crates/fleet/src/node.rs:2: "));
    }

    #[test]
    fn unsafe_code_stays_where_it_may_be() {
        let silenced = "#[expect(unsafe_code, reason = \"quick\")]\nfn a() {}\n";
        assert!(problems_of("crates/store/src/file.rs", silenced)[0].starts_with("crates/store/src/file.rs:1: "));
        assert!(problems_of("crates/feed/src/buffer.rs", silenced).is_empty());
    }

    #[test]
    fn a_pure_crate_keeps_its_lints() {
        let clock = "#[expect(clippy::disallowed_methods, reason = \"quick\")]\nfn now() {}\n";
        let map = "#[expect(\n    clippy::disallowed_types,\n    reason = \"fixed\"\n)]\npub(crate) type Index = HashMap<u8, u8, Fixed>;\n";
        let in_tests = format!("#[cfg(test)]\nmod tests {{\n    {clock}}}\n");
        assert_eq!(silenced_purity("crates/allocate/src/engine.rs", clock).len(), 1);
        assert_eq!(silenced_purity("crates/allocate/src/engine.rs", &clock.replace("methods", "types")).len(), 1);
        assert!(silenced_purity("crates/allocate/src/index.rs", map).is_empty());
        assert!(silenced_purity("crates/allocate/src/engine.rs", &in_tests).is_empty());
        assert!(silenced_purity("crates/connect/src/slurm.rs", clock).is_empty());
    }
}

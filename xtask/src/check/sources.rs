//! The shape of source files: how long they are, what they are called, and that they ignore no test.

use std::fs;
use std::path::Path;

use super::places::tracked_files;
use super::{Outcome, passed_unless};
use crate::workspace;

/// The most lines a source file may have, its tests not counted; 250 is what one aims at.
const LINES_MAX: usize = 500;

/// Names that say nothing about what a file does.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "manager", "misc", "util", "utils"];

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
    let lines = program_lines(source);
    if lines > LINES_MAX && !is_test_file(path) {
        problems.push(format!(
            "{path}: {lines} lines without its tests; {LINES_MAX} is the ceiling: split it by what it does"
        ));
    }
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        problems.push(format!("{path}: {stem:?} says nothing: name the file after what it does"));
    }
    for (number, line) in (1..).zip(source.lines()) {
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

/// How many lines a file has outside its `#[cfg(test)]` modules. The layout is rustfmt's: such a module starts and ends
/// at the left edge.
fn program_lines(source: &str) -> usize {
    let mut count = 0;
    let mut in_tests = false;
    for line in source.lines() {
        in_tests |= line == "#[cfg(test)]";
        if !in_tests {
            count += 1;
        }
        // Either a module's end, or a single item such as `mod tests;`.
        if in_tests && (line == "}" || line.ends_with(';') && !line.starts_with(' ')) {
            in_tests = false;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count_towards_the_length() {
        let source = "fn a() {\n}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n    fn b() {}\n}\nfn c() {}\n";
        assert_eq!(program_lines(source), 4);
        assert_eq!(program_lines("#[cfg(test)]\nmod tests;\nfn a() {}\n"), 1);
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
}

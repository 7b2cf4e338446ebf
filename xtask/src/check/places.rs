//! What is tracked speaks of no one's machine: no developer's folders, no host of a package registry.
//!
//! Paths of one machine break on the next, and those who build from a mirror cannot reach a host that we name.

use std::fs;
use std::process::Command;

use anyhow::{Context, bail};

use super::{Outcome, passed_unless};
use crate::workspace;

/// What no tracked file may hold, and why. Each is written in two parts, so that this file does not hold it either.
const BANNED: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a folder of one machine: paths start at the workspace's root"),
    (concat!("index.crates", ".io"), "a registry's host: name the package, let the client find it"),
    (concat!("static.crates", ".io"), "a registry's host: name the package, let the client find it"),
    (concat!("pypi", ".org"), "a registry's host: name the package, let the client find it"),
    (concat!("python", "hosted"), "a registry's host: name the package, let the client find it"),
    (concat!("registry.npm", "js"), "a registry's host: name the package, let the client find it"),
    (concat!("deb.debian", ".org"), "a registry's host: name the package, let the client find it"),
];

/// No tracked file holds any of it.
pub(super) fn run() -> anyhow::Result<Outcome> {
    let mut problems = Vec::new();
    for path in tracked_files()? {
        let Ok(bytes) = fs::read(workspace::root().join(&path)) else { continue };
        problems.extend(problems_of(&path, &String::from_utf8_lossy(&bytes)));
    }
    passed_unless(&problems)
}

fn problems_of(path: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for (banned, why) in BANNED.iter().filter(|(banned, _)| line.contains(banned)) {
            problems.push(format!("{path}:{number}: {banned:?} is {why}"));
        }
    }
    problems
}

/// The files that are, or are about to be, in the repository: tracked ones, and new ones that git does not ignore.
pub(super) fn tracked_files() -> anyhow::Result<Vec<String>> {
    let output = Command::new("git")
        .current_dir(workspace::root())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("git did not start; it lists the files to check")?;
    if !output.status.success() {
        bail!("`git ls-files` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let listed = String::from_utf8(output.stdout).context("a file's name is not UTF-8")?;
    Ok(listed.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_s_folder_is_named_with_its_line() {
        let text = format!("first\nsee {}main\n", BANNED[0].0);
        let problems = problems_of("docs/GUIDE.md", &text);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("docs/GUIDE.md:2: "), "{problems:?}");
    }

    #[test]
    fn parts_of_other_words_are_left_alone() {
        assert!(
            problems_of("README.md", "how the framework/engine works; crates.io is where crates come from").is_empty()
        );
    }
}

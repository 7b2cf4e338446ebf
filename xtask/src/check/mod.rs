//! `cargo xtask check`: everything that can be held to a rule without running the program.
//!
//! Each step is a line of [`ALL`] and a function; all are run, whatever fails, and the failures are listed at the end.
//! A remark made twice in review becomes a step here.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::bail;
use lexopt::prelude::{Long, Value, ValueExt};

mod arrows;
mod invariants;
mod lint_files;
mod packages;
mod places;
mod pure_tree;
mod sources;
mod tools;

/// What a step came to, if it did not fail.
enum Outcome {
    Passed,
    /// It could not be run here, and this run need not have it.
    Skipped(String),
}

/// One thing that is checked.
struct Step {
    /// What the person types to run it alone.
    name: &'static str,
    /// What holds when it passes.
    holds: &'static str,
    run: fn() -> anyhow::Result<Outcome>,
}

/// Every step, the quick ones first.
const ALL: &[Step] = &[
    Step { name: "format", holds: "the code is laid out by rustfmt", run: tools::format },
    Step { name: "arrows", holds: "crates use only the crates that the design lets them use", run: arrows::run },
    Step { name: "pure-tree", holds: "nothing that does IO stands below a pure crate", run: pure_tree::run },
    Step {
        name: "lint-files",
        holds: "every crate is under the workspace's lints, pure crates under theirs",
        run: lint_files::run,
    },
    Step {
        name: "sources",
        holds: "files are short, aptly named, ignore no test, and keep the lints that make them pure",
        run: sources::run,
    },
    Step { name: "invariants", holds: "the checks that the architecture page names exist", run: invariants::run },
    Step {
        name: "places",
        holds: "no tracked file names a developer's machine or a registry's host",
        run: places::run,
    },
    Step { name: "spelling", holds: "words are spelt right", run: tools::spelling },
    Step { name: "unused", holds: "every dependency is used", run: tools::unused_dependencies },
    Step { name: "deny", holds: "licences, duplicates and sources are as deny.toml says", run: tools::deny },
    Step { name: "advisories", holds: "no dependency has a known vulnerability", run: tools::advisories },
    Step { name: "clippy", holds: "no lint of the workspace or of a pure crate is hit", run: tools::clippy },
    Step { name: "pure-lints", holds: "the lints of the pure crates do catch what they ban", run: lint_files::probe },
    Step { name: "documentation", holds: "rustdoc builds, and its links lead somewhere", run: tools::documentation },
];

/// Runs the steps named in `arguments`, all without any.
pub(crate) fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    let mut chosen: Vec<&Step> = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("list") => {
                for step in ALL {
                    println!("{:<14} {}", step.name, step.holds);
                }
                return Ok(ExitCode::SUCCESS);
            }
            Value(name) => {
                let name = name.string()?;
                let Some(step) = ALL.iter().find(|step| step.name == name) else {
                    bail!("there is no check {name:?}; `cargo xtask check --list` lists them");
                };
                chosen.push(step);
            }
            unexpected => return Err(unexpected.unexpected().into()),
        }
    }
    if chosen.is_empty() {
        chosen.extend(ALL);
    }

    let mut failed = Vec::new();
    let mut skipped = 0;
    for step in &chosen {
        println!("check {}: {}", step.name, step.holds);
        let start = Instant::now();
        match (step.run)() {
            Ok(Outcome::Passed) => println!("  passed in {}", seconds(start.elapsed())),
            Ok(Outcome::Skipped(reason)) => {
                println!("  skipped: {reason}");
                skipped += 1;
            }
            Err(error) => {
                println!("  FAILED in {}: {error:#}", seconds(start.elapsed()));
                failed.push((step.name, error));
            }
        }
    }

    println!("\nchecks: {} passed, {} failed, {skipped} skipped", chosen.len() - failed.len() - skipped, failed.len());
    for (name, error) in &failed {
        println!("failed: {name}: {error:#}");
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Runs a command with its output shown, and fails when it does.
fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let shown = shown(command);
    let status = command.status().map_err(|error| anyhow::anyhow!("`{shown}` did not start: {error}"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}; what it printed is above");
    }
    Ok(())
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut text = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

/// Fails with one line for each problem; passes when there is none.
fn passed_unless(problems: &[String]) -> anyhow::Result<Outcome> {
    match problems {
        [] => Ok(Outcome::Passed),
        problems => bail!("\n    {}", problems.join("\n    ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let names: BTreeSet<_> = ALL.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn a_command_that_fails_is_shown_as_typed() {
        let error = succeed(Command::new("/bin/sh").args(["-c", "exit 3"])).unwrap_err().to_string();
        assert!(error.starts_with("`sh -c exit 3` ended with exit status: 3"), "{error}");
    }
}

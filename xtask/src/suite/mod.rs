//! `cargo xtask test`: every test of the workspace, and an account of those that were skipped.
//!
//! It runs plain `cargo test`, which a fresh machine has, and which runs documentation tests too. What a test prints is
//! passed through untouched; the counts and the skips are added up and printed once at the end.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{ExitCode, Stdio};

use anyhow::Context;
use lexopt::prelude::{Long, Value};

use crate::workspace;
use skips::Skip;
use tally::Tally;

mod skips;
mod tally;

/// Whether a skipped test fails the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Skips {
    /// Reported only: a stranger's clone has neither Slurm nor the shared data.
    Reported,
    /// Fatal: this machine is meant to have everything.
    Fatal,
}

/// Runs the tests with the options left in `arguments`.
pub(crate) fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    let mut skips = Skips::Reported;
    let mut for_cargo = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("no-skips") => skips = Skips::Fatal,
            Value(value) => {
                for_cargo.push(value);
                for_cargo.extend(arguments.raw_args()?);
            }
            unexpected => return Err(unexpected.unexpected().into()),
        }
    }

    let log = workspace::target_folder().join("xtask").join("skipped-tests.tsv");
    start_log(&log)?;

    let mut cargo = workspace::cargo();
    cargo.args(["test", "--all-features", "--no-fail-fast"]);
    if !names_a_package(&for_cargo) {
        // Only then: beside --workspace, cargo takes no notice of --package.
        cargo.arg("--workspace");
    }
    cargo.args(&for_cargo);
    cargo.env(testkit_skip_log_env(), &log).stdout(Stdio::piped());
    if std::io::stdout().is_terminal() && std::env::var_os("CARGO_TERM_COLOR").is_none() {
        // Piped, cargo would drop its colours though a person is reading.
        cargo.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = cargo.spawn().context("cargo did not start")?;
    let printed = child.stdout.take().expect("stdout is piped");
    let tally = pass_through(BufReader::new(printed))?;
    let status = child.wait().context("cargo was lost")?;

    let skipped = skips::parse(&fs::read_to_string(&log).with_context(|| format!("{} is gone", log.display()))?);
    print!("{}", account(&tally, &skipped));

    let failed = !status.success() || (skips == Skips::Fatal && !skipped.is_empty());
    if status.success() && failed {
        eprintln!("xtask: tests were skipped, and --no-skips was given");
    }
    if tally.executed() == 0 {
        eprintln!("xtask: no test was run");
        return Ok(ExitCode::FAILURE);
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn names_a_package(for_cargo: &[OsString]) -> bool {
    for_cargo.iter().take_while(|argument| *argument != "--").any(|argument| {
        argument.to_string_lossy().starts_with("-p") || argument.to_string_lossy().starts_with("--package")
    })
}

/// The variable through which tests are told where to write; the `testkit` crate reads it.
fn testkit_skip_log_env() -> &'static str {
    // Spelled out, not imported: xtask must start when the workspace's crates do not compile.
    "TRIMTAB_SKIP_LOG"
}

/// An empty file in a folder that exists: tests only append.
fn start_log(log: &Path) -> anyhow::Result<()> {
    let folder = log.parent().expect("the log lies in a folder below target");
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::write(log, "").with_context(|| format!("cannot write {}", log.display()))
}

/// Copies cargo's output to ours line by line, as it comes, counting on the way.
fn pass_through(mut printed: impl BufRead) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut out = std::io::stdout().lock();
    let mut line = Vec::new();
    while printed.read_until(b'\n', &mut line).context("cargo's output broke off")? > 0 {
        out.write_all(&line)?;
        out.flush()?;
        tally.observe(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok(tally)
}

/// What is printed last: each skip with its reason, then one line of counts.
fn account(tally: &Tally, skipped: &[Skip]) -> String {
    let mut text = String::new();
    for skip in skipped {
        text.push_str(&format!("skipped: {}: {} ({})\n", skip.test, skip.reason, skip.need));
    }
    // libtest counts a test that returned early as passed.
    let passed = tally.passed.saturating_sub(skipped.len() as u64);
    text.push_str(&format!("\n{passed} passed, {} failed, {} skipped\n", tally.failed, skipped.len()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_names_each_skip_and_does_not_count_it_as_passed() {
        let tally = Tally { passed: 5, failed: 1 };
        let skipped = skips::parse("slurm\timport::real\tslurmctld is not installed\n");
        assert_eq!(
            account(&tally, &skipped),
            "skipped: import::real: slurmctld is not installed (slurm)\n\n4 passed, 1 failed, 1 skipped\n"
        );
    }

    #[test]
    fn the_log_variable_is_the_one_that_testkit_reads() {
        let source = fs::read_to_string(workspace::root().join("crates/testkit/src/skip.rs")).unwrap();
        assert!(source.contains(&format!("SKIP_LOG_ENV: &str = {:?}", testkit_skip_log_env())));
    }
}

//! The plain xtask's part of a benchmark: build the optimised one, and hand over.

use std::process::ExitCode;

use anyhow::Context;

use crate::workspace;

/// Runs the same command in an optimised build that knows the benchmarks, in the caller's own folder, so that paths
/// given on the command line mean what they say.
pub(crate) fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    let mut cargo = workspace::cargo();
    cargo.current_dir(std::env::current_dir().context("the current folder is gone")?);
    cargo.args(["run", "--quiet", "--release", "--package", "xtask", "--features", "bench", "--manifest-path"]);
    cargo.arg(workspace::root().join("Cargo.toml")).args(["--", "bench"]).args(arguments.raw_args()?);
    eprintln!("building the benchmarks, optimised");
    let status = cargo.status().context("cargo did not start")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

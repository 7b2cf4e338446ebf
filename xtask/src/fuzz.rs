//! `cargo xtask fuzz`: every reader against input that a fuzzer makes up, for so many seconds each.
//!
//! Targets lie in fuzz/targets, samples to begin with in fuzz/seeds, both by the target's name. What a run finds worth keeping
//! goes to fuzz/corpus, what makes a reader fail to fuzz/artifacts; neither is in the repository. An input that made a reader
//! fail belongs into a test of that reader. Without a sanitizer: our code is safe Rust, and so the one toolchain will do.

use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use lexopt::prelude::{Long, Value, ValueExt};

use crate::workspace;

/// How long each target runs, unless told otherwise.
const SECONDS: u32 = 20;
/// The longest input tried: longer ones find the same and take longer.
const INPUT_BYTES_MAX: u32 = 8 << 10;
/// What one input may take, in seconds and in MiB; more is a fault of the reader.
const INPUT_SECONDS_MAX: u32 = 10;
const MEMORY_MIB_MAX: u32 = 1_024;

/// Runs the targets named in `arguments`, all without any.
pub(crate) fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    let known = targets()?;
    let mut seconds = SECONDS;
    let mut chosen = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("list") => {
                known.iter().for_each(|target| println!("{target}"));
                return Ok(ExitCode::SUCCESS);
            }
            Long("seconds") => seconds = arguments.value()?.parse()?,
            Value(name) => {
                let name = name.string()?;
                if !known.contains(&name) {
                    bail!("there is no fuzz target {name:?}; `cargo xtask fuzz --list` lists them");
                }
                chosen.push(name);
            }
            unexpected => return Err(unexpected.unexpected().into()),
        }
    }
    if chosen.is_empty() {
        chosen = known;
    }
    present()?;
    for target in &chosen {
        let corpus = workspace::root().join("fuzz/corpus").join(target);
        std::fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    }
    let failed: Vec<&String> = chosen.iter().filter(|target| !passes(target, seconds)).collect();
    for target in &failed {
        println!("failed: {target}; the input lies in fuzz/artifacts/{target}");
    }
    println!("\nfuzz: {} targets passed, {} failed", chosen.len() - failed.len(), failed.len());
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The names of all targets, in order.
fn targets() -> anyhow::Result<Vec<String>> {
    let folder = workspace::root().join("fuzz/targets");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort_unstable();
    Ok(names)
}

fn present() -> anyhow::Result<()> {
    let version = workspace::cargo().args(["fuzz", "--version"]).output().context("cargo did not start")?;
    if !version.status.success() {
        bail!("cargo-fuzz is missing; install it with `cargo install --locked cargo-fuzz`");
    }
    Ok(())
}

fn passes(target: &str, seconds: u32) -> bool {
    println!("fuzz {target} for {seconds} s");
    command(target, seconds).status().is_ok_and(|status| status.success())
}

/// What is typed for one target.
fn command(target: &str, seconds: u32) -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(["fuzz", "run", "--sanitizer", "none", "--release", target]);
    // The first folder is also where new finds go.
    cargo.args([format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"), "--".into()]);
    cargo.args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        "-verbosity=0".into(),
        "-print_final_stats=1".into(),
    ]);
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_samples_and_is_built() {
        let manifest = std::fs::read_to_string(workspace::root().join("fuzz/Cargo.toml")).unwrap();
        for target in targets().unwrap() {
            let samples = std::fs::read_dir(workspace::root().join("fuzz/seeds").join(&target));
            assert!(samples.is_ok_and(|samples| samples.count() > 0), "{target} has no sample");
            assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target} is not in Cargo.toml");
        }
    }
}

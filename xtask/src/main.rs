//! Trimtab's own chores, run as `cargo xtask <chore>`.
//!
//! Chores call cargo and the tools around it; none of Trimtab's own code is needed to start one, so that they work in a
//! tree that does not compile. (Benchmarks do need it: they run in a second, optimised build, see `bench`.) One chore,
//! one module; each is a function from its arguments to success or an error.

use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value, ValueExt};

mod bench;
mod check;
mod fuzz;
mod suite;
mod venv;
mod wheel;
mod workspace;

const HELP: &str = "\
Trimtab's own chores.

Usage: cargo xtask <CHORE> [OPTIONS]

Chores:
  bench      Measure what Trimtab must reach, in an optimised build
               (no name)        list the benchmarks
               NAME             run one; it fails when a target is missed
               --data DIR       take the data from DIR (default: ../shared/data beside the workspace)
               --bar N          this bar only
               --runs N         so many runs of what a bar repeats
               --format FORMAT  table, or json: a line a row
               --save           keep the result under docs/bench, with the day and the machine
  check      Hold the tree to its rules: layout, lints, purity, arrows, licences, spelling
               STEP ...         these steps only
               --list           print the steps
  fuzz       Try every reader on input that a fuzzer makes up (wants cargo-fuzz)
               TARGET ...       these targets only
               --seconds N      how long each runs (default: 20)
               --list           print the targets
  test       Run every test of the workspace, and say which were skipped and why
               --no-skips       fail when a test was skipped
               -- ARGUMENTS     handed to `cargo test` (such as: -- --package fleet)
  wheel      Build the Python package, and say where it lies (wants Python 3 with venv; installs maturin under target)
";

fn main() -> ExitCode {
    match run(lexopt::Parser::from_env()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    match arguments.next()? {
        None | Some(Short('h') | Long("help")) => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some(Value(chore)) => match chore.string()?.as_str() {
            "test" => suite::run(arguments),
            "bench" => bench::run(arguments),
            "check" => check::run(arguments),
            "fuzz" => fuzz::run(arguments),
            "wheel" => wheel::run(arguments),
            other => anyhow::bail!("there is no chore {other:?}; `cargo xtask --help` lists them"),
        },
        Some(unexpected) => Err(unexpected.unexpected().into()),
    }
}

//! The command line of the benchmarks, and what they print.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use lexopt::prelude::{Long, Value, ValueExt};

use super::registry::{ALL, Bench};
use super::session::Session;
use super::{row, saved};
use crate::workspace;

/// How rows are printed on stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Table,
    /// A line of JSON a row.
    Json,
}

/// What the command line asks for.
struct Request {
    bench: &'static Bench,
    data: PathBuf,
    /// One of its bars; absent: all.
    bar: Option<u32>,
    /// So many runs of what is repeated; absent: as many as the bar wants.
    runs: Option<usize>,
    format: Format,
    /// Where to keep the result as well.
    save_to: Option<PathBuf>,
}

/// Runs the benchmark that `arguments` name. It fails when a row misses its target.
pub(crate) fn run(arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    if cfg!(debug_assertions) {
        bail!("this build is not optimised, its figures would mean nothing: use `cargo xtask bench`");
    }
    let Some(request) = parse(arguments)? else { return Ok(ExitCode::SUCCESS) };
    let mut session = Session::new(request.data).only(request.bar).limited(request.runs);
    (request.bench.run)(&mut session)?;

    match request.format {
        Format::Table => print!("{}", row::table(session.rows())),
        Format::Json => print!("{}", row::json_lines(session.rows())),
    }
    for absence in session.absences() {
        eprintln!("skipped: bar {}: {}", absence.bar, absence.reason);
    }
    if let Some(folder) = request.save_to {
        let path = saved::write(&folder, request.bench.name, &session)?;
        eprintln!("saved {}", path.display());
    }
    let missed = session.rows().iter().filter(|row| !row.pass()).count();
    eprintln!(
        "{}: {} rows, {missed} missed, {} skipped",
        request.bench.name,
        session.rows().len(),
        session.absences().len()
    );
    Ok(if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The request, or nothing when the person only asked what there is.
fn parse(mut arguments: lexopt::Parser) -> anyhow::Result<Option<Request>> {
    let mut bench = None;
    let mut data = workspace::root().join("../shared/data");
    let mut format = Format::Table;
    let mut save_to = None;
    let mut bar = None;
    let mut runs = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(name) if bench.is_none() => bench = Some(find(&name.string()?)?),
            Long("data") => {
                data = arguments.value()?.into();
                if !data.is_dir() {
                    bail!("--data {}: there is no such folder", data.display());
                }
            }
            Long("format") => {
                format = match arguments.value()?.string()?.as_str() {
                    "table" => Format::Table,
                    "json" => Format::Json,
                    other => bail!("--format {other}: expected `table` or `json`"),
                }
            }
            Long("bar") => bar = Some(arguments.value()?.parse()?),
            Long("runs") => runs = Some(arguments.value()?.parse()?),
            Long("save") => save_to = Some(workspace::root().join("docs/bench")),
            unexpected => return Err(unexpected.unexpected().into()),
        }
    }
    let Some(bench) = bench else {
        for bench in ALL {
            println!("{:<10} {}", bench.name, bench.about);
        }
        return Ok(None);
    };
    Ok(Some(Request { bench, data, bar, runs, format, save_to }))
}

fn find(name: &str) -> anyhow::Result<&'static Bench> {
    match ALL.iter().find(|bench| bench.name == name) {
        Some(bench) => Ok(bench),
        None => bail!("there is no benchmark {name:?}; `cargo xtask bench` lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> anyhow::Result<Option<Request>> {
        parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn mistakes_are_named() {
        for (arguments, expected) in [
            (&["no-such-bench"][..], "there is no benchmark \"no-such-bench\"; `cargo xtask bench` lists them"),
            (&["--format", "xml"], "--format xml: expected `table` or `json`"),
            (&["--data", "no/such/folder"], "--data no/such/folder: there is no such folder"),
            (&["--fast"], "invalid option '--fast'"),
        ] {
            let error = parsed(arguments).err().expect("a mistake is an error").to_string();
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn without_a_name_nothing_is_run() {
        assert!(parsed(&[]).unwrap().is_none());
    }
}

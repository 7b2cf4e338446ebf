//! Bar 3: the traces of bar 2, the whole command beside HolisticTraceAnalysis with the same figures; and what a trace that is a hundred
//! times as long asks for in memory.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::bench::program;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;
use crate::venv::{Venv, run as to_its_end};
use crate::workspace;

const BAR: u32 = 3;

/// The peer, and what it leaves to whoever installs it.
pub(super) const HTA: &[&str] = &["HolisticTraceAnalysis==0.5.0"];

/// Pairs of which the median counts.
const PAIRS: usize = 5;

/// The trace that is made longer, and how many times.
const LONGER: (&str, u32) = ("nccl_data.json.gz", 100);

#[derive(Clone, Copy, Deserialize)]
struct Taken {
    seconds: f64,
    bytes: f64,
}

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(folder) = session.data(BAR, "kineto") else { return Ok(()) };
    let (hta, trimtab) = (Venv::with("hta", HTA)?, program::build()?);
    for name in super::answer::members(&folder, "", ".json.gz")? {
        let trace = folder.join(format!("{name}.json.gz"));
        let pairs: Vec<(Taken, Taken)> = (0..PAIRS)
            .map(|_| Ok((ours(&hta, &trimtab, &trace)?, theirs(&hta, &trace)?)))
            .collect::<anyhow::Result<_>>()?;
        let of = |ratio: fn(&(Taken, Taken)) -> f64| median(pairs.iter().map(ratio).collect());
        let ms = 1_000.0 * median(pairs.iter().map(|(ours, _)| ours.seconds).collect());
        let case = format!("{name}: {ms:.0} ms, to HTA");
        session.add(Row::new(
            BAR,
            case,
            of(|(ours, theirs)| theirs.seconds / ours.seconds),
            Target::AtLeast(15.0),
            "x",
        ));
        let mb = median(pairs.iter().map(|(ours, _)| ours.bytes).collect()) / 1e6;
        let case = format!("{name}: {mb:.1} MB, of HTA's memory");
        session.add(Row::new(BAR, case, of(|(ours, theirs)| ours.bytes / theirs.bytes), Target::AtMost(0.2), "x"));
    }
    longer(session, &folder, &hta, &trimtab)
}

fn longer(session: &mut Session, folder: &Path, hta: &Venv, trimtab: &Path) -> anyhow::Result<()> {
    let (name, times) = LONGER;
    let made = workspace::target_folder().join(format!("bench/{times}-times-{name}").trim_end_matches(".gz"));
    std::fs::create_dir_all(made.parent().context("it has a folder")?)?;
    let script = program_of("kineto_longer.py");
    to_its_end(hta.python().arg(script).arg(folder.join(name)).arg(times.to_string()).arg(&made))?;
    let (short, long) = (ours(hta, trimtab, &folder.join(name))?, ours(hta, trimtab, &made)?);
    let size = std::fs::metadata(&made)?.len();
    std::fs::remove_file(&made)?;
    let case = format!(
        "{times} times {} ({:.1} GB in {:.1} s, {:.1} MB), of the memory of one",
        name.trim_end_matches(".json.gz"),
        size as f64 / 1e9,
        long.seconds,
        long.bytes / 1e6
    );
    session.add(Row::new(BAR, case, long.bytes / short.bytes, Target::AtMost(2.0), "x"));
    Ok(())
}

fn ours(python: &Venv, trimtab: &Path, trace: &Path) -> anyhow::Result<Taken> {
    taken(python.python().arg(program_of("measured.py")).arg(trimtab).args(["diagnose", "--format", "json"]).arg(trace))
}

fn theirs(hta: &Venv, trace: &Path) -> anyhow::Result<Taken> {
    let python = hta.program("python");
    taken(hta.python().arg(program_of("measured.py")).arg(python).arg(program_of("kineto_hta.py")).arg(trace))
}

fn taken(command: &mut std::process::Command) -> anyhow::Result<Taken> {
    let output = command.output().context("python did not start")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).context("what was measured is no JSON")
}

pub(super) fn program_of(name: &str) -> PathBuf {
    workspace::root().join("xtask/src/bench/diagnose/programs").join(name)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

//! Bar 11: files that are not as they should be. Each must end in an error that names what is wrong, or in what could be read with what is
//! missing told; never in a crash, and never in memory without end.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use crate::bench::program;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;
use crate::workspace;

const BAR: u32 = 11;

/// No more memory than this, whatever comes: a quarter of what the smallest machines have that people train on.
const MEMORY_MAX_MB: f64 = 512.0;

/// What came of a file.
#[derive(Deserialize)]
struct Ended {
    bytes: f64,
    /// The exit code; below zero, the signal that ended it.
    code: i32,
    errors: String,
}

/// A file that is not as it should be.
struct Bad {
    name: &'static str,
    write: fn(&Path, &mut dyn Write) -> anyhow::Result<()>,
    /// Words of which one must be told.
    told: &'static [&'static str],
    /// What its name ends in.
    ending: &'static str,
}

const ALL: &[Bad] = &[
    Bad { name: "an empty file", write: |_, _| Ok(()), told: &["empty", "holds no"], ending: "json" },
    Bad { name: "1 GB of [", write: brackets, told: &["does not tell what it is"], ending: "json" },
    Bad {
        name: "a trace that goes on with 1 GB of [",
        write: trace_of_brackets,
        told: &["was expected", "nested"],
        ending: "json",
    },
    Bad {
        name: "a trace cut off within gzip",
        write: cut_off,
        told: &["stopped", "cut off", "ends"],
        ending: "json.gz",
    },
    Bad { name: "a trace with wrong types", write: wrong_types, told: &["of another kind"], ending: "json" },
    Bad { name: "a trace whose clock goes backwards", write: backwards, told: &[], ending: "json" },
    Bad { name: "step times that are no numbers", write: no_numbers, told: &["bad.csv:3"], ending: "csv" },
    Bad { name: "step times of 10,000 ranks", write: many_workers, told: &[], ending: "csv" },
    Bad { name: "operations of 10,000 ranks", write: many_ranks, told: &[], ending: "csv" },
    Bad { name: "random bytes", write: random, told: &["does not tell what it is"], ending: "bin" },
];

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(data) = session.data(BAR, "kineto") else { return Ok(()) };
    let trimtab = program::build()?;
    let folder = tempfile::tempdir_in(workspace::target_folder())?;
    for bad in ALL {
        let path = folder.path().join(format!("bad.{}", bad.ending));
        let mut file = BufWriter::new(File::create(&path)?);
        (bad.write)(&data, &mut file)?;
        file.flush()?;
        let ended = ended(&trimtab, &path)?;
        std::fs::remove_file(&path)?;
        let told = bad.told.is_empty() || bad.told.iter().any(|word| ended.errors.contains(word));
        // Done, or wrong input; anything else is a crash.
        let sound = matches!(ended.code, 0 | 2) && told;
        if !sound {
            eprintln!("{}: ended with {}, told: {}", bad.name, ended.code, ended.errors);
        }
        let case = format!("{}: ended with code {}, and told of", bad.name, ended.code);
        session.add(Row::new(BAR, case, f64::from(u8::from(sound)), Target::AtLeast(1.0), ""));
        let case = format!("{}: memory", bad.name);
        session.add(Row::new(BAR, case, ended.bytes / 1e6, Target::AtMost(MEMORY_MAX_MB), "MB"));
    }
    Ok(())
}

fn ended(trimtab: &Path, path: &Path) -> anyhow::Result<Ended> {
    let script = workspace::root().join("xtask/src/bench/diagnose/programs/ended.py");
    let output =
        Command::new("python3").arg(script).arg(trimtab).args(["diagnose", "--format", "json"]).arg(path).output();
    let output = output.context("python3 did not start")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("what came of it is no JSON")
}

fn brackets(_: &Path, file: &mut dyn Write) -> anyhow::Result<()> {
    let part = vec![b'['; 1 << 20];
    for _ in 0..1_000 {
        file.write_all(&part)?;
    }
    Ok(())
}

/// A list in a list in a list, within the arguments of an event, where anything may stand.
fn trace_of_brackets(data: &Path, file: &mut dyn Write) -> anyhow::Result<()> {
    file.write_all(br#"{"schemaVersion": 1, "traceEvents": [{"ph": "X", "name": "a", "args": {"x": "#)?;
    brackets(data, file)
}

fn cut_off(data: &Path, file: &mut dyn Write) -> anyhow::Result<()> {
    let whole = std::fs::read(data.join("nccl_data.json.gz"))?;
    Ok(file.write_all(&whole[..whole.len() / 2])?)
}

/// A trace whose moments are texts in one event of five.
fn wrong_types(data: &Path, file: &mut dyn Write) -> anyhow::Result<()> {
    changed(data, file, &mut |number, line| match number % 5 {
        0 => line.replace("\"ts\": ", "\"ts\": \"x\", \"was\": "),
        1 => line.replace("\"dur\": ", "\"dur\": [{}], \"was\": "),
        _ => line.to_owned(),
    })
}

/// A trace in which every second event begins before the machine did.
fn backwards(data: &Path, file: &mut dyn Write) -> anyhow::Result<()> {
    changed(data, file, &mut |number, line| {
        if number % 2 == 0 { line.replace("\"ts\": ", "\"ts\": -") } else { line.to_owned() }
    })
}

fn changed(data: &Path, file: &mut dyn Write, change: &mut dyn FnMut(usize, &str) -> String) -> anyhow::Result<()> {
    let mut text = String::new();
    MultiGzDecoder::new(File::open(data.join("nccl_data.json.gz"))?).read_to_string(&mut text)?;
    let mut before = 0;
    // An event begins so in this trace.
    for (number, (at, _)) in text.match_indices("{\n    \"ph\"").enumerate() {
        if at > before {
            file.write_all(change(number, &text[before..at]).as_bytes())?;
            before = at;
        }
    }
    Ok(file.write_all(&text.as_bytes()[before..])?)
}

fn no_numbers(_: &Path, file: &mut dyn Write) -> anyhow::Result<()> {
    Ok(file.write_all(b"worker,step,seconds\n0,1,0.5\n0,2,soon\n1,1,-\n1,2,0.5\n")?)
}

fn many_workers(_: &Path, file: &mut dyn Write) -> anyhow::Result<()> {
    file.write_all(b"worker,step,seconds\n")?;
    for step in 0..40 {
        for worker in 0..10_000 {
            let seconds = if worker == 77 && step > 10 { 2.0 } else { 1.0 };
            writeln!(file, "{worker},{step},{seconds}")?;
        }
    }
    Ok(())
}

fn many_ranks(_: &Path, file: &mut dyn Write) -> anyhow::Result<()> {
    file.write_all(b"dp_rank,stage,rank,step,optype,start_ts,duration,seq_id,mc,gmc\n")?;
    for rank in 0..10_000 {
        for step in 0..3 {
            let start = f64::from(step) * 2.0;
            for (optype, from, length) in [
                ("forward-compute", 0.0, 0.3),
                ("backward-compute", 0.4, 0.6),
                ("grads-reduce-scatter", 1.1, 0.2),
                ("optimizer", 1.4, 0.1),
            ] {
                writeln!(file, "{rank},0,{rank},{step},{optype},{},{length},0,0,0", start + from)?;
            }
        }
    }
    Ok(())
}

fn random(_: &Path, file: &mut dyn Write) -> anyhow::Result<()> {
    // xorshift64 (Marsaglia, Xorshift RNGs, 2003).
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..1 << 17 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes())?;
    }
    Ok(())
}

//! Does each fault bite? Injects faults into runs, and prints what each was to cost beside what it did cost, and the pace
//! after it was taken back: `cargo run --release -p train-rig --example bite -- [seeds] [kind …]`.

use std::time::Duration;

use anyhow::Context;
use train_rig::{Fault, Kind, Limit, Processor, Run, Start, program};

const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seeds: u64 = arguments.next().map_or(Ok(1), |seeds| seeds.parse()).context("how many seeds?")?;
    let kinds: Vec<String> = arguments.collect();
    println!("kind               seed  step ms  cpu%  busy%  asked  got    after  done");
    for kind in Kind::ALL.into_iter().filter(|kind| kind.slows()) {
        if !kinds.is_empty() && !kinds.iter().any(|name| name == kind.name()) {
            continue;
        }
        for seed in 0..seeds {
            if let Err(error) = bite(kind, seed) {
                println!("{:<18} {seed:<5} {error:#}", kind.name());
            }
        }
    }
    Ok(())
}

fn bite(kind: Kind, seed: u64) -> anyhow::Result<()> {
    let program = program().context("cargo build -p train-rig, in the same profile")?;
    let shape = kind.shape(seed);
    let folder = tempfile::tempdir()?;
    let run = Run::start(&Start {
        program: &program,
        job: "bite",
        shape: &shape,
        seed,
        limit: Limit { steps: None, seconds: Some(120.0) },
        steps_socket: None,
        folder: folder.path(),
    })?;
    run.watch(6 + shape.benign.start_steps, PATIENCE)?;
    let before = Processor::now()?;
    let healthy = run.watch(24, PATIENCE)?;
    let busy = Processor::now()?.busy_share_since(before);
    let fault = Fault::draw(kind, &shape, seed);
    let injected = run.inject(&fault)?;
    let done = injected.to_string();
    // Two batches are ready when the fault begins.
    run.watch(3, PATIENCE)?;
    let harmed = run.watch(16, PATIENCE)?;
    injected.remove()?;
    run.watch(5, PATIENCE)?;
    let after = run.watch(20, PATIENCE)?;
    let cores = std::thread::available_parallelism()?.get();
    println!(
        "{:<18} {seed:<5} {:>7.1}  {:>4.0}  {:>5.0}  {:>5.2}  {:>5.2}  {:>5.2}  {done}",
        kind.name(),
        healthy.step_s * 1e3,
        healthy.processor_share(cores) * 100.0,
        busy * 100.0,
        fault.slowdown,
        harmed.step_s / healthy.step_s,
        after.step_s / healthy.step_s,
    );
    Ok(())
}

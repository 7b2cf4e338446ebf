//! Bar 4: stopping anywhere and going on with another number of ranks and threads, for every format: exactly the rest of the same
//! order. Samples say themselves which they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use feed::loader::Loader;
use feed::order::Shuffle;
use feed::pipeline::{Batch, Made, Next};
use feed::random::Draws;
use feed::spec::{CacheSpec, ColumnSpec, KindSpec, Spec, TokenType, TokensSpec};
use feed::state::State;

use super::super::row::{Row, Target};
use super::super::session::Session;
use super::sets;
use crate::workspace;

/// Samples of each set.
pub(super) const SAMPLES: u64 = 40_000;
/// Stops and resumes.
const TRIALS: u64 = 500;
/// Bytes that what is unpacked takes at most.
const UNPACKED_MAX: u64 = 1 << 30;

/// A set and how its samples say which they are.
pub(super) struct Set {
    pub(super) name: &'static str,
    pub(super) data: PathBuf,
    pub(super) kind: KindSpec,
    pub(super) field: &'static str,
}

/// What went wrong, over all trials.
#[derive(Default)]
struct Faults {
    repeated: u64,
    lost: u64,
    out_of_order: u64,
}

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let sets = sets::make(&home().join("sets"), SAMPLES)?;
    if unpacked().exists() {
        fs::remove_dir_all(unpacked()).context("cannot remove what was unpacked before")?;
    }
    let mut faults = Faults::default();
    for trial in 0..TRIALS {
        let mut draws = Draws::of(&[4, trial]);
        let set = &sets[draws.below(sets.len() as u64) as usize];
        try_once(set, &mut draws, &mut faults).with_context(|| format!("trial {trial}, {}", set.name))?;
    }
    let names: Vec<&str> = sets.iter().map(|set| set.name).collect();
    let case = |what: &str| format!("{what} in {TRIALS} trials of {SAMPLES} samples ({})", names.join(", "));
    session.add(Row::new(4, case("repeated"), faults.repeated as f64, Target::AtMost(0.0), "samples"));
    session.add(Row::new(4, case("lost"), faults.lost as f64, Target::AtMost(0.0), "samples"));
    session.add(Row::new(4, case("out of order"), faults.out_of_order as f64, Target::AtMost(0.0), "samples"));
    Ok(())
}

fn home() -> PathBuf {
    workspace::target_folder().join("bench/feed/resume")
}

/// Where what is compressed and tables are unpacked.
fn unpacked() -> PathBuf {
    home().join("unpacked")
}

/// Runs to a stop, goes on with others to another, and so on to the end of the epoch.
fn try_once(set: &Set, draws: &mut Draws, faults: &mut Faults) -> anyhow::Result<()> {
    let seed = draws.bits();
    let mut found: Vec<u64> = Vec::with_capacity(SAMPLES as usize);
    let mut state: Option<State> = None;
    let stops = 1 + draws.below(3);
    for stop in 0..=stops {
        let world = [1, 2, 3, 8][draws.below(4) as usize];
        let threads = [1, 2, 4][draws.below(3) as usize];
        let batch = 1 + draws.below(100);
        let left = SAMPLES - found.len() as u64;
        let steps = if stop == stops { u64::MAX } else { draws.below(left / (world * batch) + 2) };
        let reached = go_on(set, (seed, world, threads, batch), state.as_ref(), steps, &mut found)?;
        if reached.epoch > 0 {
            break;
        }
        state = Some(reached);
    }
    let order = feed::order::Order { samples: SAMPLES, shuffle: Shuffle::Global, seed }.epoch(0);
    let mut seen = vec![0_u64; SAMPLES as usize];
    for (position, sample) in found.iter().enumerate() {
        ensure!(*sample < SAMPLES, "a sample says that it is number {sample}");
        seen[*sample as usize] += 1;
        faults.out_of_order += u64::from(position < SAMPLES as usize && order.sample(position as u64) != *sample);
    }
    faults.repeated += seen.iter().map(|times| times.saturating_sub(1)).sum::<u64>();
    faults.lost += seen.iter().filter(|times| **times == 0).count() as u64;
    Ok(())
}

/// Takes some steps of all ranks, from a state on; where they are then.
fn go_on(
    set: &Set,
    (seed, world, threads, batch): (u64, u64, usize, u64),
    state: Option<&State>,
    steps: u64,
    found: &mut Vec<u64>,
) -> anyhow::Result<State> {
    let mut loaders = Vec::new();
    for rank in 0..world {
        let loader = Loader::open(&spec(set, seed, (world, rank), threads, batch))?;
        if let Some(state) = state {
            loader.go_on_from(state)?;
        }
        loaders.push(loader);
    }
    let mut are_open = vec![true; loaders.len()];
    for _ in 0..steps {
        for (loader, is_open) in loaders.iter().zip(&mut are_open) {
            match if *is_open { loader.next(Duration::from_secs(60)) } else { continue } {
                Next::Batch(batch) => numbers(&batch, found)?,
                Next::EndOfEpoch(_) => *is_open = false,
                Next::NotYet | Next::NoRoom { .. } => bail!("nothing came for a minute"),
            }
        }
        if are_open.iter().all(|is_open| !is_open) {
            break;
        }
    }
    // A rank without a share in the last step is over before the others are.
    let states = loaders.iter().map(Loader::state);
    states.max_by_key(|state| (state.epoch, state.consumed)).context("there is a rank")
}

fn spec(set: &Set, seed: u64, (world, rank): (u64, u64), threads: usize, batch: u64) -> Spec {
    let column = ColumnSpec { name: "number".into(), fields: vec![set.field.into()], kind: set.kind.clone() };
    Spec {
        data: vec![set.data.display().to_string()],
        mix: None,
        columns: vec![column],
        batch,
        shuffle: Shuffle::Global,
        buckets: None,
        seed,
        world,
        rank,
        drop_last: false,
        threads: Some(threads),
        ahead: Some(3),
        requests: None,
        tune_from: None,
        worker: 0,
        workers: 1,
        decoded_cache: None,
        memory: None,
        loaders_here: 1,
        cache: Some(CacheSpec { folder: unpacked().display().to_string(), bytes: UNPACKED_MAX }),
        storage_options: BTreeMap::new(),
        pixels_max: 1,
        price_per_hour: None,
    }
}

/// What the samples of a batch say that they are.
fn numbers(batch: &Batch, found: &mut Vec<u64>) -> anyhow::Result<()> {
    ensure!(batch.failed.is_empty(), "{}", batch.failed[0]);
    let column = batch.columns().next().context("there is a column")?;
    let Made::Numbers(numbers) = column.made else { bail!("the column is made of numbers") };
    for sample in numbers.chunks_exact(numbers.slot_bytes()).take(batch.samples) {
        let (number, _) = sample.split_first_chunk::<8>().context("a number has eight bytes")?;
        found.push(u64::from_ne_bytes(*number));
    }
    Ok(())
}

/// Tokens of which each says which sample it is of.
pub(super) fn tokens() -> KindSpec {
    KindSpec::Tokens(TokensSpec { length: 4, stride: None, dtype: TokenType::Int32 })
}

/// Writes a file below a folder that is made for it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

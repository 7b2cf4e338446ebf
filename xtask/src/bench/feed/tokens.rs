//! Bar 3: tokens, shuffled, as torch takes them: for each core-second, beside LitData.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;

use super::super::row::{Row, Target};
use super::super::session::Session;
use super::peers::{Home, Peers, ROUNDS, median};
use crate::workspace;

/// Tokens in all: a hundred million, as whole samples of 2,048.
const TOKENS: u64 = 48_828 * 2_048;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let folder = workspace::target_folder().join("bench/feed/tokens");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    write(&folder.join("tokens.bin"))?;
    let folder: OsString = folder.into();
    let peers = Peers::install()?;
    peers.run(Home::Torch, "tokens_for_litdata.py", &[&folder])?;
    let (mut ours, mut ratios) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let own = peers.measure(Home::Torch, "tokens_trimtab.py", &[&folder])?.per_core_second();
        let litdata = peers.measure(Home::Torch, "tokens_litdata.py", &[&folder])?.per_core_second();
        ours.push(own / 1e6);
        ratios.push(own / litdata);
    }
    session.add(Row::new(3, "tokens", median(ours), Target::Stated, "million per core-second"));
    session.add(Row::new(3, "tokens, to LitData", median(ratios), Target::AtLeast(5.0), "x"));
    Ok(())
}

/// Tokens of 16 bits that no two samples share all of.
fn write(path: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(failed)?);
    let mut state = 1_u64;
    for _ in 0..TOKENS {
        // Knuth's multiplier for linear congruences.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        file.write_all(&((state >> 48) as u16).to_le_bytes()).with_context(failed)?;
    }
    file.flush().with_context(failed)
}

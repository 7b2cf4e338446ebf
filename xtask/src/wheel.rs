//! `cargo xtask wheel`: the Python package, as pip installs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::venv::{self, Venv};
use crate::workspace;

/// What builds it.
const MATURIN: &str = "maturin==1.16.0";

/// Builds it and says where it lies.
pub(crate) fn run(mut arguments: lexopt::Parser) -> anyhow::Result<ExitCode> {
    if let Some(unexpected) = arguments.next()? {
        return Err(unexpected.unexpected().into());
    }
    println!("{}", build()?.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the wheel for this machine, optimised; where it lies.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let maturin = Venv::with("maturin", &[MATURIN])?;
    let folder = workspace::target_folder().join("wheel");
    if folder.exists() {
        // So that the one that lies there afterwards is the one that was built.
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let mut command = std::process::Command::new(maturin.program("maturin"));
    command.current_dir(workspace::root());
    command
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path", "python/Cargo.toml", "--out"])
        .arg(&folder);
    venv::run(&mut command)?;
    wheel_in(&folder)
}

fn wheel_in(folder: &Path) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<PathBuf>, _>>()?;
    paths
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .with_context(|| format!("maturin left no wheel in {}", folder.display()))
}

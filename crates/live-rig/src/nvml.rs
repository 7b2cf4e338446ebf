//! A library that stands for NVIDIA's where there is none: built here, with as many devices as are asked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// What is asked of the library, and what it answers.
const SOURCE: &str = include_str!("nvml.c");

/// Builds it in a folder, under the name by which the program looks for it.
///
/// # Errors
/// If there is no C compiler `cc`, or it refuses.
pub fn build(folder: &Path, devices: u32) -> anyhow::Result<PathBuf> {
    let (source, library) = (folder.join("nvml.c"), folder.join("libnvidia-ml.so.1"));
    fs::write(&source, SOURCE)?;
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-Wall", "-Werror", "-D"]).arg(format!("DEVICES={devices}"));
    let status = cc.arg("-o").arg(&library).arg(&source).status().context("`cc` did not start")?;
    ensure!(status.success(), "`cc` refuses: {status}");
    Ok(library)
}

//! What `trimtab diagnose --format json` answers.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::bench::program;

/// What the program says of a file or folder.
pub(super) fn of(path: &Path) -> anyhow::Result<Value> {
    let mut command = Command::new(program::build()?);
    let output =
        command.args(["diagnose", "--format", "json"]).arg(path).output().context("the program did not start")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "trimtab diagnose {}: {errors}", path.display());
    let mut answer: Value = serde_json::from_slice(&output.stdout).context("the answer is no JSON")?;
    let files = answer["files"].as_array_mut().context("the answer has no files")?;
    ensure!(files.len() == 1, "{}: {} diagnoses, expected one", path.display(), files.len());
    Ok(files.remove(0))
}

/// The files of a folder whose names begin and end so, in their order, each with what stands between.
pub(super) fn members(folder: &Path, begin: &str, end: &str) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("cannot list {}", folder.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_prefix(begin).and_then(|rest| rest.strip_suffix(end)).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

//! The program as it is shipped.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use crate::workspace;

/// Builds it, optimised; where it lies.
pub(super) fn build() -> anyhow::Result<PathBuf> {
    let build = workspace::cargo().args(["build", "--quiet", "--release", "--package", "trimtab"]).status();
    ensure!(build.context("cargo did not start")?.success(), "the program cannot be built");
    Ok(std::env::current_exe().context("where this program lies is unknown")?.with_file_name("trimtab"))
}

//! Python environments under target/, made once and kept while what is asked of them stays the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::workspace;

/// A Python of its own with some packages.
pub(crate) struct Venv(PathBuf);

impl Venv {
    /// The environment of that name with `packages`, as pip takes them.
    pub(crate) fn with(name: &str, packages: &[&str]) -> anyhow::Result<Venv> {
        let folder = workspace::target_folder().join("venv").join(name);
        let stamp = folder.join("packages");
        let wanted = packages.join("\n");
        if fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) {
            return Ok(Venv(folder));
        }
        eprintln!("making the Python environment {name}: {}", packages.join(" "));
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let venv = Venv(folder);
        venv.install(packages)?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(venv)
    }

    /// Installs more, in place of what has the same name.
    pub(crate) fn install<P: AsRef<std::ffi::OsStr>>(&self, packages: &[P]) -> anyhow::Result<()> {
        run(self.python().args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> Command {
        Command::new(self.program("python"))
    }

    /// A program that one of its packages brings.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder().join("bin").join(name)
    }

    fn folder(&self) -> &Path {
        &self.0
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let what = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{what} did not start"))?;
    ensure!(status.success(), "{what} failed: {status}");
    Ok(())
}

//! The programs that are measured, and the Pythons that they run in.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize;

use crate::venv::Venv;
use crate::{wheel, workspace};

/// Rounds of which the median counts. In each, every program runs once.
pub(super) const ROUNDS: usize = 5;

/// NVIDIA's loader.
const DALI: &[&str] = &["nvidia-dali-cuda120==2.4.0", "numpy==2.4.6"];
/// torch and what is beside it, also for what we deliver to torch.
const TORCH: &[&str] = &["torch==2.15.0", "litdata==0.2.76", "numpy==2.4.6", "pillow==13.0.0"];

/// What writes the files that we read, and a store that speaks as S3 does.
const OWN: &[&str] = &["numpy==2.4.6", "pillow==13.0.0", "pyarrow==26.0.1", "moto[server]==5.2.5"];

/// The Pythons, with our package in that of torch.
pub(super) struct Peers {
    dali: Venv,
    torch: Venv,
}

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Home {
    Dali,
    /// Ours, too.
    Torch,
}

/// What a program measured of itself, in its second epoch.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) struct Measured {
    count: u64,
    core_seconds: f64,
}

impl Measured {
    /// Things for each second of one core.
    pub(super) fn per_core_second(&self) -> f64 {
        self.count as f64 / self.core_seconds
    }
}

impl Peers {
    /// Installs what is not there yet, and our package as it is now.
    pub(super) fn install() -> anyhow::Result<Peers> {
        let (dali, torch) = (Venv::with("dali", DALI)?, Venv::with("torch", TORCH)?);
        torch.install(&[OsStr::new("--force-reinstall"), OsStr::new("--no-deps"), wheel::build()?.as_os_str()])?;
        Ok(Peers { dali, torch })
    }

    /// Runs a program, and gives back what it printed last.
    pub(super) fn run<A: AsRef<OsStr>>(&self, home: Home, program: &str, arguments: &[A]) -> anyhow::Result<String> {
        run(
            match home {
                Home::Dali => &self.dali,
                Home::Torch => &self.torch,
            },
            program,
            arguments,
            None,
        )
    }

    /// Runs a program that measures itself.
    pub(super) fn measure<A: AsRef<OsStr>>(
        &self,
        home: Home,
        program: &str,
        arguments: &[A],
    ) -> anyhow::Result<Measured> {
        let printed = self.run(home, program, arguments)?;
        serde_json::from_str(&printed).with_context(|| format!("{program} printed {printed:?}"))
    }
}

/// A Python with our package and servers to read from, where nobody is measured beside us.
pub(super) struct Own(Venv);

impl Own {
    /// Installs what is not there yet, and our package as it is now.
    pub(super) fn install() -> anyhow::Result<Own> {
        let venv = Venv::with("own", OWN)?;
        venv.install(&[OsStr::new("--force-reinstall"), OsStr::new("--no-deps"), wheel::build()?.as_os_str()])?;
        Ok(Own(venv))
    }

    /// Runs a program, and gives back what it printed last.
    pub(super) fn run<A: AsRef<OsStr>>(&self, program: &str, arguments: &[A]) -> anyhow::Result<String> {
        self.run_with(program, arguments, None)
    }

    /// The same, with something in its environment.
    pub(super) fn run_with<A: AsRef<OsStr>>(
        &self,
        program: &str,
        arguments: &[A],
        environment: Option<(&str, &OsStr)>,
    ) -> anyhow::Result<String> {
        run(&self.0, program, arguments, environment)
    }

    /// A program that one of its packages brings.
    pub(super) fn program(&self, name: &str) -> Command {
        Command::new(self.0.program(name))
    }
}

/// Runs a program of ours in an environment, and gives back what it printed last.
fn run<A: AsRef<OsStr>>(
    venv: &Venv,
    program: &str,
    arguments: &[A],
    environment: Option<(&str, &OsStr)>,
) -> anyhow::Result<String> {
    let folder = workspace::root().join("xtask/src/bench/feed/programs");
    let mut python = venv.python();
    python.arg(folder.join(program)).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").envs(environment);
    let output = python.stderr(Stdio::piped()).output().with_context(|| format!("{program} did not start"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {}\n{said}", output.status);
    let printed = String::from_utf8(output.stdout).context("a program prints text")?;
    printed.lines().last().map(str::to_owned).with_context(|| format!("{program} printed nothing:\n{said}"))
}

/// The one in the middle.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

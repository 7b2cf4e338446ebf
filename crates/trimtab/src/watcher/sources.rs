//! Whom else to ask of this machine's devices: what `trimtab agent` and `trimtab up` take for that.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use connect::exporter::{Address, Asked, EXPORTERS_MAX, Reach};

use crate::failure::{Failure, Outcome};

/// What AWS calls its program.
const NEURON_MONITOR: &str = "neuron-monitor";

/// Exporters.
#[derive(Debug, Default, Args)]
pub(crate) struct Sources {
    /// Ask this exporter of devices, such as NVIDIA's dcgm-exporter (docs/signals.md lists them), each five seconds; may be given again
    #[arg(long, value_name = "URL")]
    exporter: Vec<String>,
    /// Ask exporters that are not on loopback, too: what they tell is taken for this machine's devices
    #[arg(long)]
    exporters_elsewhere: bool,
    /// AWS' neuron-monitor, for Trainium and Inferentia; one on PATH is found
    #[arg(long, value_name = "PROGRAM")]
    neuron_monitor: Option<PathBuf>,
}

impl Sources {
    /// Whom to ask; `path` is the variable by which programs are found.
    pub(crate) fn asked(&self, path: Option<&OsStr>) -> Outcome<Vec<Asked>> {
        let reach = if self.exporters_elsewhere { Reach::Anywhere } else { Reach::ThisMachine };
        let address = |text: &String| {
            Address::parse(text, reach)
                .map(Asked::Exporter)
                .map_err(|error| Failure::input(format!("--exporter {error}")))
        };
        let mut asked = self.exporter.iter().map(address).collect::<Outcome<Vec<Asked>>>()?;
        let found = || {
            path.and_then(|path| {
                std::env::split_paths(path).map(|folder| folder.join(NEURON_MONITOR)).find(|path| is_program(path))
            })
        };
        asked.extend(self.neuron_monitor.clone().or_else(found).map(Asked::NeuronMonitor));
        if asked.len() > EXPORTERS_MAX {
            return Err(Failure::input(format!(
                "--exporter: {} are named, and {EXPORTERS_MAX} can be asked",
                asked.len()
            )));
        }
        Ok(asked)
    }
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

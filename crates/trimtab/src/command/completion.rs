//! `trimtab completion`.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli;
use crate::failure::{Failure, Outcome};

/// Print the completions of a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trimtab completion bash > ~/.local/share/bash-completion/completions/trimtab
  trimtab completion zsh > ~/.zfunc/_trimtab
  trimtab completion fish > ~/.config/fish/completions/trimtab.fish")]
pub(crate) struct Arguments {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut cli::Arguments::command(), "trimtab", &mut script);
    io::stdout().write_all(&script).map_err(|error| Failure::writing("standard output", &error))
}

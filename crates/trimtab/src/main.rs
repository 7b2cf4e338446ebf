//! The command `trimtab`. This file starts it and turns what came out into an exit code; [`cli`] holds the arguments,
//! `command/` one file per command.

mod cli;
mod command;
mod example;
mod failure;
mod history_file;
mod interrupt;
mod lab;
mod length;
mod opened;
mod printed;
mod progress;
mod replayer;
mod table;
mod wrap;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    interrupt::leave_nothing_half_written();
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

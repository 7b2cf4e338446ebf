//! The command `trimtab`. This file starts it and turns what came out into an exit code; [`cli`] holds the arguments,
//! `command/` one file per command.

mod cli;
mod client;
mod command;
mod example;
mod failure;
mod format;
mod global;
mod history_file;
mod installation;
mod interrupt;
mod lab;
mod length;
mod notices;
mod opened;
mod page_style;
mod plane;
mod printed;
mod progress;
mod replayer;
mod reporter;
mod rule_of;
mod shown;
mod small_file;
mod table;
mod watcher;
mod wrap;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    // The processes that own runs are this program too; they take no part in anything else.
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == installation::RUN) {
        return connect::machine::watch(words);
    }
    let arguments = cli::Arguments::parse();
    interrupt::leave_nothing_half_written();
    match arguments.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

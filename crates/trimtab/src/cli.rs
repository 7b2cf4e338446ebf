//! The arguments, and which command they call.

use clap::{Args, Parser, Subcommand};

use crate::command::{completion, history, import, optimize, replay, why};
use crate::failure::Outcome;

/// What a version line shows.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("TRIMTAB_COMMIT"), ")");

/// The optimiser for AI infrastructure: finds what a fleet wastes, and proves each remedy on the fleet's own history.
#[derive(Debug, Parser)]
#[command(name = "trimtab", version = VERSION, after_help = EXIT_CODES, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Global {
    /// Say nothing but errors on standard error
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    it was done
  1    it could not be done (a full disk, a missing right)
  2    the arguments or the input are wrong; nothing was written
  130  it was interrupted; nothing half written is left";

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a history from a job log
    Import(import::Arguments),
    /// Find what a history's fleet wasted, propose changes, and prove each by replay
    Optimize(optimize::Arguments),
    /// Replay a history, as it was and with something different
    Replay(replay::Arguments),
    /// Tell why a workload waited, and what would have started it earlier
    Why(why::Arguments),
    /// Look at histories and change them
    History(history::Arguments),
    /// Print the completions of a shell
    Completion(completion::Arguments),
}

impl Arguments {
    pub(crate) fn run(self) -> Outcome {
        match self.command {
            Command::Import(arguments) => import::run(arguments, self.global),
            Command::Optimize(arguments) => optimize::run(&arguments, self.global),
            Command::Replay(arguments) => replay::run(&arguments, self.global),
            Command::Why(arguments) => why::run(&arguments, self.global),
            Command::History(arguments) => history::run(arguments, self.global),
            Command::Completion(arguments) => completion::run(&arguments),
        }
    }
}

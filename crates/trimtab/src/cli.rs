//! The arguments, and which command they call.

use clap::{Parser, Subcommand};

use crate::command::{
    agent, agents, apply, cancel, completion, diagnose, drain, feed, findings, health, history, import, job, jobs,
    ledger, logs, nodes, notify, optimize, policy, queues, replay, store, submit, undo, up, why,
};
use crate::failure::Outcome;
use crate::global::Global;
use ::control::Rule;

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

const EXIT_CODES: &str = "\
Exit codes:
  0    it was done
  1    it could not be done (a full disk, a missing right)
  2    the arguments or the input are wrong; nothing was written
  3    it was done, and what was looked at has problems (feed inspect, health)
  130  it was interrupted; nothing half written is left";

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch this machine and run workloads on it
    Up(up::Arguments),
    /// Hand in workloads
    Submit(submit::Arguments),
    /// List workloads
    Jobs(jobs::Arguments),
    /// Show a workload and all that became of it
    Job(job::Arguments),
    /// Show what a workload wrote
    Logs(logs::Arguments),
    /// Stop workloads, waiting or running
    Cancel(cancel::Arguments),
    /// List nodes, and what is given out there
    Nodes(nodes::Arguments),
    /// Let nothing new start on a node
    Drain(drain::Arguments),
    /// List queues and their rules, and set them
    Queues(queues::Arguments),
    /// Make a history from a job log
    Import(import::Arguments),
    /// Find what a history's fleet wasted, propose changes, and prove each by replay
    Optimize(optimize::Arguments),
    /// Replay a history, as it was and with something different
    Replay(replay::Arguments),
    /// Tell why a workload waited, and what would have started it earlier
    Why(why::Arguments),
    /// Say what a workload waits for: profiles, traces and logs in, verdicts out
    Diagnose(diagnose::Arguments),
    /// Watch the training on this machine: what holds jobs up, as it begins and ends
    Agent(agent::Arguments),
    /// List the agents on other machines that report here
    Agents(agents::Arguments),
    /// Show what is wrong with what runs here, and what was
    Findings(findings::Arguments),
    /// Try who is told of findings: send each a notice that says it is a test
    Notify(notify::Arguments),
    /// Test whether this machine is fit to run anything
    Health(health::Arguments),
    /// Do what was recommended here, with consent
    Apply(apply::Arguments),
    /// Take back what was applied
    Undo(undo::Arguments),
    /// Show what was promised beside what was measured
    Ledger(ledger::Arguments),
    /// Show the rules of scheduling here, and set them
    Policy(policy::Arguments),
    /// Check and copy what an installation keeps
    Store(store::Arguments),
    /// Look at histories and change them
    History(history::Arguments),
    /// Look into training data, pack them for training, and see what holds their loaders back
    Feed(feed::Arguments),
    /// Print the completions of a shell
    Completion(completion::Arguments),
}

impl Arguments {
    /// The rule that it sets, if all that it does is to set one.
    pub(crate) fn rule(&self) -> Outcome<Option<Rule>> {
        Ok(match &self.command {
            Command::Queues(queues) => queues.rules()?.map(|rules| Rule::Queue(Box::new(rules))),
            Command::Policy(policy) => policy.rules()?.map(Rule::Policy),
            Command::Drain(drain) => Some(drain.rule()),
            _ => None,
        })
    }

    pub(crate) fn run(self) -> Outcome {
        match self.command {
            Command::Up(arguments) => up::run(arguments, self.global),
            Command::Submit(arguments) => submit::run(arguments, self.global),
            Command::Jobs(arguments) => jobs::run(&arguments),
            Command::Job(arguments) => job::run(&arguments),
            Command::Logs(arguments) => logs::run(&arguments),
            Command::Cancel(arguments) => cancel::run(&arguments, self.global),
            Command::Nodes(arguments) => nodes::run(&arguments),
            Command::Drain(arguments) => drain::run(&arguments, self.global),
            Command::Queues(arguments) => queues::run(&arguments, self.global),
            Command::Import(arguments) => import::run(arguments, self.global),
            Command::Optimize(arguments) => optimize::run(&arguments, self.global),
            Command::Replay(arguments) => replay::run(&arguments, self.global),
            Command::Why(arguments) => why::run(&arguments, self.global),
            Command::Diagnose(arguments) => diagnose::run(&arguments, self.global),
            Command::Agent(arguments) => agent::run(&arguments, self.global),
            Command::Agents(arguments) => agents::run(&arguments, self.global),
            Command::Findings(arguments) => findings::run(&arguments, self.global),
            Command::Notify(arguments) => notify::run(&arguments),
            Command::Health(arguments) => health::run(&arguments, self.global),
            Command::Apply(arguments) => apply::run(&arguments, self.global),
            Command::Undo(arguments) => undo::run(&arguments, self.global),
            Command::Ledger(arguments) => ledger::run(&arguments, self.global),
            Command::Policy(arguments) => policy::run(&arguments, self.global),
            Command::Store(arguments) => store::run(&arguments, self.global),
            Command::History(arguments) => history::run(arguments, self.global),
            Command::Feed(arguments) => feed::run(&arguments, self.global),
            Command::Completion(arguments) => completion::run(&arguments),
        }
    }
}

//! `trimtab import slurm`.

use clap::{Args, ValueEnum};
use connect::file::{Input, Progress};
use connect::slurm;

use super::Files;
use crate::failure::{Failure, Outcome};
use crate::global::Global;
use crate::progress;

/// An export of Slurm and how to take it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sacct --allusers --duplicates --json -S 2025-09-01 -E 2025-10-01 > jobs.json
  scontrol show node --json > nodes.json
  scontrol show partition --json > partitions.json
  scontrol show config > config.txt
  sacctmgr -P show qos > qos.txt
  sacctmgr -P show event start=2025-09-01 end=2025-10-01 > events.txt
  trimtab import slurm jobs.json nodes.json partitions.json config.txt qos.txt events.txt -o slurm.zst

  sacctmgr -P show assoc format=Account,User,ParentName,Share,GrpJobs,GrpTRES,MaxJobs,MaxWall > accounts.txt
  trimtab import slurm jobs.json nodes.json config.txt accounts.txt --queues accounts -o slurm.zst

  sacct --allusers --duplicates -P --format=ALL -S 2025-09-01 -E 2025-10-01 > jobs.txt
  trimtab import slurm jobs.txt --fleet fleet.toml --time-zone Europe/Paris -o slurm.zst

Without the configuration the policy is unknown, and without node events nodes count as usable throughout.
Inputs may come in any order; their first lines tell what they are. Times of `sacct -P` are in the zone of whoever ran it:
name it with --time-zone.")]
pub(super) struct Export {
    /// What of Slurm becomes the queues of the history
    #[arg(long, value_enum, default_value_t = Queues::Partitions, value_name = "WHAT")]
    queues: Queues,
    #[command(flatten)]
    files: Files,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Queues {
    /// Where jobs wait and which nodes they may use
    Partitions,
    /// Who pays
    Accounts,
    /// Qualities of service
    Qos,
}

pub(super) fn run(export: &Export, global: Global) -> Outcome {
    let files = &export.files;
    let options = files.options()?;
    let mut history = files.create()?;
    let mut inputs = Vec::new();
    let mut progress = Vec::new();
    for path in &files.inputs {
        let input = Input::open(path).map_err(|error| Failure::opening(path.display(), &error))?;
        progress.push(input.progress());
        inputs.push(slurm::Printed { name: input.name().to_owned(), content: Box::new(input) });
    }
    let queues = match export.queues {
        Queues::Partitions => slurm::QueuesAre::Partitions,
        Queues::Accounts => slurm::QueuesAre::Accounts,
        Queues::Qos => slurm::QueuesAre::Qos,
    };
    let line = progress::Line::reading("the export", Progress::of_all(&progress), global);
    let report = slurm::read(inputs, queues, &options, &mut |record| history.take(record));
    drop(line);
    files.finish(history, &report.map_err(|stop| files.stopped(stop))?, global)
}

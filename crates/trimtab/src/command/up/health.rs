//! When this machine is tested, and what follows where it fails.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{SyncSender, sync_channel};

use clap::ValueEnum;
use control::{HealthPolicy, OnFailure};
use fleet::health::{Depth, Measured};
use fleet::quantity::Millis;

use crate::command::health::kept;
use crate::failure::{Failure, Outcome};
use crate::length;
use crate::plane::testing::{self, TESTS_MAX, Testing};
use crate::plane::{Health, Heard};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Health")]
pub(super) struct Checking {
    /// Test this machine before something starts here
    #[arg(long, value_enum, default_value_t = Much::None, value_name = "HOW")]
    health_before: Much,
    /// Test it when something died here, before it is tried again
    #[arg(long, value_enum, default_value_t = Much::None, value_name = "HOW")]
    health_after_crash: Much,
    /// What follows where it fails
    #[arg(long, value_enum, default_value_t = Follows::Tell, value_name = "WHAT")]
    health_on_failure: Follows,
    /// How long a test counts for what starts after it
    #[arg(long, value_name = "TIME", value_parser = length::parse, default_value = "10m")]
    health_counts: Millis,
    /// How long a test may take: one that does not end has failed
    #[arg(long, value_name = "TIME", value_parser = length::parse, default_value = "1m")]
    health_limit: Millis,
    /// Hold it against what `trimtab health --keep` kept in this file while it was well
    #[arg(long, value_name = "FILE")]
    health_against: Option<PathBuf>,
    /// A folder on the disk that is looked at; the installation's, if none is named
    #[arg(long, value_name = "DIR")]
    health_folder: Option<PathBuf>,
}

/// How much is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Much {
    /// Nothing
    None,
    /// What takes well under a second, and disturbs nobody
    Quick,
    /// Also how fast memory and the disk are, some seconds long, where nothing else runs
    Full,
}

/// What follows where it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Follows {
    /// It is told, and nothing else is done
    Tell,
    /// Nothing starts here until it passes, or somebody answers whether it is drained
    Ask,
    /// It is drained: saying so here is the consent, which the ledger records
    Drain,
}

impl Much {
    fn depth(self) -> Option<Depth> {
        match self {
            Self::None => None,
            Self::Quick => Some(Depth::Quick),
            Self::Full => Some(Depth::Full),
        }
    }
}

impl Checking {
    fn policy(&self) -> HealthPolicy {
        HealthPolicy {
            before: self.health_before.depth(),
            after_crash: self.health_after_crash.depth(),
            on_failure: match self.health_on_failure {
                Follows::Tell => OnFailure::Tell,
                Follows::Ask => OnFailure::Ask,
                Follows::Drain => OnFailure::Drain,
            },
            counts: self.health_counts,
            limit: self.health_limit,
        }
    }

    /// How this machine is tested, which has so many of NVIDIA's devices now.
    pub(super) fn testing(&self, folder: &Path, node: &str, devices: u32) -> Outcome<Testing> {
        let absolute =
            |path: &Path| std::path::absolute(path).map_err(|error| Failure::opening(path.display(), &error));
        let folder = absolute(self.health_folder.as_deref().unwrap_or(folder))?;
        let mut before = self.health_against.as_deref().map(kept).transpose()?.unwrap_or_default();
        // What was there at the start and is given out must be there.
        if devices > 0 && !before.iter().any(|was| was.what == Measured::NVIDIA_ANSWER) {
            before.push(Measured::new("devices", Measured::NVIDIA_ANSWER, Some(f64::from(devices)), ""));
        }
        let command = move |depth: Depth| {
            let mut command = Command::new("/proc/self/exe");
            command.arg0("trimtab").args(["health", "--format", "json", "--folder"]).arg(&folder);
            if depth == Depth::Quick {
                command.arg("--quick");
            }
            command
        };
        Ok(Testing { policy: self.policy(), node: node.to_owned(), before, command: Box::new(command) })
    }

    /// Begins to make the tests that the control loop asks for.
    pub(super) fn begin(&self, testing: Testing, line: SyncSender<Heard>) -> Health {
        let (ask, asked) = sync_channel(TESTS_MAX);
        let health = Health::new(testing.policy, self.by(), ask);
        // Not waited for at the end: a test that hangs would hold that up.
        std::thread::spawn(move || testing::test(&testing, &asked, &line));
        health
    }

    /// Who consents to what follows: whoever started this, by these words.
    fn by(&self) -> String {
        let name = std::env::var("USER").unwrap_or_else(|_| "owner".into());
        format!("{name}, by --health-on-failure drain")
    }

    /// What people should know of it.
    pub(super) fn notice(&self) -> Option<String> {
        let HealthPolicy { before, after_crash, on_failure, .. } = self.policy();
        let told = |when: &str, depth: Option<Depth>| depth.map(|depth| format!("{} {when}", depth.name()));
        let tests = [told("before a start", before), told("after a crash", after_crash)];
        let tests: Vec<String> = tests.into_iter().flatten().collect();
        let follows = match on_failure {
            OnFailure::Tell => "where it fails, that is told",
            OnFailure::Ask => "where it fails, nothing starts here until somebody answers",
            OnFailure::Drain => "where it fails, it is drained with your consent, which `trimtab undo` takes back",
        };
        (!tests.is_empty()).then(|| format!("health: this machine is tested ({}); {follows}", tests.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        checking: Checking,
    }

    fn line(arguments: &[&str]) -> Result<Checking, clap::Error> {
        Line::try_parse_from([&["up"], arguments].concat()).map(|line| line.checking)
    }

    #[test]
    fn nothing_is_tested_unless_it_is_said() {
        let none = line(&[]).unwrap();
        assert_eq!((none.policy(), none.notice()), (HealthPolicy::default(), None));
        let said = ["--health-before", "full", "--health-on-failure", "drain", "--health-counts", "90s"];
        let some = line(&said).unwrap();
        let policy = HealthPolicy {
            before: Some(Depth::Full),
            on_failure: OnFailure::Drain,
            counts: Millis::seconds(90),
            ..HealthPolicy::default()
        };
        assert_eq!(some.policy(), policy);
        assert!(some.notice().unwrap().contains("full before a start"));
        assert!(line(&["--health-before", "much"]).is_err() && line(&["--health-limit", "-1s"]).is_err());
    }

    #[test]
    fn devices_that_were_there_are_expected_unless_a_file_says_otherwise() {
        let expected = |arguments: &[&str], devices| {
            let testing = line(arguments).unwrap().testing(Path::new("/tmp"), "node", devices).map_err(|_| ());
            testing.map(|testing| testing.before.into_iter().map(|was| was.value).collect::<Vec<_>>())
        };
        assert_eq!((expected(&[], 8), expected(&[], 0)), (Ok(vec![Some(8.0)]), Ok(vec![])));
        assert_eq!(expected(&["--health-against", "/no/such/file"], 8), Err(()));
    }
}

//! Findings told to whoever wants to hear of them, where they are: a thread for each, so that one who does not answer holds nobody up.
//!
//! What is news is decided by `control::Told`, from the store alone; what was told is kept in a file of the installation. A notice that was delivered
//! right before a crash may come twice; none is lost.

mod kept;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ::store::{FindingQuery, Reader, StoreError};
use connect::notice::body::NEWS_MAX;
use connect::notice::send::deliver;
use connect::notice::{Destination, file};
use control::Told;
use fleet::ids::FindingId;
use fleet::kept_finding::{FindingState, KeptFinding};
use fleet::notice::{News, Turn};
use fleet::time::Timestamp;

use crate::failure::{Failure, Outcome};
use crate::plane::Clock;
use crate::small_file;
use kept::Kept;

/// How often it is looked whether there is news.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// One who was told is told the next after this at the soonest: what comes together is told together.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// One who could not be told is tried again after this, and twice as long each time.
const AGAIN_FIRST: Duration = Duration::from_secs(5);
/// And at the latest after this.
const AGAIN_LAST: Duration = Duration::from_secs(300);
/// No file that says who is told is larger, and none with a secret.
const FILE_MIB_MAX: u64 = 1;

/// Reads who is told.
pub(crate) fn read(path: &Path) -> Outcome<Vec<Destination>> {
    let text = small_file::read(path, FILE_MIB_MAX)?;
    let rules: Vec<&str> = ::diagnose::live::rules().map(|rule| rule.name).collect();
    let beside = path.parent().unwrap_or(Path::new("."));
    file::parse(&text, &rules, &|secret| {
        small_file::read(&beside.join(secret), FILE_MIB_MAX).map_err(|failure| failure.to_string())
    })
    .map_err(|what| Failure::input(format!("{}: {what}", path.display())))
}

/// Tells them from now on, as long as this process lives.
pub(crate) fn begin(destinations: Vec<Destination>, from: &str, reader: &Reader, folder: &Path) -> Outcome {
    let names: Vec<&str> = destinations.iter().map(|destination| destination.name.as_str()).collect();
    let kept = Kept::open(folder, &names)?;
    for destination in destinations {
        let told = kept.told(&destination.name);
        let mut line = Line { destination, from: from.to_owned(), reader: reader.clone(), told, kept: kept.clone() };
        std::thread::spawn(move || line.run());
    }
    Ok(())
}

/// What goes on with one of them.
struct Line {
    destination: Destination,
    from: String,
    reader: Reader,
    told: Told,
    kept: Kept,
}

impl Line {
    fn run(&mut self) {
        let clock = Clock::starting_at(None);
        let name = self.destination.name.clone();
        let (mut failures, mut said) = (0_u32, String::new());
        loop {
            std::thread::sleep(LOOK_EVERY);
            let begun = Instant::now();
            match self.look(clock.now()) {
                Ok(false) => {}
                Ok(true) => {
                    if failures > 0 {
                        eprintln!("note: `{name}` takes notices again");
                    }
                    (failures, said) = (0, String::new());
                    std::thread::sleep(TELL_EVERY.saturating_sub(begun.elapsed()));
                }
                Err(what) => {
                    if what != said {
                        eprintln!("warning: `{name}` could not be told of findings, and will be: {what}");
                    }
                    said = what;
                    std::thread::sleep(again_after(failures));
                    failures += 1;
                }
            }
        }
    }

    /// Tells what is news; whether there was any.
    fn look(&mut self, now: Timestamp) -> Result<bool, String> {
        let findings = self.findings(now).map_err(|error| error.to_string())?;
        let mut turns = self.told.news(&self.destination.wants, &findings, now);
        turns.truncate(NEWS_MAX);
        if !turns.is_empty() {
            let news = self.priced(&turns, &findings).map_err(|error| error.to_string())?;
            deliver(&self.destination, &self.from, &news)?;
        }
        let before = self.told.clone();
        self.told.told(&turns, now);
        if !self.destination.wants.ends {
            self.told.forget_over(&findings, now);
        }
        if self.told != before {
            self.kept.keep(&self.destination.name, &self.told)?;
        }
        Ok(!turns.is_empty())
    }

    /// All that are there, and those that were told to be.
    fn findings(&self, now: Timestamp) -> Result<Vec<KeptFinding>, StoreError> {
        let mut findings = self.reader.findings(&FindingQuery::of(FindingState::Open, now))?;
        let gone: Vec<FindingId> =
            self.told.open().filter(|id| findings.iter().all(|finding| finding.id != *id)).collect();
        for id in gone {
            findings.extend(self.reader.finding(id)?);
        }
        Ok(findings)
    }

    fn priced(&self, turns: &[(Turn, FindingId)], findings: &[KeptFinding]) -> Result<Vec<News>, StoreError> {
        let mut news = Vec::new();
        for (turn, id) in turns {
            let Some(kept) = findings.iter().find(|kept| kept.id == *id) else { continue };
            let cost = server::cost_a_day(&self.reader, kept)?;
            news.push(News {
                turn: *turn,
                kept: kept.clone(),
                device_hours_a_day: cost.map(|(hours, _)| hours),
                cost_a_day: cost.and_then(|(_, money)| money),
            });
        }
        Ok(news)
    }
}

fn again_after(failures: u32) -> Duration {
    AGAIN_FIRST.saturating_mul(1 << failures.min(10)).min(AGAIN_LAST)
}

/// What was told, in the installation's folder.
fn told_file(folder: &Path) -> PathBuf {
    folder.join("notices.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_be_told_is_tried_less_and_less_often_and_never_given_up() {
        let waits: Vec<u64> = [0, 1, 2, 6, 7, 40].map(|failures| again_after(failures).as_secs()).to_vec();
        assert_eq!(waits, [5, 10, 20, 300, 300, 300]);
    }
}

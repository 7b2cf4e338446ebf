//! What is watched here, kept: what was measured, what is wrong, and what shows it.

use control::{Findings, SAME_WITHIN, Seen, Watching};
use fleet::ids::FindingId;
use fleet::kept_finding::{KeptFinding, Mute};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use server::Answer;
use store::{FindingRetention, Noted, Scrapes, SeriesRules, StoreError};

use super::Plane;
use crate::watcher::{Watched, job_of, source_of};

/// How often it is seen to that no more is kept than the rules say.
const TIDY_EVERY: Millis = Millis::hours(1);

/// What the loop knows of findings.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Nothing: to be read from the store, where something could not be written before.
    findings: Option<Findings>,
    /// What was wrong with jobs and devices when that was last watched.
    watched: Vec<Seen>,
    /// When the first came of what is watched here.
    watches_since: Option<Timestamp>,
    tidy_at: Option<Timestamp>,
}

impl Plane {
    /// Stores what was watched. It is no part of the log: measurements that cannot be stored are missing, and nothing else; what is wrong is told
    /// again.
    pub(super) fn keep_watched(&mut self, watched: Watched) {
        let Watched { at, open, scrapes } = watched;
        self.kept.watched = open;
        self.note(at, &scrapes);
        self.tidy(at);
    }

    /// Stores what was measured, and all that is wrong now: what was watched, and nodes that fail their test. Gives the findings that changed.
    pub(super) fn note(&mut self, at: Timestamp, scrapes: &[Scrapes]) -> Vec<KeptFinding> {
        let mut findings = match self.take_findings(at) {
            Ok(findings) => findings,
            Err(error) => {
                eprintln!("warning: findings cannot be read: {error}");
                return Vec::new();
            }
        };
        let started = *self.kept.watches_since.get_or_insert(at);
        let open = self.kept.watched.iter().chain(self.health.unfit()).cloned().collect();
        let changed = findings.see(Watching { node: None, started }, at, open);
        let noted: Vec<Noted> = changed.iter().map(|kept| noted(kept.clone(), self.own_node())).collect();
        let stored = self.store.note(scrapes, &noted).or_else(|error| {
            eprintln!("warning: measurements are lost: {error}");
            self.store.note(&[], &noted)
        });
        match stored {
            Ok(()) => self.put_back_findings(findings),
            Err(error) => eprintln!("warning: findings are not stored yet: {error}"),
        }
        changed
    }

    /// The findings that may be found again, until they are put back.
    pub(super) fn take_findings(&mut self, at: Timestamp) -> Result<Findings, StoreError> {
        if let Some(findings) = self.kept.findings.take() {
            return Ok(findings);
        }
        let (stored, next) = self.store.lately_found(at - SAME_WITHIN)?;
        Ok(Findings::restore(stored, next, self.own_node().unwrap_or_default()))
    }

    /// What came of them is stored.
    pub(super) fn put_back_findings(&mut self, findings: Findings) {
        self.kept.findings = Some(findings);
    }

    /// The name of the node here.
    pub(super) fn own_node(&self) -> Option<&str> {
        self.found.first().map(|node| node.name.as_str())
    }

    /// Does a part of what the rules ask for, each time until nothing is left to do.
    fn tidy(&mut self, now: Timestamp) {
        if self.kept.tidy_at.is_some_and(|at| now < at) {
            return;
        }
        let done = self.store.keep_series(now, SeriesRules::default()).and_then(|retained| {
            self.store.keep_findings(now, FindingRetention::default())?;
            self.store.forget_agents(now)?;
            Ok(retained.is_done)
        });
        match done {
            Ok(false) => {}
            Ok(true) => self.kept.tidy_at = Some(now + TIDY_EVERY),
            Err(error) => {
                eprintln!("warning: old measurements are not let go: {error}");
                self.kept.tidy_at = Some(now + TIDY_EVERY);
            }
        }
    }

    /// Mutes a finding, or takes that back. Answers whether there is such a finding, once it is stored.
    pub(super) fn mute(&mut self, id: FindingId, mute: Option<&Mute>, answer: Answer<bool>) {
        let muted = self.store.mute(id, mute);
        if let (Ok(Some(kept)), Some(findings)) = (&muted, &mut self.kept.findings) {
            findings.muted(kept);
        }
        answer.send(muted.map(|kept| kept.is_some()).map_err(|error| error.to_string()));
    }
}

/// What shows a finding: what was measured of its node, and of its job.
fn noted(finding: KeptFinding, node: Option<&str>) -> Noted {
    let job = job_of(&finding.finding).map(source_of);
    Noted { sources: node.map(str::to_owned).into_iter().chain(job).collect(), finding }
}

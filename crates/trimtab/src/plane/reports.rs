//! Reports of agents on other machines, kept: each once, in the order of their numbers, before it is answered.

use std::collections::{BTreeMap, BTreeSet};

use control::{Findings, Seen, Watching};
use fleet::finding::Place;
use fleet::ids::FindingId;
use fleet::kept_finding::KeptFinding;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use server::{Answer, NotTaken, Numbered, Receipt, Reports, source_on};
use store::{AgentReport, Fault, Noted, Scrapes, StoreError, Taken, Wrong};

use super::Plane;
use crate::watcher::{job_of, source_of};

/// What was measured longer ago is not taken: here it would be let go at once.
const AGE_MAX: Millis = Millis::hours(14 * 24);
/// What was measured so far ahead of the clock here is not taken: it would stand before all that is to come.
const AHEAD_MAX: Millis = Millis::minutes(5);

/// Where reports are answered.
type AnswerTo = Answer<Result<Receipt, NotTaken>>;

/// Reports that can be stored, and what is answered then.
struct Ready {
    taken: Taken,
    receipt: Receipt,
}

impl Plane {
    /// Takes reports of several agents, with one write to the disk where that can be.
    pub(super) fn take_reports(&mut self, calls: Vec<(Reports, AnswerTo)>) {
        let mut rest = calls;
        while !rest.is_empty() {
            // One that handed in again before it was answered is heard after its first is stored.
            let mut nodes = BTreeSet::new();
            let (now, later): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(one, _)| nodes.insert(one.node.clone()));
            self.take_together(now);
            rest = later;
        }
    }

    fn take_together(&mut self, calls: Vec<(Reports, AnswerTo)>) {
        let (reports, answers): (Vec<Reports>, Vec<AnswerTo>) = calls.into_iter().unzip();
        match self.try_take(&reports, Measured::Kept) {
            Ok(receipts) => answers.into_iter().zip(receipts).for_each(|(answer, receipt)| answer.send(Ok(receipt))),
            // Whoever cannot be taken must not hold up the others.
            Err(_) if reports.len() > 1 => {
                reports.into_iter().zip(answers).for_each(|call| self.take_together(vec![call]));
            }
            Err(StoreError { fault: Fault::Misshapen { why }, .. }) => {
                let taken = self.try_take(&reports, Measured::LeftOut(&why)).map_err(|error| error.to_string());
                let taken = taken.map(|receipts| receipts.into_iter().next());
                answers.into_iter().for_each(|answer| match &taken {
                    Ok(Some(receipt)) => answer.send(Ok(receipt.clone())),
                    Ok(None) => {}
                    Err(error) => answer.send(Err(error.clone())),
                });
            }
            Err(error) => {
                eprintln!("warning: reports of agents are not stored yet: {error}");
                answers.into_iter().for_each(|answer| answer.send(Err(error.to_string())));
            }
        }
    }

    fn try_take(
        &mut self,
        all: &[Reports],
        measured: Measured<'_>,
    ) -> Result<Vec<Result<Receipt, NotTaken>>, StoreError> {
        let Some(first) = all.first() else { return Ok(Vec::new()) };
        // What comes of it counts only once it is stored: until then it is read anew.
        let mut findings = self.take_findings(first.heard)?;
        let ready = all.iter().map(|reports| self.ready(&mut findings, reports, measured));
        let ready: Vec<Result<Ready, NotTaken>> = ready.collect::<Result<_, _>>()?;
        let mut taken = Vec::new();
        let receipts = ready.into_iter().map(|ready| {
            ready.map(|Ready { taken: one, receipt }| {
                taken.push(one);
                receipt
            })
        });
        let receipts = receipts.collect();
        self.store.take_reports(&taken)?;
        self.put_back_findings(findings);
        Ok(receipts)
    }

    fn ready(
        &self,
        findings: &mut Findings,
        reports: &Reports,
        measured: Measured<'_>,
    ) -> Result<Result<Ready, NotTaken>, StoreError> {
        let Reports { node, version, spool, heard, told, reports } = reports;
        if self.own_node() == Some(node) {
            return Ok(Err(NotTaken::OwnName));
        }
        if !self.store.has_room_for(node)? {
            return Ok(Err(NotTaken::TooMany));
        }
        let last = self.store.last_report(node, spool)?;
        let mut taken = Taken {
            node: node.clone(),
            version: version.clone(),
            spool: spool.clone(),
            number: last,
            heard: *heard,
            told: *told,
            reported: None,
            taken: 0,
            lost: 0,
            refused: 0,
            scrapes: Vec::new(),
            findings: Vec::new(),
        };
        let mut noted: BTreeMap<FindingId, KeptFinding> = BTreeMap::new();
        let mut receipt = Receipt::default();
        for Numbered { number, lost, report } in reports.iter().filter(|one| last.is_none_or(|last| one.number > last))
        {
            taken.number = Some(*number);
            taken.lost += lost;
            let why;
            match report {
                Ok(report) => {
                    taken.taken += 1;
                    taken.reported = Some(report.at);
                    let changed = see(findings, node, report, *heard);
                    noted.extend(changed.into_iter().map(|kept| (kept.id, kept)));
                    why = match measured {
                        Measured::Kept => keep(&mut taken.scrapes, node, report, *heard),
                        Measured::LeftOut(why) => Some(why.to_owned()),
                    };
                }
                Err(unfit) => why = Some(unfit.clone()),
            }
            taken.refused += u64::from(why.is_some());
            receipt.refused.extend(why.map(|why| (*number, why)));
        }
        receipt.acknowledged = taken.number;
        taken.findings = noted.into_values().map(|kept| shown_by(node, kept)).collect();
        Ok(Ok(Ready { taken, receipt }))
    }
}

/// What becomes of what was measured.
#[derive(Clone, Copy)]
enum Measured<'a> {
    Kept,
    /// It has no shape that can be kept, for this reason.
    LeftOut(&'a str),
}

/// Takes in what is wrong on a node; no moment of it is later than now.
fn see(findings: &mut Findings, node: &str, report: &AgentReport, now: Timestamp) -> Vec<KeptFinding> {
    let seen = |Wrong { finding, opened, seen, closed }: &Wrong| {
        let mut finding = finding.clone();
        finding.places.retain(|place| place.kind != "node");
        finding.places.insert(0, Place::new("node", node));
        let closed = closed.map(|closed| closed.min(now));
        Seen { finding, workload: None, opened: (*opened).min(now), seen: (*seen).min(now), closed }
    };
    let watching = Watching { node: Some(node), started: report.started };
    findings.see(watching, report.at.min(now), report.open.iter().map(seen).collect())
}

/// Adds what was measured, as far as its moments can be; why not all of it.
fn keep(all: &mut Vec<Scrapes>, node: &str, report: &AgentReport, now: Timestamp) -> Option<String> {
    let fits = |at: Timestamp| at >= now - AGE_MAX && at <= now + AHEAD_MAX;
    let mut beyond = None;
    for batch in &report.scrapes {
        let Some(source) = source_on(node, &batch.source) else { continue };
        let (kept, left): (Vec<_>, Vec<_>) = batch.scrapes.iter().cloned().partition(|scrape| fits(scrape.at));
        beyond = beyond.or(left.first().map(|scrape| scrape.at));
        all.push(Scrapes { source, series: batch.series.clone(), scrapes: kept });
    }
    beyond.map(|at| {
        let what = if at > now {
            "ahead of the clock of the server"
        } else {
            "more than 14 days before the clock of the server"
        };
        format!("what was measured at {at} is {what}, where it is {now}: it is not kept")
    })
}

/// What shows a finding: what was measured of its node, and of its job there.
fn shown_by(node: &str, finding: KeptFinding) -> Noted {
    let job = job_of(&finding.finding).and_then(|job| source_on(node, &source_of(job)));
    Noted { sources: [node.to_owned()].into_iter().chain(job).collect(), finding }
}

#[cfg(test)]
mod tests {
    use fleet::finding::Finding;
    use store::{Scrape, Series};

    use super::*;

    const NOW: Timestamp = Timestamp(2_000_000_000_000);

    fn report(moments: &[Timestamp]) -> AgentReport {
        let scrapes = moments.iter().map(|at| Scrape { at: *at, values: vec![Some(1.0)] }).collect();
        let scrapes = vec![Scrapes { source: "job/a".into(), series: vec![Series::named("x")], scrapes }];
        AgentReport { at: NOW, started: NOW, open: Vec::new(), scrapes }
    }

    #[test]
    fn what_no_clock_here_could_have_measured_is_left_out_and_told() {
        let check = |moments: &[Timestamp], kept: usize, expected: Option<&str>| {
            let mut all = Vec::new();
            let why = keep(&mut all, "n", &report(moments), NOW);
            assert_eq!((all[0].source.as_str(), all[0].scrapes.len()), ("n/job/a", kept));
            assert_eq!(why.is_some(), expected.is_some(), "{why:?}");
            assert!(expected.is_none_or(|words| why.unwrap().contains(words)));
        };
        check(&[NOW, NOW + AHEAD_MAX, NOW - AGE_MAX], 3, None);
        check(&[NOW, NOW + AHEAD_MAX + Millis(1)], 1, Some("ahead of the clock of the server"));
        check(&[NOW - AGE_MAX - Millis(1)], 0, Some("more than 14 days before"));
    }

    #[test]
    fn a_finding_is_of_its_node_whatever_it_says_and_never_of_a_moment_to_come() {
        let mut findings = Findings::restore(Vec::new(), FindingId(1), "here");
        let mut wrong = report(&[]);
        let mut finding = Finding::new("hang", "It hangs");
        finding.places = vec![Place::new("job", "a"), Place::new("node", "other")];
        wrong.open = vec![Wrong { finding, opened: NOW + Millis(5), seen: NOW + Millis(6), closed: None }];
        let kept = see(&mut findings, "n", &wrong, NOW).remove(0);
        assert_eq!(kept.finding.places, [Place::new("node", "n"), Place::new("job", "a")]);
        assert_eq!((kept.opened, kept.seen), (NOW, NOW));
        assert_eq!(shown_by("n", kept).sources, ["n", "n/job/a"]);
    }
}

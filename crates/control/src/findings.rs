//! What becomes of findings that come in from those who watch: which of those that are kept each is, and which are over.
//!
//! Whoever watches tells each time all that is open now ([`Seen`]), by numbers of its own that begin anew with it; here each is found again by
//! its rule and its places. So whatever was missed is made good by what comes next. What changed comes out, to be stored ([`Findings::see`]).
//! Agents on other machines each tell of their node, which is among the places of all that they find; nobody ends what another found.

use std::collections::BTreeMap;

use fleet::finding::{Finding, Place};
use fleet::ids::{FindingId, WorkloadId};
use fleet::kept_finding::{FindingState, KeptFinding, Mute};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

/// One that comes back within this is the same finding.
pub const SAME_WITHIN: Millis = Millis::minutes(10);
/// After a start, what was open before has so long to be found again.
const AGAIN_WITHIN: Millis = Millis::minutes(1);
/// So many findings are kept here that are over or muted; the oldest make room. They stay in the store.
const OVER_MAX: usize = 4_096;

/// Something that is wrong now.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// What.
    pub finding: Finding,
    /// The workload that it is about.
    pub workload: Option<WorkloadId>,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was last found.
    pub seen: Timestamp,
    /// When it was over, of what was wrong until a while ago: it is known then what came of it.
    pub closed: Option<Timestamp>,
}

/// Whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watching<'a> {
    /// The node of an agent elsewhere; nothing: the node here.
    pub node: Option<&'a str>,
    /// Since when it watches.
    pub started: Timestamp,
}

/// The findings that may be found again.
#[derive(Debug)]
pub struct Findings {
    kept: BTreeMap<Key, KeptFinding>,
    next: u64,
    /// The name of the node here.
    own: String,
}

type Key = (String, Vec<Place>);

impl Findings {
    /// Goes on from what is stored: those that are open, were closed within [`SAME_WITHIN`] or are muted; and the first id that was not given
    /// out yet.
    #[must_use]
    pub fn restore(mut stored: Vec<KeptFinding>, next: FindingId, own: &str) -> Self {
        // Of several of one rule and place the latest counts.
        stored.sort_by_key(|kept| kept.id);
        let kept = stored.into_iter().map(|kept| (key(&kept.finding), kept)).collect();
        Self { kept, next: next.0, own: own.to_owned() }
    }

    /// Takes in all that is wrong now where somebody watches. Gives the findings that are to be stored, as they are now: all that are open there,
    /// and those that are over since.
    pub fn see(&mut self, watching: Watching<'_>, now: Timestamp, seen: Vec<Seen>) -> Vec<KeptFinding> {
        let mut changed: BTreeMap<FindingId, KeptFinding> = BTreeMap::new();
        let mut there: Vec<Key> = Vec::new();
        for seen in seen {
            let key = key(&seen.finding);
            if let Some(closed) = seen.closed {
                changed.extend(self.over(&key, seen.finding, closed.min(now)).map(|kept| (kept.id, kept)));
                continue;
            }
            let kept = self.found(&key, seen, now);
            changed.insert(kept.id, kept.clone());
            self.kept.insert(key.clone(), kept);
            there.push(key);
        }
        there.sort_unstable();
        let Watching { node, started } = watching;
        let patient = now < started + AGAIN_WITHIN;
        let is_here = |finding: &Finding| finding.place("node").filter(|name| *name != self.own) == node;
        for (key, kept) in &mut self.kept {
            let waits = patient && kept.seen < started;
            if kept.closed.is_none() && is_here(&kept.finding) && !waits && there.binary_search(key).is_err() {
                kept.closed = Some(now);
                changed.insert(kept.id, kept.clone());
            }
        }
        self.forget(now);
        changed.into_values().collect()
    }

    /// Somebody muted a finding, or took that back; it is stored.
    pub fn muted(&mut self, kept: &KeptFinding) {
        // One of the same rule and place that came later has a mute of its own.
        let known = self.kept.entry(key(&kept.finding)).or_insert_with(|| kept.clone());
        if known.id == kept.id {
            known.mute.clone_from(&kept.mute);
        }
    }

    /// It is over, if it is kept as open: what came and went unheard was nothing to anybody.
    fn over(&mut self, key: &Key, finding: Finding, closed: Timestamp) -> Option<KeptFinding> {
        let kept = self.kept.get_mut(key).filter(|kept| kept.closed.is_none())?;
        (kept.finding, kept.closed) = (finding, Some(closed));
        Some(kept.clone())
    }

    fn found(&mut self, key: &Key, seen: Seen, now: Timestamp) -> KeptFinding {
        let Seen { finding, workload, opened, seen, closed: _ } = seen;
        let before = self.kept.remove(key);
        match before {
            Some(before) if before.closed.is_none_or(|closed| now.since(closed) <= SAME_WITHIN) => {
                let returns = before.returns + u32::from(before.closed.is_some());
                let workload = workload.or(before.workload);
                KeptFinding { finding, workload, seen, closed: None, returns, ..before }
            }
            before => {
                let id = FindingId(self.next);
                self.next += 1;
                // Who muted what comes again and again does not want to mute each time.
                let mute = before.and_then(|before| before.mute).filter(|mute| mute.until > now);
                KeptFinding { id, finding, workload, opened, seen, closed: None, returns: 0, mute }
            }
        }
    }

    fn forget(&mut self, now: Timestamp) {
        let muted = |mute: &Mute| mute.until > now;
        self.kept.retain(|_, kept| {
            kept.closed.is_none_or(|closed| now.since(closed) <= SAME_WITHIN) || kept.mute.as_ref().is_some_and(muted)
        });
        let mut over: Vec<(Option<Timestamp>, Key)> = self
            .kept
            .iter()
            .filter(|(_, kept)| kept.state(now) == FindingState::Closed)
            .map(|(key, kept)| (kept.closed, key.clone()))
            .collect();
        if over.len() > OVER_MAX {
            over.sort_unstable();
            let beyond = over.len() - OVER_MAX;
            over.into_iter().take(beyond).for_each(|(_, key)| drop(self.kept.remove(&key)));
        }
    }
}

fn key(finding: &Finding) -> Key {
    (finding.rule.clone(), finding.places.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000;

    const HERE: Watching<'_> = Watching { node: None, started: Timestamp(0) };

    fn seen(job: &str, at: i64) -> Seen {
        let mut finding = Finding::new("hang", format!("{job} hangs, seen at {at}"));
        finding.places.push(Place::new("job", job));
        Seen { finding, workload: None, opened: Timestamp(at), seen: Timestamp(at), closed: None }
    }

    /// What is stored each time, by id: `+` open, `-` closed.
    fn check(findings: &mut Findings, at: i64, jobs: &[&str], expected: &str) {
        let stored = findings.see(HERE, Timestamp(at), jobs.iter().map(|job| seen(job, at)).collect());
        let mark = |kept: &KeptFinding| format!("{}{}", if kept.closed.is_some() { '-' } else { '+' }, kept.id.0);
        assert_eq!(stored.iter().map(mark).collect::<Vec<_>>().join(" "), expected, "at {at}");
    }

    fn empty() -> Findings {
        Findings::restore(Vec::new(), FindingId(1), "here")
    }

    #[test]
    fn what_came_of_it_is_kept_once_and_of_what_was_never_heard_nothing() {
        let mut findings = empty();
        check(&mut findings, 0, &["a"], "+1");
        let over = |job: &str| {
            let mut seen = seen(job, SECOND);
            (seen.closed, seen.finding.realised) = (Some(Timestamp(7 * SECOND)), Some(2.5));
            seen
        };
        let told = findings.see(HERE, Timestamp(8 * SECOND), vec![over("a"), over("b")]);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].closed, told[0].finding.realised), (Some(Timestamp(7 * SECOND)), Some(2.5)));
        assert_eq!(findings.see(HERE, Timestamp(9 * SECOND), vec![over("a")]), [], "it was heard");
        check(&mut findings, 10 * SECOND, &["a"], "+1");
    }

    #[test]
    fn what_is_missed_is_made_good_by_what_comes_next() {
        let mut findings = empty();
        check(&mut findings, 0, &["a"], "+1");
        check(&mut findings, SECOND, &["a", "b"], "+1 +2");
        // What told that `a` is over was lost.
        check(&mut findings, 5 * SECOND, &["b"], "-1 +2");
        check(&mut findings, 6 * SECOND, &[], "-2");
        check(&mut findings, 7 * SECOND, &[], "");
    }

    #[test]
    fn one_that_returns_soon_is_the_same_and_later_it_is_another() {
        let mut findings = empty();
        check(&mut findings, 0, &["a"], "+1");
        check(&mut findings, SECOND, &[], "-1");
        check(&mut findings, SAME_WITHIN.0 + SECOND, &["a"], "+1");
        assert_eq!(findings.kept.values().next().unwrap().returns, 1);
        check(&mut findings, SAME_WITHIN.0 + 2 * SECOND, &[], "-1");
        check(&mut findings, 2 * SAME_WITHIN.0 + 3 * SECOND, &["a"], "+2");
    }

    #[test]
    fn after_a_start_what_was_open_has_a_minute_to_be_found_again() {
        let before = Watching { started: Timestamp(-9), ..HERE };
        let stored = empty().see(before, Timestamp(-1), vec![seen("a", -1), seen("b", -1)]);
        let restored = || Findings::restore(stored.clone(), FindingId(3), "here");
        let mut findings = restored();
        check(&mut findings, SECOND, &["b"], "+2");
        check(&mut findings, 2 * SECOND, &[], "-2");
        check(&mut findings, AGAIN_WITHIN.0, &[], "-1");
        let mut findings = restored();
        check(&mut findings, SECOND, &["a", "b", "c"], "+1 +2 +3");
    }

    #[test]
    fn each_node_ends_what_it_found_itself() {
        let on = |node: &str, at: i64| {
            let mut seen = seen("a", at);
            seen.finding.places.insert(0, Place::new("node", node));
            seen
        };
        let agent = Watching { node: Some("n1"), started: Timestamp(0) };
        let ids = |stored: Vec<KeptFinding>| -> Vec<(u64, bool)> {
            stored.iter().map(|kept| (kept.id.0, kept.closed.is_some())).collect()
        };
        let mut findings = empty();
        check(&mut findings, 0, &["a"], "+1");
        assert_eq!(ids(findings.see(agent, Timestamp(5), vec![on("n1", 5)])), [(2, false)], "another place");
        let second = Watching { node: Some("n2"), ..agent };
        assert_eq!(ids(findings.see(second, Timestamp(5), vec![on("n2", 5)])), [(3, false)]);
        check(&mut findings, SECOND, &[], "-1");
        // The server was begun anew, and the agent was not: what is over is over at once, also where it tells late.
        let stored: Vec<KeptFinding> = findings.kept.values().cloned().collect();
        let mut findings = Findings::restore(stored.clone(), FindingId(4), "here");
        assert_eq!(ids(findings.see(agent, Timestamp(9), Vec::new())), [(2, true)]);
        // The agent was begun anew: it has a minute to find it again.
        let mut findings = Findings::restore(stored, FindingId(4), "here");
        let anew = Watching { started: Timestamp(SECOND), ..agent };
        assert_eq!(ids(findings.see(anew, Timestamp(2 * SECOND), Vec::new())), []);
        assert_eq!(ids(findings.see(anew, Timestamp(SECOND) + AGAIN_WITHIN, Vec::new())), [(2, true)]);
        assert_eq!(ids(findings.see(HERE, Timestamp(9 * SECOND), vec![on("here", 9)])), [(4, false)]);
        assert_eq!(
            ids(findings.see(HERE, Timestamp(10 * SECOND), Vec::new())),
            [(4, true)],
            "its own name says nothing"
        );
    }

    #[test]
    fn what_is_muted_stays_so_when_it_comes_again() {
        let mut findings = empty();
        let mut stored = findings.see(HERE, Timestamp(0), vec![seen("a", 0)]).remove(0);
        let until = Timestamp(3 * SAME_WITHIN.0);
        stored.mute = Some(Mute { reason: "known".into(), until, by: "ada".into(), at: Timestamp(0) });
        findings.muted(&stored);
        check(&mut findings, SECOND, &[], "-1");
        let again = findings.see(HERE, Timestamp(2 * SAME_WITHIN.0), vec![seen("a", 0)]).remove(0);
        assert_eq!((again.id, again.mute), (FindingId(2), stored.mute));
        check(&mut findings, 2 * SAME_WITHIN.0 + SECOND, &[], "-2");
        let later = findings.see(HERE, Timestamp(4 * SAME_WITHIN.0), vec![seen("a", 0)]).remove(0);
        assert_eq!((later.id, later.mute), (FindingId(3), None));
    }

    #[test]
    fn room_is_bounded() {
        let mut findings = empty();
        let many = (0..OVER_MAX + 10).map(|number| seen(&number.to_string(), 0)).collect();
        assert_eq!(findings.see(HERE, Timestamp(0), many).len(), OVER_MAX + 10);
        let over = findings.see(HERE, Timestamp(SECOND), Vec::new());
        assert_eq!((over.len(), findings.kept.len()), (OVER_MAX + 10, OVER_MAX));
    }
}

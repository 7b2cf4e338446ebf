//! What of the findings is news to somebody: each is told once when it is there, once when it is over, and not again without news.
//!
//! What was told is all that is remembered; what there is to tell is worked out anew each time. So what could not be delivered waits for nothing: it is
//! told later, as it is by then, and what has come and gone in the meantime is not told at all.

use std::collections::BTreeMap;

use fleet::ids::FindingId;
use fleet::kept_finding::{FindingState, KeptFinding};
use fleet::notice::{Turn, Wants};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

/// What somebody was told last, of each finding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told(BTreeMap<FindingId, Last>);

/// What was told last of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last {
    turn: Turn,
    at: Timestamp,
}

/// What is over, and was told to be, can come back under its id for ten minutes (`SAME_WITHIN`); after that it is forgotten.
const FORGOTTEN_AFTER: Millis = Millis::minutes(60);
/// Somebody is told of so many findings at most that are not over; the rest waits.
const OPEN_MAX: usize = 1_000;

impl Told {
    /// Goes on from what was kept: the finding, what was told of it last, and when.
    #[must_use]
    pub fn restore(kept: impl Iterator<Item = (FindingId, Turn, Timestamp)>) -> Self {
        Self(kept.map(|(id, turn, at)| (id, Last { turn, at })).collect())
    }

    /// What is to be kept.
    pub fn kept(&self) -> impl Iterator<Item = (FindingId, Turn, Timestamp)> {
        self.0.iter().map(|(&id, last)| (id, last.turn, last.at))
    }

    /// The findings that were told to be there, and not yet to be over.
    pub fn open(&self) -> impl Iterator<Item = FindingId> {
        self.0.iter().filter(|(_, last)| last.turn != Turn::Closed).map(|(&id, _)| id)
    }

    /// What is news of these: all that are there now, and those that were told to be.
    #[must_use]
    pub fn news(&self, wants: &Wants, findings: &[KeptFinding], now: Timestamp) -> Vec<(Turn, FindingId)> {
        let mut room = OPEN_MAX.saturating_sub(self.open().count());
        let mut news = Vec::new();
        for kept in findings {
            let last = self.0.get(&kept.id).map(|last| last.turn);
            let turn = match (kept.state(now), last) {
                (FindingState::Open, None) if wanted(wants, kept, now) => Turn::Opened,
                (FindingState::Open, Some(Turn::Closed)) if wanted(wants, kept, now) => Turn::Returned,
                (FindingState::Closed, Some(Turn::Opened | Turn::Returned)) if wants.ends => Turn::Closed,
                _ => continue,
            };
            if turn != Turn::Closed {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            news.push((turn, kept.id));
        }
        news
    }

    /// That this was told. Those that were over long ago are forgotten.
    pub fn told(&mut self, news: &[(Turn, FindingId)], now: Timestamp) {
        for &(turn, id) in news {
            self.0.insert(id, Last { turn, at: now });
        }
        self.0.retain(|_, last| last.turn != Turn::Closed || now.since(last.at) < FORGOTTEN_AFTER);
    }

    /// Who does not want to hear of ends forgets what is over.
    pub fn forget_over(&mut self, findings: &[KeptFinding], now: Timestamp) {
        for kept in findings.iter().filter(|kept| kept.state(now) == FindingState::Closed) {
            if let Some(last) = self.0.get_mut(&kept.id).filter(|last| last.turn != Turn::Closed) {
                *last = Last { turn: Turn::Closed, at: now };
            }
        }
    }
}

fn wanted(wants: &Wants, kept: &KeptFinding, now: Timestamp) -> bool {
    let finding = &kept.finding;
    (wants.rules.is_empty() || wants.rules.contains(&finding.rule))
        && !wants.except.contains(&finding.rule)
        && finding.confidence >= wants.least
        && now.since(kept.opened) >= wants.after
}

#[cfg(test)]
mod tests {
    use fleet::finding::{Confidence, Finding};
    use fleet::kept_finding::Mute;

    use super::*;

    fn kept(id: u64, rule: &str) -> KeptFinding {
        KeptFinding {
            id: FindingId(id),
            finding: Finding::new(rule, "It hangs"),
            workload: None,
            opened: Timestamp(1_000),
            seen: Timestamp(1_000),
            closed: None,
            returns: 0,
            mute: None,
        }
    }

    /// Tells all there is to tell.
    fn tell(told: &mut Told, wants: &Wants, findings: &[KeptFinding], now: i64) -> Vec<(Turn, u64)> {
        let news = told.news(wants, findings, Timestamp(now));
        told.told(&news, Timestamp(now));
        if !wants.ends {
            told.forget_over(findings, Timestamp(now));
        }
        news.into_iter().map(|(turn, id)| (turn, id.0)).collect()
    }

    #[test]
    fn each_turn_is_told_once_also_after_a_start() {
        let (mut told, wants) = (Told::default(), Wants::default());
        let open = kept(1, "hang");
        let closed = |at| KeptFinding { closed: Some(Timestamp(at)), ..kept(1, "hang") };
        assert_eq!(tell(&mut told, &wants, std::slice::from_ref(&open), 1_000), [(Turn::Opened, 1)]);
        let mut told = Told::restore(told.kept());
        assert_eq!(tell(&mut told, &wants, std::slice::from_ref(&open), 2_000), []);
        assert_eq!(told.open().collect::<Vec<_>>(), [FindingId(1)]);
        assert_eq!(tell(&mut told, &wants, &[closed(3_000)], 3_000), [(Turn::Closed, 1)]);
        assert_eq!(tell(&mut told, &wants, &[closed(3_000)], 4_000), []);
        assert_eq!(tell(&mut told, &wants, &[open], 5_000), [(Turn::Returned, 1)]);
        assert_eq!(tell(&mut told, &wants, &[closed(6_000)], 6_000), [(Turn::Closed, 1)]);
        told.told(&[], Timestamp(6_000) + FORGOTTEN_AFTER);
        assert_eq!(told, Told::default());
    }

    #[test]
    fn what_came_and_went_while_nothing_could_be_told_is_not() {
        let over = KeptFinding { closed: Some(Timestamp(2_000)), ..kept(1, "hang") };
        assert_eq!(tell(&mut Told::default(), &Wants::default(), &[over], 9_000), []);
    }

    #[test]
    fn only_what_is_wanted_is_told() {
        let check = |wants: Wants, finding: KeptFinding, now: i64, expected: bool| {
            assert_eq!(!tell(&mut Told::default(), &wants, &[finding], now).is_empty(), expected, "{wants:?}");
        };
        let hang = || vec!["hang".to_owned()];
        check(Wants { rules: hang(), ..Wants::default() }, kept(1, "hang"), 1_000, true);
        check(Wants { rules: hang(), ..Wants::default() }, kept(1, "crash"), 1_000, false);
        check(Wants { except: hang(), ..Wants::default() }, kept(1, "hang"), 1_000, false);
        check(Wants { least: Confidence::Certain, ..Wants::default() }, kept(1, "hang"), 1_000, false);
        let after = || Wants { after: Millis::seconds(5), ..Wants::default() };
        check(after(), kept(1, "hang"), 5_999, false);
        check(after(), kept(1, "hang"), 6_000, true);
        let mute = Mute { reason: "known".into(), until: Timestamp(5_000), by: "ada".into(), at: Timestamp(0) };
        let muted = KeptFinding { mute: Some(mute), ..kept(1, "hang") };
        check(Wants::default(), muted.clone(), 4_999, false);
        check(Wants::default(), muted, 5_000, true);
    }

    #[test]
    fn who_wants_no_ends_hears_of_what_returns_and_of_no_more_than_there_is_room_for() {
        let wants = Wants { ends: false, ..Wants::default() };
        let mut told = Told::default();
        let over = KeptFinding { closed: Some(Timestamp(2_000)), ..kept(1, "hang") };
        assert_eq!(tell(&mut told, &wants, &[kept(1, "hang")], 1_000), [(Turn::Opened, 1)]);
        assert_eq!(tell(&mut told, &wants, &[over], 2_000), []);
        assert_eq!(told.open().count(), 0);
        assert_eq!(tell(&mut told, &wants, &[kept(1, "hang")], 3_000), [(Turn::Returned, 1)]);

        let many: Vec<KeptFinding> = (0..OPEN_MAX as u64 + 5).map(|id| kept(id, "hang")).collect();
        let mut told = Told::default();
        assert_eq!(tell(&mut told, &wants, &many, 1_000).len(), OPEN_MAX);
        assert_eq!(tell(&mut told, &wants, &many, 2_000), []);
    }
}

//! The life of findings: opened once they are sure, updated when there is news, closed once they are over. A finding that comes and goes is
//! one finding.

use std::collections::{BTreeMap, VecDeque};

use fleet::finding::{Finding, Place};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

/// It is opened when it was found in so many evaluations in a row.
const OPENS_AFTER: u32 = 2;
/// And closed when it was not found in so many in a row.
const CLOSES_AFTER: u32 = 6;
/// As it stays known it is as it was found so many evaluations before the last: by the last, it had begun to end.
pub(super) const WANES: usize = 3;
/// One that comes back within this is the same finding.
const SAME_WITHIN: Millis = Millis(600_000);
/// It is news when what it is worth has changed by so much of itself.
const NEWS: f64 = 0.25;
/// So many findings are kept that are over.
const CLOSED_MAX: usize = 1_024;

/// What is known of a finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// A number that stays the same while it lives.
    pub id: u64,
    /// As it is now, or was last.
    pub finding: Finding,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was last found.
    pub seen: Timestamp,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// How often it came back after it had been closed.
    pub returns: u32,
}

/// What became of a finding.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// It is there.
    Opened(Open),
    /// There is news of it.
    Updated(Open),
    /// It is over.
    Closed(Open),
}

/// Every finding, open, in doubt, and over.
#[derive(Debug, Default)]
pub(super) struct Life {
    states: BTreeMap<Key, State>,
    next: u64,
}

type Key = (String, Vec<Place>);

#[derive(Debug)]
enum State {
    /// Found so many times in a row, and not yet opened.
    Doubted(u32, Finding),
    Open(Living),
    Over(Open),
}

/// One that is open.
#[derive(Debug)]
struct Living {
    open: Open,
    /// So many times in a row it was not found.
    missed: u32,
    /// What was last told that it is worth.
    told: Option<f64>,
    /// As it was found lately, the oldest first.
    lately: VecDeque<Finding>,
}

impl Living {
    fn new(open: Open) -> Self {
        let told = worth(&open.finding);
        Self { missed: 0, told, lately: VecDeque::from([open.finding.clone()]), open }
    }

    /// It is found again; whether that is news.
    fn found(&mut self, finding: Finding, now: Timestamp) -> bool {
        self.open.finding = Finding { since: self.open.finding.since, ..finding };
        self.open.seen = now;
        self.missed = 0;
        self.lately.push_back(self.open.finding.clone());
        if self.lately.len() > WANES {
            self.lately.pop_front();
        }
        let worth = worth(&self.open.finding);
        let is_news = match (worth, self.told) {
            (Some(worth), Some(told)) => (worth - 1.0 - (told - 1.0)).abs() > NEWS * (told - 1.0).max(0.1),
            (worth, told) => worth.is_some() != told.is_some(),
        };
        if is_news {
            self.told = worth;
        }
        is_news
    }

    fn closed(self, now: Timestamp, realised: Realised<'_>) -> Open {
        let realised = self.open.finding.speedup.and_then(|_| realised(&self.open));
        let finding = self.lately.into_iter().next().unwrap_or(self.open.finding);
        Open { finding: Finding { realised, ..finding }, closed: Some(now), ..self.open }
    }
}

fn worth(finding: &Finding) -> Option<f64> {
    finding.speedup.map(|speedup| speedup.value)
}

/// What became of the steps of a job that a finding was about, which is over.
pub(super) type Realised<'a> = &'a dyn Fn(&Open) -> Option<f64>;

impl Life {
    /// Takes in what is found now.
    pub(super) fn take(&mut self, now: Timestamp, found: Vec<Finding>, realised: Realised<'_>) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut seen = Vec::new();
        for finding in found {
            let key = (finding.rule.clone(), finding.places.clone());
            if seen.contains(&key) {
                continue;
            }
            let state = self.states.remove(&key);
            let state = self.found(state, finding, now, &mut changes);
            self.states.insert(key.clone(), state);
            seen.push(key);
        }
        self.missing(&seen, now, realised, &mut changes);
        changes
    }

    /// Those that are open.
    pub(super) fn open(&self) -> impl Iterator<Item = &Open> {
        self.states.values().filter_map(|state| match state {
            State::Open(living) => Some(&living.open),
            _ => None,
        })
    }

    /// Those that were closed since a moment and did not come back.
    pub(super) fn over(&self, since: Timestamp) -> impl Iterator<Item = &Open> {
        self.states.values().filter_map(move |state| match state {
            State::Over(open) if open.closed.is_some_and(|closed| closed >= since) => Some(open),
            _ => None,
        })
    }

    fn found(&mut self, state: Option<State>, finding: Finding, now: Timestamp, changes: &mut Vec<Change>) -> State {
        match state {
            Some(State::Open(mut living)) => {
                if living.found(finding, now) {
                    changes.push(Change::Updated(living.open.clone()));
                }
                State::Open(living)
            }
            Some(State::Over(open)) if open.closed.is_some_and(|closed| now.since(closed) <= SAME_WITHIN) => {
                let returns = open.returns + 1;
                let open = Open { finding, seen: now, closed: None, returns, ..open };
                changes.push(Change::Opened(open.clone()));
                State::Open(Living::new(open))
            }
            Some(State::Doubted(times, first)) if times + 1 >= OPENS_AFTER => self.opened(finding, first, now, changes),
            Some(State::Doubted(times, first)) => State::Doubted(times + 1, first),
            _ => {
                // What is gone for good, or does not go on, needs no second look.
                if OPENS_AFTER <= 1 || finding.speedup.is_none() {
                    return self.opened(finding.clone(), finding, now, changes);
                }
                State::Doubted(1, finding)
            }
        }
    }

    fn opened(&mut self, finding: Finding, first: Finding, now: Timestamp, changes: &mut Vec<Change>) -> State {
        let finding = Finding { since: first.since, ..finding };
        let id = self.next;
        let open = Open { id, finding, opened: now, seen: now, closed: None, returns: 0 };
        self.next += 1;
        changes.push(Change::Opened(open.clone()));
        State::Open(Living::new(open))
    }

    fn missing(&mut self, seen: &[Key], now: Timestamp, realised: Realised<'_>, changes: &mut Vec<Change>) {
        let missing: Vec<Key> = self.states.keys().filter(|key| !seen.contains(key)).cloned().collect();
        for key in missing {
            match self.states.remove(&key) {
                Some(State::Open(living)) if living.missed + 1 < CLOSES_AFTER => {
                    let missed = living.missed + 1;
                    self.states.insert(key, State::Open(Living { missed, ..living }));
                }
                Some(State::Open(living)) => {
                    let open = living.closed(now, realised);
                    changes.push(Change::Closed(open.clone()));
                    self.states.insert(key, State::Over(open));
                }
                Some(State::Over(open)) if open.closed.is_some_and(|closed| now.since(closed) <= SAME_WITHIN) => {
                    self.states.insert(key, State::Over(open));
                }
                // In doubt, and not found again; or over for long.
                _ => {}
            }
        }
        let over = self.states.values().filter(|state| matches!(state, State::Over(_))).count();
        if over > CLOSED_MAX {
            self.states.retain(|_, state| !matches!(state, State::Over(_)));
        }
    }
}

#[cfg(test)]
mod tests {
    use fleet::recommendation::Interval;

    use super::*;

    fn finding(worth: f64) -> Finding {
        let mut finding = Finding::new("slow-disk", "It is slow");
        finding.places.push(Place::new("job", "a"));
        finding.speedup = Some(Interval { low: worth, value: worth, high: worth });
        finding
    }

    /// What is told each second, by letters: Opened, Updated, Closed.
    fn told(found: &[Option<f64>]) -> String {
        let mut life = Life::default();
        let mut text = String::new();
        for (second, worth) in (0..).zip(found) {
            let found = worth.map(finding).into_iter().collect();
            let changes = life.take(Timestamp(second * 1_000), found, &|_| None);
            text.push(match &changes[..] {
                [] => '.',
                [Change::Opened(_)] => 'O',
                [Change::Updated(_)] => 'U',
                [Change::Closed(_)] => 'C',
                more => panic!("{more:?}"),
            });
        }
        text
    }

    #[test]
    fn what_is_sure_is_opened_and_what_is_over_is_closed() {
        let (yes, no) = (Some(2.0), None);
        assert_eq!(told(&[yes, no, yes, no]), "....", "it is in doubt");
        assert_eq!(told(&[yes, yes, yes, no, no, yes]), ".O....", "it does not flap");
        assert_eq!(told(&[yes, yes, no, no, no, no, no, no, no]), ".O.....C.");
        assert_eq!(told(&[yes, yes, no, no, no, no, no, no, yes]), ".O.....CO", "it is back, at once");
        assert_eq!(told(&[yes, yes, Some(2.1), Some(3.0), Some(3.1)]), ".O.U.", "no news, no word");
    }

    #[test]
    fn what_is_over_is_known_as_it_was_before_it_began_to_end_with_what_came_of_it() {
        let mut life = Life::default();
        let mut last = None;
        for (second, worth) in (0..).zip([2.4, 2.5, 2.5, 2.6, 2.0, 1.4, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]) {
            let found = (worth > 0.0).then(|| finding(worth)).into_iter().collect();
            let changes =
                life.take(Timestamp(second * 1_000), found, &|open| (open.seen == Timestamp(5_000)).then_some(2.3));
            last = changes.into_iter().next_back().or(last);
        }
        let Some(Change::Closed(open)) = last else { panic!("{last:?}") };
        assert_eq!((open.finding.speedup.unwrap().value, open.finding.realised), (2.6, Some(2.3)));
        assert_eq!(open.seen, Timestamp(5_000));
    }

    #[test]
    fn a_finding_that_returns_is_the_same() {
        let mut life = Life::default();
        let mut last = None;
        for second in 0..60 {
            let found = if second % 20 < 5 { vec![finding(2.0)] } else { Vec::new() };
            for change in life.take(Timestamp(second * 1_000), found, &|_| None) {
                let (Change::Opened(open) | Change::Updated(open) | Change::Closed(open)) = change;
                last = Some(open);
            }
        }
        let last = last.unwrap();
        assert_eq!((last.id, last.returns), (0, 2));
        assert_eq!(last.closed, Some(Timestamp(50_000)));
        assert_eq!(life.open().count(), 0);
    }
}

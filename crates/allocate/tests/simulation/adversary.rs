//! The outside: carries out what the engine decides, late, not at all, and tells of it late, twice, and in the wrong order.
//!
//! What becomes of an attempt follows from the case's seed, the workload and the number of the attempt alone.

use std::collections::BTreeMap;

use fleet::event::{EndCause, EventKind};
use fleet::ids::{ActionId, NameId, WorkloadId};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use fleet::workload::Workload;

use crate::random::Random;

/// Everything that ends after a moment ends otherwise: at another time, in another way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OtherFuture {
    pub(crate) after: Timestamp,
    pub(crate) salt: u64,
}

/// The outside.
#[derive(Clone, Debug)]
pub(crate) struct Adversary {
    seed: u64,
    other: Option<OtherFuture>,
    attempts: BTreeMap<WorkloadId, u64>,
    coming: BTreeMap<(Timestamp, u64, u64), EventKind>,
    told: u64,
}

impl Adversary {
    pub(crate) fn new(seed: u64, other: Option<OtherFuture>) -> Self {
        Self { seed, other, attempts: BTreeMap::new(), coming: BTreeMap::new(), told: 0 }
    }

    /// When there is news next.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.coming.keys().next().map(|&(at, ..)| at)
    }

    /// The next news that is due.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<EventKind> {
        let entry = self.coming.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// There will be this news.
    pub(crate) fn tell(&mut self, at: Timestamp, order: u64, news: EventKind) {
        self.told += 1;
        self.coming.insert((at, order, self.told), news);
    }

    /// Carries out a start.
    pub(crate) fn start(&mut self, action: ActionId, workload: &Workload, now: Timestamp) {
        let (workload, name) = (workload.id, workload.name);
        let attempt = self.attempts.entry(workload).or_insert(0);
        *attempt += 1;
        let mut random = Random::of(&[self.seed, u64::from(workload.0), *attempt]);
        let began = now + lag(&mut random, 400, 120);
        if random.chance(80) {
            self.tell_badly(began, EventKind::StartFailed { action, workload }, &mut random);
            return;
        }
        let length = length(name, &mut random);
        let mut ended = began + length;
        let mut cause = cause(&mut random);
        let started = began + lag(&mut random, 150, 2_000);
        self.tell_badly(started, EventKind::Started { action, workload, since: began }, &mut random);
        let mut told = ended + lag(&mut random, 300, 60);
        if let Some(other) = self.other.filter(|other| told > other.after) {
            let mut random =
                Random::of(&[other.salt, u64::from(workload.0), *self.attempts.get(&workload).unwrap_or(&0)]);
            ended = began.max(other.after) + Millis(1) + self::length(name, &mut random);
            told = ended;
            cause = self::cause(&mut random);
        }
        let news = EventKind::Ended { action, workload, ran: ended.since(began), cause };
        self.tell_badly(told, news, &mut random);
    }

    /// Tells once, and now and then once more, later.
    fn tell_badly(&mut self, at: Timestamp, news: EventKind, random: &mut Random) {
        if random.chance(150) {
            let again = at + lag(random, 700, 7_200);
            let order = random.below(8);
            self.tell(again, order, news.clone());
        }
        let order = random.below(8);
        self.tell(at, order, news);
    }
}

/// Mostly nothing; else up to so many seconds.
fn lag(random: &mut Random, permille: u64, seconds_max: u64) -> Millis {
    if random.chance(permille) { Millis(random.below(seconds_max * 1_000) as i64) } else { Millis::ZERO }
}

/// What has a name mostly takes as long as what had it before, or there would be nothing to learn.
fn length(name: Option<NameId>, random: &mut Random) -> Millis {
    const SECONDS_MAX: [u64; 5] = [1, 60, 600, 7_200, 200_000];
    let named = name.filter(|_| random.chance(900)).map(|name| SECONDS_MAX[name.0 as usize % SECONDS_MAX.len()]);
    let most = named.unwrap_or_else(|| random.pick(&SECONDS_MAX));
    Millis(random.below(most * 1_000) as i64)
}

fn cause(random: &mut Random) -> EndCause {
    if random.chance(60) { EndCause::Requeued } else { random.pick(&EndCause::ALL[..6]) }
}

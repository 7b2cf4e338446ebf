//! When a workload that waits is expected to start: a copy of the engine lives the time ahead several times over, with run times drawn
//! from what was learnt and with those who came before coming again (`replay::foresight`).
//!
//! While anybody waits, all who wait are looked at every few seconds ([`keep()`]), and what is said of some is held against what becomes of
//! them: so the intervals come to be as wide as they must be, here, on this machine. What is asked is read off the last look.

mod keep;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use control::Ahead;
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use replay::foresight::{Expected, Foresight, Seen, look, look_for};
use replay::forward::Past;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use crate::api::reading;
use crate::failure::Failure;
use crate::plane::{Plane, Standing};

pub(crate) use keep::keep;

/// One life may take so long; what did not start in it by then was not seen to start.
const LIFE_MAX: Duration = Duration::from_millis(300);
/// The last look is good for so long.
const AGE_MAX: Millis = Millis::seconds(30);

/// When a workload is expected to start. Moments are milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ExpectedStart {
    /// In half of the ways things may go it starts by then.
    pub(crate) median_ms: Option<i64>,
    /// In one of ten it starts before.
    pub(crate) low_ms: Option<i64>,
    /// In one of ten it starts later; absent: later than could be seen.
    pub(crate) high_ms: Option<i64>,
    /// Why it cannot be told, if it cannot.
    pub(crate) unknown: Option<&'static str>,
}

/// What is foreseen.
#[derive(Clone)]
pub(crate) struct Foreseen {
    known: Arc<Mutex<Known>>,
    /// Whoever asks for somebody who came after the last look has a look of their own: one at a time.
    turn: Arc<Semaphore>,
}

/// What was seen, and when: by the clock of the control loop and by ours.
struct Known {
    foresight: Foresight,
    looked: Option<(Timestamp, Instant)>,
}

/// Whose turn it is to have a look of their own.
pub(crate) struct Turn {
    _kept: OwnedSemaphorePermit,
}

impl Foreseen {
    pub(crate) fn new() -> Self {
        let known = Known { foresight: Foresight::new(1), looked: None };
        Self { known: Arc::new(Mutex::new(known)), turn: Arc::new(Semaphore::new(1)) }
    }

    /// When one who waits is expected to start.
    pub(crate) async fn start_of(&self, plane: &Plane, workload: WorkloadId) -> Result<ExpectedStart, Failure> {
        match self.known(workload) {
            Some(start) => Ok(start),
            None => self.look(self.turn().await?, plane, workload).await,
        }
    }

    /// The same as the last look has it, if it saw that one and is not too old.
    pub(crate) fn known(&self, workload: WorkloadId) -> Option<ExpectedStart> {
        let Known { foresight, looked } = &*self.lock();
        let (at, looked) = (*looked)?;
        let now = at + Millis(i64::try_from(looked.elapsed().as_millis()).unwrap_or(i64::MAX));
        foresight.expected(workload, now, AGE_MAX).map(|expected| told(Some(expected), now))
    }

    /// Waits for one's turn.
    pub(crate) async fn turn(&self) -> Result<Turn, Failure> {
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        turn.map(|_kept| Turn { _kept }).map_err(|_| Failure::broken("nobody looks ahead any more"))
    }

    /// Looks ahead for one. The look goes on to its end, and keeps the turn until then, also where nobody waits for it any more.
    pub(crate) async fn look(&self, turn: Turn, plane: &Plane, of: WorkloadId) -> Result<ExpectedStart, Failure> {
        let (foreseen, plane) = (self.clone(), plane.clone());
        let looking = tokio::spawn(async move {
            let start = foreseen.see_start(&plane, of).await;
            drop(turn);
            start
        });
        looking.await.map_err(|_| Failure::broken("looking ahead broke off"))?
    }

    async fn see_start(&self, plane: &Plane, of: WorkloadId) -> Result<ExpectedStart, Failure> {
        let Some(Standing { ahead, .. }) = plane.ahead().await? else { return Ok(ExpectedStart::default()) };
        let now = ahead.now;
        let seen = reading(move || Ok(see(&ahead, Some(of), 0))).await?;
        let expected = self.lock().foresight.of(&seen, of);
        Ok(told(expected, now))
    }

    fn saw(&self, seen: Seen) {
        let mut known = self.lock();
        known.looked = Some((seen.at(), Instant::now()));
        known.foresight.saw(seen);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look, for one or for all.
fn see(ahead: &Ahead, of: Option<WorkloadId>, seed: u64) -> Seen {
    let mut past = Past::default();
    for (at, came) in &ahead.came {
        past.came(came, *at);
    }
    let (mut life, mut begun) = (0, Instant::now());
    let mut go_on = |this: usize| {
        if this != life {
            (life, begun) = (this, Instant::now());
        }
        begun.elapsed() < LIFE_MAX
    };
    match of {
        Some(one) => look_for(one, &ahead.engine, &past, ahead.now, seed, &mut go_on),
        None => look(&ahead.engine, &past, ahead.now, seed, &mut go_on),
    }
}

fn told(expected: Option<Expected>, now: Timestamp) -> ExpectedStart {
    let at = |wait: Millis| (now + wait).0;
    match expected {
        Some(Expected { low, median: Some(median), high }) => ExpectedStart {
            median_ms: Some(at(median)),
            low_ms: Some(at(low.min(median))),
            high_ms: high.map(|high| at(high.max(median))),
            unknown: None,
        },
        Some(Expected { low, median: None, .. }) => ExpectedStart {
            low_ms: Some(at(low)),
            unknown: Some("in most of the ways things may go it starts later than could be seen"),
            ..ExpectedStart::default()
        },
        None => ExpectedStart {
            unknown: Some("it does not start within 30 days, as far as can be foreseen"),
            ..ExpectedStart::default()
        },
    }
}

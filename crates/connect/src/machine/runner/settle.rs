//! Deciding what became of an action, from the folder alone.

use std::io;

use fleet::ids::ActionId;
use fleet::live::{Exit, Outcome, Told, Usage};
use fleet::quantity::Millis;

use super::{Error, Runner, lost};
use crate::machine::runs::{Claim, Holder, Kind, TakeOver};
use crate::machine::watcher::now;

/// How an action stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Its watcher is alive; what is told from now on is heard. The outcome is that it started, if that was told already.
    Runs(Option<Outcome>),
    /// It ended, or never ran and never will.
    Over(Outcome),
}

impl Runner {
    /// How an action of an earlier control plane stands: for every action whose end is not stored, before anything is started.
    /// One that nobody took is taken here, so that a watcher that comes late cannot start it; one whose watcher died is lost,
    /// and what is left of its processes is killed.
    ///
    /// # Errors
    /// If the folder of runs cannot be read or written; nothing is decided then.
    pub fn settle(&self, action: ActionId) -> Result<Settled, Error> {
        self.conclude(action)
    }

    /// The same for an action of this control plane.
    pub(super) fn conclude(&self, action: ActionId) -> Result<Settled, Error> {
        self.try_conclude(action).map_err(|error| Error::io("settle a run in", self.runs.path(), &error))
    }

    fn try_conclude(&self, action: ActionId) -> io::Result<Settled> {
        let runs = &self.runs;
        // A claim that appears between the two looks at it is found by the second turn.
        for _ in 0..2 {
            if let Some(outcome) = runs.outcome(action, Kind::Ended) {
                return Ok(Settled::Over(outcome));
            }
            match runs.take_over(action)? {
                TakeOver::Held => return Ok(Settled::Runs(runs.outcome(action, Kind::Started))),
                TakeOver::Abandoned(claim, holder) => return self.abandoned(action, &claim, holder).map(Settled::Over),
                TakeOver::Absent => {}
            }
            if let Some(claim) = runs.claim(action)? {
                // Files may have gone with the power: nobody knows then.
                let told = if self.rebooted { ended_lost(Millis(0)) } else { Told::NotBegun };
                return self.tell(action, &claim, told).map(Settled::Over);
            }
        }
        Err(io::Error::other("its claim comes and goes: does something else write there?"))
    }

    /// Nobody but the holder of the claim may come here.
    fn abandoned(&self, action: ActionId, claim: &Claim, holder: Option<Holder>) -> io::Result<Outcome> {
        // The watcher may have told its end, and ended, since that was looked for.
        if let Some(outcome) = self.runs.outcome(action, Kind::Ended) {
            return Ok(outcome);
        }
        let Some(holder) = holder else {
            let told = if self.rebooted { ended_lost(Millis(0)) } else { Told::NotBegun };
            return self.tell(action, claim, told);
        };
        if !self.rebooted {
            lost::kill_all(holder, &self.runs.mark(action))?;
        }
        let started = self.runs.outcome(action, Kind::Started);
        let ran = started.map_or(Millis(0), |started| Millis(now().since(started.at).0.max(0)));
        self.tell(action, claim, ended_lost(ran))
    }

    fn tell(&self, action: ActionId, _held: &Claim, told: Told) -> io::Result<Outcome> {
        let outcome = Outcome { action, at: now(), told };
        self.runs.write(&self.runs.file(action, Kind::Ended), &outcome)?;
        Ok(outcome)
    }
}

fn ended_lost(ran: Millis) -> Told {
    Told::Ended { ran, exit: Exit::Lost, used: Usage::default() }
}

//! One turn: hear, decide, store, answer, act.

use connect::machine::Launch;
use control::{Effect, Input, Refused, Reply, Rule};
use fleet::ids::{ActionId, WorkloadId};
use fleet::live::{Logged, Outcome, Told};
use fleet::time::Timestamp;
use server::{Agreement, Answer, Call, NotAgreed, Standing};
use store::{ConsentId, Deed};

use super::testing::Tested;
use super::{Heard, Plane};

/// What is taken in.
enum Taken {
    Input(Input, Option<Answer<Result<Reply, Refused>>>),
    Agreement(Agreement, AgreementTo),
    Tested(Tested),
}

/// Where an agreement is answered.
type AgreementTo = Answer<Result<ConsentId, NotAgreed>>;

/// What is answered once everything is stored.
enum Pending {
    Reply(Answer<Result<Reply, Refused>>, Result<Reply, Refused>),
    /// With the place of its deed.
    Agreed(AgreementTo, Result<usize, NotAgreed>),
}

/// What is answered from how things stand after the turn.
enum Question {
    Why(WorkloadId, Answer<Option<server::Told>>),
    Ahead(Answer<Option<Standing>>),
}

impl Plane {
    pub(super) fn turn(&mut self, batch: Vec<Heard>) {
        let mut taken: Vec<Taken> = Vec::new();
        let mut questions: Vec<Question> = Vec::new();
        let mut reports = Vec::new();
        taken.extend(self.own.drain(..).map(|outcome| Taken::Input(Input::Outcome(outcome), None)));
        for heard in batch {
            match heard {
                Heard::Outcome(outcome) => taken.push(Taken::Input(Input::Outcome(outcome), None)),
                Heard::Call(Call::Hear(input, answer)) => taken.push(Taken::Input(*input, Some(answer))),
                Heard::Call(Call::Agree(agreement, answer)) => taken.push(Taken::Agreement(*agreement, answer)),
                Heard::Call(Call::Why(id, answer)) => questions.push(Question::Why(id, answer)),
                Heard::Call(Call::Ahead(answer)) => questions.push(Question::Ahead(answer)),
                Heard::Call(Call::Measured(consent, effect, answer)) => {
                    let measured = self.store.measured(self.clock.now(), ConsentId(consent), &effect);
                    answer.send(measured.map_err(|error| error.to_string()));
                }
                Heard::Call(Call::Reports(all, answer)) => reports.push((*all, answer)),
                Heard::Call(Call::Mute(id, mute, answer)) => self.mute(id, mute.as_ref(), answer),
                Heard::Samples(measured) => self.keep_samples(measured),
                Heard::Watched(watched) => self.keep_watched(*watched),
                Heard::Tested(tested) => taken.push(Taken::Tested(tested)),
                Heard::Stop => {}
            }
        }
        self.take_reports(reports);
        taken.sort_by_key(|taken| match taken {
            Taken::Input(input, _) => self.control.place(input),
            Taken::Agreement(..) | Taken::Tested(_) => Rule::PLACE,
        });
        // What one turn hears after another is later, also by the clock: a replay of the log tells them apart.
        let now = if taken.is_empty() { self.clock.now() } else { self.clock.next() };
        let (mut pending, mut deeds) = (Vec::new(), Vec::new());
        for taken in taken {
            match taken {
                Taken::Input(input, answer) => {
                    let reply = self.hear(now, input, &mut deeds);
                    pending.extend(answer.map(|answer| Pending::Reply(answer, reply)));
                }
                Taken::Agreement(agreement, answer) => match self.agree(now, agreement, &mut deeds) {
                    Ok(agreed) => pending.push(Pending::Agreed(answer, agreed)),
                    Err(reason) => answer.send(Err(reason)),
                },
                Taken::Tested(tested) => self.tested(now, tested, &mut deeds),
            }
        }
        let written = self.control.decide(now);
        let consents = match self.store.commit_with(written.at, &written.entries, &deeds) {
            Err(error) => return self.stall(&error.to_string(), pending),
            Ok((logged, consents)) => {
                self.tell_stored(&logged);
                consents
            }
        };
        for pending in pending {
            match pending {
                Pending::Reply(answer, reply) => answer.send(Ok(reply)),
                Pending::Agreed(answer, agreed) => answer.send(Ok(agreed.map(|place| consents[place]))),
            }
        }
        questions.into_iter().for_each(|question| self.answer(question));
        written.effects.into_iter().for_each(|effect| self.act(effect));
    }

    /// Hears what is asked for. Who uses a node again takes back what somebody agreed to: that it is drained.
    fn hear(&mut self, now: Timestamp, input: Input, deeds: &mut Vec<Deed>) -> Result<Reply, Refused> {
        let resumed = match &input {
            Input::Resume { node, by } => Some((node.clone(), by.clone())),
            _ => None,
        };
        let reply = self.control.hear(now, input);
        if let (Some((node, by)), Ok(Reply::Done)) = (resumed, &reply) {
            match self.taken_back(&node, &by) {
                Ok(taken) => deeds.extend(taken),
                Err(error) => eprintln!("warning: the ledger does not say that {node} is used again: {error}"),
            }
        }
        reply
    }

    pub(super) fn tell_stored(&self, logged: &[Logged]) {
        if let Some(last) = logged.last() {
            self.stored.send_replace(last.seq);
        }
    }

    /// Takes in what somebody agreed to, and notes what the ledger is told of it; the place of that. Nothing of it is taken in if it cannot be,
    /// or if the ledger cannot be read.
    fn agree(
        &mut self,
        now: Timestamp,
        agreement: Agreement,
        deeds: &mut Vec<Deed>,
    ) -> Result<Result<usize, NotAgreed>, String> {
        let consents = self.store.consents().map_err(|error| error.to_string())?;
        if let Err(why) = agreement.check(&consents, &self.control) {
            return Ok(Err(why));
        }
        let Agreement { deed, rules, before: _ } = agreement;
        let (Deed::Agreed { by, .. } | Deed::TakenBack { by, .. }) = &deed;
        let heard = self.control.hear(now, Input::SetRules { rules, by: by.clone() });
        Ok(heard.map_err(NotAgreed::Refused).map(|_| {
            deeds.push(deed);
            deeds.len() - 1
        }))
    }

    fn answer(&self, question: Question) {
        let stored = *self.stored.borrow();
        match question {
            Question::Why(id, answer) => {
                answer.send(Ok(self.control.why(id).map(|why| server::Told { why, stored })));
            }
            Question::Ahead(answer) => {
                let ahead = self.control.anyone_waits().then(|| Box::new(self.control.ahead()));
                answer.send(Ok(ahead.map(|ahead| Standing { ahead, stored })));
            }
        }
    }

    /// Nothing of this turn is stored: nothing of it has happened.
    fn stall(&mut self, reason: &str, pending: Vec<Pending>) {
        eprintln!("error: {reason}");
        for pending in pending {
            match pending {
                Pending::Reply(answer, _) => answer.send(Err(reason.to_owned())),
                Pending::Agreed(answer, _) => answer.send(Err(reason.to_owned())),
            }
        }
        self.stalled = Some(reason.to_owned());
    }

    /// While nothing can be stored nothing is taken in. What runners tell is asked for again.
    pub(super) fn refuse(&self, batch: Vec<Heard>) {
        let reason = || self.stalled.clone().unwrap_or_default();
        for heard in batch {
            match heard {
                Heard::Call(Call::Hear(_, answer)) => answer.send(Err(reason())),
                Heard::Call(Call::Why(_, answer)) => answer.send(Err(reason())),
                Heard::Call(Call::Ahead(answer)) => answer.send(Err(reason())),
                Heard::Call(Call::Agree(_, answer)) => answer.send(Err(reason())),
                Heard::Call(Call::Measured(_, _, answer)) => answer.send(Err(reason())),
                Heard::Call(Call::Reports(_, answer)) => answer.send(Err(reason())),
                Heard::Call(Call::Mute(_, _, answer)) => answer.send(Err(reason())),
                Heard::Outcome(_) | Heard::Samples(_) | Heard::Watched(_) | Heard::Tested(_) | Heard::Stop => {}
            }
        }
    }

    pub(super) fn act(&mut self, effect: Effect) {
        match effect {
            Effect::Start { action, workload, submission, attempt, slots } => {
                let devices = slots.iter().fold(0, |all, slot| all | slot.devices);
                let launch = Launch { action, workload, submission: *submission, attempt, devices };
                if let Err(reason) = self.runner.start(&launch) {
                    self.own.push(Outcome { action, at: self.clock.now(), told: Told::StartFailed { reason } });
                }
            }
            Effect::Stop { action } => {
                if let Err(error) = self.runner.stop(action) {
                    eprintln!("warning: {error}");
                }
            }
            Effect::Forget { action } => self.forget(action),
            Effect::Test { node, depth } => self.health.ask(node, depth),
        }
    }

    pub(super) fn forget(&self, action: ActionId) {
        if let Err(error) = self.runner.forget(action) {
            eprintln!("warning: {error}");
        }
    }
}

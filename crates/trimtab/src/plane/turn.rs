//! One turn: hear, decide, store, answer, act.

use connect::machine::Launch;
use control::{Effect, Input, Refused, Reply};
use fleet::ids::{ActionId, WorkloadId};
use fleet::live::{Logged, Outcome, Told};
use server::{Answer, Call, Standing};
use store::ConsentId;

use super::{Heard, Plane};

/// What is answered once everything is stored.
type Pending = (ReplyTo, Result<Reply, Refused>);

/// Where it is answered.
type ReplyTo = Answer<Result<Reply, Refused>>;

/// What is answered from how things stand after the turn.
enum Question {
    Why(WorkloadId, Answer<Option<server::Told>>),
    Ahead(Answer<Option<Standing>>),
}

impl Plane {
    pub(super) fn turn(&mut self, batch: Vec<Heard>) {
        let mut inputs: Vec<(Input, Option<ReplyTo>)> = Vec::new();
        let mut questions: Vec<Question> = Vec::new();
        inputs.extend(self.own.drain(..).map(|outcome| (Input::Outcome(outcome), None)));
        for heard in batch {
            match heard {
                Heard::Outcome(outcome) => inputs.push((Input::Outcome(outcome), None)),
                Heard::Call(Call::Hear(input, answer)) => inputs.push((*input, Some(answer))),
                Heard::Call(Call::Why(id, answer)) => questions.push(Question::Why(id, answer)),
                Heard::Call(Call::Ahead(answer)) => questions.push(Question::Ahead(answer)),
                Heard::Call(Call::Consent(to, by, answer)) => {
                    let agreed = self.store.consent(self.clock.now(), &by, &to).map(|id| id.0);
                    answer.send(agreed.map_err(|error| error.to_string()));
                }
                Heard::Call(Call::Measured(consent, effect, answer)) => {
                    let measured = self.store.measured(self.clock.now(), ConsentId(consent), &effect);
                    answer.send(measured.map_err(|error| error.to_string()));
                }
                Heard::Call(Call::Undo(consent, by, answer)) => {
                    let undone = self.store.undo(self.clock.now(), &by, ConsentId(consent));
                    answer.send(undone.map_err(|error| error.to_string()));
                }
                Heard::Samples(measured) => self.keep_samples(measured),
                Heard::Stop => {}
            }
        }
        inputs.sort_by_key(|(input, _)| self.control.place(input));
        // What one turn hears after another is later, also by the clock: a replay of the log tells them apart.
        let now = if inputs.is_empty() { self.clock.now() } else { self.clock.next() };
        let mut pending: Vec<Pending> = Vec::new();
        for (input, answer) in inputs {
            let reply = self.control.hear(now, input);
            pending.extend(answer.map(|answer| (answer, reply)));
        }
        let written = self.control.decide(now);
        match self.store.commit(written.at, &written.entries) {
            Err(error) => return self.stall(&error.to_string(), pending),
            Ok(logged) => self.tell_stored(&logged),
        }
        for (answer, reply) in pending {
            answer.send(Ok(reply));
        }
        questions.into_iter().for_each(|question| self.answer(question));
        written.effects.into_iter().for_each(|effect| self.act(effect));
    }

    pub(super) fn tell_stored(&self, logged: &[Logged]) {
        if let Some(last) = logged.last() {
            self.stored.send_replace(last.seq);
        }
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
        for (answer, _) in pending {
            answer.send(Err(reason.to_owned()));
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
                Heard::Call(Call::Consent(_, _, answer)) => answer.send(Err(reason())),
                Heard::Call(Call::Undo(_, _, answer) | Call::Measured(_, _, answer)) => answer.send(Err(reason())),
                Heard::Outcome(_) | Heard::Samples(_) | Heard::Stop => {}
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
        }
    }

    pub(super) fn forget(&self, action: ActionId) {
        if let Err(error) = self.runner.forget(action) {
            eprintln!("warning: {error}");
        }
    }
}

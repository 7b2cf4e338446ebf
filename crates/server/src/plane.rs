//! The way to the control loop.

use std::sync::Arc;

use control::{Ahead, Input, Refused, Reply, Why};
use fleet::ids::{FindingId, WorkloadId};
use fleet::kept_finding::Mute;
use fleet::recommendation::Effect;
use store::ConsentId;
use tokio::sync::oneshot;

use crate::agreement::{Agreement, NotAgreed};
use crate::failure::Failure;
use crate::reports::{NotTaken, Receipt, Reports};

/// Something the control loop is asked.
#[derive(Debug)]
pub enum Call {
    /// To take something in. Answered once what it led to is stored.
    Hear(Box<Input>, Answer<Result<Reply, Refused>>),
    /// To do what somebody agreed to, or to take it back: its consent. Answered once that and what it led to are stored.
    Agree(Box<Agreement>, Answer<Result<ConsentId, NotAgreed>>),
    /// To record what a consent has brought so far.
    Measured(i64, Box<Effect>, Answer<()>),
    /// To mute a finding, or to take that back. Answered once it is stored: whether there is such a finding.
    Mute(FindingId, Option<Mute>, Answer<bool>),
    /// To take reports of an agent. Answered once they are stored.
    Reports(Box<Reports>, Answer<Result<Receipt, NotTaken>>),
    /// Why a workload has not started; nothing if it is over, or there is none.
    Why(WorkloadId, Answer<Option<Told>>),
    /// To look ahead; nothing while nobody waits.
    Ahead(Answer<Option<Standing>>),
}

/// Why a workload has not started.
#[derive(Debug)]
pub struct Told {
    /// Why.
    pub why: Why,
    /// The place of the last entry that was stored then.
    pub stored: u64,
}

/// What is needed to look ahead.
#[derive(Debug)]
pub struct Standing {
    /// How things stand.
    pub ahead: Box<Ahead>,
    /// The place of the last entry that was stored then.
    pub stored: u64,
}

/// Where an answer goes. Dropped unanswered where the control loop could not do it, such as with a full disk.
#[derive(Debug)]
pub struct Answer<T>(oneshot::Sender<Result<T, String>>);

impl<T> Answer<T> {
    /// Answers. Whoever asked may have gone away; that is no matter.
    pub fn send(self, answer: Result<T, String>) {
        let _gone = self.0.send(answer);
    }
}

/// The control loop has more to do than it may put off.
#[derive(Clone, Copy, Debug)]
pub struct Busy;

/// The way to the control loop.
#[derive(Clone)]
pub struct Plane {
    send: Arc<dyn Fn(Call) -> Result<(), Busy> + Send + Sync>,
}

impl Plane {
    /// Calls go this way; it must not block.
    pub fn new(send: impl Fn(Call) -> Result<(), Busy> + Send + Sync + 'static) -> Self {
        Self { send: Arc::new(send) }
    }

    pub(crate) async fn hear(&self, input: Input) -> Result<Reply, Failure> {
        let answer = self.ask(|answer| Call::Hear(Box::new(input), answer)).await?;
        answer.map_err(Failure::from)
    }

    pub(crate) async fn why(&self, id: WorkloadId) -> Result<Option<Told>, Failure> {
        self.ask(|answer| Call::Why(id, answer)).await
    }

    pub(crate) async fn ahead(&self) -> Result<Option<Standing>, Failure> {
        self.ask(Call::Ahead).await
    }

    pub(crate) async fn agree(&self, to: Agreement) -> Result<Result<ConsentId, NotAgreed>, Failure> {
        self.ask(|answer| Call::Agree(Box::new(to), answer)).await
    }

    pub(crate) async fn measured(&self, consent: i64, effect: Box<Effect>) -> Result<(), Failure> {
        self.ask(|answer| Call::Measured(consent, effect, answer)).await
    }

    pub(crate) async fn mute(&self, id: FindingId, mute: Option<Mute>) -> Result<bool, Failure> {
        self.ask(|answer| Call::Mute(id, mute, answer)).await
    }

    pub(crate) async fn reports(&self, reports: Reports) -> Result<Result<Receipt, NotTaken>, Failure> {
        self.ask(|answer| Call::Reports(Box::new(reports), answer)).await
    }

    async fn ask<T>(&self, call: impl FnOnce(Answer<T>) -> Call) -> Result<T, Failure> {
        let (sender, receiver) = oneshot::channel();
        (self.send)(call(Answer(sender))).map_err(|Busy| Failure::busy())?;
        match receiver.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(reason)) => Err(Failure::unavailable(reason)),
            Err(_) => Err(Failure::unavailable("the control loop is stopping".into())),
        }
    }
}

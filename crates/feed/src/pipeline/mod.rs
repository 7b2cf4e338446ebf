//! Threads that make batches ahead of whoever consumes them.
//!
//! One plan opens batches in order. Threads take their samples one by one, in order, and write each into its slot; a batch whose
//! slots are all done waits for its turn. Nothing about a batch depends on how many threads there are or which was faster.

mod batch;
mod cell;
mod crew;
mod engine;
mod join;
mod line;
mod output;
mod store;

pub use batch::{Batch, Column};
pub use cell::Cell;
pub use engine::{Engine, Next, Numbers, Settings};
pub use join::{Cells, Join, Joined};
pub use output::{Kind, Output, Type};
pub use store::{Made, Place};

use std::fmt;
use std::sync::Weak;

use crate::meter::Meter;

/// A sample in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The epoch.
    pub epoch: u64,
    /// The place in the epoch's order, the same for any number of ranks.
    pub position: u64,
    /// The sample, by its place in the data.
    pub sample: u64,
}

/// A sample's place among those that were planned: its batch, counted from the first, and its slot there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seat {
    /// The batch.
    pub batch: u64,
    /// The slot.
    pub slot: u32,
}

/// Whether what samples are made from is asked for before they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// It is not: it is on this machine.
    Nothing,
    /// There is no room for more now.
    Full,
    /// There is room for more.
    Room,
}

/// What becomes of that which a sample is made from, when it is asked for.
pub enum Asked<T> {
    /// The sample can be made at once; the ticket, if there is one, is kept until it was.
    Here(Option<T>),
    /// It is on its way, as long as the ticket is kept.
    Coming(T),
}

/// Told when what a sample is made from is here.
pub trait Arrivals: Send + Sync {
    /// It is.
    fn arrived(&self, seat: Seat);
}

/// What is done to each sample.
pub trait Work: Send + Sync + 'static {
    /// What a thread keeps from sample to sample.
    type Scratch;

    /// A new thread's.
    fn scratch(&self) -> Self::Scratch;

    /// What comes out for each sample.
    fn outputs(&self) -> &[Output];

    /// Bytes of a sample's outputs that have no fixed size, at most.
    fn bytes(&self, turn: Turn) -> usize;

    /// Bytes that the outputs of a batch take that are joined, from the first sample's until the consumer lets go of it: at most.
    fn joined_bytes(&self, _turns: &[Turn]) -> usize {
        0
    }

    /// Where the time goes is noted here.
    fn meter(&self) -> &Meter;

    /// What keeps that here from which a sample is made.
    type Ticket: Send;

    /// Whether more is to be asked for now.
    fn ahead(&self) -> Ahead;

    /// Asks for what some samples are made from, in order, as many as there is room for. Of those that are on their way, `arrivals` is
    /// told later; never by the thread that asks while it does.
    fn ask(
        &self,
        turns: &mut dyn Iterator<Item = (Seat, Turn)>,
        arrivals: &Weak<dyn Arrivals>,
    ) -> Vec<Asked<Self::Ticket>>;

    /// Writes a sample's outputs, each to its place.
    ///
    /// # Errors
    ///
    /// Where the sample cannot be read or is not what it should be. The places then hold anything.
    fn write(&self, scratch: &mut Self::Scratch, turn: Turn, places: &mut [Place<'_>]) -> Result<(), SampleError>;

    /// Joins what was written for the samples of a batch: the cells of each output that is joined, in order. They are let go of as soon as
    /// they are not needed. Done by the thread that made the batch's last sample.
    fn join(&self, _turns: &[Turn], _cells: Vec<Cells>) -> Join {
        Join::default()
    }
}

/// A sample that could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleError {
    /// Which: the file and the sample's name in it.
    pub sample: String,
    /// Why.
    pub reason: String,
}

impl fmt::Display for SampleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.sample, self.reason)
    }
}

impl std::error::Error for SampleError {}

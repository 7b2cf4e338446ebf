//! What a person can look at: who did what when, in lanes over time.
//!
//! A [`Drawing`] is bounded whatever it was made of ([`SEGMENTS_MAX`]), and says what was left out. It has no colours and no
//! pixels: kinds have [`Tone`]s, moments have the unit of the axis. [`of_pipeline`], [`of_streams`] and [`of_steps`] make them.

mod pipeline;
mod steps;
mod streams;
#[cfg(test)]
mod tests;

pub use pipeline::of_pipeline;
pub use steps::of_steps;
pub use streams::of_streams;

/// A drawing has at most so many segments: as many as a browser draws while it is being dragged.
pub const SEGMENTS_MAX: usize = 60_000;

/// Lanes over an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// What is drawn, in a few words.
    pub title: String,
    /// The unit of the axis, such as `ms`.
    pub unit: &'static str,
    /// Where the axis ends; it begins at `from`.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// What segments can be.
    pub kinds: Vec<Kind>,
    /// The lanes, from above; those of a group follow each other.
    pub lanes: Vec<Lane>,
    /// What is pointed out.
    pub marks: Vec<Mark>,
    /// How to read it, its resolution, and what was left out, in sentences.
    pub notes: Vec<String>,
}

/// What a segment can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// What it is called.
    pub name: String,
    /// How it looks.
    pub tone: Tone,
}

/// How things look: alike where they are of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Computing, forward where that is told apart.
    Work,
    /// Computing backward.
    WorkBack,
    /// The rest of computing.
    WorkOther,
    /// Sending and receiving.
    Transfer,
    /// Collectives.
    Collective,
    /// Copies.
    Memory,
    /// As it should be, or of no account.
    Plain,
    /// Better than it should be.
    Good,
    /// A little worse.
    Warm,
    /// Worse.
    Hot,
    /// Far worse.
    Burning,
}

/// One line of a drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// What lanes belong to that are held against others; empty where there is but one group.
    pub group: String,
    /// What it is called.
    pub name: String,
    /// What it did; a later one lies over an earlier one.
    pub segments: Vec<Segment>,
}

/// Something that a lane did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// What, by its place in [`Drawing::kinds`].
    pub kind: usize,
    /// When, in the unit of the axis.
    pub start: f64,
    /// How long.
    pub length: f64,
    /// The part of the lane's height that it takes, in percent from below.
    pub bottom: u8,
    /// See `bottom`.
    pub top: u8,
}

/// A part of a lane that is pointed out.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// The place of the lane.
    pub lane: usize,
    /// From when to when.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// Why.
    pub label: String,
}

//! Two records of the same work, before and after: what takes longer or less long, and how much of the difference each part is.
//!
//! Parts are such that they add up to the whole difference ([`Comparison::parts`]). [`of_profiles`], [`of_pipelines`] and [`of_steps`]
//! make them, [`Comparison::verdict`] says what comes of it in a sentence.

mod pipelines;
mod profiles;
mod steps;
#[cfg(test)]
mod tests;
mod words;

use serde::Serialize;

pub use pipelines::{Pipeline, of_pipelines};
pub use profiles::{Profile, of_profiles};
pub use steps::of_steps;

/// So many parts are told; all others are one.
pub const PARTS_MAX: usize = 200;

/// What became of a length of time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What it is the length of, such as `step`.
    pub of: &'static str,
    /// Its unit; empty where the record does not tell.
    pub unit: &'static str,
    /// What it was, and what it is.
    pub before: f64,
    /// See `before`.
    pub after: f64,
    /// The same, kind by kind; they add up to the whole difference.
    pub groups: Vec<Part>,
    /// And part by part, what differs most first; they add up to it as well.
    pub parts: Vec<Part>,
    /// Figures to be held against each other that are no parts.
    pub beside: Vec<Figure>,
    /// What was not compared, in sentences.
    pub notes: Vec<String>,
}

/// A part of a difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// What kind of part it is.
    pub group: &'static str,
    /// Which one; that of a group where it is a whole group.
    pub name: String,
    /// How much longer it takes, in the unit of the whole; below zero where it takes less long.
    pub difference: f64,
    /// Its share of the whole difference, from 0 to 1 or beyond; nothing where there is no difference to speak of.
    pub share: Option<f64>,
    /// What it was, where that is a part of what the whole was.
    pub before: Option<f64>,
    /// And what it is.
    pub after: Option<f64>,
    /// For what is called: how that changed.
    pub calls: Option<Calls>,
    /// What changed about it, in words.
    pub how: String,
}

/// How calls of one name changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calls {
    /// How often it was called in what is compared, and how often it is.
    pub before: f64,
    /// See `before`.
    pub after: f64,
    /// What of the difference comes of other numbers of calls, each as long as before.
    pub by_count: f64,
    /// What comes of each taking longer or less long; with `by_count` it is the whole difference.
    pub by_length: f64,
}

/// A figure before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// Its unit.
    pub unit: &'static str,
    /// What it was.
    pub before: f64,
    /// What it is.
    pub after: f64,
}

impl Part {
    fn new(group: &'static str, name: impl Into<String>, difference: f64) -> Self {
        let name = name.into();
        Self { group, name, difference, share: None, before: None, after: None, calls: None, how: String::new() }
    }

    fn between(group: &'static str, name: impl Into<String>, before: f64, after: f64) -> Self {
        Self { before: Some(before), after: Some(after), ..Self::new(group, name, after - before) }
    }
}

impl Comparison {
    /// How much longer it takes.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.after - self.before
    }

    /// A difference that is worth a word: a hundredth of what it was.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.difference().abs() > 0.01 * self.before.abs()
    }

    /// From all parts: the largest differences first, groups added up, shares worked out.
    fn of(of: &'static str, unit: &'static str, (before, after): (f64, f64), mut parts: Vec<Part>) -> Self {
        let mut groups: Vec<Part> = Vec::new();
        for part in &parts {
            match groups.iter_mut().find(|group| group.group == part.group) {
                Some(group) => {
                    group.difference += part.difference;
                    group.before = group.before.zip(part.before).map(|(sum, part)| sum + part);
                    group.after = group.after.zip(part.after).map(|(sum, part)| sum + part);
                }
                None => groups.push(Part {
                    before: part.before,
                    after: part.after,
                    ..Part::new(part.group, part.group, part.difference)
                }),
            }
        }
        let larger = |a: &Part, b: &Part| b.difference.abs().total_cmp(&a.difference.abs());
        parts.sort_by(|a, b| larger(a, b).then_with(|| a.name.cmp(&b.name)));
        if parts.len() > PARTS_MAX {
            let rest = parts.split_off(PARTS_MAX - 1);
            let difference = rest.iter().map(|part| part.difference).sum();
            parts.push(Part::new("others", format!("{} others", rest.len()), difference));
        }
        groups.sort_by(larger);
        let mut comparison = Self { of, unit, before, after, groups, parts, beside: Vec::new(), notes: Vec::new() };
        if comparison.differs() {
            let whole = comparison.difference();
            for part in comparison.groups.iter_mut().chain(&mut comparison.parts) {
                part.share = Some(part.difference / whole);
            }
        }
        comparison
    }
}

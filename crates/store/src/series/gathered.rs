//! Scrapes on their way into a chunk: rows turned into columns. Pure.

use std::collections::BTreeMap;

use super::numbers;
use super::piece::{Reading, write_readings};

/// The scrapes of a chunk, in the order in which they came.
#[derive(Default)]
pub(super) struct Gathered {
    moments: Vec<i64>,
    columns: BTreeMap<u16, Vec<Reading>>,
}

impl Gathered {
    /// How many scrapes there are.
    pub(super) fn count(&self) -> usize {
        self.moments.len()
    }

    /// The first and the last moment, by time, once there is any.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        Some((*self.moments.iter().min()?, *self.moments.iter().max()?))
    }

    /// Takes a scrape.
    pub(super) fn add(&mut self, at: i64, readings: impl IntoIterator<Item = (u16, Reading)>) {
        let before = self.moments.len();
        self.moments.push(at);
        for (slot, reading) in readings {
            let column = self.columns.entry(slot).or_default();
            column.resize(before, Reading::Absent);
            column.push(reading);
        }
    }

    /// Its moments, packed.
    pub(super) fn moments(&self) -> Vec<u8> {
        write_moments(&self.moments)
    }

    /// The pieces of its series, whose slots rise.
    pub(super) fn pieces(self) -> impl Iterator<Item = (u16, Vec<u8>)> {
        let count = self.moments.len();
        self.columns.into_iter().map(move |(slot, mut column)| {
            column.resize(count, Reading::Absent);
            (slot, write_readings(&column))
        })
    }
}

/// Moments, none of which is further from 1970 than [`super::MOMENT_MAX`], as a column of numbers.
pub(super) fn write_moments(moments: &[i64]) -> Vec<u8> {
    numbers::write(&moments.iter().map(|at| *at as f64).collect::<Vec<_>>())
}

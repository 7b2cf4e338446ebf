//! What steps of a job usually take: its own past, while nothing was wrong.

use std::collections::VecDeque;

use fleet::step::Phase;

use super::row::Row;
use crate::median::mean;

/// So many steps make the past; older ones are let go.
const ROWS_MAX: usize = 512;
/// From so many on they say what is usual.
const ROWS_MIN: usize = 12;
/// And from so much time on, in microseconds.
const TIME_MIN_US: i64 = 4_000_000;
/// The first steps of a job are no steps like others: caches fill, kernels are chosen and compiled.
const WARM_UP: u64 = 3;

/// A job's past.
#[derive(Debug, Default)]
pub(super) struct Usual {
    rows: VecDeque<Row>,
    passed: u64,
}

/// What is usual, in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Typical {
    /// A step.
    pub(super) step_us: f64,
    /// Each phase of each rank, on average.
    pub(super) ranks: Vec<[f64; Phase::ALL.len()]>,
    /// The exchange itself.
    pub(super) exchange_us: f64,
}

impl Usual {
    /// Takes in a step in which nothing was wrong.
    pub(super) fn add(&mut self, row: Row) {
        self.passed += 1;
        if self.passed <= WARM_UP {
            return;
        }
        if self.rows.len() == ROWS_MAX {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
    }

    /// What is usual, once that can be said.
    pub(super) fn typical(&self) -> Option<Typical> {
        let (first, last) = (self.rows.front()?, self.rows.back()?);
        if self.rows.len() < ROWS_MIN || last.ended_us - first.ended_us < TIME_MIN_US {
            return None;
        }
        let mut taken: Vec<(f64, &Row)> = self.rows.iter().map(|row| (row.took_us(None, 1.0), row)).collect();
        taken.sort_by(|a, b| a.0.total_cmp(&b.0));
        // A step in twenty may have been anything: a pause, a page fault, somebody's backup.
        taken.truncate(taken.len() - taken.len() / 20);
        let of = |value: &dyn Fn(&Row) -> f64| {
            mean(&taken.iter().map(|(_, row)| value(row)).collect::<Vec<_>>()).unwrap_or(0.0)
        };
        let phases = |rank: usize| Phase::ALL.map(|phase| of(&|row| row.ranks[rank].of(phase) as f64));
        Some(Typical {
            step_us: of(&|row| row.took_us(None, 1.0)),
            ranks: (0..first.ranks.len()).map(phases).collect(),
            exchange_us: of(&Row::exchange_us),
        })
    }
}

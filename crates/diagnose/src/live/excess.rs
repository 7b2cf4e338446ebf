//! What steps take longer than usual, and how much of it comes back if some of the time goes back to what is usual.

use fleet::recommendation::Interval;
use fleet::step::Phase;

use super::row::{Row, Scales};
use super::usual::Typical;
use crate::median::mean;

/// A window is looked at in so many parts of equal length in time.
const PARTS: usize = 3;
/// Steps are slow where they take so many times as long as usual, the window as a whole, and two of its parts each. Ours: below that,
/// steps of a healthy job vary; what holds a job up for once is in one part only.
pub(super) const OPENS: f64 = 1.12;

/// The steps of a window, beside what is usual.
#[derive(Debug)]
pub(super) struct Excess<'a> {
    rows: &'a [Row],
    typical: &'a Typical,
    /// What makes each phase of each rank what it usually is; one where it is no longer than that.
    scales: Scales,
    exchange_scale: f64,
    /// A step, on average, in microseconds.
    pub(super) step_us: f64,
    /// How much of it is more than usual.
    pub(super) excess_us: f64,
    /// How much of it comes back if every phase takes what is usual.
    recoverable_us: f64,
}

/// Which time goes back to what is usual.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// All phases of these ranks, and the exchange.
    Ranks(&'a [usize]),
    /// These phases of these ranks.
    Phases(&'a [usize], &'a [Phase]),
    /// The exchange itself.
    Exchange,
}

impl<'a> Excess<'a> {
    /// Of a window that is not empty.
    pub(super) fn of(rows: &'a [Row], typical: &'a Typical) -> Option<Self> {
        let ranks = typical.ranks.len();
        if rows.is_empty() || rows.iter().any(|row| row.ranks.len() != ranks) {
            return None;
        }
        let average = |value: &dyn Fn(&Row) -> f64| mean(&rows.iter().map(value).collect::<Vec<_>>()).unwrap_or(0.0);
        let scale = |now: f64, usual: f64| if now > usual { usual / now } else { 1.0 };
        let scales: Scales = (0..ranks)
            .map(|rank| {
                Phase::ALL.map(|phase| {
                    let usual = typical.ranks.get(rank).map_or(0.0, |phases| phases[phase as usize]);
                    scale(average(&|row| row.ranks[rank].of(phase) as f64), usual)
                })
            })
            .collect();
        let exchange_scale = scale(average(&Row::exchange_us), typical.exchange_us);
        let step_us = average(&|row| row.took_us(None, 1.0));
        let mended = average(&|row| row.took_us(Some(&scales), exchange_scale));
        Some(Self {
            rows,
            typical,
            scales,
            exchange_scale,
            step_us,
            excess_us: step_us - typical.step_us,
            recoverable_us: step_us - mended,
        })
    }

    /// Whether steps are slow: as a whole, lately, and in two parts of the window at least.
    pub(super) fn is_slow(&self) -> bool {
        let slow = |steps_us: &f64| *steps_us >= OPENS * self.typical.step_us;
        let parts: Vec<f64> = self.parts().into_iter().flatten().collect();
        slow(&self.step_us) && parts.last().is_some_and(slow) && parts.iter().filter(|us| slow(us)).count() >= 2
    }

    /// Where steps became slow, if the window begins with steps that were not: the steps before that say nothing of what is wrong.
    pub(super) fn onset(&self) -> usize {
        let sound = |row: &&Row| row.took_us(None, 1.0) < (1.0 + OPENS) / 2.0 * self.typical.step_us;
        self.rows.iter().take_while(sound).count()
    }

    /// The mean step of each part of the window.
    fn parts(&self) -> [Option<f64>; PARTS] {
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else { return [None; PARTS] };
        let length = (last.ended_us - first.ended_us).max(1) as f64;
        let mut parts: [Vec<f64>; PARTS] = Default::default();
        for row in self.rows {
            let place = (row.ended_us - first.ended_us) as f64 / length * PARTS as f64;
            parts[(place as usize).min(PARTS - 1)].push(row.took_us(None, 1.0));
        }
        parts.map(|part| mean(&part))
    }

    /// How much of the excess comes back if this takes what is usual, in microseconds a step: never more than the excess.
    pub(super) fn lost_us(&self, part: Part<'_>) -> f64 {
        let mut scales = vec![[1.0; Phase::ALL.len()]; self.scales.len()];
        let mut exchange = 1.0;
        match part {
            Part::Ranks(ranks) => {
                for &rank in ranks {
                    scales[rank] = self.scales[rank];
                }
                exchange = self.exchange_scale;
            }
            Part::Phases(ranks, phases) => {
                for &rank in ranks {
                    for &phase in phases {
                        scales[rank][phase as usize] = self.scales[rank][phase as usize];
                    }
                }
            }
            Part::Exchange => exchange = self.exchange_scale,
        }
        let took: Vec<f64> = self.rows.iter().map(|row| row.took_us(Some(&scales), exchange)).collect();
        let lost = self.step_us - mean(&took).unwrap_or(self.step_us);
        // Parts of what can come back are parts of what is more than usual.
        if self.recoverable_us > 0.0 {
            (lost / self.recoverable_us).clamp(0.0, 1.0) * self.excess_us.max(0.0)
        } else {
            0.0
        }
    }

    /// How many times faster steps would be without so much of the excess: as the whole window says, and as its parts do.
    pub(super) fn speedup(&self, lost_us: f64) -> Interval {
        let share = if self.excess_us > 0.0 { (lost_us / self.excess_us).clamp(0.0, 1.0) } else { 0.0 };
        let faster = |step_us: f64| {
            let lost = share * (step_us - self.typical.step_us).max(0.0);
            if step_us > lost { step_us / (step_us - lost) } else { 1.0 }
        };
        let value = faster(self.step_us);
        let parts = self.parts().map(|part| part.map_or(value, faster));
        Interval { low: parts.into_iter().fold(value, f64::min), value, high: parts.into_iter().fold(value, f64::max) }
    }

    /// The mean time of a phase of a rank, now and usually, in microseconds.
    pub(super) fn beside(&self, rank: usize, phase: Phase) -> (f64, f64) {
        let now: Vec<f64> = self.rows.iter().map(|row| row.ranks[rank].of(phase) as f64).collect();
        (mean(&now).unwrap_or(0.0), self.typical.ranks[rank][phase as usize])
    }

    /// The mean exchange, now and usually.
    pub(super) fn exchange_beside(&self) -> (f64, f64) {
        let now: Vec<f64> = self.rows.iter().map(Row::exchange_us).collect();
        (mean(&now).unwrap_or(0.0), self.typical.exchange_us)
    }

    /// How many ranks there are.
    pub(super) fn ranks(&self) -> usize {
        self.scales.len()
    }

    /// What a step usually takes.
    pub(super) fn usual_us(&self) -> f64 {
        self.typical.step_us
    }
}

//! The account over time, for charts.

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use serde::Serialize;

use super::nodes::Level;
use crate::hours::Hours;
use crate::window::Window;

/// What was held, idle, unusable and waited for, step by step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// How long a step is; the last one may be cut by the window's end.
    pub step_ms: Millis,
    /// The steps, from the window's beginning.
    pub points: Vec<Point>,
}

/// One step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Point {
    /// When it begins.
    #[serde(rename = "at_ms")]
    pub at: Timestamp,
    /// What all nodes had, lost and drained ones included.
    pub capacity_hours: Hours,
    /// Held by runs.
    pub allocated_hours: Hours,
    /// Held by nothing, on nodes that could take something.
    pub idle_hours: Hours,
    /// On nodes that were lost, or drained and not held.
    pub unusable_hours: Hours,
    /// Asked for by those who waited.
    pub waiting_hours: Hours,
}

/// More points than these no chart shows.
const POINTS_MAX: i64 = 1_000;

/// Steps that people read easily, in hours.
const STEPS_HOURS: [i64; 10] = [1, 2, 3, 6, 12, 24, 48, 7 * 24, 14 * 24, 28 * 24];

/// Collects a series.
pub(super) struct Collecting {
    window: Window,
    series: Series,
}

impl Collecting {
    pub(super) fn new(window: Window) -> Self {
        let length = window.length().0;
        let fits = |step: &i64| length.div_euclid(*step) < POINTS_MAX;
        let steps = STEPS_HOURS.map(|hours| Millis::hours(hours).0);
        let step = steps.into_iter().find(fits).unwrap_or(length / POINTS_MAX + 1);
        let count = length.div_euclid(step) + i64::from(length.rem_euclid(step) > 0);
        let points = (0..count).map(|index| Point { at: window.from + Millis(index * step), ..Point::default() });
        Self { window, series: Series { step_ms: Millis(step), points: points.collect() } }
    }

    /// Adds a span of the window over which nothing changes.
    pub(super) fn add(&mut self, from: Timestamp, until: Timestamp, level: Level, held: i64, waiting: i64) {
        let step = self.series.step_ms.0;
        let mut at = from;
        while at < until {
            let index = at.since(self.window.from).0 / step;
            let next = until.min(self.window.from + Millis((index + 1) * step));
            let time = next.since(at);
            let point = &mut self.series.points[index as usize];
            let hours = |amount: i64| Hours::held(amount.unsigned_abs(), time);
            point.capacity_hours += hours(level.capacity);
            point.allocated_hours += hours(held);
            point.idle_hours += hours(level.idle);
            point.unusable_hours += hours(level.lost + level.drained);
            point.waiting_hours += hours(waiting);
            at = next;
        }
    }

    pub(super) fn finish(self) -> Series {
        self.series
    }
}

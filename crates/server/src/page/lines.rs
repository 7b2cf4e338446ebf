//! Lines over time that share an axis, as `charts.js` draws them: what is unknown is a gap, many lines are three.

use std::collections::{BTreeMap, BTreeSet};

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use serde::Serialize;

/// Nothing is drawn across a time without measurements that is longer than this.
const GAP: Millis = Millis::minutes(1);
/// With more lines than this in a panel there is one for the least, the mean and the most of them.
pub(super) const LINES_MAX: usize = 8;

/// Lines of several panels, one value a point.
#[derive(Serialize)]
pub(super) struct Course {
    /// Where the axis begins and ends, in seconds since 1970-01-01T00:00:00Z.
    from: f64,
    until: f64,
    /// Seconds as well, of all panels.
    at: Vec<f64>,
    /// Moments that are marked, in seconds too.
    marks: Vec<f64>,
    panels: BTreeMap<String, Panel>,
}

/// Lines that share an axis.
#[derive(Default, Serialize)]
pub(super) struct Panel {
    unit: &'static str,
    /// Where the axis ends; absent: at what is drawn.
    top: Option<f64>,
    lines: Vec<Line>,
    /// What is said where there is nothing to draw.
    empty: Option<&'static str>,
}

/// One line.
#[derive(Serialize)]
struct Line {
    name: String,
    /// What is not known is absent: the line has a gap there.
    values: Vec<Option<f64>>,
}

/// Values of a line by moment.
pub(super) type Values = BTreeMap<Timestamp, Option<f64>>;
/// Lines by name.
pub(super) type Lines = Vec<(String, Values)>;

/// What a panel shows.
pub(super) struct Shown {
    pub(super) unit: &'static str,
    pub(super) top: Option<f64>,
    pub(super) lines: Lines,
    /// What is said where nothing was measured.
    pub(super) nothing: &'static str,
}

impl Course {
    /// Panels over a span of time, whose values lie an interval apart.
    pub(super) fn of(
        span: (Timestamp, Timestamp),
        interval: Millis,
        marks: &[Timestamp],
        panels: Vec<(String, Shown)>,
    ) -> Self {
        let seconds = |at: &Timestamp| at.0 as f64 / 1_000.0;
        let measured = panels.iter().flat_map(|(_, shown)| &shown.lines).flat_map(|(_, values)| values.keys().copied());
        let at = moments(measured.collect(), interval);
        let panels = panels.into_iter().map(|(name, shown)| (name, panel(shown, &at))).collect();
        Self {
            from: seconds(&span.0),
            until: seconds(&span.1),
            at: at.iter().map(seconds).collect(),
            marks: marks.iter().map(seconds).collect(),
            panels,
        }
    }
}

/// Those moments, and one without values wherever nothing was measured for long.
fn moments(measured: BTreeSet<Timestamp>, interval: Millis) -> Vec<Timestamp> {
    let mut at: Vec<Timestamp> = Vec::with_capacity(measured.len());
    for next in measured {
        if let Some(last) = at.last().copied().filter(|last| *last + GAP < next) {
            at.push(last + interval);
        }
        at.push(next);
    }
    at
}

fn panel(shown: Shown, at: &[Timestamp]) -> Panel {
    let Shown { unit, top, lines, nothing } = shown;
    // Three figures are more than a pixel tells.
    let round = |value: f64| {
        let scale = 10_f64.powi(3 - (value.abs().max(1e-9).log10().floor() as i32).min(3));
        (value * scale).round() / scale
    };
    let empty = if lines.iter().all(|(_, values)| values.is_empty()) {
        Some(nothing)
    } else if lines.iter().all(|(_, values)| values.values().all(Option::is_none)) {
        Some("Unknown: it was asked for, and could not be read on this machine.")
    } else {
        None
    };
    let line = |(name, values): (String, Values)| Line {
        name,
        values: at.iter().map(|at| values.get(at).copied().flatten().map(round)).collect(),
    };
    let lines = if empty.is_some() { Vec::new() } else { lines.into_iter().map(line).collect() };
    Panel { unit, top: top.map(round), lines, empty }
}

/// All lines where they are few; of many the mean, the least and the most.
pub(super) fn few(lines: Lines) -> Lines {
    if lines.len() <= LINES_MAX {
        return lines;
    }
    let mut together: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
    for (at, value) in lines.into_iter().flat_map(|(_, values)| values) {
        together.entry(at).or_default().extend(value);
    }
    let line = |name: &str, of: fn(&[f64]) -> Option<f64>| {
        (name.to_owned(), together.iter().map(|(at, values)| (*at, of(values))).collect())
    };
    vec![
        line("mean", |values| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)),
        line("least", |values| values.iter().copied().reduce(f64::min)),
        line("most", |values| values.iter().copied().reduce(f64::max)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_time_without_samples_is_a_gap() {
        let at =
            |seconds: &[i64]| -> Vec<Timestamp> { seconds.iter().map(|at| Timestamp::from_seconds(*at)).collect() };
        let moments = |measured: Vec<Timestamp>| moments(measured.into_iter().collect(), Millis::seconds(5));
        assert_eq!(moments(at(&[0, 5, 65, 126])), at(&[0, 5, 65, 70, 126]));
        assert_eq!(moments(Vec::new()), at(&[]));
    }

    #[test]
    fn what_is_unknown_is_never_drawn_as_zero() {
        let at = [Timestamp(0), Timestamp(5), Timestamp(9)];
        let drawn = |lines: &[&[(i64, Option<f64>)]]| {
            let line = |values: &&[(i64, Option<f64>)]| {
                ("busy".to_owned(), values.iter().map(|(at, value)| (Timestamp(*at), *value)).collect())
            };
            let lines = lines.iter().map(line).collect();
            panel(Shown { unit: "cores", top: Some(4.0), lines, nothing: "Nothing was measured." }, &at)
        };
        let known = drawn(&[&[(0, Some(1.0)), (5, None)]]);
        assert_eq!((known.empty, &known.lines[0].values[..]), (None, &[Some(1.0), None, None][..]));
        let unknown = drawn(&[&[(0, None)]]);
        assert!(unknown.lines.is_empty() && unknown.empty.unwrap().starts_with("Unknown"));
        assert_eq!(drawn(&[]).empty, Some("Nothing was measured."));
    }

    #[test]
    fn many_lines_are_three() {
        let line = |name: u32, value| (name.to_string(), Values::from([(Timestamp(7), value)]));
        assert_eq!(few((0..8).map(|name| line(name, None)).collect()).len(), 8);
        let known = [line(7, Some(50.0)), line(8, Some(100.0))];
        let lines = few((0..7).map(|name| line(name, None)).chain(known).collect());
        let told: Vec<_> = lines.iter().map(|(name, values)| (name.as_str(), values[&Timestamp(7)])).collect();
        assert_eq!(told, [("mean", Some(75.0)), ("least", Some(50.0)), ("most", Some(100.0))]);
        let unknown = few((0..9).map(|name| line(name, None)).collect());
        assert!(unknown.iter().all(|(_, values)| values[&Timestamp(7)].is_none()));
    }
}

//! What shows a finding, as lines: the steps of the job's ranks, where the time of a step went, and the signals that the rule reads.

use std::collections::BTreeMap;

use fleet::finding::Finding;
use fleet::kept_finding::KeptFinding;
use fleet::quantity::Millis;
use fleet::signal::{Kind, Signal, Unit, step};
use fleet::step::Phase;
use fleet::time::Timestamp;
use maud::{Markup, html};
use store::{IntervalLine, IntervalQuery, Reader, Series, SeriesQuery};

use crate::failure::Failure;
use crate::page::asset;
use crate::page::lines::{Course, LINES_MAX, Lines, Shown, Values, few};

/// A line has no more points than this.
const POINTS_MAX: i64 = 720;
/// No further back than this from where it ends: what is wrong for weeks is drawn as it is now.
const SPAN_MAX: Millis = Millis::hours(24);
/// What is measured once a second.
const INTERVAL_MIN: Millis = Millis::seconds(1);
/// What came so soon after it was over is drawn too.
const AFTER: Millis = Millis::seconds(30);
/// What is said where there is nothing to draw.
const NOTHING: &str = "Nothing was measured of it, or it is not kept any more.";

/// What one chart shows.
#[derive(Clone, Debug, PartialEq)]
enum Chart {
    /// How long a step of each rank took.
    Steps,
    /// Where the time of a step went: of this rank, or of all.
    Phases(Option<String>),
    /// A signal, of all that it was measured of.
    Signal(&'static Signal),
}

/// The charts of a finding, by the signals that its rule reads.
fn charts(finding: &Finding, signals: &[&'static Signal]) -> Vec<Chart> {
    let of_job = finding.place("job").is_some();
    let rank = finding.place("rank").map(str::to_owned);
    let steps = if of_job { vec![Chart::Steps, Chart::Phases(rank)] } else { Vec::new() };
    steps.into_iter().chain(signals.iter().map(|signal| Chart::Signal(signal))).collect()
}

impl Chart {
    fn name(&self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Phases(_) => "phases",
            Self::Signal(signal) => signal.name,
        }
    }

    fn title(&self) -> String {
        match self {
            Self::Steps => "How long a step takes, by rank".to_owned(),
            Self::Phases(Some(rank)) => format!("Where a step of rank {rank} goes"),
            Self::Phases(None) => format!("Where a step goes, on average over ranks ({LINES_MAX} at most)"),
            Self::Signal(signal) => crate::page::words::capital(signal.about),
        }
    }

    /// Which series of a source: one request for each. Phases of many ranks are those of the first few: each series costs a look at all that was
    /// measured lately.
    fn labels(&self, reader: &Reader, source: &str) -> Result<Vec<BTreeMap<String, String>>, Failure> {
        let rank = |rank: &str| BTreeMap::from([("rank".to_owned(), rank.to_owned())]);
        Ok(match self {
            Self::Phases(Some(meant)) => vec![rank(meant)],
            Self::Phases(None) => {
                let name = Some(step::STEP.name.to_owned());
                let query = SeriesQuery { source: Some(source.to_owned()), name, labels: BTreeMap::new() };
                let known = reader.series(&query)?;
                known.iter().filter_map(|known| Some(rank(known.series.labels.get("rank")?))).take(LINES_MAX).collect()
            }
            Self::Steps | Self::Signal(_) => vec![BTreeMap::new()],
        })
    }

    fn signals(&self) -> Vec<&'static Signal> {
        match self {
            Self::Steps => vec![&step::STEP],
            Self::Phases(_) => Phase::ALL.map(step::of).to_vec(),
            Self::Signal(signal) => vec![signal],
        }
    }
}

/// Where the lines are drawn.
pub(super) fn section(kept: &KeptFinding, signals: &[&'static Signal]) -> Markup {
    let charts = charts(&kept.finding, signals);
    html! {
        @if !charts.is_empty() {
            section {
                h2 { "As it was measured, in UTC" }
                noscript { p.quiet { "Lines need scripts; the figures above say what they show." } }
                div.panels data-charts="node" data-course={ "/findings/" (kept.id.0) "/course.json" }
                    data-scripts=(asset::charts()) data-style=(asset::path("uPlot.min.css")) {
                    @for chart in &charts {
                        @let title = chart.title();
                        figure {
                            figcaption { (title) }
                            div.plot data-panel=(chart.name()) role="img" aria-label={ "Line chart: " (title) } {}
                        }
                    }
                }
                p.quiet { "The dashed line marks where it began" @if kept.closed.is_some() { ", and where it was over" } "." }
            }
        }
    }
}

/// What was measured, from two minutes before it began until it was over, or now.
pub(super) fn course(
    reader: &Reader,
    kept: &KeptFinding,
    signals: &[&'static Signal],
    now: Timestamp,
) -> Result<Course, Failure> {
    let until = kept.closed.map_or(now, |closed| (closed + AFTER).min(now));
    let from = kept.shown_from().max(until - SPAN_MAX);
    let interval = interval(until.since(from));
    let sources: Vec<String> = reader.pins_of(&kept.id.0.to_string())?.into_iter().map(|pin| pin.source).collect();
    let mut panels = Vec::new();
    for chart in charts(&kept.finding, signals) {
        let mut measured = Vec::new();
        for (source, signal) in
            sources.iter().flat_map(|source| chart.signals().into_iter().map(move |of| (source, of)))
        {
            for labels in chart.labels(reader, source)? {
                let of = SeriesQuery { source: Some(source.clone()), name: Some(signal.name.into()), labels };
                let query = IntervalQuery { of, from, until, interval, limit: POINTS_MAX as usize + 1 };
                measured.extend(reader.intervals(&query)?.into_iter().map(|line| (signal, line)));
            }
        }
        panels.push((chart.name().to_owned(), shown(&chart, measured, interval)));
    }
    let marks: Vec<Timestamp> = [Some(kept.since()), kept.closed].into_iter().flatten().collect();
    // Before the job told anything there is nothing to look at.
    let measured = panels.iter().flat_map(|(_, shown)| &shown.lines).filter_map(|(_, values)| values.keys().next());
    let from = measured.min().map_or(from, |first| from.max(*first));
    Ok(Course::of((from, until), interval, &marks, panels))
}

/// Whole seconds, so that a line keeps to its points.
fn interval(span: Millis) -> Millis {
    let seconds = (span.0 / 1_000).div_euclid(POINTS_MAX) + 1;
    Millis::seconds(seconds).max(INTERVAL_MIN)
}

fn shown(chart: &Chart, measured: Vec<(&'static Signal, IntervalLine)>, interval: Millis) -> Shown {
    let (unit, scale) = match chart {
        Chart::Signal(signal) => unit(signal),
        Chart::Steps | Chart::Phases(_) => ("ms", 1e3),
    };
    let values = |signal: &Signal, line: &IntervalLine| -> Values {
        let means = line.intervals.iter().map(|interval| (interval.at, interval.mean));
        match signal.kind {
            Kind::Gauge => means.map(|(at, mean)| (at, mean.map(|mean| mean * scale))).collect(),
            Kind::Counter => rates(means, interval, scale),
        }
    };
    let lines: Lines = match chart {
        Chart::Phases(_) => Phase::ALL
            .into_iter()
            .map(|phase| {
                let of_phase = measured.iter().filter(|(signal, _)| *signal == step::of(phase));
                (phase.name().replace('_', " "), mean(of_phase.map(|(signal, line)| values(signal, line)).collect()))
            })
            .filter(|(_, values)| values.values().flatten().any(|value| *value > 0.0))
            .collect(),
        Chart::Steps | Chart::Signal(_) => {
            let named = |(signal, line): (&'static Signal, IntervalLine)| (label(&line.series), values(signal, &line));
            let mut lines: Lines = measured.into_iter().map(named).collect();
            // `rank 10` after `rank 2`.
            lines.sort_by_cached_key(|(name, _)| (name.len(), name.clone()));
            few(lines)
        }
    };
    debug_assert!(lines.len() <= LINES_MAX, "a panel of more lines than can be told apart");
    Shown { unit, top: None, lines, nothing: NOTHING }
}

/// Such as `rank 3`; the node itself has none.
fn label(series: &Series) -> String {
    let labels: Vec<String> = series.labels.iter().map(|(kind, name)| format!("{kind} {name}")).collect();
    if labels.is_empty() { "node".to_owned() } else { labels.join(", ") }
}

/// How a value is shown: its unit, and how many of them there are to one of the signal's.
fn unit(signal: &Signal) -> (&'static str, f64) {
    match (signal.unit, signal.kind) {
        (Unit::Seconds, Kind::Gauge) => ("s", 1.0),
        (Unit::Seconds, Kind::Counter) => ("s a second", 1.0),
        (Unit::Bytes, Kind::Gauge) => ("MiB", 1.0 / f64::from(1 << 20)),
        (Unit::Bytes, Kind::Counter) => ("MiB a second", 1.0 / f64::from(1 << 20)),
        (Unit::Ratio, _) => ("%", 100.0),
        (Unit::Watts, _) => ("W", 1.0),
        (Unit::Joules, Kind::Gauge) => ("J", 1.0),
        (Unit::Joules, Kind::Counter) => ("J a second", 1.0),
        (Unit::Celsius, _) => ("°C", 1.0),
        (Unit::Hertz, _) => ("MHz", 1e-6),
        (Unit::Count | Unit::Flag, Kind::Gauge) => ("", 1.0),
        (Unit::Count | Unit::Flag, Kind::Counter) => ("a second", 1.0),
    }
}

/// How fast a counter grows, by the second. One that begins anew has grown by what it counts since; over a gap nothing is known.
fn rates(means: impl Iterator<Item = (Timestamp, Option<f64>)>, interval: Millis, scale: f64) -> Values {
    let mut before: Option<(Timestamp, f64)> = None;
    let mut values = BTreeMap::new();
    for (at, mean) in means {
        let rate = before.zip(mean).filter(|((last, _), _)| at.since(*last).0 <= 3 * interval.0).map(
            |((last, value), mean)| {
                let grown = if mean >= value { mean - value } else { mean };
                grown / (at.since(last).0 as f64 / 1_000.0) * scale
            },
        );
        values.insert(at, rate);
        before = mean.map(|mean| (at, mean));
    }
    values
}

/// The mean of several lines at each moment.
fn mean(lines: Vec<Values>) -> Values {
    let mut sums: BTreeMap<Timestamp, (f64, u32)> = BTreeMap::new();
    for (at, value) in lines.into_iter().flatten() {
        let sum = sums.entry(at).or_default();
        if let Some(value) = value {
            *sum = (sum.0 + value, sum.1 + 1);
        }
    }
    sums.into_iter().map(|(at, (sum, count))| (at, (count > 0).then(|| sum / f64::from(count)))).collect()
}

#[cfg(test)]
mod tests {
    use fleet::finding::Place;
    use fleet::signal::{host, process};
    use store::Interval;

    use super::*;

    fn line(signal: &Signal, rank: &str, values: &[(i64, Option<f64>)]) -> IntervalLine {
        let interval = |(at, mean): &(i64, Option<f64>)| Interval {
            at: Timestamp(*at),
            mean: *mean,
            least: *mean,
            most: *mean,
            known: 1,
            unknown: 0,
        };
        let labels = [("rank".to_owned(), rank.to_owned())].into();
        let series = Series { name: signal.name.into(), labels, unit: String::new() };
        IntervalLine { source: "job/a".into(), series, intervals: values.iter().map(interval).collect(), is_cut: false }
    }

    #[test]
    fn what_is_drawn_is_what_the_rule_reads() {
        let mut finding = Finding::new("slow-disk", "It is slow");
        let signals: &[&'static Signal] = &[&process::STOPPED, &host::IO_SOME];
        let names = |finding: &Finding| charts(finding, signals).iter().map(Chart::name).collect::<Vec<_>>();
        assert_eq!(names(&finding), ["process_stopped_ratio", host::IO_SOME.name]);
        finding.places = vec![Place::new("job", "a"), Place::new("rank", 3)];
        assert_eq!(names(&finding)[..2], ["steps", "phases"]);
        assert_eq!(charts(&finding, &[])[1].title(), "Where a step of rank 3 goes");
    }

    #[test]
    fn steps_are_in_milliseconds_by_rank_and_phases_the_mean_of_ranks() {
        let measured = || {
            vec![
                (&step::STEP, line(&step::STEP, "10", &[(0, Some(0.5))])),
                (&step::STEP, line(&step::STEP, "2", &[(0, None)])),
            ]
        };
        let steps = shown(&Chart::Steps, measured(), Millis::seconds(1));
        let told: Vec<_> = steps.lines.iter().map(|(name, values)| (name.as_str(), values[&Timestamp(0)])).collect();
        assert_eq!((steps.unit, &told[..]), ("ms", &[("rank 2", None), ("rank 10", Some(500.0))][..]));
        let phases = || {
            vec![
                (&step::FORWARD, line(&step::FORWARD, "1", &[(0, Some(0.2))])),
                (&step::FORWARD, line(&step::FORWARD, "2", &[(0, Some(0.4))])),
                (&step::OTHER, line(&step::OTHER, "1", &[(0, Some(0.0))])),
            ]
        };
        let lines = shown(&Chart::Phases(None), phases(), Millis::seconds(1)).lines;
        let told: Vec<_> =
            lines.iter().map(|(name, values)| (name.as_str(), values[&Timestamp(0)].unwrap().round())).collect();
        assert_eq!(told, [("forward", 300.0)], "what takes no time is left out");
    }

    #[test]
    fn counters_are_drawn_as_they_grow_and_not_across_gaps() {
        let values =
            [(0, 5.0), (1_000, 7.0), (2_000, 1.0), (9_000, 4.0)].map(|(at, value)| (Timestamp(at), Some(value)));
        let rates = rates(values.into_iter(), Millis::seconds(1), 10.0);
        assert_eq!(rates.into_values().collect::<Vec<_>>(), [None, Some(20.0), Some(10.0), None]);
    }

    #[test]
    fn a_line_has_a_bounded_number_of_points() {
        for (hours, expected) in [(0, 1), (1, 6), (24, 121)] {
            assert_eq!(interval(Millis::hours(hours)), Millis::seconds(expected));
        }
    }
}

//! The last hour of a node, as lines.

use std::collections::{BTreeMap, BTreeSet};

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};
use serde::Serialize;
use store::{Mean, MeanQuery, Reader, StoredNode};

use crate::busy;
use crate::failure::Failure;
use crate::page::{asset, words};

/// How far back the lines go.
const SPAN: Millis = Millis::hours(1);
/// A line has at most a point for each of these.
const INTERVAL: Millis = Millis::seconds(5);
/// Nothing is drawn across a time without samples that is longer than this.
const GAP: Millis = Millis::minutes(1);
/// With more devices than this there is a line for the least, the mean and the most of them.
const DEVICES_MAX: usize = 8;
const GIB: f64 = (1_u64 << 30) as f64;

/// Where the lines are drawn.
pub(super) fn section(node: &StoredNode) -> Markup {
    let address = words::address("/node/course.json", &[("name", Some(&node.facts.name))]);
    let panel = |name: &str, title: &str| {
        html! {
            figure {
                figcaption { (title) }
                div.plot data-panel=(name) role="img" aria-label={ "Line chart of the last hour: " (title) } {}
            }
        }
    };
    html! {
        section {
            h2 { "The last hour, in UTC" }
            noscript { p.quiet { "Lines need scripts; how busy it is now is told above." } }
            div.panels data-charts="node" data-course=(address) data-scripts=(asset::charts()) data-style=(asset::path("uPlot.min.css")) {
                (panel("cores", "Cores busy"))
                (panel("memory", "Memory used"))
                @if node.facts.devices > 0 { (panel("devices", "Devices busy")) }
            }
        }
    }
}

/// Lines of several panels, one value a point.
#[derive(Serialize)]
pub(in crate::page) struct Course {
    /// Where the axis begins and ends, in seconds since 1970-01-01T00:00:00Z.
    from: i64,
    until: i64,
    /// Seconds as well, of all panels.
    at: Vec<i64>,
    panels: BTreeMap<&'static str, Panel>,
}

/// Lines that share an axis.
#[derive(Default, Serialize)]
struct Panel {
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
type Values = BTreeMap<Timestamp, Option<f64>>;

/// What was measured until now.
pub(super) fn course(reader: &Reader, node: &StoredNode, now: Timestamp) -> Result<Course, Failure> {
    // Intervals begin at the same moments in each answer: lines move on, and do not change.
    let until = Timestamp((now.0.div_euclid(INTERVAL.0) + 1) * INTERVAL.0);
    let read = |metric: &str| {
        let (node, metric) = (node.id, metric.to_owned());
        reader.means(&MeanQuery { metric, node, device: None, from: until - SPAN, until, interval: INTERVAL })
    };
    let (cores, memory, devices) = (read(busy::CORES)?, read(busy::MEMORY)?, read(busy::DEVICE)?);
    let at = moments([&cores, &memory, &devices].into_iter().flatten().map(|mean| mean.at).collect());
    let whole = |name: &str, means: &[Mean], unit: f64| {
        vec![(name.to_owned(), means.iter().map(|mean| (mean.at, mean.mean.map(|mean| mean / unit))).collect())]
    };
    let top = |most: Option<u64>, unit: f64| most.filter(|most| *most > 0).map(|most| most as f64 / unit);
    let facts = &node.facts;
    let panels = BTreeMap::from([
        ("cores", panel("cores", top(facts.cpu_milli, 1_000.0), whole("busy", &cores, 1.0), &at)),
        ("memory", panel("GiB", top(facts.memory_bytes, GIB), whole("used", &memory, GIB), &at)),
        ("devices", panel("%", Some(100.0), by_device(&devices), &at)),
    ]);
    let seconds = |at: Timestamp| at.0.div_euclid(1_000);
    let at = at.into_iter().map(seconds).collect();
    Ok(Course { from: seconds(until - SPAN), until: seconds(until), at, panels })
}

/// Those moments, and one without values wherever nothing was sampled for long.
fn moments(sampled: BTreeSet<Timestamp>) -> Vec<Timestamp> {
    let mut at: Vec<Timestamp> = Vec::with_capacity(sampled.len());
    for next in sampled {
        if let Some(last) = at.last().copied().filter(|last| *last + GAP < next) {
            at.push(last + INTERVAL);
        }
        at.push(next);
    }
    at
}

fn panel(unit: &'static str, top: Option<f64>, lines: Vec<(String, Values)>, at: &[Timestamp]) -> Panel {
    let round = |value: f64| (value * 100.0).round() / 100.0;
    let empty = if lines.iter().all(|(_, values)| values.is_empty()) {
        Some("Nothing was measured in the last hour. trimtab up measures the machine that it runs on, once a second.")
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

/// A line for each device, or for the least, the mean and the most of them.
fn by_device(means: &[Mean]) -> Vec<(String, Values)> {
    let mut devices: BTreeMap<u32, Values> = BTreeMap::new();
    for mean in means {
        let Some(device) = mean.device else { continue };
        devices.entry(device).or_default().insert(mean.at, mean.mean.map(|ratio| ratio * 100.0));
    }
    if devices.len() <= DEVICES_MAX {
        return devices.into_iter().map(|(device, values)| (format!("device {device}"), values)).collect();
    }
    let mut together: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
    for (at, value) in devices.into_values().flatten() {
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

    fn mean(at: i64, device: u32, mean: Option<f64>) -> Mean {
        Mean { at: Timestamp(at), device: Some(device), mean, least: mean, most: mean, known: 1 }
    }

    #[test]
    fn a_long_time_without_samples_is_a_gap() {
        let at =
            |seconds: &[i64]| -> Vec<Timestamp> { seconds.iter().map(|at| Timestamp::from_seconds(*at)).collect() };
        assert_eq!(moments(at(&[0, 5, 65, 126]).into_iter().collect()), at(&[0, 5, 65, 70, 126]));
        assert_eq!(moments(BTreeSet::new()), at(&[]));
    }

    #[test]
    fn what_is_unknown_is_never_drawn_as_zero() {
        let at = [Timestamp(0), Timestamp(5), Timestamp(9)];
        let values =
            |values: &[(i64, Option<f64>)]| values.iter().map(|(at, value)| (Timestamp(*at), *value)).collect();
        let drawn = panel("cores", Some(4.0), vec![("busy".into(), values(&[(0, Some(1.0)), (5, None)]))], &at);
        assert_eq!((drawn.empty, &drawn.lines[0].values[..]), (None, &[Some(1.0), None, None][..]));
        let unknown = panel("cores", None, vec![("busy".into(), values(&[(0, None)]))], &at);
        assert!(unknown.lines.is_empty() && unknown.empty.unwrap().starts_with("Unknown"));
        let nothing = panel("%", None, Vec::new(), &[]);
        assert!(nothing.lines.is_empty() && nothing.empty.unwrap().starts_with("Nothing was measured"));
    }

    #[test]
    fn many_devices_are_three_lines() {
        let names = |devices: u32| -> Vec<String> {
            let means: Vec<Mean> = (0..devices).map(|device| mean(0, device, Some(f64::from(device) / 10.0))).collect();
            by_device(&means).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(2), ["device 0", "device 1"]);
        assert_eq!((names(8).len(), names(9)), (8, vec!["mean".to_owned(), "least".into(), "most".into()]));
        let known = [mean(7, 7, Some(0.5)), mean(7, 8, Some(1.0))];
        let means: Vec<Mean> = (0..7).map(|device| mean(7, device, None)).chain(known).collect();
        let lines = by_device(&means);
        let values: Vec<_> = lines.iter().map(|(_, values)| values[&Timestamp(7)]).collect();
        assert_eq!(values, [Some(75.0), Some(50.0), Some(100.0)]);
        let unknown: Vec<Mean> = (0..9).map(|device| mean(7, device, None)).collect();
        assert!(by_device(&unknown).iter().all(|(_, values)| values[&Timestamp(7)].is_none()));
    }
}

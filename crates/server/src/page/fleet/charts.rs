//! The last hour of a node, as lines.

use std::collections::BTreeMap;

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};
use store::{Mean, MeanQuery, Reader, StoredNode};

use crate::busy;
use crate::failure::Failure;
use crate::page::lines::{Course, Lines, Shown, Values, few};
use crate::page::{asset, words};

/// How far back the lines go.
const SPAN: Millis = Millis::hours(1);
/// A line has at most a point for each of these.
const INTERVAL: Millis = Millis::seconds(5);
/// What is said where there is nothing to draw.
const NOTHING: &str =
    "Nothing was measured in the last hour. trimtab up measures the machine that it runs on, once a second.";
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

/// What was measured until now.
pub(super) fn course(reader: &Reader, node: &StoredNode, now: Timestamp) -> Result<Course, Failure> {
    // Intervals begin at the same moments in each answer: lines move on, and do not change.
    let until = Timestamp((now.0.div_euclid(INTERVAL.0) + 1) * INTERVAL.0);
    let read = |metric: &str| {
        let (node, metric) = (node.id, metric.to_owned());
        reader.means(&MeanQuery { metric, node, device: None, from: until - SPAN, until, interval: INTERVAL })
    };
    let (cores, memory, devices) = (read(busy::CORES)?, read(busy::MEMORY)?, read(busy::DEVICE)?);
    let whole = |name: &str, means: &[Mean], unit: f64| -> Lines {
        vec![(name.to_owned(), means.iter().map(|mean| (mean.at, mean.mean.map(|mean| mean / unit))).collect())]
    };
    let top = |most: Option<u64>, unit: f64| most.filter(|most| *most > 0).map(|most| most as f64 / unit);
    let facts = &node.facts;
    let panel = |name: &str, unit, top, lines| (name.to_owned(), Shown { unit, top, lines, nothing: NOTHING });
    let panels = vec![
        panel("cores", "cores", top(facts.cpu_milli, 1_000.0), whole("busy", &cores, 1.0)),
        panel("memory", "GiB", top(facts.memory_bytes, GIB), whole("used", &memory, GIB)),
        panel("devices", "%", Some(100.0), by_device(&devices)),
    ];
    Ok(Course::of((until - SPAN, until), INTERVAL, &[], panels))
}

/// A line for each device, or for the least, the mean and the most of them.
fn by_device(means: &[Mean]) -> Lines {
    let mut devices: BTreeMap<u32, Values> = BTreeMap::new();
    for mean in means {
        let Some(device) = mean.device else { continue };
        devices.entry(device).or_default().insert(mean.at, mean.mean.map(|ratio| ratio * 100.0));
    }
    few(devices.into_iter().map(|(device, values)| (format!("device {device}"), values)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_device_has_a_line_in_hundredths() {
        let mean = |at, device, mean| Mean { at: Timestamp(at), device, mean, least: mean, most: mean, known: 1 };
        let lines = by_device(&[mean(7, Some(1), Some(0.5)), mean(9, Some(1), None), mean(7, None, Some(1.0))]);
        let expected = Values::from([(Timestamp(7), Some(50.0)), (Timestamp(9), None)]);
        assert_eq!(lines, [("device 1".to_owned(), expected)]);
    }
}

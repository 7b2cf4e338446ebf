//! What was measured of a node over time, thinned to what a chart can show.

use axum::Json;
use axum::extract::State as Extract;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Mean, MeanQuery, Reader, Retention};
use utoipa::{IntoParams, ToSchema};

use super::{Part, Query, reading};
use crate::busy::METRICS;
use crate::failure::{Failure, Problem};
use crate::page::now;
use crate::state::State;

/// The most points of one answer.
const POINTS_MAX: i64 = 720;
/// What is answered where no time is asked for.
const SPAN: Millis = Millis::hours(1);

/// Which samples.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ask {
    /// What was measured: `cpu_busy_cores`, `memory_used_bytes`, `load_1m`, `device_busy_ratio` (from 0 to 1) or
    /// `device_memory_used_bytes`.
    metric: String,
    /// Of which device; absent: of the node as a whole, and for what is measured of devices, of all of them together.
    device: Option<u32>,
    /// Not before; absent: an hour before `until_ms`. Nothing that is older than a day is kept.
    from_ms: Option<i64>,
    /// Before; absent: now.
    until_ms: Option<i64>,
}

/// What was measured over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Samples {
    /// Of which node.
    node: String,
    /// What was measured, with its unit last.
    metric: String,
    /// Of which device.
    device: Option<u32>,
    /// Not before; intervals are counted from here.
    from_ms: i64,
    /// Before.
    until_ms: i64,
    /// Samples of so many milliseconds are taken together.
    interval_ms: i64,
    /// At most 720, oldest first; intervals in which nothing was measured are absent.
    points: Vec<Point>,
}

/// What the samples of an interval come to; values are absent where it was asked for, and is not known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Point {
    /// When the interval begins.
    at_ms: i64,
    /// The mean of what is known.
    mean: Option<f64>,
    /// The least that is known.
    min: Option<f64>,
    /// The most that is known.
    max: Option<f64>,
}

/// What was measured of a node over time: means, with the least and the most, of at most 720 intervals.
#[utoipa::path(get, path = "/api/v1/nodes/{name}/samples", params(("name" = String, Path), Ask), responses((status = 200, body = Samples), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn samples(
    Extract(state): Extract<State>,
    Part(name): Part<String>,
    Query(ask): Query<Ask>,
) -> Result<Json<Samples>, Failure> {
    let span = Span::of(&ask, now())?;
    reading(move || Ok(Json(read(&state.reader, name, ask, span)?))).await
}

fn read(reader: &Reader, name: String, ask: Ask, span: Span) -> Result<Samples, Failure> {
    let node = super::nodes::find(reader, &name)?.id;
    let Span { from, until, interval } = span;
    let query = MeanQuery { metric: ask.metric.clone(), node, device: ask.device, from, until, interval };
    let points = together(&reader.means(&query)?);
    let (from_ms, until_ms, interval_ms) = (from.0, until.0, interval.0);
    Ok(Samples { node: name, metric: ask.metric, device: ask.device, from_ms, until_ms, interval_ms, points })
}

/// A time, and how it is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    from: Timestamp,
    until: Timestamp,
    interval: Millis,
}

impl Span {
    fn of(ask: &Ask, now: Timestamp) -> Result<Self, Failure> {
        if !METRICS.contains(&ask.metric.as_str()) {
            let hint = format!("there are {}", METRICS.join(", "));
            return Err(Failure::bad(format!("there is no metric `{}`", ask.metric), Some(&hint)));
        }
        let until = ask.until_ms.map_or(now, Timestamp);
        let from = ask.from_ms.map_or(until - SPAN, Timestamp);
        if from >= until {
            return Err(Failure::bad("from_ms must be before until_ms", None));
        }
        // Outside of what is kept there is nothing: whoever asks from 0 on means all there is.
        let kept = |at: Timestamp| at.clamp(now - Retention::default().age_max, now);
        let (from, until) = (kept(from), kept(until));
        let least = (until.0 - from.0 + POINTS_MAX - 1) / POINTS_MAX;
        Ok(Self { from, until, interval: Millis(((least + 999) / 1_000).max(1) * 1_000) })
    }
}

/// Devices together, each interval a point.
fn together(means: &[Mean]) -> Vec<Point> {
    let same = |one: &Mean, other: &Mean| one.at == other.at;
    let point = |of: &[Mean]| {
        let (mut sum, mut known) = (0.0, 0);
        for mean in of {
            sum += mean.mean.unwrap_or(0.0) * mean.known as f64;
            known += mean.known;
        }
        Point {
            at_ms: of[0].at.0,
            mean: (known > 0).then(|| sum / known as f64),
            min: of.iter().filter_map(|mean| mean.least).reduce(f64::min),
            max: of.iter().filter_map(|mean| mean.most).reduce(f64::max),
        }
    };
    means.chunk_by(same).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::busy;

    const NOW: Timestamp = Timestamp(1_795_000_000_000);

    fn ask(metric: &str, from_ms: Option<i64>, until_ms: Option<i64>) -> Ask {
        Ask { metric: metric.into(), device: None, from_ms, until_ms }
    }

    #[test]
    fn no_time_has_more_points_than_fit() {
        let check = |from: Option<i64>, until: Option<i64>, interval_s: i64, points: i64| {
            let span = Span::of(&ask(busy::CORES, from, until), NOW).unwrap();
            let most = (span.until.0 - span.from.0 + span.interval.0 - 1) / span.interval.0;
            assert_eq!((span.interval.0, most), (interval_s * 1_000, points), "{span:?}");
            assert!(most <= POINTS_MAX, "{span:?}");
        };
        check(None, None, 5, 720);
        check(Some(NOW.0 - 10_000), None, 1, 10);
        check(Some(NOW.0 - 720_000), None, 1, 720);
        check(Some(NOW.0 - 720_001), None, 2, 361);
        check(Some(0), None, 120, 720);
        check(Some(i64::MIN), Some(i64::MAX), 120, 720);
        check(Some(i64::MAX - 1), Some(i64::MAX), 1, 0);
        assert!(Span::of(&ask(busy::CORES, Some(5), Some(5)), NOW).is_err());
        assert!(Span::of(&ask("nonsense", None, None), NOW).is_err());
    }

    #[test]
    fn devices_count_by_what_is_known_of_them() {
        let mean = |at, device, mean: Option<f64>, known| Mean {
            at: Timestamp(at),
            device: Some(device),
            mean,
            least: mean,
            most: mean,
            known,
        };
        let points =
            together(&[mean(0, 0, Some(1.0), 1), mean(0, 1, Some(4.0), 2), mean(0, 2, None, 0), mean(9, 0, None, 0)]);
        let points: Vec<_> = points.iter().map(|point| (point.at_ms, point.mean, point.min, point.max)).collect();
        assert_eq!(points, [(0, Some(3.0), Some(1.0), Some(4.0)), (9, None, None, None)]);
    }
}

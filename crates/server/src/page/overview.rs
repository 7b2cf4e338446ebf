//! How things stand: in one sentence, in counts, in device-hours, and over time.

mod health;
mod hours;

use std::time::Duration;

use axum::extract::State as Extract;
use axum::{Extension, Json};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use store::{Counts, State as Standing};

use super::frame::{Page, Wanted};
use super::refusal::Refusal;
use super::{Query, asset, findings, recommendations, words};
use crate::access::Caller;
use crate::api::{reading, reasons_of};
use crate::recommended;
use crate::state::State;
use crate::tally::{Hour, Level, Progress, Recorded, Tally, Window};

/// How long a page may read on in the log before it is shown with what was read.
const READ_MAX: Duration = Duration::from_millis(200);
/// How long it waits for the reason of the workload that waits longest.
const WHY_MAX: Duration = Duration::from_millis(200);
/// The most points of a line.
const POINTS_MAX: usize = 480;

/// What the page is made of.
struct Seen {
    progress: Progress,
    level: Level,
    /// What there is that is not lost, in thousandths.
    there: u64,
    /// 0: devices; 1: cores, where there are no devices.
    part: usize,
    nodes: [usize; 3],
    oldest: Option<u32>,
    began: Option<Timestamp>,
    spans: [Hour; 2],
    counts: Counts,
}

pub(super) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Extension(recorded): Extension<Recorded>,
    wanted: Wanted,
) -> Result<Markup, Refusal> {
    let (reader, folder, now) = (state.reader.clone(), state.folder.clone(), words::now());
    let (seen, recommended, found) = reading(move || {
        // The part that is polled does not show them.
        let recommended = (wanted == Wanted::Whole).then(|| recommended::read(&folder, &reader));
        let progress = recorded.catch_up(&reader, READ_MAX)?;
        let counts = reader.counts(None)?;
        let found = findings::short(&reader, now)?;
        Ok((look(&mut recorded.tally(), progress, counts, now), recommended, found))
    })
    .await?;
    let why = match seen.oldest.filter(|_| seen.progress.is_whole()) {
        Some(oldest) => tokio::time::timeout(WHY_MAX, reasons_of(&state, oldest)).await.ok().and_then(Result::ok),
        None => None,
    };
    let live = html! {
        (findings::section(&found, now))
        p.health { (health::sentence(&seen, why.as_ref())) }
        @if !seen.progress.is_whole() {
            p.quiet {
                "What was recorded is still being read: " (words::count(seen.progress.read)) " of " (words::count(seen.progress.there))
                " entries. Hours and sums come when that is done."
             }
        }
        (states(&seen.counts))
        @if seen.progress.is_whole() { (hours::section(&seen, now)) }
    };
    let fixed = html! { h1 { "Overview" } };
    let below = html! {
        (chart(seen.part))
        @if let Some(recommended) = &recommended { (recommendations::short(recommended.as_ref(), now)) }
    };
    Ok(Page { title: "Overview", under: "/", caller: &caller, fixed, address: "/", live, below }.show(wanted))
}

fn look(tally: &mut Tally, progress: Progress, counts: Counts, now: Timestamp) -> Seen {
    if progress.is_whole() {
        tally.advance(now);
    }
    let hours = |hours: i64| tally.since(now - Millis::hours(hours - 1));
    Seen {
        progress,
        level: tally.fleet.level,
        there: tally.fleet.there(),
        part: tally.fleet.metered(),
        nodes: [tally.fleet.nodes(), tally.fleet.drained, tally.fleet.lost],
        oldest: tally.waiting.first().map(|id| id.0),
        began: tally.began.map(Timestamp),
        spans: [hours(24), hours(7 * 24)],
        counts,
    }
}

/// What is counted, in words: one, several.
fn unit(part: usize) -> &'static str {
    ["device", "core"][part]
}

fn states(counts: &Counts) -> Markup {
    html! {
        ul.counts aria-label="Workloads by state" {
            @for state in Standing::ALL {
                @let count = counts.get(&state).copied().unwrap_or(0);
                @if count > 0 || matches!(state, Standing::Waiting | Standing::Running) {
                    li { a href={ "/jobs?state=" (state.name()) } { b { (words::count(count)) } " " (words::badge(state)) } }
                }
            }
        }
    }
}

fn chart(part: usize) -> Markup {
    let unit = unit(part);
    html! {
        section.chart {
            div.line {
                h2 { "Over time" }
                div.buttons role="group" aria-label="How far back" {
                    button type="button" data-window="day" aria-pressed="true" { "24 hours" }
                    button type="button" data-window="week" aria-pressed="false" { "7 days" }
                }
            }
            div #chart.plot data-charts="fleet" data-course="/course.json" data-scripts=(asset::charts()) data-style=(asset::path("uPlot.min.css"))
                role="img" aria-label={ "Line chart: " (unit) "s given, " (unit) "s there are, workloads waiting" } {
                p.quiet { "The chart needs scripts; the hours above say the same in sums." }
            }
        }
    }
}

/// Which course.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    window: Window,
}

/// Lines over time, one value a point.
#[derive(Serialize)]
pub(super) struct Course {
    unit: &'static str,
    /// Seconds since 1970-01-01T00:00:00Z.
    at: Vec<i64>,
    given: Vec<f64>,
    there: Vec<f64>,
    waiting: Vec<f64>,
}

pub(super) async fn course(
    Extract(state): Extract<State>,
    Extension(recorded): Extension<Recorded>,
    Query(ask): Query<Ask>,
) -> Result<Json<Course>, Refusal> {
    let course = reading(move || {
        let progress = recorded.catch_up(&state.reader, READ_MAX)?;
        let mut tally = recorded.tally();
        if progress.is_whole() {
            tally.advance(words::now());
        }
        Ok(lines(&tally, ask.window))
    });
    Ok(Json(course.await?))
}

/// At most [`POINTS_MAX`]: neighbours are taken together.
fn lines(tally: &Tally, window: Window) -> Course {
    let (points, part) = (tally.course(window), tally.fleet.metered());
    let mut course =
        Course { unit: unit(part), at: Vec::new(), given: Vec::new(), there: Vec::new(), waiting: Vec::new() };
    for together in points.chunks(points.len().div_ceil(POINTS_MAX).max(1)) {
        let mut sum = together[0].1;
        for (_, next) in &together[1..] {
            sum.add(next);
        }
        let [given, there, waiting] = sum.means(part).map(|mean| (mean * 100.0).round() / 100.0);
        course.at.push(together[0].0);
        course.given.push(given);
        course.there.push(there);
        course.waiting.push(waiting);
    }
    course
}

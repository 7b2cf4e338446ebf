//! When a workload that waits is expected to start: a part of its page that is asked for once the page is there, since to look ahead takes
//! longer than a page may.
//!
//! Where the last look does not tell it, one waits for a turn, and for the look, and not for long: see `foresee`.

use std::time::Duration;

use axum::Extension;
use axum::extract::State as Extract;
use control::Why;
use fleet::ids::WorkloadId;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};
use tokio::time::timeout;

use crate::access::Caller;
use crate::api::{absent, reading};
use crate::failure::Failure;
use crate::foresee::{ExpectedStart, Foreseen};
use crate::page::frame::{Page, Wanted};
use crate::page::refusal::Refusal;
use crate::page::{Part, words};
use crate::plane::Told;
use crate::state::State;

/// So long one waits for one's turn,
const TURN_MAX: Duration = Duration::from_secs(2);
/// and so long for the look.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// What came of looking.
enum Looked {
    /// It starts then.
    Start(ExpectedStart),
    /// It does not wait.
    NotWaiting,
    /// Others look, or it takes too long.
    Busy,
}

/// The place for it on the page, for what is told to come into. It keeps what is told while the rest is refreshed, and asks more seldom.
pub(super) fn place(id: u32) -> Markup {
    let address = format!("/jobs/{id}/start");
    html! {
        p #start hx-preserve data-slow hx-get=(address) hx-swap="innerHTML" hx-trigger="load, tock" { a href=(address) { "When is it expected to start?" } }
    }
}

pub(in crate::page) async fn page(
    Extract(state): Extract<State>,
    Extension(caller): Extension<Caller>,
    Extension(foreseen): Extension<Foreseen>,
    wanted: Wanted,
    Part(id): Part<u32>,
) -> Result<Markup, Refusal> {
    let looked = look(&state, &foreseen, WorkloadId(id)).await?;
    let told = html! { (sentence(&looked, words::now())) };
    if wanted == Wanted::Part {
        return Ok(told);
    }
    let (title, address) = (format!("Start of workload {id}"), format!("/jobs/{id}/start"));
    let live = html! { p { (told) } p { a href=(address) { "Ask again" } ", or " a href={ "/jobs/" (id) } { "back to the workload" } "." } };
    let fixed = html! { h1 { (title) } };
    let below = Markup::default();
    Ok(Page { title: &title, under: "/jobs", caller: &caller, fixed, address: &address, live, below }.show_still())
}

async fn look(state: &State, foreseen: &Foreseen, id: WorkloadId) -> Result<Looked, Failure> {
    match state.plane.why(id).await? {
        Some(Told { why: Why::Waiting { .. }, .. }) => {}
        Some(_) => return Ok(Looked::NotWaiting),
        None => {
            let reader = state.reader.clone();
            let known = reading(move || Ok(reader.workload(id)?)).await?;
            return known.map(|_| Looked::NotWaiting).ok_or_else(|| absent(id.0));
        }
    }
    if let Some(start) = foreseen.known(id) {
        return Ok(Looked::Start(start));
    }
    let Ok(turn) = timeout(TURN_MAX, foreseen.turn()).await else { return Ok(Looked::Busy) };
    match timeout(LOOK_MAX, foreseen.look(turn?, &state.plane, id)).await {
        Ok(start) => Ok(Looked::Start(start?)),
        Err(_) => Ok(Looked::Busy),
    }
}

fn sentence(looked: &Looked, now: Timestamp) -> String {
    let start = match looked {
        Looked::Start(start) => start,
        Looked::NotWaiting => return "It does not wait for room.".into(),
        Looked::Busy => return "When it is expected to start cannot be told at the moment: others ask too.".into(),
    };
    let from_now = |at: i64| Millis((at - now.0).max(0));
    let span = match (start.low_ms.map(from_now), start.high_ms.map(from_now)) {
        (Some(low), Some(high)) => format!(" (80 %: {})", between(low, high)),
        (Some(low), None) => format!(" (80 %: {} or more)", about(low)),
        _ => String::new(),
    };
    match (start.median_ms.map(from_now), start.unknown) {
        (Some(Millis(..1_000)), _) => format!("Expected to start any moment{span}."),
        (Some(median), _) => format!("Expected to start in about {}{span}.", about(median)),
        (None, Some(why)) => format!("When it starts cannot be told: {why}."),
        (None, None) => "It does not wait for room.".into(),
    }
}

/// A length as one would say it: `40 s`, `12 min`, `2.5 h`, `3 d`.
fn about(length: Millis) -> String {
    let (number, unit) = in_words(length);
    format!("{number} {unit}")
}

/// `4 to 31 min`, `50 s to 3 min`.
fn between(low: Millis, high: Millis) -> String {
    let ((less, unit), (more, units)) = (in_words(low), in_words(high));
    if (&less, unit) == (&more, units) {
        format!("{more} {units}")
    } else if unit == units {
        format!("{less} to {more} {units}")
    } else {
        format!("{less} {unit} to {more} {units}")
    }
}

fn in_words(length: Millis) -> (String, &'static str) {
    let seconds = length.0.max(0) as f64 / 1_000.0;
    let few = |count: f64| {
        if count < 9.95 { format!("{count:.1}").trim_end_matches(".0").to_owned() } else { format!("{count:.0}") }
    };
    match seconds {
        ..89.5 => (format!("{seconds:.0}"), "s"),
        ..5_370.0 => (format!("{:.0}", seconds / 60.0), "min"),
        ..129_600.0 => (few(seconds / 3_600.0), "h"),
        _ => (few(seconds / 86_400.0), "d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(median: Option<i64>, low: Option<i64>, high: Option<i64>, expected: &str) {
        let at = |seconds: Option<i64>| seconds.map(|seconds| 1_000_000 + seconds * 1_000);
        let unknown = median.is_none().then_some("it is too far off");
        let start = ExpectedStart { median_ms: at(median), low_ms: at(low), high_ms: at(high), unknown };
        assert_eq!(sentence(&Looked::Start(start), Timestamp(1_000_000)), expected);
    }

    #[test]
    fn starts_are_told_as_one_would_say_them() {
        check(Some(720), Some(240), Some(1_860), "Expected to start in about 12 min (80 %: 4 to 31 min).");
        check(Some(40), Some(0), Some(200), "Expected to start in about 40 s (80 %: 0 s to 3 min).");
        check(Some(9_000), Some(5_300), Some(200_000), "Expected to start in about 2.5 h (80 %: 88 min to 2.3 d).");
        check(Some(3_600), Some(3_590), Some(3_600), "Expected to start in about 60 min (80 %: 60 min).");
        check(Some(7_200), Some(7_200), None, "Expected to start in about 2 h (80 %: 2 h or more).");
        check(Some(-5), Some(-10), Some(20), "Expected to start any moment (80 %: 0 to 20 s).");
        check(None, Some(60), None, "When it starts cannot be told: it is too far off.");
        let nothing = Looked::Start(ExpectedStart::default());
        assert_eq!(sentence(&nothing, Timestamp(0)), "It does not wait for room.");
    }
}

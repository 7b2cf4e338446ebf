//! Where the device-hours went.

use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};

use super::{Seen, unit};
use crate::page::words;
use crate::tally::{Hour, Spent};

/// Thousandths times milliseconds of an hour of one device.
const UNIT_HOUR: f64 = 1_000.0 * 3_600_000.0;
/// How wide a whole bar is.
const WIDTH: f64 = 1_000.0;

pub(super) fn section(seen: &Seen, now: Timestamp) -> Markup {
    let noun = unit(seen.part);
    html! {
        section {
            h2 { "Where the " (noun) "-hours went" }
            div.columns {
                // As long as all of it is of today the week is the day.
                @for (hours, span) in [24, 7 * 24].into_iter().zip(&seen.spans).take(if is_young(seen, now) { 1 } else { 2 }) {
                    div { (waterfall(&caption(seen, hours, now), span, seen.part)) }
                }
            }
        }
    }
}

fn is_young(seen: &Seen, now: Timestamp) -> bool {
    seen.began.is_none_or(|began| began > now - Millis::hours(24))
}

fn caption(seen: &Seen, hours: i64, now: Timestamp) -> String {
    let last = if hours == 24 { "Last 24 hours" } else { "Last 7 days" };
    match seen.began {
        Some(began) if began > now - Millis::hours(hours) => {
            format!("{last} (recorded for {})", words::whole_seconds(Millis((now.0 - began.0).max(0))))
        }
        _ => last.into(),
    }
}

fn waterfall(caption: &str, span: &Hour, part: usize) -> Markup {
    let ended = |how: Spent| span.ended[how as usize][part];
    let rows = [
        ("completed", "runs that completed", ended(Spent::Completed)),
        ("running", "what still runs", span.still_running()[part]),
        ("requeued", "runs that gave way", ended(Spent::GaveWay)),
        ("cancelled", "runs that were cancelled", ended(Spent::Cancelled)),
        ("failed", "runs that failed", ended(Spent::Failed)),
        ("drained", "idle on drained nodes", span.drained[part]),
        ("waited", "idle while something waited", span.idle_waited[part]),
        ("idle", "idle, nothing waited", span.idle[part]),
    ];
    let all = span.capacity()[part];
    let whole = all.max(1) as f64;
    let mut before = 0.0;
    html! {
        table.waterfall {
            caption { (caption) ": " b { (hours(all)) } " in all" }
            thead.unseen { tr { th { "What for" } th.n { "Hours" } th.n { "Share" } th { "Bar" } } }
            tbody { @for (class, words, amount) in rows {
                @let width = amount as f64 / whole * WIDTH;
                @let from = { let from = before; before += width; from };
                tr class=[(amount == 0).then_some("none")] {
                    th scope="row" { (words) }
                    td.n { (hours(amount)) }
                    td.n { (words::percent(amount as f64 / whole)) }
                    td.bar {
                        svg viewBox="0 0 1000 16" preserveAspectRatio="none" aria-hidden="true" {
                            rect.track width="1000" height="16" {}
                            rect class=(class) x=(format!("{from:.1}")) width=(format!("{width:.1}")) height="16" {}
                        }
                    }
                }
            } }
        }
    }
}

fn hours(amount: u64) -> String {
    let hours = amount as f64 / UNIT_HOUR;
    if hours > 0.0 && hours < 0.05 {
        return "< 0.1".into();
    }
    if hours > 0.0 && hours < 9.95 { format!("{hours:.1}") } else { words::count(hours.round() as u64) }
}

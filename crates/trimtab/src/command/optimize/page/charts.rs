//! The charts, drawn here as SVG and bars. Each has a title, units, and its figures as text beside it or in a table below.

use advise::report::Report;
use advise::waste::{Account, Name, Part, Point};
use maud::{Markup, html};

use super::super::text;

/// Where all hours went, as bars.
pub(super) fn waterfall(account: &Account) -> Markup {
    let Some(capacity) = &account.capacity else {
        return html! { section { h2 { "Where the hours went" } ul { @for line in account.words() { li { (line) } } } } };
    };
    let mut parts: Vec<&Part> = capacity.parts.iter().filter(|part| !part.hours.is_zero()).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.hours));
    let largest = parts.first().map_or(1.0, |part| part.hours.share_of(capacity.capacity_hours));
    html! {
        section {
            h2 { "Where the " (capacity.unit) " went" }
            @if let Some(words) = account.basis_words { p.soft { (words) "." } }
            @for part in &parts {
                @let share = part.hours.share_of(capacity.capacity_hours);
                div.bar {
                    span { (sentence_case(part.part.words().trim_start_matches("were "))) }
                    span.v {
                        i class=(class(part.part)) style={ "width:" (format!("{:.1}", share / largest * 60.0)) "%" } {}
                        (part.hours) " (" (format!("{:.1}", share * 100.0)) " %)"
                        @if let Some(cost) = part.cost { " · " (cost) }
                    }
                }
            }
            p { b { "In all: " (capacity.capacity_hours) " " (capacity.unit) } @if let Some(cost) = capacity.cost { ", " (cost) } "." }
            @if !account.unused.is_empty() || account.limits.words(account.unit).is_some() {
                p { "And of what was allocated:" }
                ul {
                    @for unused in &account.unused { li { (unused.words()) } }
                    @if let Some(limits) = account.limits.words(account.unit) { li { (limits) } }
                }
            }
        }
    }
}

/// Allocated, idle and waiting over time.
pub(super) fn allocation(account: &Account) -> Markup {
    let points = &account.series.points;
    if points.len() < 2 || account.capacity.is_none() {
        return html! {};
    }
    let step_h = account.series.step_ms.as_hours();
    let value = |point: &Point, of: fn(&Point) -> f64| of(point) / step_h;
    let most = points.iter().map(|point| value(point, |p| p.capacity_hours.as_hours())).fold(1.0, f64::max);
    let frame = Frame::new(points.len(), most);
    let held = frame.area(points.iter().map(|p| (0.0, value(p, |p| p.allocated_hours.as_hours()))));
    let idle = frame.area(points.iter().map(|p| {
        let held = value(p, |p| p.allocated_hours.as_hours());
        (held, held + value(p, |p| p.idle_hours.as_hours()))
    }));
    let waiting = frame.line(points.iter().map(|p| value(p, |p| p.waiting_hours.as_hours()).min(most)));
    let unit = account.unit.trim_end_matches("-hours");
    let (from, until) = (points[0].at.to_string(), points[points.len() - 1].at.to_string());
    html! {
        section {
            h2 { "Allocation over time" }
            ul.key {
                li { i.c0 {} "allocated " (unit) "s" }
                li { i.c2 {} "idle " (unit) "s" }
                li { i.c4 {} "asked for by what waits (cut off at the top)" }
            }
            svg viewBox="0 0 900 260" role="img" aria-label={ "Allocated, idle and waiting " (unit) "s from " (from[..10]) " to " (until[..10]) } {
                (frame.grid())
                path.c0 d=(held) {}
                path.c2 d=(idle) {}
                path.wait d=(waiting) {}
                text x="52" y="255" { (from[..10]) }
                text x="895" y="255" text-anchor="end" { (until[..10]) }
            }
        }
    }
}

/// Mean waits of each queue, before and after the recommendation that spares most.
pub(super) fn waits(report: &Report) -> Markup {
    let best = report.recommendations.iter().find(|r| r.effect.wait_s.is_some_and(|wait| wait.value < 0.0));
    let Some(best) = best else { return html! {} };
    let mut rows: Vec<(&str, f64, f64)> = report
        .baseline
        .waits
        .queues
        .iter()
        .filter_map(|queue| {
            let after = best.effect.queues.iter().find(|after| after.name == queue.name)?;
            Some((queue.name.as_str(), queue.wait_s.mean, (queue.wait_s.mean + after.wait_s.value).max(0.0)))
        })
        .collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    rows.truncate(15);
    let most = rows.iter().map(|row| row.1.max(row.2)).fold(1.0, f64::max);
    html! {
        section {
            h2 { "Mean wait, before and after" }
            p.soft { "By queue, with the change that spares most: " (best.title) "." }
            ul.key { li { i.c2 {} "before" } li { i.c0 {} "after" } }
            @for (name, before, after) in rows {
                div.bar {
                    span { (name) }
                    div {
                        span.v { i.c2 style={ "width:" (format!("{:.1}", before / most * 75.0)) "%" } {} (text::seconds(before)) }
                        span.v { i.c0 style={ "width:" (format!("{:.1}", after / most * 75.0)) "%" } {} (text::seconds(after)) }
                    }
                }
            }
        }
    }
}

/// Where the points of a chart lie.
struct Frame {
    step: f64,
    most: f64,
}

const LEFT: f64 = 50.0;
const RIGHT: f64 = 895.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 235.0;

impl Frame {
    fn new(points: usize, most: f64) -> Self {
        Self { step: (RIGHT - LEFT) / (points.max(2) - 1) as f64, most }
    }

    fn at(&self, index: usize, value: f64) -> String {
        let (x, y) = (LEFT + self.step * index as f64, BOTTOM - (BOTTOM - TOP) * value / self.most);
        format!("{x:.1} {y:.1}")
    }

    /// Between a lower and an upper value at each point.
    fn area(&self, bounds: impl Iterator<Item = (f64, f64)>) -> String {
        let bounds: Vec<(f64, f64)> = bounds.collect();
        let up = bounds.iter().enumerate().map(|(i, &(_, high))| self.at(i, high));
        let back = bounds.iter().enumerate().rev().map(|(i, &(low, _))| self.at(i, low));
        format!("M{}Z", up.chain(back).collect::<Vec<_>>().join("L"))
    }

    fn line(&self, values: impl Iterator<Item = f64>) -> String {
        let points: Vec<String> = values.enumerate().map(|(i, value)| self.at(i, value)).collect();
        format!("M{}", points.join("L"))
    }

    fn grid(&self) -> Markup {
        html! {
            @for quarter in 0..=4_u32 {
                @let y = BOTTOM - (BOTTOM - TOP) * f64::from(quarter) / 4.0;
                line.grid x1=(LEFT) x2=(RIGHT) y1=(format!("{y:.1}")) y2=(format!("{y:.1}")) {}
                text x="44" y=(format!("{:.1}", y + 4.0)) text-anchor="end" { (format!("{:.0}", self.most * f64::from(quarter) / 4.0)) }
            }
        }
    }
}

fn class(name: Name) -> &'static str {
    use advise::timeline::Ending;
    match name {
        Name::Spent(Ending::Ended(fleet::event::EndCause::Completed)) => "c6",
        Name::Spent(Ending::Ended(fleet::event::EndCause::Unknown)) => "c0",
        Name::Spent(_) => "c4",
        Name::Idle | Name::IdleBecause(advise::waste::Why::NothingWaited) => "c2",
        Name::IdleBecause(_) => "c3",
        Name::Lost | Name::Drained => "c5",
    }
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

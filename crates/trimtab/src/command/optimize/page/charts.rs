//! The charts, drawn here as SVG and bars. Each has a title, units, and its figures as text beside it or in a table below.

use advise::hours::Hours;
use advise::report::Report;
use advise::waste::{Account, Name, PartGroup, Point};
use fleet::money::Money;
use maud::{Markup, html};

use super::super::text;

/// From all there was down to what completed: each bar begins where the one above ends.
pub(super) fn waterfall(account: &Account) -> Markup {
    let Some(capacity) = &account.capacity else {
        return html! { section { h2 { "Where the hours went" } ul { @for line in account.words() { li { (line) } } } } };
    };
    let all = (capacity.capacity_hours + capacity.beyond_capacity_hours).as_hours().max(f64::MIN_POSITIVE);
    let mut left = 100.0;
    let mut groups = capacity.groups();
    // What was wanted stays at the bottom.
    groups.reverse();
    html! {
        section {
            h2 { "Where the " (capacity.unit) " went" }
            @if let Some(words) = account.basis_words { p.soft { (sentence_case(words)) "." } }
            div class={ "fall" @if capacity.cost.is_none() { " free" } } role="table" aria-label={ "Where the " (capacity.unit) " went" } {
                (fall_row("All there was", "all", &figures(capacity.capacity_hours, all, capacity.cost), 0.0, 100.0))
                @for group in &groups {
                    @if group.group != PartGroup::Completed {
                        (fall_row(&sentence_case(group.group.words()), "group", &figures(group.hours, all, group.cost), 0.0, 0.0))
                    }
                    @for part in &group.parts {
                        @let share = part.hours.as_hours() / all * 100.0;
                        @let from = { left -= share; left.max(0.0) };
                        @let what = if group.group == PartGroup::Completed { "Completed" } else { part.part.label() };
                        @let class = format!("part {}", class(part.part));
                        (fall_row(what, &class, &figures(part.hours, all, part.cost), from, share))
                    }
                }
            }
            @if capacity.cost.is_none() {
                p.soft { "Without prices there are hours and no money: a fleet file can state them (price_per_hour)." }
            }
            @let lines = account.unused.iter().map(advise::waste::Unused::words).chain(account.limits.words(account.unit));
            @let lines: Vec<String> = lines.collect();
            @if !lines.is_empty() {
                p { "These lie over the parts above and are not added to them:" }
                ul { @for line in &lines { li { (line) } } }
            }
            @let gaps = account.gaps();
            @if !gaps.is_empty() { ul.soft { @for gap in &gaps { li { (gap) } } } }
        }
    }
}

/// Hours, share and money, for three columns.
fn figures(hours: Hours, all: f64, cost: Option<Money>) -> [String; 3] {
    let cost = cost.map_or_else(String::new, |cost| cost.to_string());
    [hours.to_string(), text::percent(hours.as_hours() / all), cost]
}

fn fall_row(label: &str, class: &str, figures: &[String; 3], from: f64, share: f64) -> Markup {
    html! {
        div class={ "row " (class) } role="row" {
            span.label role="cell" { (label) }
            @for figure in figures.iter().filter(|figure| !figure.is_empty()) { span.n role="cell" { (figure) } }
            span.track role="cell" aria-hidden="true" {
                @if share > 0.0 { i style={ "margin-left:" (format!("{from:.2}")) "%;width:" (format!("{share:.2}")) "%" } {} }
            }
        }
    }
}

/// What was allocated, idle and not usable over time and, below, what was waited for.
pub(super) fn allocation(account: &Account) -> Markup {
    let points = &account.series.points;
    if points.len() < 2 || account.capacity.is_none() {
        return html! {};
    }
    let step_h = account.series.step_ms.as_hours();
    let value = |of: fn(&Point) -> f64| points.iter().map(|point| of(point) / step_h).collect::<Vec<f64>>();
    let (capacity, held) = (value(|p| p.capacity_hours.as_hours()), value(|p| p.allocated_hours.as_hours()));
    let (idle, waiting) = (value(|p| p.idle_hours.as_hours()), value(|p| p.waiting_hours.as_hours()));
    let frame = Frame::new(points.len(), top(&capacity));
    let below = Frame::new(points.len(), top(&waiting));
    let free: Vec<(f64, f64)> = held.iter().zip(&idle).map(|(held, idle)| (*held, held + idle)).collect();
    let unit = account.unit.trim_end_matches("-hours");
    let dates: Vec<String> =
        (0..=4).map(|quarter| points[quarter * (points.len() - 1) / 4].at.to_string()[..10].to_owned()).collect();
    let step = account.series.step_ms;
    html! {
        section {
            h2 { "Allocation over time" }
            ul.key {
                li { i.c0 {} "allocated" }
                li { i.c2 {} "idle" }
                @if points.iter().any(|point| !point.unusable_hours.is_zero()) { li { i.none {} "lost or drained" } }
            }
            (panel(&frame, unit, &format!("{unit}s allocated and idle, means of {step}"), &[("c0", frame.area(held.iter().map(|&held| (0.0, held)))), ("c2", frame.area(free.into_iter()))]))
            ul.key { li { i.c4 {} "asked for by what waited" } }
            (panel(&below, unit, &format!("{unit}s asked for by what waited, means of {step}"), &[("c4", below.area(waiting.iter().map(|&waiting| (0.0, waiting))))]))
            div.axis { @for date in &dates { span { (date) } } }
        }
    }
}

/// One chart with its scale to the left.
fn panel(frame: &Frame, unit: &str, label: &str, areas: &[(&str, String)]) -> Markup {
    html! {
        div.panel {
            div.scale aria-hidden="true" {
                @for quarter in (0..=4_u32).rev() { span { (short(frame.most * f64::from(quarter) / 4.0)) } }
            }
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(label) {
                title { (label) }
                @for (class, area) in areas { path class=(class) d=(area) {} }
                @for quarter in 0..=4_u32 {
                    @let y = HEIGHT * f64::from(quarter) / 4.0;
                    line.grid x1="0" x2=(WIDTH) y1=(y) y2=(y) {}
                }
            }
            span.unit { (unit) "s" }
        }
    }
}

/// A number of an axis: whole, or with a `k` behind thousands.
fn short(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{:.0}k", value / 1_000.0),
        value if value >= 10.0 || value.fract().abs() < 0.05 => format!("{value:.0}"),
        value => format!("{value:.1}"),
    }
}

/// The top of a scale: the largest value, rounded up so that quarters of it read easily.
fn top(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(1.0, f64::max);
    let ten = 10_f64.powf(most.log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 5.0, 6.0, 6.4, 8.0, 10.0];
    steps.into_iter().map(|step| step * ten).find(|&top| top >= most * 0.9999).unwrap_or(ten * 10.0)
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
    let others = rows.len().saturating_sub(QUEUES_MAX);
    rows.truncate(QUEUES_MAX);
    let most = rows.iter().map(|row| row.1.max(row.2)).fold(1.0, f64::max);
    html! {
        section {
            h2 { "Waits before and after" }
            p.soft { "Mean wait by queue, with the first change: " (best.title) "." }
            ul.key { li { i.c2 {} "before" } li { i.c0 {} "after" } }
            @for (name, before, after) in rows {
                div.bar {
                    span.label title=(name) { (name) }
                    div {
                        (wait("c2", before, most))
                        (wait("c0", after, most))
                    }
                }
            }
            @if others > 0 { p.soft { "And " (others) " queues more; the table below has them." } }
        }
    }
}

/// So many queues are drawn.
const QUEUES_MAX: usize = 15;

fn wait(class: &str, seconds: f64, most: f64) -> Markup {
    html! {
        span.v {
            i class=(class) style={ "width:" (format!("{:.2}", seconds / most * 100.0)) "%" } {}
            span { (text::seconds(seconds)) }
        }
    }
}

/// Where the points of a chart lie.
struct Frame {
    step: f64,
    most: f64,
}

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 200.0;

impl Frame {
    fn new(points: usize, most: f64) -> Self {
        Self { step: WIDTH / (points.max(2) - 1) as f64, most }
    }

    fn at(&self, index: usize, value: f64) -> String {
        format!("{:.1} {:.1}", self.step * index as f64, HEIGHT - HEIGHT * value / self.most)
    }

    /// Between a lower and an upper value at each point.
    fn area(&self, bounds: impl Iterator<Item = (f64, f64)>) -> String {
        let bounds: Vec<(f64, f64)> = bounds.collect();
        let up = bounds.iter().enumerate().map(|(i, &(_, high))| self.at(i, high));
        let back = bounds.iter().enumerate().rev().map(|(i, &(low, _))| self.at(i, low));
        format!("M{}Z", up.chain(back).collect::<Vec<_>>().join("L"))
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

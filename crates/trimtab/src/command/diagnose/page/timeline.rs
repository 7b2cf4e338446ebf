//! A drawing as markup: a canvas with its controls, and beside it the data that the page's script draws.

use std::fmt::Write;

use ::diagnose::drawing::{Drawing, Tone};
use maud::{Markup, PreEscaped, html};

/// The script of all timelines of a page; its hash is in the page's policy, and no other runs.
pub(super) const SCRIPT: &str = include_str!("timeline.js");

/// A timeline; `about` is which file it is of.
pub(super) fn timeline(of: &Drawing, about: &str) -> Markup {
    let keys = "Wheel or pinch to zoom, drag to move; by keyboard: + and − zoom, arrows move, 0 shows all.";
    let lanes = of.lanes.len();
    html! {
        h3 { (of.title) }
        @for note in &of.notes { p.soft { (note) } }
        ul.key { @for (tone, names) in key(of) { li { i class=(class(tone)) {} (names.join(", ")) } } }
        div.timeline data-timeline="" role="group" aria-label={ (of.title) ": " (about) } {
            div.tools {
                @for (key, words, sign) in [("+", "Zoom in", "+"), ("-", "Zoom out", "−"), ("ArrowLeft", "Move left", "←"),
                    ("ArrowRight", "Move right", "→"), ("0", "Show all", "all")] {
                    button type="button" data-key=(key) aria-label=(words) title=(words) { (sign) }
                }
                span data-seen="" aria-live="polite" {}
            }
            canvas aria-hidden="true" {}
            div.lanes tabindex="0" role="region" aria-label={ "Timeline of " (lanes) " lanes. " (keys) } {
                canvas role="img" aria-label={ (of.title) ", " (lanes) " lanes" } {}
            }
            p.under data-under="" { (keys) }
            script type="application/json" { (PreEscaped(data(of))) }
        }
        noscript { p.soft { "Timelines are drawn by a script of this page; the tables below have the figures." } }
    }
}

/// How many segments it has.
pub(super) fn segments(of: &Drawing) -> usize {
    of.lanes.iter().map(|lane| lane.segments.len()).sum()
}

/// The kinds that occur; those that look alike are one.
fn key(of: &Drawing) -> Vec<(Tone, Vec<&str>)> {
    let mut occurs = vec![false; of.kinds.len()];
    of.lanes.iter().flat_map(|lane| &lane.segments).for_each(|segment| occurs[segment.kind] = true);
    let mut key: Vec<(Tone, Vec<&str>)> = Vec::new();
    for (kind, _) in of.kinds.iter().zip(occurs).filter(|(_, occurs)| *occurs) {
        match key.iter_mut().find(|(tone, _)| *tone == kind.tone) {
            Some((_, names)) => names.push(&kind.name),
            None => key.push((kind.tone, vec![&kind.name])),
        }
    }
    key
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Work => "work",
        Tone::WorkBack => "work-back",
        Tone::WorkOther => "work-other",
        Tone::Transfer => "transfer",
        Tone::Collective => "collective",
        Tone::Memory => "memory",
        Tone::Plain => "plain",
        Tone::Good => "fine",
        Tone::Warm => "warm",
        Tone::Hot => "hot",
        Tone::Burning => "burning",
    }
}

/// As the script takes it: kinds with their tones; lanes with their group, their name, and five numbers a segment; marks. Where a name
/// would end the element that it stands in, it does not: `<` is written as JSON can write it, too.
fn data(of: &Drawing) -> String {
    let mut text =
        format!(r#"{{"unit":{},"from":{},"to":{},"kinds":["#, quoted(of.unit), number(of.from), number(of.to));
    joined(&mut text, &of.kinds, |text, kind| {
        let _ = write!(text, "[{},{}]", quoted(&kind.name), quoted(class(kind.tone)));
    });
    text.push_str("],\"lanes\":[");
    joined(&mut text, &of.lanes, |text, lane| {
        let _ = write!(text, "[{},{},[", quoted(&lane.group), quoted(&lane.name));
        joined(text, &lane.segments, |text, segment| {
            let (start, length) = (number(segment.start), number(segment.length));
            let _ = write!(text, "{},{start},{length},{},{}", segment.kind, segment.bottom, segment.top);
        });
        text.push_str("]]");
    });
    text.push_str("],\"marks\":[");
    joined(&mut text, &of.marks, |text, mark| {
        let (from, to) = (number(mark.from), number(mark.to));
        let _ = write!(text, "[{},{from},{to},{}]", mark.lane, quoted(&mark.label));
    });
    text.push_str("]}");
    text
}

fn joined<T>(text: &mut String, list: &[T], each: impl Fn(&mut String, &T)) {
    for (at, item) in list.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        each(text, item);
    }
}

/// To a thousandth of the axis' unit.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON").replace('<', "\\u003c")
}

//! Findings in sentences.

use fleet::finding::{Confidence, Finding};
use fleet::time::Timestamp;

use super::Told;
use crate::command::diagnose;
use crate::shown;
use crate::wrap::{paragraph, section};

/// Each with its verdict, how it stands, and what it costs.
pub(super) fn list(all: &[Told], now_ms: i64, width: usize) -> String {
    let mut text = String::new();
    for (place, told) in all.iter().enumerate() {
        if place > 0 {
            text.push('\n');
        }
        paragraph(&mut text, width, "", &line(told));
        paragraph(&mut text, width, "    ", &standing(told, now_ms));
        if let Some(cost) = cost(told) {
            paragraph(&mut text, width, "    ", &cost);
        }
        if let Some(muted) = muted(told, now_ms) {
            paragraph(&mut text, width, "    ", &muted);
        }
    }
    text
}

/// All of one.
pub(super) fn one(told: &Told, now_ms: i64, width: usize) -> String {
    let bold = anstyle::Style::new().bold();
    let mut text = format!("{bold}finding {}: {}{bold:#}\n", told.id, standing(told, now_ms));
    if let Some(muted) = muted(told, now_ms) {
        paragraph(&mut text, width, "  ", &muted);
    }
    diagnose::finding(&plain(&told.finding), width, &mut text);
    if let Some(realised) = diagnose::realised(&told.finding) {
        section(&mut text, "  What came of it");
        paragraph(&mut text, width, "    ", &realised);
    }
    if let Some(cost) = cost(told) {
        section(&mut text, "  What it costs");
        paragraph(&mut text, width, "    ", &cost);
    }
    text
}

/// Its id and its verdict.
pub(super) fn line(told: &Told) -> String {
    format!("{}: {}", told.id, plain(&told.finding).verdict)
}

/// How it stands, since when, how sure it is.
fn standing(told: &Told, now_ms: i64) -> String {
    let ago = |ms: i64| format!("{} ago", shown::seconds(now_ms - ms));
    let mut parts = vec![told.state.clone(), format!("since {}", ago(told.since_ms))];
    parts.extend(told.closed_ms.map(|closed| format!("over {}", ago(closed))));
    if told.returns > 0 {
        parts.push(format!("came back {}", shown::count(told.returns as usize, "time")));
    }
    parts.push(
        match told.finding.confidence {
            Confidence::Possible => "possible",
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        }
        .to_owned(),
    );
    parts.extend(told.node.as_deref().map(|node| format!("on {}", letters(node))));
    parts.extend(told.unheard_since_ms.map(|heard| format!("which was last heard {}", ago(heard))));
    parts.extend(told.workload.map(|workload| format!("workload {workload}")));
    parts.join(", ")
}

fn cost(told: &Told) -> Option<String> {
    let hours = told.device_hours_a_day?;
    let money = told.cost_a_day.as_ref().map_or_else(String::new, |money| format!(", {money}"));
    Some(format!("It costs {hours:.1} device-hours a day{money}, as long as it is there."))
}

fn muted(told: &Told, now_ms: i64) -> Option<String> {
    let mute = told.mute.as_ref().filter(|mute| mute.until_ms > now_ms)?;
    let (until, reason, by) = (Timestamp(mute.until_ms), letters(&mute.reason), letters(&mute.by));
    Some(format!("Muted by {by} until {until}: {reason}"))
}

/// With names as they can be shown: they come from whoever tells.
fn plain(finding: &Finding) -> Finding {
    let mut plain = finding.clone();
    let places = plain.places.iter_mut().map(|place| &mut place.name);
    let evidence = plain.evidence.iter_mut().map(|evidence| &mut evidence.what);
    for text in [&mut plain.verdict].into_iter().chain(places).chain(evidence).chain(&mut plain.advice) {
        *text = letters(text);
    }
    plain
}

/// What would move the cursor or break the line is shown as a mark.
fn letters(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use fleet::finding::Place;

    use super::super::Muted;
    use super::*;

    fn told() -> Told {
        let mut finding = Finding::new("hang", "a\u{1b}[2J hangs for 12 s");
        finding.places.push(Place::new("job", "a\u{1b}[2J"));
        Told {
            id: 3,
            state: "muted".into(),
            node: None,
            unheard_since_ms: None,
            workload: Some(17),
            since_ms: 1_000,
            closed_ms: None,
            returns: 1,
            device_hours_a_day: Some(96.0),
            cost_a_day: Some("USD 192".into()),
            mute: Some(Muted { reason: "known".into(), until_ms: 60_000, by: "ada".into() }),
            finding,
        }
    }

    #[test]
    fn a_finding_is_told_with_its_cost_and_who_muted_it() {
        let expected = "3: a\u{fffd}[2J hangs for 12 s\n    \
            muted, since 12s ago, came back 1 time, likely, workload 17\n    \
            It costs 96.0 device-hours a day, USD 192, as long as it is there.\n    \
            Muted by ada until 1970-01-01T00:01:00Z: known\n";
        assert_eq!(list(&[told()], 13_000, 100), expected);
        let over = Told { mute: None, closed_ms: Some(5_000), state: "closed".into(), ..told() };
        let elsewhere = Told { node: Some("gpu\u{7}".into()), unheard_since_ms: Some(3_000), ..told() };
        assert!(
            list(&[elsewhere], 63_000, 200)
                .contains("likely, on gpu\u{fffd}, which was last heard 1m ago, workload 17")
        );
        assert!(list(&[over], 76_000, 100).contains("closed, since 1m 15s ago, over 1m 11s ago"));
    }

    #[test]
    fn nothing_of_one_moves_the_cursor() {
        let text = one(&told(), 13_000, 100);
        assert!(text.contains("What it costs") && !text.contains("\u{1b}[2J"), "{text}");
    }
}

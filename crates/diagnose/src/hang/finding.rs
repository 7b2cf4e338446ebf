//! A hang in words.

use fleet::finding::{Confidence, Evidence, Finding, Place, Since};
use fleet::time::Timestamp;

use super::wait::{Hang, Missed};

/// So many groups are shown as evidence.
const SHOWN: usize = 5;

/// What a hang is: who did not come, and who waits.
#[must_use]
pub fn findings(hang: &Hang) -> Vec<Finding> {
    let Some(first) = hang.missed.first() else { return Vec::new() };
    let (ranks, verdict) = if hang.ranks.is_empty() {
        (&hang.circle, format!("ranks {} wait for each other", listed(&hang.circle)))
    } else {
        let verb = if hang.ranks.len() == 1 { "rank" } else { "ranks" };
        (&hang.ranks, format!("{verb} {} did not enter {}", listed(&hang.ranks), called(first)))
    };
    let since = first.since_ns.map(|ns| Since::Time(Timestamp(ns / 1_000_000)));
    let waiting = match first.waiting.len() {
        1 => ", in which 1 other waits".to_owned(),
        waiting => format!(", in which {waiting} others wait"),
    };
    let mut verdict = format!("{verdict}{waiting}");
    verdict[..1].make_ascii_uppercase();
    vec![Finding {
        rule: "hang".to_owned(),
        verdict,
        places: ranks.iter().map(|rank| Place::new("rank", rank)).collect(),
        since,
        confidence: if hang.unknown.is_empty() { Confidence::Certain } else { Confidence::Likely },
        evidence: hang.missed.iter().take(SHOWN).map(evidence).collect(),
        advice: advice(hang, ranks),
        speedup: None,
    }]
}

fn evidence(missed: &Missed) -> Evidence {
    let what = format!("ranks that wait in {}", called(missed));
    let missing = format!("not entered by {}", listed(&missed.missing));
    Evidence::new(what, missed.waiting.len() as f64, "").beside(missing, missed.missing.len() as f64)
}

fn called(missed: &Missed) -> String {
    let group = if missed.description.is_empty() { &missed.group } else { &missed.description };
    format!("{} {} of {group}", missed.call, missed.sequence)
}

fn advice(hang: &Hang, ranks: &[u32]) -> Vec<String> {
    let mut advice = vec![format!(
        "The dumps tell who did not come, not why. Look at what {} did: `py-spy dump --pid PID` there, and the kernel log of the \
         machine.",
        if ranks.len() == 1 { "that rank" } else { "those ranks" }
    )];
    if !hang.circle.is_empty() {
        advice.insert(
            0,
            "Ranks call collectives in different orders: make the order the same on all of them.".to_owned(),
        );
    }
    if !hang.unknown.is_empty() {
        advice.push(format!(
            "There is no dump of rank {}: whoever did not dump may be where it begins.",
            listed(&hang.unknown)
        ));
    }
    advice
}

/// `1`, `1 and 2`, `1, 2 and 3`; of many, the first few.
fn listed(ranks: &[u32]) -> String {
    const LISTED: usize = 8;
    let words: Vec<String> = ranks.iter().take(LISTED).map(u32::to_string).collect();
    match &words[..] {
        _ if ranks.len() > LISTED => format!("{} and {} more", words.join(", "), ranks.len() - LISTED),
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

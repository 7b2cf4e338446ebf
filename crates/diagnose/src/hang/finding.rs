//! A hang in words.

use std::collections::BTreeSet;

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
        // Each may be missing elsewhere: a call is named only where all of them are.
        let all = hang.ranks.iter().all(|rank| first.missing.contains(rank));
        let what = if all { called(first) } else { "the calls that their peers wait in".to_owned() };
        (&hang.ranks, format!("{verb} {} did not enter {what}", listed(&hang.ranks)))
    };
    let since = hang.missed.iter().filter_map(|missed| missed.since_ns).min();
    let since = since.map(|ns| Since::Time(Timestamp(ns / 1_000_000)));
    let waiting: BTreeSet<u32> = hang.missed.iter().flat_map(|missed| missed.waiting.iter().copied()).collect();
    let waiting = match waiting.len() {
        1 => "1 rank waits".to_owned(),
        waiting => format!("{waiting} ranks wait"),
    };
    let mut verdict = format!("{verdict}: {waiting} for that");
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
        realised: None,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(group: &str, waiting: &[u32], missing: &[u32], since_ns: i64) -> Missed {
        Missed {
            group: group.to_owned(),
            description: String::new(),
            call: "all_reduce".to_owned(),
            sequence: 7,
            waiting: waiting.to_vec(),
            missing: missing.to_vec(),
            since_ns: Some(since_ns),
        }
    }

    #[test]
    fn a_call_is_named_where_all_are_missing() {
        let check = |missed: Vec<Missed>, expected: &str| {
            let hang = Hang { ranks: vec![2, 5], missed, ..Hang::default() };
            let found = findings(&hang);
            assert_eq!(found[0].verdict, expected);
            assert_eq!(found[0].since, Some(Since::Time(Timestamp(3))), "the first of all");
        };
        check(
            vec![missed("a", &[0, 1], &[2, 5], 9_000_000), missed("b", &[1, 3], &[2], 3_000_000)],
            "Ranks 2 and 5 did not enter all_reduce 7 of a: 3 ranks wait for that",
        );
        check(
            vec![missed("b", &[1], &[2], 3_000_000), missed("c", &[1], &[5], 4_000_000)],
            "Ranks 2 and 5 did not enter the calls that their peers wait in: 1 rank waits for that",
        );
    }
}

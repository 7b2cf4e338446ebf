//! What a kernel log comes to, in words.

use fleet::finding::{Confidence, Evidence, Finding, Place};

use super::action::Action;
use super::log::{Group, Log};

/// A finding for each event about which something is to be done, what is most pressing first.
#[must_use]
pub fn findings(log: &Log) -> Vec<Finding> {
    let is_pressing = |group: &&Group| group.event.to_do().is_some_and(|action| action != Action::Ignore);
    let unknown = |group: &&Group| group.event.code.is_some() && group.event.action.is_none();
    let mut groups: Vec<&Group> = log.groups.iter().filter(|group| is_pressing(group) || unknown(group)).collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.event.to_do()), group.first_line));
    groups.into_iter().map(finding).collect()
}

fn finding(group: &Group) -> Finding {
    let event = &group.event;
    let code = event.code.map_or_else(String::new, |code| format!("Xid {code}, "));
    let link = event.link.map_or_else(String::new, |link| format!(", link {link}"));
    let mut places = vec![Place::new("gpu", &event.gpu)];
    places.extend(event.link.map(|link| Place::new("link", link)));
    places.extend(event.process.as_ref().map(|process| Place::new("process", process)));
    let lines = Evidence::new("lines that say so", group.count as f64, "");
    let lines = lines.beside("the first on line", group.first_line as f64);
    let (advice, confidence) = match event.to_do() {
        Some(action) => {
            (vec![format!("{} NVIDIA's catalogue: {}.", action.advice(), action.name())], Confidence::Certain)
        }
        None => (vec!["NVIDIA's catalogue does not say what to do about it.".to_owned()], Confidence::Possible),
    };
    Finding {
        rule: "xid".to_owned(),
        verdict: format!("GPU {}{link}: {code}{}", event.gpu, event.what),
        places,
        since: None,
        confidence,
        evidence: vec![lines],
        advice,
        speedup: None,
    }
}

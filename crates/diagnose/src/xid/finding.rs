//! What a kernel log comes to, in words.

use fleet::finding::{Confidence, Evidence, Finding, Place};

use super::action::Action;
use super::line::Event;
use super::log::{Group, Log};

/// A finding for each event about which something is to be done, what is most pressing first.
#[must_use]
pub fn findings(log: &Log) -> Vec<Finding> {
    let mut groups: Vec<&Group> = log.groups.iter().filter(|group| is_told(&group.event)).collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.event.to_do()), group.first_line));
    groups.into_iter().map(in_log).collect()
}

/// Whether something is to be done about an event, or nobody says what.
pub(crate) fn is_told(event: &Event) -> bool {
    let is_pressing = event.to_do().is_some_and(|action| action != Action::Ignore);
    let unknown = event.code.is_some() && event.action.is_none();
    is_pressing || unknown
}

fn in_log(group: &Group) -> Finding {
    let lines = Evidence::new("lines that say so", group.count as f64, "");
    Finding { evidence: vec![lines.beside("the first on line", group.first_line as f64)], ..finding(&group.event) }
}

/// What an event comes to, without evidence.
pub(crate) fn finding(event: &Event) -> Finding {
    let code = event.code.map_or_else(String::new, |code| format!("Xid {code}, "));
    let link = event.link.map_or_else(String::new, |link| format!(", link {link}"));
    let mut places = vec![Place::new("gpu", &event.gpu)];
    places.extend(event.link.map(|link| Place::new("link", link)));
    places.extend(event.process.as_ref().map(|process| Place::new("process", process)));
    let (advice, confidence) = match event.to_do() {
        Some(action) => {
            (vec![format!("{} NVIDIA's catalogue: {}.", action.advice(), action.name())], Confidence::Certain)
        }
        None => (vec!["NVIDIA's catalogue does not say what to do about it.".to_owned()], Confidence::Possible),
    };
    let mut finding = Finding::new(RULE, format!("GPU {}{link}: {code}{}", event.gpu, event.what));
    finding.places = places;
    finding.confidence = confidence;
    finding.advice = advice;
    finding
}

/// The rule's name.
pub(crate) const RULE: &str = "xid";

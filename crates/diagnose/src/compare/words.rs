//! A comparison in a sentence, and what changed about a part.

use super::{Calls, Comparison};

/// What is this near to what it was is as it was.
const ALIKE: f64 = 0.05;

impl Comparison {
    /// What came of it, with what is most of the difference.
    #[must_use]
    pub fn verdict(&self) -> String {
        let (of, difference) = (plural(self.of), self.difference());
        let percent = if self.before > 0.0 { 100.0 * difference / self.before } else { 0.0 };
        if !self.differs() {
            return format!("{of} take as long as before: {} ({percent:+.1} %)", self.length(self.after));
        }
        let longer = if difference > 0.0 { "longer" } else { "less" };
        let begin = format!("{of} take {} {longer} ({percent:+.0} %)", self.length(difference.abs()));
        // What goes the other way explains nothing of it.
        let most = self.parts.iter().find(|part| part.difference * difference > 0.0);
        let Some(most) = most else { return begin };
        let share = 100.0 * most.share.unwrap_or(0.0);
        let how = if most.how.is_empty() { String::new() } else { format!(", {}", most.how) };
        format!("{begin}: {} of it ({share:.0} %) is {}{how}", self.length(most.difference.abs()), short(&most.name))
    }

    /// A length with its unit, in four digits at most.
    #[must_use]
    pub fn length(&self, value: f64) -> String {
        let (value, unit) = match self.unit {
            "us" if value.abs() >= 1e6 => (value / 1e6, "s"),
            "us" if value.abs() >= 1e3 => (value / 1e3, "ms"),
            "us" => (value, "µs"),
            "s" if value.abs() < 1.0 => (value * 1e3, "ms"),
            unit => (value, unit),
        };
        let decimals = match value.abs() {
            0.0..10.0 => 2,
            10.0..1_000.0 => 1,
            _ => 0,
        };
        format!("{value:.decimals$} {unit}").trim_end().to_owned()
    }
}

fn plural(of: &str) -> String {
    let mut letters = of.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).chain(['s']).collect())
}

/// Names of kernels are long; what comes before their arguments tells them apart.
#[must_use]
pub(super) fn short(name: &str) -> String {
    const LONGEST: usize = 60;
    let name = name.strip_prefix("void ").unwrap_or(name);
    let end = name.find(['<', '(']).filter(|end| *end > 0).unwrap_or(name.len());
    let begin: String = name[..end].chars().take(LONGEST).collect();
    begin.trim_end().to_owned()
}

/// What changed: how often it is called, and how long each call takes of device time (`exposed`) and by itself (`alone`); each is the
/// factor from before to after.
pub(super) fn how(calls: &Calls, exposed: f64, alone: f64) -> String {
    let same = |factor: f64| (factor - 1.0).abs() <= ALIKE;
    let often = calls.after / calls.before;
    let often_words =
        if same(often) { "called as often as before".to_owned() } else { format!("called {often:.2} times as often") };
    let length_words = if same(exposed) {
        "each as long as before".to_owned()
    } else if same(alone) {
        let behind = if exposed > 1.0 { "less" } else { "more" };
        format!("each as long as before, and {behind} of it runs behind other work")
    } else if !alone.is_finite() || alone <= 0.0 {
        "some take no time in one of the two".to_owned()
    } else if alone > 1.0 {
        format!("each {alone:.2} times as long")
    } else {
        format!("each {:.2} times as fast", 1.0 / alone)
    };
    let and = if same(often) != same(exposed) && !(same(often) && same(alone)) { "but" } else { "and" };
    format!("{often_words} {and} {length_words}")
}

//! Moments, amounts and states in words.

use std::time::{SystemTime, UNIX_EPOCH};

use fleet::node::Resources;
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use maud::{Markup, html};
use store::{Row, State};

/// The moment at which a page is made.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long ago a moment is, or how long until then; the moment itself is in the title.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> Markup {
    let words = match now.0.saturating_sub(at.0) {
        -999..=999 => "now".to_owned(),
        past if past > 0 => format!("{} ago", whole_seconds(Millis(past))),
        ahead => format!("in {}", whole_seconds(Millis(-ahead))),
    };
    html! { time datetime=(at) title=(at) { (words) } }
}

/// `-` where there is no moment.
pub(super) fn maybe_ago(at: Option<Timestamp>, now: Timestamp) -> Markup {
    at.map_or_else(|| html! { "–" }, |at| ago(at, now))
}

/// A length of time, without the milliseconds of what is longer than a second.
pub(super) fn whole_seconds(length: Millis) -> String {
    let ms = if length.0.abs() < 1_000 { length.0 } else { length.0 / 1_000 * 1_000 };
    Millis(ms).to_string()
}

/// Three digits and a thin space: `100 000`, in any language.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Thousandths as a number: `2`, `0.25`.
pub(super) fn thousandths(amount: u64) -> String {
    let (whole, rest) = (amount / 1_000, amount % 1_000);
    if rest == 0 {
        return count(whole);
    }
    format!("{}.{}", count(whole), format!("{rest:03}").trim_end_matches('0'))
}

/// A share in hundredths; what is more than nothing does not look like nothing.
pub(super) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 { "< 1 %".into() } else { format!("{:.0} %", share * 100.0) }
}

/// What is known in words, or that it is not.
pub(super) fn known<T>(value: Option<T>, words: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "unknown".into(), words)
}

/// With a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{}.", capital(text)) }
}

/// With a capital letter.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_uppercase(), letters.as_str()))
}

/// A measured number, in three figures or so: `12345`, `123`, `12.3`, `1.23`, `0.0123`.
pub(super) fn figure(value: f64) -> String {
    if value == 0.0 || !value.is_finite() || value.abs() >= 100.0 {
        return format!("{value:.0}");
    }
    let decimals = (2 - value.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `1 workload`, `5 workloads`.
pub(super) fn some(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `2 devices, 4 cores, 16 GiB`.
pub(super) fn resources(amount: Resources) -> String {
    let mut parts = Vec::new();
    let mut part = |amount: u64, noun: &str| {
        if amount > 0 {
            parts.push(format!("{} {noun}{}", thousandths(amount), if amount == 1_000 { "" } else { "s" }));
        }
    };
    part(amount.devices.0, "device");
    part(amount.cpu.0, "core");
    if amount.memory.0 > 0 {
        parts.push(amount.memory.to_string());
    }
    if parts.is_empty() { "nothing".into() } else { parts.join(", ") }
}

/// A state in words.
pub(super) fn state(state: State) -> String {
    state.name().replace('_', " ")
}

/// A state as it is shown in tables: a word, and a mark beside it.
pub(super) fn badge(of: State) -> Markup {
    html! { span class={ "state " (of.name()) } { (state(of)) } }
}

/// What a workload is called.
pub(super) fn called(row: &Row) -> &str {
    row.name.as_deref().unwrap_or(&row.command)
}

/// An address with a query; absent parts are left out.
pub(super) fn address(path: &str, parts: &[(&str, Option<&str>)]) -> String {
    let parts: Vec<(&str, &str)> = parts.iter().filter_map(|(name, value)| Some((*name, (*value)?))).collect();
    // Pairs of texts can always be written.
    let query = serde_urlencoded::to_string(parts).unwrap_or_default();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(count(999), "999");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(
            (thousandths(2_000), thousandths(250), thousandths(1_500)),
            ("2".into(), "0.25".into(), "1.5".into())
        );
        assert_eq!(some(1, "device"), "1 device");
    }

    #[test]
    fn figures_are_as_long_as_they_tell_something() {
        let figures = [12_345.4, 123.4, 12.34, 1.236, 0.01234, 50.0, 0.0, -1.5].map(figure);
        assert_eq!(figures, ["12345", "123", "12.3", "1.24", "0.0123", "50", "0", "-1.5"]);
    }

    #[test]
    fn addresses_hold_any_name() {
        let parts = [("queue", Some("a&b=<c> é")), ("user", None), ("text", Some(""))];
        assert_eq!(address("/jobs", &parts), "/jobs?queue=a%26b%3D%3Cc%3E+%C3%A9&text=");
    }
}

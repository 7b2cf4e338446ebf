//! Amounts of a loader as people read them.

use super::data::count;

/// Samples in a second, or whatever else is in one.
pub(super) fn rate(rate: f64) -> String {
    if rate < 9.95 { format!("{rate:.1}") } else { count(rate.round() as u64) }
}

/// A share of time. Never rounds something to nothing.
pub(super) fn percent(share: f64) -> String {
    match 100.0 * share {
        _ if share <= 0.0 => "–".to_owned(),
        percent if percent < 1.0 => "< 1 %".to_owned(),
        percent => format!("{percent:.0} %"),
    }
}

/// How many times as fast something would be.
pub(super) fn times(times: f64) -> String {
    if times < 9.95 { format!("{times:.1} times as fast") } else { format!("{times:.0} times as fast") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short_and_nothing_is_rounded_away() {
        assert_eq!([0.04, 9.94, 9.96, 1234.5].map(rate), ["0.0", "9.9", "10", "1,235"]);
        assert_eq!([0.0, 0.001, 0.005, 0.38, 1.0].map(percent), ["–", "< 1 %", "< 1 %", "38 %", "100 %"]);
        assert_eq!([1.25, 12.3].map(times), ["1.2 times as fast", "12 times as fast"]);
    }
}

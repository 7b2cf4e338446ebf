//! How long series are kept, and how exactly.

use fleet::quantity::{Bytes, Millis};

/// How the series of some sources are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesRule {
    /// Of which sources: those whose names begin so. Of all, where it is empty.
    pub sources: &'static str,
    /// Every scrape, until it is so old.
    pub every_scrape_for: Millis,
    /// From then on what they come to (mean, least, most, how many) in intervals of this length, at least a millisecond.
    pub interval: Millis,
    /// Nothing that is older than this.
    pub intervals_for: Millis,
}

/// The rules that hold where no others are given; a source follows the first that names it. Two weeks of every scrape let last week be
/// compared with this one; a year of minutes tells seasons.
pub const SERIES_RULES: &[SeriesRule] = &[SeriesRule {
    sources: "",
    every_scrape_for: Millis::hours(14 * 24),
    interval: Millis::minutes(1),
    intervals_for: Millis::hours(365 * 24),
}];

/// How long series are kept, and how much room they may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesRules<'r> {
    /// A source follows the first that names it; the series of one that none names are kept as they are.
    pub rules: &'r [SeriesRule],
    /// Chunks take no more than this together: the oldest go, whatever the rules say, but for pinned ones.
    pub bytes_max: Bytes,
}

impl Default for SeriesRules<'static> {
    /// [`SERIES_RULES`], and 8 GiB.
    fn default() -> Self {
        Self { rules: SERIES_RULES, bytes_max: Bytes::gibi(8) }
    }
}

impl SeriesRules<'_> {
    /// The rule that a source follows.
    pub(super) fn of(&self, source: &str) -> Option<&SeriesRule> {
        self.rules.iter().find(|rule| source.starts_with(rule.sources))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_names_a_source_holds() {
        let rule = |sources| SeriesRule { sources, ..SERIES_RULES[0].clone() };
        let rules = [rule("agent/"), rule("agent/slow"), rule("loader")];
        let rules = SeriesRules { rules: &rules, bytes_max: Bytes(1) };
        let of = |source| rules.of(source).map(|rule| rule.sources);
        assert_eq!((of("agent/slow"), of("loader"), of("other")), (Some("agent/"), Some("loader"), None));
    }
}

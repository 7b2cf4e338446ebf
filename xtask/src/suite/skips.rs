//! Reading the file to which skipped tests write a line each.

use std::collections::BTreeMap;

/// A test that returned early, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Skip {
    /// The kind of thing that was absent, as `testkit::Need` prints it.
    pub(super) need: String,
    /// The test's path.
    pub(super) test: String,
    /// What was absent, and how to get it.
    pub(super) reason: String,
}

/// The skips of a log, by test; a test that wrote twice is told once.
pub(super) fn parse(log: &str) -> Vec<Skip> {
    let mut by_test = BTreeMap::new();
    for line in log.lines().filter(|line| !line.is_empty()) {
        let mut fields = line.splitn(3, '\t');
        let mut next = || fields.next().unwrap_or("unknown").to_owned();
        let (need, test, reason) = (next(), next(), next());
        // A line that is not ours is shown rather than dropped: every line stands for a test that did not run.
        by_test.entry(test.clone()).or_insert(Skip { need, test, reason });
    }
    by_test.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_is_told_once_in_order() {
        let skips = parse("slurm\tz\tno slurmctld\nshared-data\ta\tno trace\nslurm\tz\tno slurmctld\n");
        let told: Vec<_> = skips.iter().map(|skip| (skip.test.as_str(), skip.need.as_str())).collect();
        assert_eq!(told, [("a", "shared-data"), ("z", "slurm")]);
    }

    #[test]
    fn a_broken_line_is_still_a_skip() {
        assert_eq!(parse("gibberish\n").len(), 1);
    }
}

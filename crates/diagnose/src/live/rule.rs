//! What can be wrong with what runs now: every rule, for tables.

use fleet::signal::Signal;

use super::cause::{self, CAUSES};
use super::{crash, hang, node};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// A short name that stays the same.
    pub name: &'static str,
    /// What it finds, in words.
    pub about: &'static str,
    /// Signals that it reads, beside what step clocks tell.
    pub signals: &'static [&'static Signal],
    /// Its threshold, and where that is from.
    pub threshold: &'static str,
}

/// Every rule, in the order in which they are asked.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let causes = CAUSES.iter().map(|cause| &cause.rule);
    [&crash::RULE, &hang::RULE].into_iter().chain(causes).chain([&cause::UNEXPLAINED]).chain(node::rules())
}

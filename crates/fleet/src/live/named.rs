//! What holds for names and rules that people give.

use super::submission::{Invalid, Submission, invalid};
use crate::history::QueueRecord;
use crate::quantity::Millis;

/// The most that a queue's rules may name, in thousandths: of a billion devices or cores, far from where sums overflow.
const AMOUNT_MAX_MILLI: u64 = 1_000_000_000_000;

/// Names are shown in tables, pages and logs, and are parts of addresses: bounded, and without what could move a cursor, break a
/// line, open a tag or leave a folder. Whoever shows them escapes them all the same; this is for those who forget.
pub(super) fn check_name(field: &'static str, name: &str) -> Result<(), Invalid> {
    if name.is_empty() || name.chars().count() > Submission::NAME_MAX {
        return Err(invalid(field, format!("1 to {} characters are expected", Submission::NAME_MAX)));
    }
    if name.chars().any(char::is_control) {
        return Err(invalid(field, "control characters are not allowed"));
    }
    if name.contains(['<', '>']) {
        return Err(invalid(field, "`<` and `>` are not allowed in names"));
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Err(invalid(field, "`..` is not allowed as a part of a name"));
    }
    Ok(())
}

pub(super) fn check_time_limit(field: &'static str, limit: Millis) -> Result<(), Invalid> {
    if (1..=Submission::TIME_LIMIT_MAX.0).contains(&limit.0) {
        return Ok(());
    }
    Err(invalid(field, "a time limit is above zero, and at most ten years"))
}

/// Whether a queue can have these rules.
///
/// # Errors
/// The first field that is wrong.
pub fn check_queue(rules: &QueueRecord) -> Result<(), Invalid> {
    check_name("name", &rules.name)?;
    let amounts = [
        ("quota_milli", rules.quota_milli),
        ("limit_milli", rules.limit_milli),
        ("limit_per_user_milli", rules.limit_per_user_milli),
    ];
    for (field, amount) in amounts {
        if amount.is_some_and(|amount| amount.0 > AMOUNT_MAX_MILLI) {
            return Err(invalid(field, format!("at most {AMOUNT_MAX_MILLI} thousandths are expected")));
        }
    }
    let limits =
        [("time_limit_max_ms", rules.time_limit_max_ms), ("time_limit_default_ms", rules.time_limit_default_ms)];
    for (field, limit) in limits {
        limit.map_or(Ok(()), |limit| check_time_limit(field, limit))?;
    }
    match (rules.time_limit_default_ms, rules.time_limit_max_ms) {
        (Some(usual), Some(most)) if usual > most => {
            Err(invalid("time_limit_default_ms", format!("it is above the longest that is allowed, {most}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::MilliDevice;

    #[test]
    fn names_hold_nothing_that_does_harm() {
        for name in ["train", "R&D", "team/model", "llama 7b (lr=0.1)", "a..b", "größe", "..."] {
            assert_eq!(check_name("name", name), Ok(()), "{name}");
        }
        for name in ["", "a\nb", "\u{1b}[2J", "<b>", "a > b", "..", "../a", "a/../b", "..\\a"] {
            assert!(check_name("name", name).is_err(), "{name}");
        }
    }

    #[test]
    fn rules_of_a_queue_are_in_range() {
        let good = QueueRecord {
            name: "training".into(),
            quota_milli: Some(MilliDevice(8_000)),
            time_limit_max_ms: Some(Millis::hours(8)),
            time_limit_default_ms: Some(Millis::hours(8)),
            ..QueueRecord::default()
        };
        let check = |change: fn(&mut QueueRecord), expected: Option<&str>| {
            let mut rules = good.clone();
            change(&mut rules);
            assert_eq!(check_queue(&rules).err().map(|invalid| invalid.field), expected, "{rules:?}");
        };
        check(|_| {}, None);
        check(|rules| rules.name = "../x".into(), Some("name"));
        check(|rules| rules.limit_milli = Some(MilliDevice(u64::MAX)), Some("limit_milli"));
        check(|rules| rules.time_limit_max_ms = Some(Millis(0)), Some("time_limit_max_ms"));
        check(|rules| rules.time_limit_default_ms = Some(Millis(i64::MAX)), Some("time_limit_default_ms"));
        check(|rules| rules.time_limit_default_ms = Some(Millis::hours(9)), Some("time_limit_default_ms"));
    }
}

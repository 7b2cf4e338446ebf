//! What a step of a recommendation sets, where it is a command of this program.
//!
//! The words that are shown are the words that are read, by the same definitions as those that are typed. Nothing is a step of ours but
//! what sets the rules of one queue or those of scheduling, or drains a node or uses it again, in the installation that it is shown in.

use clap::Parser;
use control::Rule;
use fleet::recommendation::Step;

use crate::cli;

/// The rule that a step sets; why not, if it sets none.
pub(crate) fn rule_of(step: &Step) -> Result<Rule, String> {
    if step.system != Step::TRIMTAB {
        return Err(format!("this is done to {}, which Trimtab does not steer: do it there, as shown", step.system));
    }
    let none = || format!("`{}` is no command that sets rules", step.text);
    let words = shlex::split(&step.text).ok_or_else(none)?;
    let elsewhere = words.iter().any(|word| word == "--folder" || word.starts_with("--folder="));
    if words.first().is_none_or(|word| word != "trimtab") || elsewhere {
        return Err(none());
    }
    let arguments = cli::Arguments::try_parse_from(&words).map_err(|_| none())?;
    let rule = arguments.rule().map_err(|failure| format!("`{}`: {failure}", step.text))?;
    rule.ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use fleet::history::QueueRecord;
    use fleet::policy::{Order, Placement, Policy};
    use fleet::quantity::{MilliDevice, Millis};

    use super::*;

    fn read(text: &str) -> Result<Rule, String> {
        rule_of(&Step { system: Step::TRIMTAB.into(), text: text.into() })
    }

    #[test]
    fn what_sets_rules_is_read_as_if_it_were_typed() {
        let rules = QueueRecord {
            name: "a b".into(),
            quota_milli: Some(MilliDevice(2_500)),
            limit_running: Some(8),
            priority: -3,
            time_limit_max_ms: Some(Millis::hours(2)),
            ..QueueRecord::default()
        };
        let text = "trimtab queues set 'a b' --quota 2.5 --limit-running 8 --priority -3 --time-limit-max 7200s";
        assert_eq!(read(text), Ok(Rule::Queue(Box::new(rules))));
        let policy = Policy { placement: Placement::BestFit, ..Policy::new(Order::Fifo) };
        assert_eq!(read("trimtab policy set fifo --placement best_fit"), Ok(Rule::Policy(policy)));
        assert_eq!(read("trimtab drain 'a b'"), Ok(Rule::Drained("a b".into())));
        assert_eq!(read("trimtab drain gpu-3 --undo"), Ok(Rule::Usable("gpu-3".into())));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "trimtab",
            "trimtab queues",
            "trimtab queues set",
            "trimtab queues set a --quota -1",
            "trimtab queues set a --nonsense",
            "trimtab queues set a --help",
            "trimtab queues set a --folder /elsewhere",
            "trimtab queues set a --folder=/elsewhere",
            "trimtab --folder /elsewhere queues set a",
            "trimtab queues set a; trimtab cancel 1",
            "trimtab queues set 'a",
            "trimtab policy",
            "trimtab policy set nonsense",
            "trimtab policy set fifo --placement nonsense",
            "trimtab cancel 1",
            "trimtab drain",
            "trimtab drain gpu-3 --folder /elsewhere",
            "trimtab submit -- rm -r /",
            "trimtab apply x --yes",
            "rm -r /",
            "/tmp/trimtab queues set a",
        ] {
            assert!(read(text).is_err(), "{text}: {:?}", read(text));
        }
        let elsewhere = Step { system: "slurm.conf".into(), text: "trimtab queues set a".into() };
        assert!(rule_of(&elsewhere).unwrap_err().contains("slurm.conf, which Trimtab does not steer"));
    }
}

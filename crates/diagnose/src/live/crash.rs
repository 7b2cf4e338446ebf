//! Processes that ended without a word.

use fleet::finding::{Confidence, Evidence, Finding, Place, Since};
use fleet::quantity::Millis;
use fleet::time::Timestamp;

use super::job::Job;
use super::rule::Rule;

pub(super) static RULE: Rule = Rule {
    name: "crash",
    about: "a process of a job ended without saying so; which was the first, and whether that happens again and again",
    signals: &[],
    threshold: "its connection broke, and it had not said that it ends; a loop from the third time within ten minutes on; ours",
};

/// Who was gone so shortly after the first went because of it.
const FOLLOWED_WITHIN: Millis = Millis(5_000);
/// So long it is waited for others that go, before it is said who was first.
const SETTLED_AFTER: Millis = Millis(1_000);
/// So many crashes within so long are a loop: starting it again does not help.
const LOOP: usize = 3;
const LOOP_WITHIN: Millis = Millis(600_000);
/// A crash is news for so long; a job that goes on without the rank has told so by then.
const NEWS_FOR: Millis = Millis(600_000);

/// The crash of a job, if one of its ranks crashed.
pub(super) fn find(name: &str, job: &Job, now: Timestamp) -> Option<Finding> {
    let mut crashed: Vec<(Timestamp, u32)> =
        job.ranks.iter().filter_map(|(&rank, member)| Some((member.crashed?, rank))).collect();
    crashed.sort_unstable();
    let &(first, rank) = crashed.first()?;
    if now.since(first) < SETTLED_AFTER || now.since(first) > NEWS_FOR {
        return None;
    }
    let followed = crashed.iter().filter(|(at, _)| at.since(first) <= FOLLOWED_WITHIN).count() - 1;
    let then = match followed {
        0 => String::new(),
        1 => "; one other followed".to_owned(),
        many => format!("; {many} others followed"),
    };
    let lately = job.crashes.iter().filter(|at| now.since(**at) <= LOOP_WITHIN).count();
    let again =
        if lately >= LOOP { format!("; it is the crash number {lately} within ten minutes") } else { String::new() };
    let mut finding = Finding::new(RULE.name, format!("Rank {rank} of {name} ended without a word{then}{again}"));
    finding.places = vec![Place::new("job", name), Place::new("rank", rank)];
    finding.since = Some(Since::Time(first));
    finding.confidence = Confidence::Certain;
    let member = job.ranks.get(&rank)?;
    finding.evidence.extend(member.step.map(|step| Evidence::new("the last step that it ended", step as f64, "")));
    finding.evidence.push(Evidence::new("others that ended within 5 s after it", followed as f64, ""));
    finding.advice = vec![
        "Look at what it wrote last, and in the kernel log for a kill for want of memory or an Xid of its device (dmesg | trimtab diagnose -).".to_owned(),
        if lately >= LOOP {
            "Do not start it again as it is: it crashes each time. Look at what is the same each time: the step, the rank, the sample.".to_owned()
        } else {
            "Restart the job from its last checkpoint.".to_owned()
        },
    ];
    Some(finding)
}

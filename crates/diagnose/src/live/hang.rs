//! Jobs that do not go on.
//!
//! While a step is under way its processes tell once a second what they do. Where nobody ends a step for long, those that are in the
//! exchange wait, and those that are not, or that tell nothing, are whom they wait for.

use fleet::finding::{Confidence, Evidence, Finding, Place, Since};
use fleet::quantity::Millis;
use fleet::series::Thing;
use fleet::signal::process;
use fleet::step::Phase;
use fleet::time::Timestamp;

use super::cause::moment;
use super::job::{Job, Member};
use super::rule::Rule;
use super::signals::{Signals, Span};

/// A job hangs where no step ends for so many times as long as usual.
const TIMES: f64 = 10.0;
/// But not before so long.
const AT_LEAST: Millis = Millis(10_000);
/// Where it is not known what is usual: steps that compile or load for minutes are no hang.
const UNKNOWN: Millis = Millis(300_000);
/// A process that is alive and not stopped tells something every second while a step is under way; one that did not for so long is silent.
const SILENT: Millis = Millis(4_000);

pub(super) static RULE: Rule = Rule {
    name: "hang",
    about: "no step of a job ends for long; whom those that wait in the exchange wait for",
    signals: &[&process::STOPPED],
    threshold: "no step has ended for ten times as long as one usually takes, and for 10 s at least; five minutes where all ranks still do something; ours",
};

/// What a rank is found doing.
enum Found {
    Waits,
    Does(Phase),
    Silent,
    Stopped,
}

/// The hang of a job, if it hangs.
pub(super) fn find(name: &str, job: &Job, usual_us: Option<f64>, signals: &Signals, now: Timestamp) -> Option<Finding> {
    let stepped = job.stepped?;
    let patience = usual_us.map_or(UNKNOWN, |us| Millis((us * TIMES / 1e3) as i64).max(AT_LEAST));
    let quiet = now.since(stepped);
    let there = |member: &&Member| !member.ended && member.crashed.is_none();
    if quiet <= patience || job.ranks.values().filter(there).count() == 0 {
        return None;
    }
    let present = job.ranks.iter().filter(|(_, member)| there(member));
    let found: Vec<(u32, &Member, Found)> = present.map(|(&rank, member)| (rank, member, doing(member, now))).collect();
    let lately = Span { from: now - SILENT, until: now };
    let is_stopped = |member: &Member| {
        let stopped = member.pid.and_then(|pid| signals.mean(&process::STOPPED, &Thing::Process(pid), lately));
        stopped.is_some_and(|stopped| stopped > 0.5)
    };
    // Where some are stopped, all others wait for them, whatever they say.
    let any_stopped = found.iter().any(|(_, member, _)| is_stopped(member));
    let found: Vec<(u32, &Member, Found)> = found
        .into_iter()
        .map(|(rank, member, found)| match (any_stopped, is_stopped(member)) {
            (true, true) => (rank, member, Found::Stopped),
            (true, false) => (rank, member, Found::Waits),
            (false, _) => (rank, member, found),
        })
        .collect();
    let waits = found.iter().filter(|(.., found)| matches!(found, Found::Waits)).count();
    let missing: Vec<&(u32, &Member, Found)> =
        found.iter().filter(|(.., found)| !matches!(found, Found::Waits)).collect();
    // All of them compute, load or save: that takes long, and nobody waits for anybody.
    let alone = found.len() == 1;
    if waits == 0 && !alone && missing.iter().all(|(.., found)| matches!(found, Found::Does(_))) && quiet <= UNKNOWN {
        return None;
    }
    let mut finding = Finding::new(RULE.name, verdict(name, &missing, waits, quiet));
    finding.places.push(Place::new("job", name));
    finding.places.extend(missing.iter().map(|(rank, ..)| Place::new("rank", rank)).filter(|_| waits > 0));
    finding.since = Some(Since::Time(stepped));
    finding.confidence = if missing.is_empty() { Confidence::Likely } else { Confidence::Certain };
    finding.evidence.push(
        Evidence::new("no step has ended for", quiet.0 as f64 / 1e3, "s")
            .beside("a hang after", patience.0 as f64 / 1e3),
    );
    finding.evidence.push(Evidence::new("ranks that wait in the exchange", waits as f64, ""));
    for (rank, member, found) in &missing {
        finding.evidence.push(match found {
            Found::Stopped => Evidence::new(
                format!("rank {rank} is stopped, and has told nothing for"),
                now.since(member.told).0 as f64 / 1e3,
                "s",
            ),
            Found::Does(phase) => {
                let since = member.doing.map_or(now, |doing| moment(doing.since_us));
                Evidence::new(format!("rank {rank} is in `{}`", phase.name()), now.since(since).0 as f64 / 1e3, "s")
            }
            Found::Silent | Found::Waits => {
                Evidence::new(format!("rank {rank} has told nothing for"), now.since(member.told).0 as f64 / 1e3, "s")
            }
        });
    }
    finding.advice = advice(&missing, waits);
    Some(finding)
}

fn doing(member: &Member, now: Timestamp) -> Found {
    match member.doing {
        _ if now.since(member.told) > SILENT => Found::Silent,
        Some(doing) if doing.phase == Phase::Communication => Found::Waits,
        Some(doing) => Found::Does(doing.phase),
        None => Found::Does(Phase::Other),
    }
}

fn verdict(name: &str, missing: &[&(u32, &Member, Found)], waits: usize, quiet: Millis) -> String {
    let seconds = quiet.0 / 1_000;
    let numbers: Vec<String> = missing.iter().map(|(rank, ..)| rank.to_string()).collect();
    let (who, does) = match &numbers[..] {
        [one] => (format!("rank {one}"), "does"),
        many => (format!("ranks {}", many.join(", ")), "do"),
    };
    match (missing.len(), waits) {
        (0, _) => format!(
            "{name} hangs for {seconds} s: all its ranks here wait in the exchange, for each other or for a rank elsewhere"
        ),
        (_, 0) => format!("{name} hangs for {seconds} s: {who} {does} not go on"),
        _ => format!("{name} hangs for {seconds} s: {who} did not come to the exchange that {waits} others wait in"),
    }
}

fn advice(missing: &[&(u32, &Member, Found)], waits: usize) -> Vec<String> {
    let silent = missing.iter().any(|(.., found)| matches!(found, Found::Silent | Found::Stopped));
    let mut advice = Vec::new();
    if missing.is_empty() && waits > 0 {
        advice.push("Look at the ranks on other nodes, and at the link between them.".to_owned());
    } else if silent {
        advice.push("A process that tells nothing is stopped, or its machine is: see its state in ps (T: stopped, D: waits for a disk or a driver).".to_owned());
    } else {
        advice.push("See where it is: py-spy dump --pid PID; a dump of PyTorch's flight recorder says which call (`trimtab diagnose dumps/`).".to_owned());
    }
    advice.push("If it does not come back, restart the job from its last checkpoint.".to_owned());
    advice
}

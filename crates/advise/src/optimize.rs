//! From a history to a report.

use fleet::queue::Metered;
use fleet::recommendation::Recommendation;
use replay::fidelity::{Verdict, fidelity};
use replay::history::History;
use replay::measure::waits;
use replay::setup::{Setup, Unfit};

use crate::ground::{Ground, Options};
use crate::question::{Answer, Question, Replayer};
use crate::recommend::{Finding, avoided, fleet_size, recommend};
use crate::report::{About, Baseline, Report};
use crate::timeline::Timeline;
use crate::waste::account;
use crate::window::Window;

/// The report's format.
const VERSION: u32 = 1;

/// Finds out what can be better. `progress` is told what is being done.
///
/// # Errors
/// If the baseline does not fit the history, such as where nothing is known of its nodes.
pub fn optimize(
    history: &History,
    options: &Options,
    replayer: &dyn Replayer,
    progress: &mut dyn FnMut(&str),
) -> Result<Report, Unfit> {
    progress("replaying the history as it was");
    let setup = Setup::new(history, &options.baseline)?;
    let question = Question { scenario: options.baseline.clone(), cap: None };
    let Some(Answer::Done(outcome)) = replayer.answer(&[question])?.pop() else { unreachable!("no cap was set") };
    let waits = waits(history, &outcome);
    let fidelity = fidelity(history, &outcome);
    progress("adding up where hours went");
    let timeline = Timeline::of(history, &outcome);
    let account = account(history, &timeline, Window::of(history, &timeline));
    let ground =
        Ground { history, options, setup: &setup, outcome: &outcome, waits: &waits, fidelity: &fidelity, replayer };
    let findings = recommend(&ground, progress)?;
    let (mut recommendations, mut withheld) = (Vec::new(), Vec::new());
    for finding in findings {
        match finding {
            Finding::Proved(recommendation) => recommendations.push(*recommendation),
            Finding::Withheld(reason) => withheld.push(reason),
        }
    }
    progress("asking how many nodes would do as much");
    avoided::tell(&ground, &mut recommendations)?;
    let total = waits.all.wait_s.count as f64;
    recommendations.sort_by(|a, b| worth(b, total).total_cmp(&worth(a, total)).then_with(|| a.id.cmp(&b.id)));
    beside(&mut recommendations);
    let report = Report {
        version: VERSION,
        history: about(history, &setup, options),
        notes: notes(history, fidelity.all.verdict),
        baseline: Baseline {
            scenario: options.baseline.id(),
            policy: setup.policy.order.name().to_owned(),
            policy_recorded: history.policy.is_some(),
            waits,
            engine: env!("CARGO_PKG_VERSION").to_owned(),
        },
        fidelity,
        account,
        recommendations,
        withheld,
    };
    Ok(report)
}

/// By what recommendations are ranked: those that save money first, by how much; then by the time they spare all who wait.
fn worth(recommendation: &Recommendation, workloads: f64) -> f64 {
    const MONEY_FIRST: f64 = 1e15;
    if let Some(cash) = &recommendation.worth.cash_saved_per_month {
        return MONEY_FIRST + cash.low.as_units();
    }
    recommendation.effect.wait_s.map_or(0.0, |wait| -wait.value * workloads)
}

/// The smallest fleet by the wait of all together is cheaper than the one in which every queue keeps it, and starves whole
/// queues: it comes right after that one, not before it.
fn beside(recommendations: &mut Vec<Recommendation>) {
    let at = |rule: &str| recommendations.iter().position(|recommendation| recommendation.rule == rule);
    if let (Some(every), Some(overall)) = (at(fleet_size::RULE), at(fleet_size::RULE_OVERALL))
        && overall < every
    {
        let moved = recommendations.remove(overall);
        recommendations.insert(every, moved);
    }
}

fn about(history: &History, setup: &Setup, options: &Options) -> About {
    let metered = match setup.metered {
        Metered::Devices => "devices",
        Metered::Cores => "cores",
    };
    About {
        source: history.header.source.clone(),
        synthetic: history.header.synthetic,
        hash: options.hash.clone(),
        from: history.from,
        until: history.until,
        workloads: history.workloads.len() as u64,
        rows_left_out: history.rows_left_out,
        nodes: setup.groups().into_iter().map(|(name, members)| (name, members.len() as u64)).collect(),
        capacity: setup.capacity().0 / 1_000,
        unit: metered.to_owned(),
    }
}

fn notes(history: &History, verdict: Verdict) -> Vec<String> {
    let mut notes = history.header.notes.clone();
    if history.policy.is_none() {
        notes.push("The source does not say how workloads were ordered; `backfill` is assumed.".into());
    }
    match verdict {
        Verdict::NotRecorded => notes.push(
            "The source records no starts, so fidelity cannot be measured: all waits are those of the replay.".into(),
        ),
        Verdict::NotReproduced => notes
            .push("The baseline replay does not reproduce the recorded waits; what hangs on waits is withheld. Rules that the source does \
                   not tell may be why: a fleet file can state the policy, the limits and the nodes."
                .into()),
        Verdict::Reproduced => {}
    }
    notes.push(
        "Each change is replayed by itself: effects of several do not add up, and alternatives exclude each other."
            .into(),
    );
    notes.push("Replays are open loop: had people waited less, they would have submitted differently.".into());
    notes
}

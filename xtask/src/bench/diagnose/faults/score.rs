//! How well faults were told: by class, by time, by rank, and by what mending them was said to bring.

use train_rig::Kind;
use train_rig::trial::Outcome;

use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

/// The rules, each once.
fn rules() -> Vec<&'static str> {
    let mut rules: Vec<&str> = Kind::ALL.into_iter().map(Kind::rule).collect();
    rules.dedup();
    rules
}

/// What is missed, what is told wrongly, and how fast.
pub(super) fn found(session: &mut Session, outcomes: &[Outcome]) {
    const BAR: u32 = 7;
    type Half = (&'static str, fn(&Outcome) -> bool);
    let halves: [Half; 3] = [
        ("all", |_| true),
        ("seeds tuned on", |outcome| outcome.case.seed.is_multiple_of(2)),
        ("seeds kept back", |outcome| !outcome.case.seed.is_multiple_of(2)),
    ];
    let faulty = outcomes.iter().filter(|outcome| outcome.case.kind.is_some()).count();
    for (what, runs, least) in [("with a fault", faulty, 200.0), ("without one", outcomes.len() - faulty, 150.0)] {
        session.add(Row::new(BAR, format!("runs {what}"), runs as f64, Target::AtLeast(least), ""));
    }
    for (name, of_half) in halves {
        let half: Vec<&Outcome> = outcomes.iter().filter(|outcome| of_half(outcome)).collect();
        let (faulty, healthy): (Vec<&Outcome>, Vec<&Outcome>) =
            half.into_iter().partition(|one| one.case.kind.is_some());
        let scores: Vec<f64> = rules().into_iter().filter_map(|rule| f1(rule, &faulty, &healthy)).collect();
        let macro_f1 = scores.iter().sum::<f64>() / scores.len() as f64;
        let case = format!("{name}: macro-F1 over {} classes, {} faulty runs", scores.len(), faulty.len());
        session.add(Row::new(BAR, case, macro_f1, Target::AtLeast(0.95), ""));
        let alarmed = healthy.iter().filter(|outcome| !outcome.told.is_empty() || !outcome.early.is_empty()).count();
        let percent = 100.0 * alarmed as f64 / healthy.len() as f64;
        let case = format!("{name}: healthy runs with a finding, of {}", healthy.len());
        session.add(Row::new(BAR, case, percent, Target::AtMost(2.0), "%"));
    }
    for kind in Kind::ALL {
        let runs: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.case.kind == Some(kind)).collect();
        if runs.is_empty() {
            continue;
        }
        let named = |outcome: &&&Outcome| outcome.told.iter().any(|told| told.rule == kind.rule());
        let right = runs.iter().filter(named).count();
        let share = 100.0 * right as f64 / runs.len() as f64;
        session.add(Row::new(
            BAR,
            format!("{}: named, of {} runs", kind.name(), runs.len()),
            share,
            Target::Stated,
            "%",
        ));
        let mut after: Vec<f64> = runs
            .iter()
            .filter_map(|outcome| outcome.told.iter().find(|told| told.rule == kind.rule()).map(|told| told.after_s))
            .collect();
        after.sort_by(f64::total_cmp);
        let limit = if kind.slows() { 10.0 } else { 30.0 };
        if let Some(slowest) = after.last() {
            let case = format!("{}: found after, slowest", kind.name());
            session.add(Row::new(BAR, case, *slowest, Target::AtMost(limit), "s"));
        }
        let ranks = runs.iter().filter(|outcome| {
            outcome.told.iter().any(|told| told.rule == kind.rule() && (told.ranks == outcome.ranks))
        });
        let share = 100.0 * ranks.count() as f64 / runs.len() as f64;
        session.add(Row::new(
            BAR,
            format!("{}: rank named, or that it is all", kind.name()),
            share,
            Target::Stated,
            "%",
        ));
    }
}

/// The harmonic mean of precision and recall of a rule; nothing where no run is of it and nobody told of it.
fn f1(of: &str, faulty: &[&Outcome], healthy: &[&Outcome]) -> Option<f64> {
    let (mut right, mut wrong, mut missed) = (0.0, 0.0, 0.0);
    for outcome in faulty.iter().chain(healthy) {
        let told = outcome.told.iter().any(|told| told.rule == of) || outcome.early.iter().any(|rule| rule == of);
        let is = outcome.case.kind.is_some_and(|kind| kind.rule() == of);
        match (told, is) {
            (true, true) => right += 1.0,
            (true, false) => wrong += 1.0,
            (false, true) => missed += 1.0,
            (false, false) => {}
        }
    }
    (right + wrong + missed > 0.0).then(|| 2.0 * right / (2.0 * right + wrong + missed))
}

/// What mending was said to bring, beside what it brought.
pub(super) fn gain(session: &mut Session, outcomes: &[Outcome]) {
    const BAR: u32 = 8;
    let mut all = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.slows()) {
        let mut errors: Vec<f64> = Vec::new();
        for outcome in outcomes.iter().filter(|outcome| outcome.case.kind == Some(kind)) {
            let Some(measured) = outcome.harmed_ms.zip(outcome.after_ms).map(|(harmed, after)| harmed / after) else {
                continue;
            };
            // What was not found promised nothing.
            let told = outcome.told.iter().find(|told| told.rule == kind.rule());
            let promised = told.and_then(|told| told.speedup).unwrap_or(1.0);
            errors.push(100.0 * (promised / measured - 1.0));
        }
        all.extend(errors.iter().copied());
        errors.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
        if let Some(median) = errors.get(errors.len() / 2) {
            let case = format!("{}: error of the promise, median of {}", kind.name(), errors.len());
            session.add(Row::new(BAR, case, *median, Target::Stated, "%"));
        }
        if let Some(worst) = errors.last() {
            session.add(Row::new(
                BAR,
                format!("{}: error of the promise, worst", kind.name()),
                *worst,
                Target::Stated,
                "%",
            ));
        }
    }
    let within = all.iter().filter(|error| error.abs() <= 15.0).count();
    let share = 100.0 * within as f64 / all.len() as f64;
    session.add(Row::new(
        BAR,
        format!("promises within 15 %, of {} runs", all.len()),
        share,
        Target::AtLeast(90.0),
        "%",
    ));
}

//! Random histories, lived again with starts that are late and that fail: what must hold of any replay, whatever is in it.

mod books;
mod draw;

use allocate::Engine;
use fleet::action::{Action, Decision};
use fleet::quantity::Millis;
use fleet::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use replay::history::History;
use replay::outcome::Outcome;
use replay::setup::Setup;
use replay::{Observer, run_observed};

use draw::Drawn;

/// Notes what was decided.
#[derive(Default)]
struct Trace(Vec<(Timestamp, Vec<Action>)>);

impl Observer for Trace {
    fn decision(&mut self, _engine: &Engine, now: Timestamp, decision: &Decision) {
        if !decision.actions.is_empty() {
            self.0.push((now, decision.actions.clone()));
        }
    }
}

fn live<T>(drawn: &Drawn, look: impl FnOnce(&Setup, &Outcome, Trace) -> T) -> T {
    let history = History::from_records(Drawn::header(), drawn.records());
    let setup = Setup::new(&history, &drawn.scenario()).expect("the scenario fits");
    let mut trace = Trace::default();
    let outcome = run_observed(&setup, drawn.seed, &mut trace);
    look(&setup, &outcome, trace)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_500,
        // Beside this file: what failed once is lived with every run.
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_is_lost_doubled_or_promised_twice(drawn in draw::history()) {
        live(&drawn, |setup, outcome, _| {
            books::nothing_twice(setup, outcome);
            books::whole(setup.history, outcome);
            books::limits(setup, outcome);
            books::nobody_lost(setup, outcome);
        });
    }

    #[test]
    fn the_same_seed_lives_the_same_and_no_future_changes_what_came_before(
        drawn in draw::history(),
        at in any::<prop::sample::Index>(),
        salt in 1..1_000_i64,
    ) {
        let (first, trace, text) = live(&drawn, |_, outcome, trace| (outcome.clone(), trace.0, format!("{outcome:?}")));
        live(&drawn, |_, outcome, again| {
            assert_eq!(trace, again.0, "the same seed decides the same");
            assert_eq!(text, format!("{outcome:?}"), "the same seed comes to the same");
        });
        if trace.is_empty() {
            return Ok(());
        }
        let now = trace[at.index(trace.len())].0;
        let until = |trace: &[(Timestamp, Vec<Action>)]| -> Vec<_> {
            trace.iter().take_while(|(at, _)| *at <= now).cloned().collect()
        };
        live(&with_another_future(&drawn, &first, now, salt), |_, _, other| {
            assert_eq!(until(&trace), until(&other.0), "what is decided up to {now} hangs on what ends later");
        });
    }
}

/// The same history, but every run that is not over by then takes another time, and ends after it too.
fn with_another_future(drawn: &Drawn, outcome: &Outcome, now: Timestamp, salt: i64) -> Drawn {
    let history = History::from_records(Drawn::header(), drawn.records());
    let mut other = drawn.clone();
    for (recorded, fate) in history.workloads.iter().zip(&outcome.workloads) {
        let record = other.workloads.iter_mut().find(|record| record.id == recorded.id).expect("it was drawn");
        // Where a node was lost, runs and attempts are not one to one.
        if fate
            .stints
            .iter()
            .any(|stint| stint.lost > Millis::ZERO || stint.cause == fleet::event::EndCause::NodeFailed)
            || drawn.node_events.iter().any(|event| event.change == fleet::history::NodeChange::Lost)
        {
            continue;
        }
        for (index, attempt) in record.attempts.iter_mut().enumerate() {
            let stint = fate.stints.get(index);
            if stint.is_some_and(|stint| stint.end <= now) {
                continue;
            }
            let ran = stint.map_or(Millis::ZERO, |stint| now.since(stint.start).max(Millis::ZERO));
            let length = attempt.run.map_or(0, |run| run.0) * salt % 5_000_000;
            attempt.run = Some(ran + Millis(1 + length));
        }
    }
    other
}

//! What slow work costs, of small histories whose answer is known.

use fleet::event::EndCause;
use fleet::history::{Attempt, Header, NodeRecord, Record, WorkloadRecord};
use fleet::money::{Currency, Money};
use fleet::node::Resources;
use fleet::quantity::Millis;
use fleet::recommendation::{Interval, Recommendation};
use fleet::time::Timestamp;
use replay::history::History;
use replay::scenario::{Change, Scenario};

use super::RULE;
use crate::ground::Options;
use crate::optimize::optimize;
use crate::question::Serial;
use crate::report::Report;
use crate::slow::Slow;

fn hours(hours: i64) -> Timestamp {
    Timestamp(0) + Millis::hours(hours)
}

/// A node of eight devices at 16 an hour; a job that holds all of it for 20 hours; and behind it, one after the other, 20 jobs that hold all
/// of it for an hour each. `wait` is added to what the record says that these waited, so that no replay reproduces it.
fn history(wait: i64) -> History {
    let node = Record::Node(NodeRecord {
        name: "n".into(),
        devices: 8,
        price_per_hour: Some(Money { micros: 16_000_000, currency: Currency::USD }),
        ..NodeRecord::default()
    });
    let job = |id: usize, start: i64, run: i64| {
        Record::Workload(Box::new(WorkloadRecord {
            id: id.to_string(),
            queue: "q".into(),
            submit: hours(0) + Millis::minutes(id as i64),
            tasks: 1,
            request: Resources::devices(8),
            attempts: vec![Attempt {
                start: Some(hours(start) + Millis::minutes(1)),
                run: Some(Millis::hours(run)),
                cause: EndCause::Completed,
                nodes: vec!["n".into()],
                ..Attempt::default()
            }],
            ..WorkloadRecord::default()
        }))
    };
    let behind = (2..22).map(|id| job(id, wait + 20 + id as i64 - 2, 1));
    let records: Vec<Record> = [node, job(1, 0, 20)].into_iter().chain(behind).collect();
    History::from_records(Header::default(), records.into_iter())
}

fn slow(workload: &str, rule: &str, from: i64, until: Option<i64>, speedup: [f64; 3]) -> Slow {
    let [low, value, high] = speedup;
    Slow {
        workload: workload.into(),
        rule: rule.into(),
        verdict: "It waits for data half of the time".into(),
        advice: vec!["Use more loaders.".into()],
        from: hours(from),
        until: until.map(hours),
        speedup: Interval { low, value, high },
    }
}

fn report(history: &History, slow: Vec<Slow>) -> Report {
    let options = Options {
        p95_wait: Millis::minutes(10),
        protected: Vec::new(),
        seed: 1,
        slow,
        baseline: Scenario::recorded(),
        name: "h".into(),
        hash: "0".into(),
    };
    optimize(history, &options, &Serial(history), &mut |_| {}).unwrap()
}

fn recommended(report: &Report) -> Vec<&Recommendation> {
    report.recommendations.iter().filter(|one| one.rule == RULE).collect()
}

/// The factors that a proof's command replays.
fn factors(recommendation: &Recommendation) -> Vec<(String, u32)> {
    let json = recommendation.proof.command.split("--scenario '").nth(1).unwrap().split('\'').next().unwrap();
    let scenario = Scenario::parse(json).unwrap();
    let factor = |change: &Change| match change {
        Change::ScaleWork { who, factor_permille } => (who.workload.clone().unwrap(), *factor_permille),
        other => panic!("{other:?}"),
    };
    scenario.changes.iter().map(factor).collect()
}

#[test]
fn a_job_that_was_slow_is_lived_again_without_that_and_all_behind_it_wait_less() {
    let history = history(0);
    // Twice as fast for ten of its twenty hours: five hours less; between 10 × (1 − 1 / 1.25) = 2 and 10 × (1 − 1 / 5) = 8.
    let report = report(&history, vec![slow("1", "data-stall", 4, Some(14), [1.25, 2.0, 5.0])]);
    let [one] = recommended(&report)[..] else { panic!("{:?}", report.withheld) };
    assert_eq!(one.title, "Fix what slows workload 1: data-stall");
    assert_eq!(factors(one), [("1".to_owned(), 750)]);
    // The job itself waits for nobody; the twenty behind it start 5 hours sooner each, or 2, or 8.
    let wait = one.effect.wait_s.unwrap();
    let mean = |hours: f64| -hours * 3_600.0 * 20.0 / 21.0;
    let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1.0, "{found} instead of {expected}");
    near(wait.value, mean(5.0));
    assert!(wait.low <= mean(8.0) + 1.0 && wait.high >= mean(2.0) - 1.0, "{wait:?}");
    assert_eq!(one.effect.better, 20);
    // 40 hours are recorded: 40 device-hours of them in 30 days are so many.
    let freed = one.worth.capacity_freed_hours_per_month.unwrap();
    let monthly = 720.0 / history.until.since(history.from).as_hours();
    near(freed.value, 40.0 * monthly);
    near(freed.low, 16.0 * monthly);
    near(freed.high, 64.0 * monthly);
    let said = one.because.join("\n");
    assert!(
        said.contains(
            "40.0 device-hours less (16.0 device-hours to 64.0 device-hours), of the 160 device-hours that it held"
        ),
        "{said}"
    );
    assert!(said.contains("USD 80"), "five hours at 16: {said}");
    assert_eq!(one.change[0].text, "Use more loaders.");
    assert!(!one.is_ours(), "nobody but its users can");
}

#[test]
fn where_nobody_waits_it_is_known_that_nobody_waits_less() {
    let history = history(0);
    // The last one: nobody is behind it.
    let report = report(&history, vec![slow("21", "data-stall", 0, None, [2.0, 2.0, 2.0])]);
    let [one] = recommended(&report)[..] else { panic!("{:?}", report.withheld) };
    assert!(one.effect.leaves_waits(), "{:?}", one.effect);
    assert_eq!((one.effect.better, one.effect.worse), (0, 0));
    assert!(
        one.because.join("\n").contains("takes 4.0 device-hours less, of the 8.0 device-hours"),
        "{:?}",
        one.because
    );
}

#[test]
fn causes_are_told_apart_and_their_workloads_together() {
    let history = history(0);
    let found = vec![
        slow("1", "data-stall", 0, Some(10), [2.0, 2.0, 2.0]),
        slow("1", "cpu-quota", 10, None, [2.0, 2.0, 2.0]),
        slow("2", "cpu-quota", 0, None, [2.0, 2.0, 2.0]),
        // Of work that is not in this history, of a gain that is none, and of a time when it did not run.
        slow("99", "hang", 0, None, [2.0, 2.0, 2.0]),
        slow("1", "slow-link", 0, None, [0.9, 1.0, 1.0]),
        slow("1", "slow-disk", 30, None, [2.0, 2.0, 2.0]),
    ];
    let report = report(&history, found);
    let mut all: Vec<Vec<(String, u32)>> = recommended(&report).into_iter().map(factors).collect();
    all.sort();
    let own = |id: &str, factor| (id.to_owned(), factor);
    assert_eq!(all, [vec![own("1", 750)], vec![own("1", 750), own("2", 500)]]);
}

#[test]
fn what_costs_little_is_withheld_and_of_waits_that_are_not_reproduced_nothing_is_promised() {
    let history = history(0);
    let little = report(&history, vec![slow("1", "data-stall", 0, Some(1), [1.1, 1.2, 1.3])]);
    assert_eq!(recommended(&little).len(), 0);
    let withheld = little.withheld.iter().find(|one| one.rule == RULE).unwrap();
    assert!(withheld.reason.contains("0.8 %"), "{}", withheld.reason);

    let history = self::history(400);
    let unsure = report(&history, vec![slow("1", "data-stall", 0, None, [2.0, 2.0, 2.0])]);
    let [one] = recommended(&unsure)[..] else { panic!("{:?}", unsure.withheld) };
    assert_eq!(one.effect.wait_s, None);
    assert!(one.risks.iter().any(|risk| risk.contains("not promised")), "{:?}", one.risks);
    assert!(one.worth.capacity_freed_hours_per_month.is_some(), "hours are those that were recorded");
}

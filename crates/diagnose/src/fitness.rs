//! Whether a node is fit to run anything: what its self-test measured, held against what is wrong by itself and against what the same node
//! measured when it was well.

use fleet::finding::{Confidence, Evidence, Finding, Place};
use fleet::health::{Better, Depth, Measured, NODE_UNFIT, Problem};

use crate::live::Rule;

/// What is this much of what it was is worse. Ours: shared disks and memory vary by a tenth or two from minute to minute.
const WORSE: f64 = 0.7;
/// So many problems are in the verdict; all are in the evidence.
const TOLD_MAX: usize = 3;

/// The rule.
pub static RULE: Rule = Rule {
    name: NODE_UNFIT,
    about: "a node fails its self-test",
    signals: &[],
    threshold: "wrong by itself, as docs/DIAGNOSE.md lists it; or worse by more than 30 % than what the node measured when it was well, or gone; ours",
};

/// What is wrong: by itself, beside `before`, and with what the kernel told of GPUs.
#[must_use]
pub fn problems(depth: Depth, found: &[Measured], before: &[Measured], told: &[Finding]) -> Vec<Problem> {
    let by_itself = found.iter().filter_map(|one| {
        let (what, words, unit) = (one.what.clone(), one.wrong.clone()?, one.unit.clone());
        Some(Problem { what, words, value: one.value, unit, before: None })
    });
    let mut problems: Vec<Problem> = by_itself.collect();
    for was in before.iter().filter(|was| depth.measures(&was.what)) {
        // What is wrong by itself is told once.
        if !problems.iter().any(|known| known.what == was.what) {
            problems.extend(worse(found, was));
        }
    }
    problems.extend(told.iter().map(|finding| Problem {
        what: "the kernel log".to_owned(),
        words: finding.verdict.clone(),
        value: None,
        unit: String::new(),
        before: None,
    }));
    problems
}

/// What is worse than it was; what was there and is not is worse, too.
fn worse(found: &[Measured], was: &Measured) -> Option<Problem> {
    let then = was.value?;
    let now = found.iter().find(|found| found.probe == was.probe && found.what == was.what);
    let problem = |words, value| {
        let (what, unit) = (was.what.clone(), was.unit.clone());
        Problem { what, words, value, unit, before: Some(then) }
    };
    let (then_words, unit) = (figure(then), spaced(&was.unit));
    let Some((now, value)) = now.and_then(|now| Some((now, now.value?))) else {
        return Some(problem(format!("{}: {then_words}{unit} before, and it is not there now", was.what), None));
    };
    let is_worse = match now.better {
        Some(Better::Higher) => value < WORSE * then,
        Some(Better::Lower) => value * WORSE > then,
        Some(Better::All) => value < then,
        None => false,
    };
    let words = || format!("{}: {}{unit}, and {then_words} before", was.what, figure(value));
    is_worse.then(|| problem(words(), Some(value)))
}

/// That a node fails its test.
#[must_use]
pub fn finding(node: &str, depth: Depth, problems: &[Problem]) -> Finding {
    let mut words: Vec<&str> = problems.iter().take(TOLD_MAX).map(|problem| problem.words.as_str()).collect();
    let more = problems.len().saturating_sub(TOLD_MAX);
    let more = (more > 0).then(|| format!("{more} more"));
    words.extend(more.as_deref());
    let mut finding = Finding::new(RULE.name, format!("{node} fails its self-test: {}", words.join("; ")));
    finding.places.push(Place::new("node", node));
    finding.confidence = Confidence::Certain;
    finding.evidence = problems.iter().map(evidence).collect();
    let test = match depth {
        Depth::Quick => "trimtab health --quick",
        Depth::Full => "trimtab health",
    };
    finding.advice =
        vec![format!("Mend what is wrong, and test {node} again: `{test}` there says whether it is well.")];
    finding
}

/// A figure; of what has none it is told that it failed, once.
fn evidence(problem: &Problem) -> Evidence {
    let evidence = match problem.value {
        Some(value) => Evidence::new(&problem.what, value, &problem.unit),
        None => Evidence::new(format!("failed: {}", problem.what), 1.0, ""),
    };
    match (problem.before, problem.value) {
        (Some(before), Some(_)) => evidence.beside("when the node was well", before),
        _ => evidence,
    }
}

/// A figure as people write it.
#[must_use]
pub fn figure(value: f64) -> String {
    let decimals = if value.fract() == 0.0 || value >= 100.0 { 0 } else { 1 };
    format!("{value:.decimals$}")
}

fn spaced(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(what: &str, value: Option<f64>, better: Option<Better>) -> Measured {
        Measured { better, ..Measured::new("disk", what, value, "MB/s") }
    }

    fn words(depth: Depth, all: &[Measured], before: &[(&str, f64)]) -> Vec<String> {
        let before: Vec<Measured> = before.iter().map(|&(what, value)| found(what, Some(value), None)).collect();
        problems(depth, all, &before, &[]).into_iter().map(|problem| problem.words).collect()
    }

    #[test]
    fn what_is_much_slower_or_gone_is_worse_and_what_varies_is_not() {
        let all = [
            found("read", Some(60.0), Some(Better::Higher)),
            found("errors", Some(2.0), Some(Better::Lower)),
            found("devices", Some(7.0), Some(Better::All)),
            found("lines", Some(1.0), None),
        ];
        let well = [("read", 80.0), ("errors", 2.0), ("devices", 7.0), ("lines", 900.0)];
        assert_eq!(words(Depth::Full, &all, &well), Vec::<String>::new());
        assert_eq!(
            words(Depth::Full, &all, &[("read", 90.0), ("errors", 0.0), ("devices", 8.0), ("write", 5.0)]),
            [
                "read: 60 MB/s, and 90 before",
                "errors: 2 MB/s, and 0 before",
                "devices: 7 MB/s, and 8 before",
                "write: 5 MB/s before, and it is not there now"
            ]
        );
    }

    #[test]
    fn a_quick_test_says_nothing_of_what_only_a_full_one_measures() {
        let before = [(Measured::BANDWIDTH, 20.0), (Measured::WRITTEN, 900.0)];
        assert_eq!(words(Depth::Quick, &[], &before), Vec::<String>::new());
        assert_eq!(words(Depth::Full, &[], &before).len(), 2);
    }

    #[test]
    fn a_finding_tells_what_is_wrong_and_shows_the_figures() {
        let gone = found("a file can be written", Some(0.0), None).wrong(Some("/data cannot be written".into()));
        let all = [gone, found("read", Some(60.0), Some(Better::Higher))];
        let told = [Finding::new("xid", "GPU 3 fell off the bus")];
        let before = [found("read", Some(90.0), None), found("lanes", Some(16.0), None)];
        let problems = problems(Depth::Quick, &all, &before, &told);
        let finding = finding("gpu-3", Depth::Quick, &problems);
        assert_eq!(
            finding.verdict,
            "gpu-3 fails its self-test: /data cannot be written; read: 60 MB/s, and 90 before; \
             lanes: 16 MB/s before, and it is not there now; 1 more"
        );
        let evidence: Vec<String> = finding
            .evidence
            .iter()
            .map(|one| format!("{} {}{:?}", one.what, one.value, one.beside.as_ref().map(|beside| beside.value)))
            .collect();
        assert_eq!(
            evidence,
            ["a file can be written 0None", "read 60Some(90.0)", "failed: lanes 1None", "failed: the kernel log 1None"]
        );
        assert_eq!(finding.places, [Place::new("node", "gpu-3")]);
    }
}

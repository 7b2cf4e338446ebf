//! What a pipeline's stragglers come to, in words.

use fleet::finding::{Confidence, Evidence, Finding, Place, Since};

use super::cause::{CORRELATED, Cause, STRAGGLES, Share};
use super::operation::Kind;
use super::trace::Trace;
use super::whatif::{WhatIf, Worker, worst};
use crate::median::mean;

/// What is wrong with a pipeline; nothing where its stragglers cost less than is worth a word.
#[must_use]
pub fn findings(trace: &Trace, whatif: &WhatIf) -> Vec<Finding> {
    let found = whatif.cause.and_then(|cause| whatif.shares.iter().find(|share| share.cause == cause));
    let Some(share) = found else {
        return if whatif.slowdown >= STRAGGLES { vec![unexplained(whatif)] } else { Vec::new() };
    };
    let finding = match share.cause {
        Cause::SlowWorker => slow_worker(trace, whatif),
        Cause::UnevenStages => uneven_stages(trace, whatif),
        Cause::UnevenLengths => uneven_lengths(whatif),
        Cause::UnevenComputation => uneven_computation(whatif),
        Cause::Communication => communication(whatif),
        Cause::Data => late_data(whatif, share),
    };
    vec![complete(finding, whatif, share)]
}

/// What each finding has in common: since when, the slowdown, what mending brings.
fn complete(mut finding: Finding, whatif: &WhatIf, share: &Share) -> Finding {
    finding.since = whatif.steps.first().map(|step| Since::Step(*step));
    let slowdown = Evidence::new("a step", whatif.straight_seconds, "s");
    finding.evidence.insert(0, slowdown.beside("if nothing straggled", whatif.even_seconds));
    finding.evidence.push(Evidence::new(
        "the part of the lost time that comes back without it",
        100.0 * share.share,
        "%",
    ));
    finding.speedup = Some(share.speedup);
    finding.confidence = if share.share >= 0.5 { Confidence::Certain } else { Confidence::Likely };
    finding
}

/// What of the job's speed a slowdown costs, in percent.
fn cost_percent(slowdown: f64) -> f64 {
    100.0 * (1.0 - 1.0 / slowdown)
}

fn slow_worker(trace: &Trace, whatif: &WhatIf) -> Finding {
    let worst = worst(&whatif.workers);
    // Those that the slowest 3 % hold beside the truly slow are not named.
    let slow: Vec<Worker> = worst.iter().copied().filter(|worker| worker.slowdown >= STRAGGLES).collect();
    let named = if slow.is_empty() { &worst[..1] } else { &slow[..] };
    let ranks: Vec<String> = named.iter().map(|worker| worker.rank.to_string()).collect();
    let (subject, verb) = if named.len() == 1 { ("rank", "is") } else { ("ranks", "are") };
    let first = named[0];
    let verdict = format!(
        "{subject} {} {verb} slow: every step waits for {}, which costs the job {:.0} % of its speed",
        listed(&ranks),
        if named.len() == 1 { "it" } else { "them" },
        cost_percent(whatif.slowdown)
    );
    let mut finding = Finding::new("slow-worker", capital(verdict));
    for worker in named {
        finding.places.push(Place::new("rank", worker.rank));
    }
    finding.places.push(Place::new("dp_rank", first.dp_rank));
    finding.places.push(Place::new("stage", first.stage));
    for kind in [Kind::ForwardCompute, Kind::BackwardCompute] {
        let of = |dp_rank: usize| computed(trace, first.stage, kind, dp_rank);
        let others: Vec<f64> =
            (0..trace.dp_ranks).filter(|&rank| rank != first.dp_rank as usize).filter_map(of).collect();
        if let (Some(own), Some(others)) = (of(first.dp_rank as usize), mean(&others)) {
            let what = format!("{} of rank {}, on average", kind.name(), first.rank);
            finding.evidence.push(Evidence::new(what, own, "s").beside("others of its stage", others));
        }
    }
    let next = whatif.workers.iter().filter(|worker| !named.contains(worker)).map(|worker| worker.slowdown);
    let slowdown =
        Evidence::new(format!("how much longer steps take for rank {} alone", first.rank), first.slowdown, "times");
    finding.evidence.push(slowdown.beside("the next slowest", next.fold(1.0, f64::max)));
    finding.advice = vec![
        format!(
            "Look at the machine of rank {}: clocks and power of its device, other processes, its kernel log.",
            first.rank
        ),
        "If it is healthy there, move that rank to another machine, and see whether the slowness moves along."
            .to_owned(),
    ];
    finding
}

/// The mean of a worker's operations of a kind, in seconds.
fn computed(trace: &Trace, stage: u32, kind: Kind, dp_rank: usize) -> Option<f64> {
    let slots = trace.of_kinds(stage, &[kind]);
    let lengths = slots.iter().flat_map(|&slot| trace.lengths(slot).iter().skip(dp_rank).step_by(trace.dp_ranks));
    mean(&lengths.copied().collect::<Vec<f64>>())
}

fn uneven_stages(trace: &Trace, whatif: &WhatIf) -> Finding {
    let of_stage = |stage: u32| -> f64 {
        let kinds = [Kind::ForwardCompute, Kind::BackwardCompute];
        let of_rank = |rank: usize| kinds.iter().filter_map(|&kind| computed(trace, stage, kind, rank)).sum::<f64>();
        mean(&(0..trace.dp_ranks).map(of_rank).collect::<Vec<f64>>()).unwrap_or(0.0)
    };
    let stages: Vec<f64> = (0..trace.stages).map(of_stage).collect();
    let slowest = (0..stages.len()).max_by(|a, b| stages[*a].total_cmp(&stages[*b])).unwrap_or(0);
    let others: Vec<f64> = stages.iter().enumerate().filter(|(stage, _)| *stage != slowest).map(|(_, s)| *s).collect();
    let others = mean(&others).unwrap_or(stages[slowest]);
    let last = slowest + 1 == stages.len();
    let verdict = format!(
        "stage {slowest}{} has {:.0} % more to compute than the others, which costs the job {:.0} % of its speed",
        if last { ", the last," } else { "" },
        100.0 * (stages[slowest] / others - 1.0),
        cost_percent(whatif.slowdown)
    );
    let mut finding = Finding::new("uneven-stages", capital(verdict));
    finding.places.push(Place::new("stage", slowest));
    let what = format!("a micro-batch forward and backward through stage {slowest}");
    finding.evidence.push(Evidence::new(what, stages[slowest], "s").beside("the other stages", others));
    let share = Evidence::new(
        "what comes back of the lost time if the last stage is as fast as is usual",
        100.0 * whatif.last_stage_share,
        "%",
    );
    finding.evidence.push(share);
    finding.advice = vec![if last {
        "Give the last stage fewer layers: it computes the output layer and the loss as well.".to_owned()
    } else {
        format!("Move layers from stage {slowest} to the others.")
    }];
    finding
}

fn uneven_lengths(whatif: &WhatIf) -> Finding {
    let verdict = format!(
        "micro-batches hold sequences of very different length, and workers wait for whoever has the longest: that costs the job \
         {:.0} % of its speed",
        cost_percent(whatif.slowdown)
    );
    let mut finding = Finding::new("uneven-lengths", capital(verdict));
    let correlation =
        Evidence::new("correlation of forward with backward computation, by micro-batch", whatif.correlation, "");
    finding.evidence.push(correlation.beside("lengths are the reason from", CORRELATED));
    finding.advice = vec![
        "Spread sequences over micro-batches and ranks by what they cost (attention grows with the square of the length), not by \
         their tokens."
            .to_owned(),
    ];
    finding
}

fn uneven_computation(whatif: &WhatIf) -> Finding {
    let verdict = format!(
        "the same computation takes very different time on the same worker, which costs the job {:.0} % of its speed",
        cost_percent(whatif.slowdown)
    );
    let mut finding = Finding::new("uneven-computation", capital(verdict));
    let correlation =
        Evidence::new("correlation of forward with backward computation, by micro-batch", whatif.correlation, "");
    finding.evidence.push(correlation.beside("lengths of sequences would show from", CORRELATED));
    finding.advice = vec![
        "Look for what interrupts workers: garbage collection, other processes, clocks that change, memory that is defragmented."
            .to_owned(),
    ];
    finding
}

fn communication(whatif: &WhatIf) -> Finding {
    let computes = ["forward-compute", "backward-compute", "optimizer", "gc"];
    let kinds = whatif.by_kind.iter().filter(|part| !computes.contains(&part.of));
    let worst = kinds.max_by(|a, b| a.slowdown.total_cmp(&b.slowdown));
    let kind = worst.map_or("communication", |part| part.of);
    let verdict = format!(
        "{kind} often takes longer than it usually does, which costs the job {:.0} % of its speed",
        cost_percent(whatif.slowdown)
    );
    let mut finding = Finding::new("communication", capital(verdict));
    if let Some(worst) = worst {
        finding.evidence.push(Evidence::new(format!("slowdown by {kind} alone"), worst.slowdown, "times"));
    }
    finding.advice =
        vec!["Look for links that lose or repeat packets, and for other jobs on the same network.".to_owned()];
    finding
}

fn late_data(whatif: &WhatIf, share: &Share) -> Finding {
    let verdict = format!(
        "steps begin late: the first stage waits for what it works on, which costs the job {:.0} % of its speed",
        cost_percent(share.speedup.value)
    );
    let mut finding = Finding::new("data-stall", capital(verdict));
    let recorded = Evidence::new("a step as recorded", whatif.recorded_seconds, "s");
    finding.evidence.push(recorded.beside("if operations begin as soon as they can", whatif.straight_seconds));
    finding.advice = vec!["Look at the data loader: `trimtab feed explain` says what holds one back.".to_owned()];
    finding
}

fn unexplained(whatif: &WhatIf) -> Finding {
    let verdict = format!(
        "stragglers cost the job {:.0} % of its speed, and no one cause explains most of it",
        cost_percent(whatif.slowdown)
    );
    let mut finding = Finding::new("stragglers", capital(verdict));
    let slowdown = Evidence::new("a step", whatif.straight_seconds, "s");
    finding.evidence.push(slowdown.beside("if nothing straggled", whatif.even_seconds));
    finding.confidence = Confidence::Possible;
    finding
}

fn capital(text: String) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `1`, `1 and 2`, `1, 2 and 3`.
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

//! Two traces of a profiler: device time for device time, of a step where both mark steps, else of the whole trace.
//!
//! Device time is cut into idle time by its cause, and what runs by its name, so that it adds up
//! (see [`kineto::Exposed`](crate::kineto::Exposed)).

use std::collections::BTreeMap;

use super::words::how;
use super::{Calls, Comparison, Figure, Part};
use crate::kineto::{Breakdown, Exposed, Work, idle_time};

/// A trace: where device time went, and which names have it.
pub type Profile<'a> = (&'a Breakdown, &'a [Exposed]);

/// What became of device time.
#[must_use]
pub fn of_profiles(before: Profile<'_>, after: Profile<'_>) -> Comparison {
    let by_step = before.0.steps > 0 && after.0.steps > 0;
    let scales = [before, after].map(|(breakdown, _)| if by_step { 1.0 / breakdown.steps as f64 } else { 1.0 });
    let whole = [before, after].map(|(breakdown, _)| breakdown.temporal.total_us);
    let whole = (whole[0] * scales[0], whole[1] * scales[1]);
    let mut parts = idle(before.0, after.0, scales);
    parts.extend(names(before.1, after.1, scales));
    // What runs beside too much else to be followed.
    let added = |of: fn(&Part) -> Option<f64>| parts.iter().filter_map(of).sum::<f64>();
    let (rest_before, rest_after) = (whole.0 - added(|part| part.before), whole.1 - added(|part| part.after));
    if rest_before.abs() + rest_after.abs() > 1e-6 * (whole.0 + whole.1) {
        parts.push(Part::between("others", "what could not be told apart", rest_before, rest_after));
    }
    let mut comparison = Comparison::of(if by_step { "step" } else { "trace" }, "us", whole, parts);
    comparison.beside = beside(before.0, after.0);
    comparison.notes.push(if by_step {
        format!("Device time of a step: of {} steps before, and of {} after.", before.0.steps, after.0.steps)
    } else {
        "Device time of the whole traces: not both mark their steps (`prof.step()`), so they must be of the same work."
            .to_owned()
    });
    comparison
}

fn idle(before: &Breakdown, after: &Breakdown, scales: [f64; 2]) -> Vec<Part> {
    let (before, after) = (idle_time(before), idle_time(after));
    let parts = [
        ("idle time in which the loop waits for data", before.data_us, after.data_us),
        ("idle time since the host launches too late", before.host_us, after.host_us),
        ("other idle time", before.other_us, after.other_us),
    ];
    let there = parts.into_iter().filter(|(_, before, after)| before.abs() + after.abs() > 0.0);
    there.map(|(name, before, after)| Part::between("idle", name, before * scales[0], after * scales[1])).collect()
}

fn names(before: &[Exposed], after: &[Exposed], scales: [f64; 2]) -> Vec<Part> {
    let mut both = BTreeMap::<&str, [Option<&Exposed>; 2]>::new();
    for (at, list) in [before, after].into_iter().enumerate() {
        list.iter().for_each(|exposed| both.entry(&exposed.name).or_default()[at] = Some(exposed));
    }
    both.into_values().filter_map(|of| part(of, scales)).collect()
}

fn part([before, after]: [Option<&Exposed>; 2], scales: [f64; 2]) -> Option<Part> {
    let any = after.or(before)?;
    let us = |of: Option<&Exposed>, scale: f64| of.map_or(0.0, |of| of.exposed_us * scale);
    let (before_us, after_us) = (us(before, scales[0]), us(after, scales[1]));
    let group = match any.work {
        Work::Computation => "computation",
        Work::Communication => "communication",
        Work::Memory => "copies",
        Work::Other => "others",
    };
    let mut part = Part::between(group, any.name.as_str(), before_us, after_us);
    match (before, after) {
        (Some(before), Some(after)) => {
            let counts = (before.calls as f64 * scales[0], after.calls as f64 * scales[1]);
            let each_before = before_us / counts.0;
            let calls = Calls {
                before: counts.0,
                after: counts.1,
                by_count: (counts.1 - counts.0) * each_before,
                by_length: after_us - counts.1 * each_before,
            };
            let factor = |before: f64, after: f64| if before > 0.0 { after / before } else { f64::INFINITY };
            let exposed = factor(each_before, after_us / counts.1);
            let alone = factor(before.sum_us / before.calls as f64, after.sum_us / after.calls as f64);
            part.how = how(&calls, exposed, alone);
            part.calls = Some(calls);
        }
        (None, _) => part.how = "which was not there before".to_owned(),
        (_, None) => part.how = "which is no longer there".to_owned(),
    }
    Some(part)
}

fn beside(before: &Breakdown, after: &Breakdown) -> Vec<Figure> {
    let mut beside = vec![Figure {
        name: "mean kernel that computes".to_owned(),
        unit: "µs",
        before: before.mean_kernel_us,
        after: after.mean_kernel_us,
    }];
    if let (Some(before), Some(after)) = (before.overlapped_communication, after.overlapped_communication) {
        let name = "communication that runs behind computation".to_owned();
        beside.push(Figure { name, unit: "%", before: 100.0 * before, after: 100.0 * after });
    }
    beside
}

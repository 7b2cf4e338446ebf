//! Two traces of a pipeline: what its operations usually take, what its stragglers cost, and how late its steps begin.

use super::{Comparison, Figure, Part};
use crate::pipeline::{Part as Slower, Trace, WhatIf, evened};

/// So many ranks, stages and kinds whose slowdowns changed most are told of each.
const CHANGED_MAX: usize = 10;

/// A trace, and what was worked out of it.
pub type Pipeline<'a> = (&'a Trace, &'a WhatIf);

/// What became of a step.
///
/// # Errors
/// If the operations of one do not fit together; says where.
pub fn of_pipelines(before: Pipeline<'_>, after: Pipeline<'_>) -> Result<Comparison, String> {
    let evened = evened(before.0, after.0)?;
    let (was, is) = (before.1, after.1);
    let mut parts: Vec<Part> = evened
        .kinds
        .iter()
        .map(|kind| {
            let factor = kind.after / kind.before;
            // Transfers that usually take no time have no factor.
            let how = if factor.is_finite() && factor > 0.0 {
                format!("of which one usually takes {factor:.2} times as long as before")
            } else {
                String::new()
            };
            Part { how, ..Part::new("operations", kind.kind.name(), kind.difference) }
        })
        .collect();
    parts.push(Part::new("operations", "the number and the order of operations", evened.rest));
    let stragglers = |whatif: &WhatIf| whatif.straight_seconds - whatif.even_seconds;
    parts.push(Part {
        how: format!("which cost {:.2} times the step without them, and {:.2} times before", is.slowdown, was.slowdown),
        ..Part::between("stragglers", "stragglers", stragglers(was), stragglers(is))
    });
    let late = |whatif: &WhatIf| whatif.recorded_seconds - whatif.straight_seconds;
    parts.push(Part::between("delays", "what the trace does not show, such as waiting for data", late(was), late(is)));
    let whole = (was.recorded_seconds, is.recorded_seconds);
    let mut comparison = Comparison::of("step", "s", whole, parts);
    comparison.beside.push(figure("slowdown by stragglers", was.slowdown, is.slowdown));
    comparison.beside.extend(changed(&was.by_stage, &is.by_stage, |stage| format!("slowdown by stage {stage} alone")));
    let rank = |rank: &u32| format!("slowdown by data-parallel rank {rank} alone");
    comparison.beside.extend(changed(&was.by_dp_rank, &is.by_dp_rank, rank));
    comparison.beside.extend(changed(&was.by_kind, &is.by_kind, |kind| format!("slowdown by {kind} alone")));
    comparison.notes.push(
        "A step as recorded is a step in which every operation takes what is usual for its type, and what stragglers and delays add \
         to it. Usual lengths are changed type by type, in the order of the types' list."
            .to_owned(),
    );
    Ok(comparison)
}

fn figure(name: impl Into<String>, before: f64, after: f64) -> Figure {
    Figure { name: name.into(), unit: "times", before, after }
}

/// Those of both whose slowdowns changed most.
fn changed<T: PartialEq>(before: &[Slower<T>], after: &[Slower<T>], name: impl Fn(&T) -> String) -> Vec<Figure> {
    let both = after.iter().filter_map(|after| {
        let before = before.iter().find(|before| before.of == after.of)?;
        Some(figure(name(&after.of), before.slowdown, after.slowdown))
    });
    let mut both: Vec<Figure> = both.collect();
    both.sort_by(|a, b| (b.after - b.before).abs().total_cmp(&(a.after - a.before).abs()));
    both.truncate(CHANGED_MAX);
    both
}

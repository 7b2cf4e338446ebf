//! One step of a pipeline, worker by worker: as recorded, and below it without stragglers.

use super::{Drawing, Kind, Lane, SEGMENTS_MAX, Segment, Tone};
use crate::pipeline::{self, Life, Span, Timeline, WhatIf};

/// The step at this place. Where not all workers can be drawn, those of the slowest data-parallel ranks are.
#[must_use]
pub fn of_pipeline(timeline: &Timeline<'_>, whatif: &WhatIf, step: usize) -> Drawing {
    let trace = timeline.trace();
    let drawn = drawn(timeline, whatif);
    let mut lane_of = vec![None; trace.ranks.len()];
    drawn.iter().enumerate().for_each(|(lane, worker)| lane_of[*worker] = Some(lane));
    let mut lanes = Vec::with_capacity(drawn.len() * Life::ALL.len());
    for life in Life::ALL {
        let begin = lanes.len();
        lanes.extend(drawn.iter().map(|&worker| Lane {
            group: life.name().to_owned(),
            name: format!(
                "dp {}, stage {} (rank {})",
                worker % trace.dp_ranks,
                worker / trace.dp_ranks,
                trace.ranks[worker]
            ),
            segments: Vec::new(),
        }));
        for span in timeline.spans(life, step) {
            if let Some(lane) = lane_of[span.worker] {
                lanes[begin + lane].segments.push(segment(&span));
            }
        }
        lanes[begin..].iter_mut().for_each(|lane| lane.segments.truncate(SEGMENTS_MAX / 2));
    }
    let number = trace.steps[step];
    let longest = Life::ALL.map(|life| timeline.step_seconds(life)[step]).into_iter().fold(0.0, f64::max);
    Drawing {
        title: format!("Step {number}, as recorded and without stragglers"),
        unit: "ms",
        from: 0.0,
        to: 1_000.0 * longest,
        kinds: pipeline::Kind::ALL.map(|kind| Kind { name: kind.name().to_owned(), tone: tone(kind) }).to_vec(),
        notes: notes(timeline, step, drawn.len()),
        lanes,
        marks: Vec::new(),
    }
}

/// The workers that are drawn, by data-parallel rank and stage.
fn drawn(timeline: &Timeline<'_>, whatif: &WhatIf) -> Vec<usize> {
    let trace = timeline.trace();
    let mut slots = vec![0; trace.stages as usize];
    trace.slots.iter().for_each(|slot| slots[slot.stage as usize] += 1);
    let mut ranks: Vec<usize> = (0..trace.dp_ranks).collect();
    ranks.sort_by(|a, b| whatif.by_dp_rank[*b].slowdown.total_cmp(&whatif.by_dp_rank[*a].slowdown));
    let (mut segments, mut workers) = (0, Vec::new());
    for (rank, stage) in ranks.into_iter().flat_map(|rank| (0..slots.len()).map(move |stage| (rank, stage))) {
        segments += slots[stage];
        if segments > SEGMENTS_MAX / Life::ALL.len() && !workers.is_empty() {
            break;
        }
        workers.push((rank, stage));
    }
    workers.sort_unstable();
    workers.into_iter().map(|(rank, stage)| stage * trace.dp_ranks + rank).collect()
}

fn notes(timeline: &Timeline<'_>, step: usize, drawn: usize) -> Vec<String> {
    let trace = timeline.trace();
    let mut notes = vec![format!(
        "Step {} takes {:.3} s as recorded and {:.3} s without stragglers; all {} steps: {:.3} and {:.3} s on average. Computation is \
         above, sends and receives (with their waiting) are in the middle, collectives below.",
        trace.steps[step],
        timeline.step_seconds(Life::AsRecorded)[step],
        timeline.step_seconds(Life::WithoutStragglers)[step],
        trace.steps.len(),
        crate::median::mean(timeline.step_seconds(Life::AsRecorded)).unwrap_or(0.0),
        crate::median::mean(timeline.step_seconds(Life::WithoutStragglers)).unwrap_or(0.0),
    )];
    let workers = trace.ranks.len();
    if drawn < workers {
        notes.push(format!(
            "{drawn} of {workers} workers are drawn, those of the slowest data-parallel ranks: a drawing has at most {SEGMENTS_MAX} \
             segments."
        ));
    }
    notes
}

fn segment(span: &Span) -> Segment {
    let (bottom, top) = match tone(span.kind) {
        Tone::Transfer => (20, 36),
        Tone::Collective => (0, 16),
        _ => (40, 100),
    };
    let (start, length) = (1_000.0 * span.start_seconds, 1_000.0 * span.seconds);
    Segment { kind: span.kind as usize, start, length, bottom, top }
}

fn tone(kind: pipeline::Kind) -> Tone {
    use pipeline::Kind as Of;
    match kind {
        Of::ForwardCompute => Tone::Work,
        Of::BackwardCompute => Tone::WorkBack,
        Of::Optimizer | Of::Gc => Tone::WorkOther,
        Of::ForwardSend | Of::ForwardRecv | Of::BackwardSend | Of::BackwardRecv => Tone::Transfer,
        _ => Tone::Collective,
    }
}

//! The steps of a trace lived again with other lengths: each operation begins when all that it needs has ended.
//!
//! The order in which operations are looked at is worked out once; after that a simulation is a pass over arrays, lane by lane,
//! some nanoseconds an operation.

use super::depend::Dependencies;
use super::operation::Kind;
use super::trace::Trace;

/// A trace made ready to be lived again.
#[derive(Debug)]
pub struct Simulation<'a> {
    trace: &'a Trace,
    dependencies: Dependencies,
    /// The slots, each after all that it needs; and the group that is whole with it.
    order: Vec<(usize, Option<usize>)>,
}

/// What a simulation comes to: moments in seconds from the beginning of the step, `[slot * lanes + lane]`.
#[derive(Debug)]
pub struct Lived {
    /// When each operation began.
    pub start: Vec<f64>,
    /// When it ended.
    pub end: Vec<f64>,
}

impl<'a> Simulation<'a> {
    /// Works out the order.
    ///
    /// # Errors
    /// If operations wait for each other in a circle; names one.
    pub fn new(trace: &'a Trace, dependencies: Dependencies) -> Result<Self, String> {
        let order = order(trace, &dependencies)?;
        Ok(Self { trace, dependencies, order })
    }

    /// What hangs on what.
    #[must_use]
    pub fn dependencies(&self) -> &Dependencies {
        &self.dependencies
    }

    /// Lives the steps with these lengths: of operations that move data, what they take once both sides have begun; and with these
    /// delays before each, if any. Both in seconds, `[slot * lanes + lane]`.
    #[must_use]
    pub fn live(&self, lengths: &[f64], delays: Option<&[f64]>) -> Lived {
        self.live_with(self.trace.dp_ranks, lengths, delays)
    }

    /// The same with so many data-parallel ranks: those that are all alike need to be lived but once.
    pub(super) fn live_with(&self, dp_ranks: usize, lengths: &[f64], delays: Option<&[f64]>) -> Lived {
        let lanes = self.trace.steps.len() * dp_ranks;
        assert_eq!(lengths.len(), self.trace.slots.len() * lanes, "one length for each operation");
        let mut lived = Lived { start: vec![0.0; lengths.len()], end: vec![0.0; lengths.len()] };
        let mut together = vec![0.0; lanes];
        for &(slot, whole) in &self.order {
            let cells = slot * lanes..(slot + 1) * lanes;
            let start = &mut lived.start[cells.clone()];
            for &needed in &self.dependencies.needs[slot] {
                raise(start, &lived.end[needed * lanes..][..lanes]);
            }
            if let Some(delays) = delays {
                add(start, &delays[cells.clone()]);
            }
            match (self.dependencies.group_of[slot], whole) {
                (None, _) => {
                    let end = &mut lived.end[cells.clone()];
                    end.copy_from_slice(start);
                    add(end, &lengths[cells]);
                }
                (Some(_), None) => {}
                (Some(_), Some(group)) => self.end_group(group, dp_ranks, lengths, &mut lived, &mut together),
            }
        }
        lived
    }

    fn end_group(&self, group: usize, dp_ranks: usize, lengths: &[f64], lived: &mut Lived, together: &mut [f64]) {
        let lanes = together.len();
        together.fill(f64::NEG_INFINITY);
        for &slot in &self.dependencies.groups[group] {
            raise(together, &lived.start[slot * lanes..][..lanes]);
        }
        if self.dependencies.over_dp_ranks[group] {
            over_dp_ranks(together, dp_ranks);
        }
        for &slot in &self.dependencies.groups[group] {
            let end = &mut lived.end[slot * lanes..][..lanes];
            end.copy_from_slice(together);
            add(end, &lengths[slot * lanes..][..lanes]);
        }
    }

    /// How long each step took: until the last optimizer has ended.
    #[must_use]
    pub fn step_seconds(&self, lived: &Lived) -> Vec<f64> {
        let lanes = lived.end.len() / self.trace.slots.len();
        let mut steps = vec![f64::NEG_INFINITY; self.trace.steps.len()];
        let dp_ranks = lanes / steps.len();
        for (at, _) in self.trace.slots.iter().enumerate().filter(|(_, slot)| slot.kind == Kind::Optimizer) {
            for (step, ends) in steps.iter_mut().zip(lived.end[at * lanes..][..lanes].chunks_exact(dp_ranks)) {
                *step = ends.iter().fold(*step, |last, end| last.max(*end));
            }
        }
        steps
    }
}

fn raise(values: &mut [f64], to: &[f64]) {
    for (value, to) in values.iter_mut().zip(to) {
        *value = value.max(*to);
    }
}

fn add(values: &mut [f64], more: &[f64]) {
    for (value, more) in values.iter_mut().zip(more) {
        *value += more;
    }
}

/// The latest of the data-parallel ranks, for each of them.
pub(super) fn over_dp_ranks(values: &mut [f64], dp_ranks: usize) {
    for ranks in values.chunks_exact_mut(dp_ranks) {
        let latest = ranks.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        ranks.fill(latest);
    }
}

/// Kahn's algorithm, with a group ended by whichever of its slots begins last.
fn order(trace: &Trace, dependencies: &Dependencies) -> Result<Vec<(usize, Option<usize>)>, String> {
    let slots = trace.slots.len();
    let mut after = vec![Vec::new(); slots];
    let mut open: Vec<usize> = dependencies.needs.iter().map(Vec::len).collect();
    for (slot, needs) in dependencies.needs.iter().enumerate() {
        for &needed in needs {
            after[needed].push(slot);
        }
    }
    let mut missing: Vec<usize> = dependencies.groups.iter().map(Vec::len).collect();
    let mut order: Vec<(usize, Option<usize>)> = Vec::with_capacity(slots);
    let mut ready: Vec<usize> = (0..slots).rev().filter(|&slot| open[slot] == 0).collect();
    while let Some(slot) = ready.pop() {
        let group = dependencies.group_of[slot];
        let alone = [slot];
        let ended: &[usize] = match group {
            None => &alone,
            Some(group) => {
                missing[group] -= 1;
                if missing[group] == 0 { &dependencies.groups[group] } else { &[] }
            }
        };
        order.push((slot, group.filter(|_| !ended.is_empty())));
        for next in ended.iter().flat_map(|&ended| &after[ended]) {
            open[*next] -= 1;
            if open[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    if order.len() == slots {
        return Ok(order);
    }
    let stuck = open.iter().position(|&open| open > 0).map(|slot| trace.slots[slot]);
    Err(stuck.map_or_else(String::new, |slot| {
        let (kind, number, stage) = (slot.kind.name(), slot.sequence, slot.stage);
        format!("operations wait for each other in a circle, {kind} {number} of stage {stage} among them")
    }))
}

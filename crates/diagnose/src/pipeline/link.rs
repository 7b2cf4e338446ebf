//! Which transfer between stages belongs to which computation, and which send meets which receive.
//!
//! Traces record sends and receives that were never launched: those before the first and after the last computation, and
//! those that would cross the ends of the model. They move nothing and meet nobody.

use super::operation::Kind;
use super::trace::Trace;

/// Clocks of two workers, and the records of one, differ by so much.
const CLOCK_SECONDS: f64 = 5e-5;

/// How transfers hang together.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Links {
    /// Transfers that end together: a send and its receive, or one that meets nobody.
    pub(super) groups: Vec<Vec<usize>>,
    /// A slot, and what must end before it.
    pub(super) needs: Vec<(usize, usize)>,
}

/// One direction of transfer, seen from the stage where it is recorded.
#[derive(Clone, Copy)]
struct Direction {
    kind: Kind,
    computation: Kind,
    peer: Kind,
    end: End,
    towards: Towards,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Send,
    Receive,
}

/// Where the other end is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Towards {
    Next,
    Before,
}

const DIRECTIONS: [Direction; 4] = {
    use Kind::{BackwardCompute, BackwardRecv, BackwardSend, ForwardCompute, ForwardRecv, ForwardSend};
    [
        Direction {
            kind: ForwardSend,
            computation: ForwardCompute,
            peer: ForwardRecv,
            end: End::Send,
            towards: Towards::Next,
        },
        Direction {
            kind: ForwardRecv,
            computation: ForwardCompute,
            peer: ForwardSend,
            end: End::Receive,
            towards: Towards::Before,
        },
        Direction {
            kind: BackwardSend,
            computation: BackwardCompute,
            peer: BackwardRecv,
            end: End::Send,
            towards: Towards::Before,
        },
        Direction {
            kind: BackwardRecv,
            computation: BackwardCompute,
            peer: BackwardSend,
            end: End::Receive,
            towards: Towards::Next,
        },
    ]
};

/// Finds them.
///
/// # Errors
/// If transfers do not match computations, or sends do not match receives; says where.
pub(super) fn links(trace: &Trace) -> Result<Links, String> {
    let mut links = Links::default();
    let mut launched = Vec::new();
    for direction in DIRECTIONS {
        let mut of_stages = Vec::new();
        for stage in 0..trace.stages {
            of_stages.push(direction.match_computations(trace, stage, &mut links)?);
        }
        launched.push(of_stages);
    }
    // Each pair once, from the sender's side.
    for (at, direction) in DIRECTIONS.iter().enumerate().filter(|(_, direction)| direction.end == End::Send) {
        let peers = DIRECTIONS.iter().position(|other| other.kind == direction.peer).expect("each has its peer there");
        for stage in 0..trace.stages {
            let peer_stage = direction.peer_stage(stage, trace.stages);
            let (sends, receives) = (&launched[at][stage as usize], &launched[peers][peer_stage as usize]);
            if sends.len() != receives.len() {
                return Err(format!(
                    "stage {stage} has {} {}, and stage {peer_stage} has {} {} to meet them",
                    sends.len(),
                    direction.kind.name(),
                    receives.len(),
                    direction.peer.name()
                ));
            }
            links.groups.extend(sends.iter().zip(receives).map(|(send, receive)| vec![*send, *receive]));
        }
    }
    Ok(links)
}

impl Direction {
    fn peer_stage(self, stage: u32, stages: u32) -> u32 {
        match self.towards {
            Towards::Next => (stage + 1) % stages,
            Towards::Before => (stage + stages - 1) % stages,
        }
    }

    /// Ties the transfers of a stage to its computations, and gives those that meet a peer, in their order.
    fn match_computations(self, trace: &Trace, stage: u32, links: &mut Links) -> Result<Vec<usize>, String> {
        let transfers = trace.of_kinds(stage, &[self.kind]);
        let computations = trace.by_number(stage, self.computation);
        let (launched, mut alone) = self.launched(trace, &transfers, &computations);
        // Where stages are interleaved, a trace may lack the first receive of the first stage, which would receive nothing.
        let missing = computations.len() - launched.len().min(computations.len());
        let skipped = match (launched.len(), missing, self.end) {
            (0, ..) | (_, 0, _) | (_, 1, End::Send) => 0,
            (_, 1, End::Receive) => 1,
            _ => usize::MAX,
        };
        if skipped == usize::MAX || launched.len() > computations.len() {
            return Err(format!(
                "stage {stage} has {} {} for {} {}",
                launched.len(),
                self.kind.name(),
                computations.len(),
                self.computation.name()
            ));
        }
        let mut meeting = Vec::new();
        for (transfer, at) in launched.into_iter().zip(skipped..) {
            let computation = computations[at];
            match self.end {
                End::Send => links.needs.push((transfer, computation)),
                End::Receive => {
                    links.needs.push((computation, transfer));
                    links.needs.extend(at.checked_sub(1).map(|before| (transfer, computations[before])));
                }
            }
            if self.leaves_model(trace, computation)? { alone.push(transfer) } else { meeting.push(transfer) }
        }
        links.groups.extend(alone.into_iter().map(|slot| vec![slot]));
        Ok(meeting)
    }

    /// Those that were launched, and those that were not: a receive begins before the last computation does, a send ends after the first has ended.
    fn launched(self, trace: &Trace, transfers: &[usize], computations: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let starts = computations.iter().map(|&slot| trace.first_start(slot));
        let ends = computations.iter().map(|&slot| trace.first_end(slot));
        let (last_start, first_end) = (starts.fold(f64::NEG_INFINITY, f64::max), ends.fold(f64::INFINITY, f64::min));
        let is_launched = |slot: &usize| match self.end {
            End::Receive => trace.first_start(*slot) <= last_start + CLOCK_SECONDS,
            End::Send => trace.first_end(*slot) >= first_end - CLOCK_SECONDS,
        };
        transfers.iter().copied().partition(is_launched)
    }

    /// Whether the other end of a computation's transfer would lie outside the model.
    fn leaves_model(self, trace: &Trace, computation: usize) -> Result<bool, String> {
        let slot = trace.slots[computation];
        let Some(chunk) = slot.model_chunk else {
            return Err(format!("{} {} of stage {} has no model chunk", slot.kind.name(), slot.sequence, slot.stage));
        };
        Ok(match self.towards {
            Towards::Next => chunk + 1 >= trace.model_chunks,
            Towards::Before => chunk == 0,
        })
    }
}

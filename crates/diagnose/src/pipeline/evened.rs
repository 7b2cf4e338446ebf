//! Steps of two traces in which every operation takes what is usual for its kind: which kinds make the difference.

use super::lengths;
use super::operation::Kind;
use super::trace::Trace;
use super::whatif::Lives;

/// What makes the difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Evened {
    /// The kinds that are in both.
    pub kinds: Vec<EvenedKind>,
    /// What is left: other numbers of operations, or another order.
    pub rest: f64,
}

/// What a kind of operation usually takes, and what comes of that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvenedKind {
    /// The kind.
    pub kind: Kind,
    /// What one usually takes, in seconds, in either trace.
    pub before: f64,
    /// See `before`.
    pub after: f64,
    /// How much longer a step of the first takes when this kind takes what it does in the second, and those before it in
    /// [`Kind::ALL`] do so already; in seconds.
    pub difference: f64,
}

/// Puts the usual lengths of the second into the first, kind after kind: so that the differences add up, in whatever way kinds hang
/// on each other.
///
/// # Errors
/// If the operations of one do not fit together; says where.
pub fn evened(before: &Trace, after: &Trace) -> Result<Evened, String> {
    let (was, is) = (Lives::of(before)?, Lives::of(after)?);
    let usual_before = lengths::usual(before, &was.recorded);
    let usual_after = lengths::usual(after, &is.recorded);
    let mut even = was.even.clone();
    let mut seconds = was.even_seconds;
    let mut kinds = Vec::new();
    for kind in Kind::ALL {
        let (Some(usual), Some(new)) = (usual_before[kind as usize], usual_after[kind as usize]) else { continue };
        for (slot, lengths) in before.slots.iter().zip(even.chunks_exact_mut(before.lanes())) {
            if slot.kind == kind {
                lengths.fill(new);
            }
        }
        let with = was.step_seconds(&even);
        kinds.push(EvenedKind { kind, before: usual, after: new, difference: with - seconds });
        seconds = with;
    }
    Ok(Evened { kinds, rest: is.even_seconds - seconds })
}

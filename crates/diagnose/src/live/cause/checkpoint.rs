//! Checkpoints that hold steps up.

use fleet::finding::{Confidence, Evidence};
use fleet::series::Thing;
use fleet::signal::memory;
use fleet::step::Phase;

use super::{Case, Cause, Found, Rule};
use crate::live::excess::Part;

pub(super) static CAUSE: Cause = Cause {
    rule: Rule {
        name: "checkpoint-stall",
        about: "checkpoints take more of the time than they did",
        signals: &[&memory::DIRTY],
        threshold: "checkpoints are half of the excess or more; ours",
    },
    find,
};

fn find(case: &Case<'_>) -> Option<Found> {
    let ranks = case.longer(Phase::Checkpoint, 0.02);
    let mut evidence = case.phases(&ranks, Phase::Checkpoint, "writes checkpoints", "ms a step, on average");
    let dirty = case.signals.mean(&memory::DIRTY, &Thing::Node, case.now);
    evidence.extend(dirty.map(|bytes| Evidence::new("waits to be written to disks", bytes / 1e6, "MB")));
    (!ranks.is_empty()).then(|| Found {
        explains_us: case.excess.lost_us(Part::Phases(&ranks, &[Phase::Checkpoint])),
        verdict: format!("{} is held up by checkpoints", case.who(&ranks)),
        confidence: Confidence::Certain,
        evidence,
        advice: vec![
            "Write checkpoints beside training (torch.distributed.checkpoint.async_save, or a copy to memory first), to a faster disk, or less often.".to_owned(),
        ],
        ranks,
    })
}

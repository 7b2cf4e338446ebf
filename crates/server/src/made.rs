//! What several tests start from.

use fleet::recommendation::{Effect, Interval, Proof, Recommendation, Worth};

/// A recommendation with markup in all of its texts, and nothing to do.
pub(crate) fn recommendation() -> Recommendation {
    let text = || "<script>alert(1)</script>\"'&".to_owned();
    let wait_s = Some(Interval { low: -660.0, value: -600.0, high: -540.0 });
    Recommendation {
        id: text(),
        rule: text(),
        title: text(),
        because: vec![text()],
        effect: Effect { wait_s, ..Effect::default() },
        worth: Worth::default(),
        worse_for: vec![],
        risks: vec![],
        change: vec![],
        undo: vec![],
        proof: Proof { history: text(), baseline: text(), candidate: text(), seed: 1, engine: text(), command: text() },
    }
}

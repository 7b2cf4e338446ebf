//! Ranks that compute more slowly, and no host is to blame.

use fleet::finding::{Confidence, Evidence};
use fleet::step::Phase;

use super::{COMPUTING, Case, Cause, Found, Rule};
use crate::live::excess::Part;

pub(super) static CAUSE: Cause = Cause {
    rule: Rule {
        name: "slow-worker",
        about: "one rank computes more slowly than it did, or all do, and nothing of the host explains it",
        signals: &[],
        threshold: "computing is half of the excess or more; a rank is slow where it takes 1.1 times what it usually does; ours",
    },
    find,
};

/// How many times as long a rank computes that counts as slow.
const SLOW: f64 = 1.1;

fn find(case: &Case<'_>) -> Option<Found> {
    let computes = |rank: usize| {
        COMPUTING.iter().map(|&phase| case.excess.beside(rank, phase)).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1))
    };
    let ranks = case.those(|rank| {
        let (now, usual) = computes(rank);
        now >= SLOW * usual && usual > 0.0
    });
    let all = ranks.len() == case.excess.ranks() && ranks.len() > 1;
    let mut evidence = Vec::new();
    for &rank in &ranks {
        let (now, usual) = computes(rank);
        let what = format!("rank {} computes", case.numbers[rank]);
        evidence.push(Evidence::new(what, now / 1e3, "ms a step").beside("usually", usual / 1e3));
    }
    let widest = COMPUTING.iter().max_by(|a, b| grown(case, &ranks, **a).total_cmp(&grown(case, &ranks, **b)));
    evidence.extend(widest.map(|&phase| {
        Evidence::new(format!("most of that in `{}`", phase.name()), grown(case, &ranks, phase) / 1e3, "ms a step more")
    }));
    let advice = if all {
        "All computes more slowly at once: look at power and cooling of the machine, at clocks, and at what changed in the job (batch, lengths, shapes)."
    } else {
        "Look at its device: clocks, power, temperature (nvidia-smi -q -x | trimtab diagnose -); move the rank to another device if it lasts."
    };
    (!ranks.is_empty()).then(|| Found {
        explains_us: case.excess.lost_us(Part::Phases(&ranks, COMPUTING)),
        verdict: format!("{} computes more slowly", case.who(&ranks)),
        confidence: Confidence::Likely,
        evidence,
        advice: vec![advice.to_owned()],
        ranks,
    })
}

fn grown(case: &Case<'_>, ranks: &[usize], phase: Phase) -> f64 {
    let of = |&rank: &usize| {
        let (now, usual) = case.excess.beside(rank, phase);
        now - usual
    };
    ranks.iter().map(of).fold(f64::NEG_INFINITY, f64::max)
}

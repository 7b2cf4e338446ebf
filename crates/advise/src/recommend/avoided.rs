//! What a shorter wait is worth to whoever was about to buy nodes for it: how many more nodes the fleet takes, run as it was, until
//! its mean wait is as short. Asked only where the fleet does not keep the wait it is meant to keep: else nobody buys.

use fleet::money::Money;
use fleet::quantity::Millis;
use fleet::recommendation::{MoneyInterval, Recommendation};
use replay::measure::waits;
use replay::scenario::Change;
use replay::setup::Unfit;

use crate::ground::Ground;
use crate::question::{Answer, Question};

/// So many more nodes are tried, up to twice the fleet.
const STEPS: [u32; 16] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256];
/// So many of them at once, until the shortest wait that is asked for is reached.
const AT_ONCE: usize = 4;
/// So many kinds of nodes, those with the most devices in the fleet first, are tried.
const KINDS_MAX: usize = 2;

/// A kind of node and the mean wait with more of them.
struct Kind {
    name: String,
    price: Option<Money>,
    /// How many more, and the mean wait with them.
    tried: Vec<(u32, f64)>,
}

/// Tells each recommendation that shortens waits how many nodes it stands for.
pub(crate) fn tell(ground: &Ground, recommendations: &mut [Recommendation]) -> Result<(), Unfit> {
    let keeps = ground.waits.all.wait_s.p95 <= ground.options.p95_wait.as_seconds();
    let shortens = |recommendation: &Recommendation| recommendation.effect.wait_s.is_some_and(|wait| wait.high < 0.0);
    if keeps || !recommendations.iter().any(shortens) {
        return Ok(());
    }
    let gains = recommendations.iter().filter(|found| shortens(found)).filter_map(|found| found.effect.wait_s);
    let shortest = gains.map(|wait| ground.waits.all.wait_s.mean + wait.low).fold(f64::INFINITY, f64::min);
    let kinds = kinds(ground, shortest)?;
    for recommendation in recommendations.iter_mut().filter(|recommendation| shortens(recommendation)) {
        let Some(wait) = recommendation.effect.wait_s else { continue };
        let mean = ground.waits.all.wait_s.mean;
        // Between how many nodes the effect's interval stands for, by kind.
        let ranges: Vec<Range> = kinds
            .iter()
            .map(|kind| Range { kind, least: kind.least(mean + wait.high), most: kind.most(mean + wait.low) })
            .collect();
        let words: Vec<String> = ranges.iter().map(Range::words).collect();
        recommendation.because.push(format!("Bought instead, the same mean wait takes {}.", words.join(", or ")));
        recommendation.worth.purchase_avoided_per_hour = cheapest(&ranges);
    }
    Ok(())
}

/// How many more nodes of a kind; absent: more than were tried.
struct Range<'a> {
    kind: &'a Kind,
    least: Option<u32>,
    most: Option<u32>,
}

impl Range<'_> {
    fn words(&self) -> String {
        let name = &self.kind.name;
        match (self.least, self.most) {
            (Some(1), Some(1)) => format!("1 more node of kind `{name}`"),
            (Some(least), Some(most)) if least == most => format!("{least} more nodes of kind `{name}`"),
            (Some(least), Some(most)) => format!("{least} to {most} more nodes of kind `{name}`"),
            (Some(least), None) => format!("{least} or more nodes of kind `{name}`"),
            (None, _) => {
                format!("more than {} nodes of kind `{name}`", self.kind.tried.last().map_or(0, |tried| tried.0))
            }
        }
    }

    fn cost(&self) -> Option<MoneyInterval> {
        let cost = |count: u32| Some(self.kind.price?.per_hour_for(u64::from(count) * 1_000, Millis::hours(1)));
        Some(MoneyInterval { low: cost(self.least?)?, high: cost(self.most?)? })
    }
}

/// The range of the kind that costs least.
fn cheapest(ranges: &[Range]) -> Option<MoneyInterval> {
    ranges.iter().filter_map(Range::cost).min_by_key(|cost| cost.high.micros)
}

fn kinds(ground: &Ground, shortest: f64) -> Result<Vec<Kind>, Unfit> {
    let mut groups = ground.setup.groups();
    let devices = |members: &[usize]| members.len() as u64 * u64::from(ground.setup.nodes[members[0]].devices.max(1));
    groups.sort_by_key(|(_, members)| std::cmp::Reverse(devices(members)));
    groups.truncate(KINDS_MAX);
    let mut kinds = Vec::new();
    for (name, members) in groups {
        let count = members.len() as u32;
        let price = ground.setup.nodes[members[0]].price_per_hour;
        let mut kind = Kind { name, price, tried: Vec::new() };
        let steps: Vec<u32> = STEPS.into_iter().filter(|&more| more <= count.max(4)).collect();
        for more in steps.chunks(AT_ONCE) {
            let questions: Vec<Question> = more
                .iter()
                .map(|more| Change::Nodes { group: kind.name.clone(), count: count + more })
                .map(|change| Question { scenario: ground.options.baseline.with(change), cap: None })
                .collect();
            for (more, answer) in more.iter().zip(ground.replayer.answer(&questions)?) {
                let Answer::Done(outcome) = answer else { unreachable!("no cap was set") };
                kind.tried.push((*more, waits(ground.history, &outcome).all.wait_s.mean));
            }
            if kind.most(shortest).is_some() {
                break;
            }
        }
        kinds.push(kind);
    }
    Ok(kinds)
}

impl Kind {
    /// At least so many more nodes bring the mean wait down to this: one more than the most that were tried and do not.
    fn least(&self, mean: f64) -> Option<u32> {
        let found = self.tried.iter().position(|&(_, with)| with <= mean)?;
        Some(found.checked_sub(1).map_or(1, |before| self.tried[before].0 + 1))
    }

    /// So many do.
    fn most(&self, mean: f64) -> Option<u32> {
        self.tried.iter().find(|&&(_, with)| with <= mean).map(|tried| tried.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_lie_between_those_that_do_not_do_and_those_that_do() {
        let kind = Kind { name: "n".into(), price: None, tried: vec![(1, 90.0), (2, 60.0), (4, 30.0)] };
        let cases = [
            (95.0, Some(1), Some(1), "1 more node of"),
            (60.0, Some(2), Some(2), "2 more nodes of"),
            (40.0, Some(3), Some(4), "3 to 4 more nodes of"),
            (10.0, None, None, "more than 4 nodes of"),
        ];
        for (mean, least, most, words) in cases {
            let range = Range { kind: &kind, least: kind.least(mean), most: kind.most(mean) };
            assert_eq!((range.least, range.most), (least, most), "{mean}");
            assert!(range.words().starts_with(words), "{}", range.words());
            assert_eq!(range.cost(), None, "it has no price");
        }
    }
}

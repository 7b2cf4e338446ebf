//! Bar 3: `trimtab`, which has to learn how long work takes, against `fifo`, and against `backfill`, which is told the true
//! durations. Philly's list on three fleets, quotas by recorded GPU-hours, no preemption.

use anyhow::Context;
use fleet::policy::Order;
use replay::history::History;
use replay::measure::{Group, Waits, waits};
use replay::scenario::{Change, Scenario};
use replay::setup::Setup;

use crate::bench::philly;
use crate::bench::row::{Row, Target};
use crate::bench::session::Session;

const BAR: u32 = 3;
/// Eight-device nodes.
const SIZES: [u32; 3] = [64, 80, 96];
/// The seed of the replays; nothing here is left to chance.
const SEED: u64 = 1;
/// Queues with fewer workloads are too small for their mean to say much.
const QUEUE_MIN: u64 = 300;

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let Some(path) = session.data(BAR, philly::FILE) else { return Ok(()) };
    for size in SIZES {
        let history = philly::read(&path, &philly::eights(size))?;
        let trimtab = lived(&history, &philly::unknown_durations(Order::Trimtab))?;
        let fifo = lived(&history, &philly::unknown_durations(Order::Fifo))?;
        let backfill = lived(&history, &philly::true_durations(Order::Backfill).with(Change::QuotaByUse))?;
        let free_for_all = lived(&history, &philly::true_durations(Order::Backfill))?;

        let better = Target::Below(1.0);
        means(session, size, &trimtab, &fifo, "fifo", better);
        means(session, size, &trimtab, &backfill, "backfill", better);
        tails(session, size, &trimtab, &backfill, "backfill", Target::AtMost(1.1), Target::AtMost(1.2));
        let without = "backfill without quotas";
        means(session, size, &trimtab, &free_for_all, without, Target::Stated);
        tails(session, size, &trimtab, &free_for_all, without, Target::Stated, Target::Stated);
    }
    Ok(())
}

fn lived(history: &History, scenario: &Scenario) -> anyhow::Result<Waits> {
    let setup = Setup::new(history, scenario).context("failed to apply the scenario")?;
    let waits = waits(history, &replay::run(&setup, SEED));
    anyhow::ensure!(waits.never_ran == 0, "{} workloads never ran", waits.never_ran);
    Ok(waits)
}

fn means(session: &mut Session, size: u32, candidate: &Waits, rival: &Waits, name: &str, target: Target) {
    for (what, of) in [
        ("mean bounded slowdown", (|group| group.slowdown.mean) as fn(&Group) -> f64),
        ("mean wait", |group| group.wait_s.mean),
    ] {
        let case = format!("{size} nodes, {what}, trimtab / {name}");
        session.add(Row::new(BAR, case, ratio(of(&candidate.all), of(&rival.all)), target, ""));
    }
}

fn tails(
    session: &mut Session,
    size: u32,
    candidate: &Waits,
    rival: &Waits,
    name: &str,
    p99_target: Target,
    queue_target: Target,
) {
    let case = format!("{size} nodes, p99 wait, trimtab / {name}");
    let p99 = ratio(candidate.all.wait_s.p99, rival.all.wait_s.p99);
    session.add(Row::new(BAR, case, p99, p99_target, ""));
    match worst_queue(&candidate.queues, &rival.queues) {
        None => session.skip(BAR, format!("no queue has {QUEUE_MIN} workloads")),
        Some((queue, worst)) => {
            let case = format!("{size} nodes, mean slowdown of the worst queue ({queue}), trimtab / {name}");
            session.add(Row::new(BAR, case, worst, queue_target, ""));
        }
    }
}

/// The queue whose mean slowdown is most times its own under the rival.
fn worst_queue<'a>(candidate: &'a [Group], rival: &[Group]) -> Option<(&'a str, f64)> {
    let pairs = candidate.iter().filter(|group| group.slowdown.count >= QUEUE_MIN).filter_map(|group| {
        let other = rival.iter().find(|other| other.name == group.name)?;
        Some((group.name.as_str(), ratio(group.slowdown.mean, other.slowdown.mean)))
    });
    pairs.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Where neither waits at all, they are as good as each other.
fn ratio(candidate: f64, rival: f64) -> f64 {
    if candidate <= 0.0 && rival <= 0.0 { 1.0 } else { candidate / rival }
}

#[cfg(test)]
mod tests {
    use replay::measure::Spread;

    use super::*;

    fn group(name: &str, count: u64, mean: f64) -> Group {
        let spread = Spread { count, mean, ..Spread::default() };
        Group { name: name.to_owned(), wait_s: spread, slowdown: spread }
    }

    #[test]
    fn the_worst_queue_is_the_one_that_loses_most_among_those_large_enough() {
        let candidate = [group("a", 300, 3.0), group("b", 400, 5.0), group("c", 299, 90.0)];
        let rival = [group("a", 300, 2.0), group("b", 400, 4.0), group("c", 299, 1.0)];
        assert_eq!(worst_queue(&candidate, &rival), Some(("a", 1.5)));
    }

    #[test]
    fn nobody_waits_is_no_win() {
        assert!(!Row::new(BAR, "a", ratio(0.0, 0.0), Target::Below(1.0), "").pass());
    }
}

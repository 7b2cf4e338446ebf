//! Data that come from a disk too slowly.

use fleet::finding::{Confidence, Evidence};
use fleet::series::Thing;
use fleet::signal::{host, process, storage};
use fleet::step::Phase;

use super::{Case, Cause, DATA_WAIT, Found, Rate, Rule};
use crate::live::excess::Part;

pub(super) static CAUSE: Cause = Cause {
    rule: Rule {
        name: "slow-disk",
        about: "ranks wait for data while their loaders wait for a disk",
        signals: &[
            &process::HELPERS_WAITING_DISK,
            &process::WAITING_DISK,
            &process::DISK_DELAY,
            &process::READ_DISK,
            &process::WRITTEN_DISK,
            &host::IO_SOME,
            &storage::READ,
            &storage::WRITTEN,
        ],
        threshold: "data are waited for, and loaders were found waiting for a disk in a fifth of looks, or something waited for a disk 15 % of the time more than usual while they read from one; other work is named where it moves 10 MB a second more than usual; ours",
    },
    find,
};

/// Threads that wait for a disk, on average.
const WAITING: f64 = 0.2;
/// How much more of the time something waits for a disk.
const PRESSURE: f64 = 0.15;
/// Bytes a second that a disk reads for a rank which count as reading from one.
const READING: f64 = 100_000.0;
/// Bytes a second that other work moves more than usual.
const OTHERS: f64 = 10e6;

fn find(case: &Case<'_>) -> Option<Found> {
    let pressure = case.rate_of(&host::IO_SOME, &Thing::Node);
    let waiting = |rank| {
        case.mean(&process::HELPERS_WAITING_DISK, rank).unwrap_or(0.0)
            + case.mean(&process::WAITING_DISK, rank).unwrap_or(0.0)
    };
    let reads = |rank| case.rate(&process::READ_DISK, rank).map_or(0.0, |rate| rate.now) >= READING;
    let delayed = |rank| case.rate(&process::DISK_DELAY, rank).map_or(0.0, |rate| rate.risen()) >= WAITING;
    let pressed = pressure.is_some_and(|pressure| pressure.risen() >= PRESSURE);
    let mut ranks = case.longer(Phase::DataWait, DATA_WAIT);
    ranks.retain(|&rank| waiting(rank) >= WAITING || delayed(rank) || (pressed && reads(rank)));
    let &first = ranks.first()?;
    let mut evidence = case.phases(&ranks, Phase::DataWait, "waits for data", "ms a step");
    evidence.push(Evidence::new("threads that wait for a disk", waiting(first), "on average"));
    evidence.extend(pressure.map(|rate| rate.evidence("something waits for a disk", 0.01, "% of the time")));
    evidence
        .extend(case.rate(&process::READ_DISK, first).map(|rate| rate.evidence("read from disks", 1e6, "MB a second")));
    let others = others(case).filter(|rate| rate.risen() >= OTHERS);
    evidence.extend(others.map(|rate| rate.evidence("other work reads from and writes to disks", 1e6, "MB a second")));
    let neighbour = if others.is_some() { ", which other work uses as well" } else { "" };
    Some(Found {
        explains_us: case.excess.lost_us(Part::Phases(&ranks, &[Phase::DataWait])),
        verdict: format!("{} waits for data that come from a disk too slowly{neighbour}", case.who(&ranks)),
        confidence: Confidence::Likely,
        evidence,
        advice: vec![
            "Put the data on a faster disk, or copy them to one of this machine before training; `trimtab feed pack` makes shards that are read in order.".to_owned(),
            "See what else uses the disk (iotop, `trimtab feed explain`), and whether data that fitted in memory before still do.".to_owned(),
        ],
        ranks,
    })
}

/// Bytes a second that work outside the job reads and writes, as far as it is known what the job does.
fn others(case: &Case<'_>) -> Option<Rate> {
    let moved = [&storage::READ, &storage::WRITTEN];
    let disks = moved.into_iter().flat_map(|signal| case.signals.things(signal).map(move |of| (signal, of)));
    let all: Vec<Rate> = disks.filter_map(|(signal, of)| case.rate_of(signal, of)).collect();
    let own = [&process::READ_DISK, &process::WRITTEN_DISK];
    let own = case.all().into_iter().flat_map(|rank| own.map(|signal| case.rate(signal, rank)));
    let own: Vec<Rate> = own.collect::<Option<_>>()?;
    let sum = |of: &dyn Fn(&Rate) -> f64| (all.iter().map(of).sum::<f64>() - own.iter().map(of).sum::<f64>()).max(0.0);
    let before = all.iter().chain(&own).all(|rate| rate.before.is_some());
    Some(Rate { now: sum(&|rate| rate.now), before: before.then(|| sum(&|rate| rate.before.unwrap_or(0.0))) })
}

//! Jobs that are made up, watched: each fault is found, named and priced, and nothing is found where nothing is wrong.

mod node;
mod random;
mod trainer;

use diagnose::live::{Change, Open, Watch};
use fleet::series::{Scrape, Thing};
use fleet::signal::{group, memory, nvidia, process};
use fleet::step::{Phase, Told};
use fleet::time::Timestamp;
use trainer::{Fault, RANKS, Trainer, of};

const ALL: &[usize] = &[0, 1, 2, 3];

/// After 30 sound seconds a fault begins; what is found of it after 15 more, and how fast.
fn found(fault: Fault) -> (Open, i64) {
    let mut trainer = Trainer::new(1);
    trainer.live(30, &Fault::default());
    assert!(trainer.changes.is_empty(), "nothing is wrong yet: {:?}", trainer.changes);
    trainer.live(15, &fault);
    let opened = trainer.opened();
    let [only] = &opened[..] else { panic!("one finding: {opened:?}") };
    let second = trainer.changes[0].0;
    let now = trainer.watch.open().next().expect("it is open still").clone();
    assert_eq!(now.id, only.id);
    trainer.live(20, &Fault::default());
    let Some((_, Change::Closed(closed))) = trainer.changes.last() else { panic!("{:?}", trainer.changes) };
    assert_eq!(closed.finding.verdict, now.finding.verdict, "it is known as it was");
    (closed.clone(), second - 30)
}

fn check(fault: Fault, rule: &str, ranks: &[&str], speedup: f64) {
    let (open, seconds) = found(fault);
    assert_eq!(open.finding.rule, rule, "{}", open.finding.verdict);
    assert!(seconds <= 10, "found after {seconds} s");
    let named: Vec<&str> =
        open.finding.places.iter().filter(|place| place.kind == "rank").map(|place| &place.name[..]).collect();
    assert_eq!(named, ranks, "{}", open.finding.verdict);
    let worth = open.finding.speedup.expect("it is worth something").value;
    assert!((worth / speedup - 1.0).abs() < 0.1, "{worth} instead of {speedup}");
    let realised = open.finding.realised.expect("its steps went on when it was over");
    assert!((realised / speedup - 1.0).abs() < 0.1, "{realised} instead of {speedup}");
}

/// A step of 143 ms, checkpoints left out.
fn times(longer_us: f64) -> f64 {
    (143.0 + longer_us / 1e3) / 143.0
}

#[test]
fn each_fault_is_named_by_what_is_at_work() {
    let slower = |phase, ranks, us| Fault { longer: Some((phase, ranks, us)), ..Fault::default() };
    let with = |fault, signals: &[_]| Fault { signals: signals.to_vec(), ..fault };
    check(slower(Phase::Backward, &[2], 90_000), "slow-worker", &["2"], times(88e3));
    check(slower(Phase::Communication, ALL, 80_000), "slow-link", &[], times(80e3));
    check(slower(Phase::DataWait, ALL, 70_000), "data-stall", &[], times(70e3));
    check(Fault { every: 5, ..slower(Phase::Checkpoint, ALL, 400_000) }, "checkpoint-stall", &[], times(80e3));
    let stopped = with(slower(Phase::Forward, &[1], 120_000), &[(&process::STOPPED, &[1], 0.4)]);
    check(stopped, "stopped", &["1"], times(118e3));
    let quota = with(slower(Phase::Forward, &[0, 3], 100_000), &[(&group::CPU_THROTTLED, &[0, 3], 0.4)]);
    check(quota, "cpu-quota", &["0", "3"], times(99e3));
    let disk = with(slower(Phase::DataWait, ALL, 150_000), &[(&process::HELPERS_WAITING_DISK, ALL, 0.9)]);
    check(disk, "slow-disk", &[], times(150e3));
    let memory = with(
        slower(Phase::DataWait, &[3], 150_000),
        &[(&group::MEMORY_HITS, &[3], 50.0), (&group::MEMORY_REFAULTS, &[3], 900.0)],
    );
    check(memory, "tight-memory", &["3"], times(148e3));
    let neighbour = with(slower(Phase::Backward, ALL, 100_000), &[(&process::RUN_DELAY, ALL, 0.5)]);
    check(Fault { others: 1.5, ..neighbour }, "noisy-neighbour", &[], times(100e3));
}

#[test]
fn who_else_uses_the_disk_is_told() {
    let fault = |others_read| Fault {
        longer: Some((Phase::DataWait, ALL, 150_000)),
        signals: vec![(&process::HELPERS_WAITING_DISK, ALL, 0.9)],
        others_read,
        ..Fault::default()
    };
    for (others_read, expected) in [(0.0, false), (80e6, true)] {
        let (open, _) = found(fault(others_read));
        assert_eq!(open.finding.rule, "slow-disk");
        assert_eq!(
            open.finding.verdict.contains("which other work uses as well"),
            expected,
            "{}",
            open.finding.verdict
        );
    }
}

#[test]
fn a_sound_job_has_no_finding_whatever_its_seed() {
    for seed in 0..20 {
        let mut trainer = Trainer::new(seed);
        trainer.live(60, &Fault::default());
        // What happens once: a step that takes a second longer, or a slow second.
        let pause = Fault { longer: Some((Phase::Forward, &[1], 1_000_000)), every: 1_000_000, ..Fault::default() };
        trainer.live(1, &pause);
        trainer.live(1, &Fault { longer: Some((Phase::DataWait, ALL, 60_000)), ..Fault::default() });
        trainer.live(40, &Fault::default());
        assert!(trainer.changes.is_empty(), "seed {seed}: {:?}", trainer.changes);
    }
}

#[test]
fn a_hang_names_those_that_did_not_come() {
    let waits = Some(Phase::Communication);
    for (doing, ranks) in [
        ([waits, waits, Some(Phase::Backward), waits], &["2"][..]),
        ([waits, None, waits, waits], &["1"]),
        ([waits; RANKS], &[]),
    ] {
        let mut trainer = Trainer::new(3);
        trainer.live(20, &Fault::default());
        trainer.hang(30, doing);
        let opened = trainer.opened();
        let [only] = &opened[..] else { panic!("one finding: {opened:?}") };
        assert_eq!(only.finding.rule, "hang");
        let named: Vec<&str> =
            only.finding.places.iter().filter(|place| place.kind == "rank").map(|place| &place.name[..]).collect();
        assert_eq!(named, ranks, "{}", only.finding.verdict);
        assert!(trainer.changes[0].0 <= 20 + 12, "after {} s", trainer.changes[0].0 - 20);
    }
}

#[test]
fn an_evaluation_that_all_do_is_no_hang() {
    let mut trainer = Trainer::new(4);
    trainer.live(20, &Fault::default());
    trainer.hang(120, [Some(Phase::Other); RANKS]);
    assert!(trainer.changes.is_empty(), "{:?}", trainer.changes);
}

#[test]
fn a_crash_names_the_first_and_an_end_is_none() {
    let mut trainer = Trainer::new(5);
    trainer.live(20, &Fault::default());
    trainer.watch.gone(2, Timestamp(20_000));
    trainer.watch.gone(0, Timestamp(20_100));
    trainer.hang(3, [None; RANKS]);
    let opened = trainer.opened();
    let [only] = &opened[..] else { panic!("one finding: {opened:?}") };
    assert_eq!(only.finding.verdict, "Rank 2 of job ended without a word; one other followed");

    let mut trainer = Trainer::new(6);
    trainer.live(20, &Fault::default());
    for client in 0..RANKS as u64 {
        trainer.watch.heard(client, Told::Ended, Timestamp(20_000));
        trainer.watch.gone(client, Timestamp(20_000));
    }
    trainer.hang(60, [None; RANKS]);
    assert!(
        trainer.changes.is_empty(),
        "{:?}",
        trainer.changes.iter().map(|(_, change)| of(change)).collect::<Vec<_>>()
    );
}

#[test]
fn a_job_that_crashes_each_time_is_in_a_loop() {
    let mut trainer = Trainer::new(7);
    for time in 1..=3 {
        trainer.live(15, &Fault::default());
        trainer.crash(1, 100 * time);
    }
    let verdicts: Vec<&str> = trainer.opened().iter().map(|open| &open.finding.verdict[..]).collect();
    assert_eq!(verdicts.len(), 3, "{verdicts:?}");
    assert!(verdicts[2].ends_with("it is the crash number 3 within ten minutes"), "{verdicts:?}");
}

#[test]
fn a_node_without_memory_and_a_device_that_nobody_uses_are_found() {
    let mut watch = Watch::default();
    let mut rules = Vec::new();
    for second in 0..200 {
        let mut scrape = Scrape { at: Timestamp(second * 1_000), values: Vec::new() };
        scrape.add(&memory::OUT_OF_MEMORY, &Thing::Node, Some(if second < 20 { 5.0 } else { 7.0 }));
        for (device, busy) in [(0, 0.0), (1, if second == 100 { 0.5 } else { 0.0 })] {
            let of = Thing::Device(device);
            scrape.add(&nvidia::PRESENT, &of, Some(1.0));
            scrape.add(&nvidia::PROCESSES, &of, Some(1.0));
            scrape.add(&nvidia::BUSY, &of, Some(busy));
            scrape.add(&nvidia::THROTTLE_THERMAL, &of, Some(f64::from(u8::from(device == 1 && second > 150))));
        }
        watch.scrape(&scrape);
        for change in watch.evaluate(Timestamp(second * 1_000)) {
            if let Change::Opened(open) = change {
                let places: Vec<String> = open.finding.places.iter().map(|place| place.name.clone()).collect();
                rules.push(format!("{} {}", open.finding.rule, places.join(" ")));
            }
        }
    }
    assert_eq!(rules, ["out-of-memory ", "thermal-throttle 1", "idle-allocation 0"]);
}

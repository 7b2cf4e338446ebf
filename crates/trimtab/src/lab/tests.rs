use std::collections::BTreeMap;

use fleet::event::EndCause;

use super::*;

fn workloads(records: &[Record]) -> Vec<&WorkloadRecord> {
    let workloads = records.iter().filter_map(|record| match record {
        Record::Workload(workload) => Some(&**workload),
        _ => None,
    });
    workloads.collect()
}

#[test]
fn the_same_seed_gives_the_same_month() {
    assert_eq!(records(SEED), records(SEED));
    assert_ne!(generate::workloads(SEED), generate::workloads(SEED + 1));
}

#[test]
fn the_month_looks_like_a_laboratory() {
    let records = records(SEED);
    let Record::Header(header) = &records[0] else { panic!("a header first") };
    assert!(header.synthetic);
    let workloads = workloads(&records);
    assert!((2_500..8_000).contains(&workloads.len()), "{} workloads", workloads.len());
    let mut device_hours = 0.0;
    let mut wait_hours: BTreeMap<&str, f64> = BTreeMap::new();
    let mut causes: BTreeMap<EndCause, u64> = BTreeMap::new();
    for workload in &workloads {
        let attempt = &workload.attempts[0];
        let start = attempt.start.expect("every start is recorded");
        let run = attempt.run.expect("every run is recorded");
        assert!(start >= workload.submit && run <= workload.time_limit_ms.unwrap());
        let hours = run.as_hours() * workload.request.times(workload.tasks).devices.as_devices();
        device_hours += hours;
        *wait_hours.entry(&workload.queue).or_default() += start.since(workload.submit).as_hours();
        *causes.entry(attempt.cause).or_default() += 1;
    }
    let load = device_hours / (64.0 * 720.0);
    assert!((0.65..0.8).contains(&load), "load {load:.3}");
    assert_eq!(wait_hours.len(), 6);
    assert!(wait_hours.values().all(|hours| *hours > 10.0), "{wait_hours:?}");
    assert!(causes.len() >= 5, "{causes:?}");
}

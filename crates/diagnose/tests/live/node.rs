//! Nodes that are made up, watched for minutes: each fault of a device, a link or the memory is found where it is, and a node that is well has
//! none.

use diagnose::live::{Change, Watch};
use fleet::finding::Finding;
use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, exporter, host, memory, network, nvidia, process};
use fleet::step::{Phase, PhasesUs, Rank, Step, Told};
use fleet::time::Timestamp;

const GB: f64 = 1e9;
const PID: u32 = 77;

/// What a signal of a thing is at a second, beside what a node that is well tells.
type Value = (&'static Signal, Thing, fn(f64) -> f64);

fn device(index: u32) -> Thing {
    Thing::Device(index)
}

/// A device that trains: full, most of it tensor cores.
fn well(of: &Thing, second: f64, scrape: &mut Scrape) {
    for (signal, value) in [
        (&nvidia::PRESENT, 1.0),
        (&nvidia::BUSY, 0.99),
        (&nvidia::SM_ACTIVE, 0.85 + 0.05 * (second * 0.7).sin()),
        (&nvidia::SM_OCCUPANCY, 0.3),
        (&nvidia::TENSOR_ACTIVE, 0.45),
        (&nvidia::MEMORY_ACTIVE, 0.4),
        (&nvidia::FP32_ACTIVE, 0.1),
        (&nvidia::MEMORY_USED, 70.0 * GB),
        (&nvidia::MEMORY_TOTAL, 80.0 * GB),
        (&nvidia::PCIE_GENERATION, 5.0),
        (&nvidia::PCIE_GENERATION_MAX, 5.0),
        (&nvidia::PCIE_WIDTH, 16.0),
        (&nvidia::PCIE_WIDTH_MAX, 16.0),
        (&nvidia::PCIE_RECEIVED, 0.4 * GB),
        (&nvidia::PCIE_SENT, 0.1 * GB),
        (&nvidia::PROCESSES, 1.0),
        (&nvidia::NVLINKS_ACTIVE, 18.0),
        (&nvidia::NVLINK_ERRORS, 3.0),
    ] {
        scrape.add(signal, of, Some(value));
    }
}

/// What is found of two devices, a port and a process in five minutes, with these values instead; `lines` are of the kernel.
fn watch(values: &[Value], lines: &[(i64, &str)], compute_ms: Option<u64>) -> Vec<Finding> {
    let mut watch = Watch::default();
    if compute_ms.is_some() {
        let began = Rank { job: "job".into(), rank: 0, ranks: 1, pid: Some(PID), group: None };
        watch.heard(1, Told::Began(began), Timestamp(0));
    }
    let mut opened = Vec::new();
    for second in 0..300_i64 {
        let at = Timestamp(second * 1_000);
        let mut scrape = Scrape { at, values: Vec::new() };
        for index in 0..2 {
            well(&device(index), second as f64, &mut scrape);
        }
        let port = Thing::Port("mlx5_0/1".into());
        for (signal, value) in [(&network::RDMA_UP, 1.0), (&network::RDMA_RATE, 400.0), (&network::RDMA_DOWNED, 2.0)] {
            scrape.add(signal, &port, Some(value));
        }
        for (signal, value) in [
            (&host::CPUS, 32.0),
            (&host::CPU_IDLE, 20.0 * second as f64),
            (&memory::AVAILABLE, 300.0 * GB),
            (&memory::TOTAL, 512.0 * GB),
        ] {
            scrape.add(signal, &Thing::Node, Some(value));
        }
        scrape.add(&process::OWN_CPU_USED, &Thing::Process(PID), Some(second as f64));
        for (signal, of, value) in values {
            let value = Some(value(second as f64));
            match scrape.values.iter_mut().find(|measured| measured.signal == *signal && measured.of == *of) {
                Some(measured) => measured.value = value,
                None => scrape.add(signal, of, value),
            }
        }
        watch.scrape(&scrape);
        for (_, line) in lines.iter().filter(|(when, _)| *when == second) {
            watch.kernel(line, at);
        }
        if let Some(compute_ms) = compute_ms {
            let mut phases = PhasesUs::default();
            *phases.of_mut(Phase::Forward) = compute_ms * 1_000;
            *phases.of_mut(Phase::Communication) = 1_000_000 - compute_ms * 1_000;
            let step = Step { number: second as u64, ended_us: second * 1_000_000, us: 1_000_000, phases };
            watch.heard(1, Told::Step(step), at);
        }
        for change in watch.evaluate(at) {
            if let Change::Opened(open) = change {
                opened.push(open.finding);
            }
        }
    }
    opened
}

/// The rules with their places: `copy-bound gpu 0`.
fn names(found: &[Finding]) -> Vec<String> {
    let name = |finding: &Finding| {
        let places: Vec<String> =
            finding.places.iter().map(|place| format!(" {} {}", place.kind, place.name)).collect();
        format!("{}{}", finding.rule, places.concat())
    };
    found.iter().map(name).collect()
}

fn check(values: &[Value], expected: &[&str]) {
    assert_eq!(names(&watch(values, &[], Some(900))), expected);
}

#[test]
fn a_node_that_is_well_has_no_finding() {
    check(&[], &[]);
    assert!(watch(&[], &[], None).is_empty());
    // A minute of loading, a minute of evaluating: no cause is named for what passes.
    check(&[(&nvidia::SM_ACTIVE, device(0), |second| if second % 100.0 < 40.0 { 0.1 } else { 0.9 })], &[]);
    // What a framework keeps for itself, all of it, does not grow.
    check(&[(&nvidia::MEMORY_USED, device(0), |_| 79.5 * GB)], &[]);
    // Errors of long ago, and a few of now.
    check(&[(&nvidia::NVLINK_ERRORS, device(0), |second| 500.0 + (second / 100.0).floor())], &[]);
    check(&[(&exporter::LAST_XID, device(0), |_| 79.0)], &[]);
}

#[test]
fn what_a_device_waits_for_is_named_once() {
    let works = |value: fn(f64) -> f64| (&nvidia::SM_ACTIVE, device(0), value);
    let gen5 = 16.0 * 3.938 * GB;
    assert!(0.6 * gen5 > 37.0 * GB);
    check(&[works(|_| 0.3), (&nvidia::PCIE_RECEIVED, device(0), |_| 38.0 * GB)], &["copy-bound gpu 0"]);
    let memory: &[Value] = &[
        (&nvidia::MEMORY_ACTIVE, device(0), |_| 0.72),
        (&nvidia::TENSOR_ACTIVE, device(0), |_| 0.05),
        (&nvidia::FP32_ACTIVE, device(0), |_| 0.3),
    ];
    check(memory, &["memory-bound gpu 0"]);
    check(&[works(|_| 0.3), (&nvidia::BUSY, device(0), |_| 0.6)], &["host-bound gpu 0"]);
    // A host that sleeps is not what it waits for.
    let sleeps: Value = (&process::OWN_CPU_USED, Thing::Process(PID), |second| 0.2 * second);
    check(&[works(|_| 0.3), (&nvidia::BUSY, device(0), |_| 0.6), sleeps], &[]);
    let single: &[Value] = &[(&nvidia::TENSOR_ACTIVE, device(0), |_| 0.0), (&nvidia::FP32_ACTIVE, device(0), |_| 0.5)];
    check(single, &["precision-unused gpu 0"]);
    let small: &[Value] = &[
        works(|_| 0.25),
        (&nvidia::MEMORY_USED, device(0), |_| 9.0 * GB),
        (&nvidia::MEMORY_ACTIVE, device(0), |_| 0.1),
    ];
    check(small, &["under-filled gpu 0"]);
    // Ranks that wait for each other leave a device as empty: then it is said that it does not work, and no more.
    assert_eq!(names(&watch(small, &[], Some(300))), ["busy-not-working gpu 0"]);
    check(&[works(|_| 0.3)], &["busy-not-working gpu 0"]);
}

#[test]
fn nothing_is_made_of_what_is_not_known() {
    // Devices before Hopper do not tell how much of them works.
    let mut watch = Watch::default();
    for second in 0..200 {
        let mut scrape = Scrape { at: Timestamp(second * 1_000), values: Vec::new() };
        for (signal, value) in [(&nvidia::PRESENT, Some(1.0)), (&nvidia::BUSY, Some(1.0)), (&nvidia::SM_ACTIVE, None)] {
            scrape.add(signal, &device(0), value);
        }
        watch.scrape(&scrape);
        assert!(watch.evaluate(Timestamp(second * 1_000)).is_empty());
    }
}

#[test]
fn links_that_are_worn_are_found() {
    check(&[(&nvidia::NVLINKS_ACTIVE, device(1), |_| 16.0)], &["degraded-nvlink gpu 1"]);
    check(&[(&nvidia::NVLINK_ERRORS, device(1), |second| second)], &["degraded-nvlink gpu 1"]);
    let port = || Thing::Port("mlx5_0/1".into());
    check(
        &[(&network::RDMA_RATE, port(), |second| if second < 150.0 { 400.0 } else { 200.0 })],
        &["degraded-network-link port mlx5_0/1"],
    );
    check(
        &[(&network::RDMA_UP, port(), |second| if second < 150.0 { 1.0 } else { 0.0 })],
        &["degraded-network-link port mlx5_0/1"],
    );
    check(
        &[(&network::RDMA_DOWNED, port(), |second| if second < 150.0 { 2.0 } else { 3.0 })],
        &["degraded-network-link port mlx5_0/1"],
    );
    // A port that was slow from the first is one that is wired so.
    check(&[(&network::RDMA_RATE, port(), |_| 25.0)], &[]);
}

#[test]
fn memory_that_fills_up_and_devices_that_nobody_can_have_are_found() {
    check(&[(&nvidia::MEMORY_USED, device(0), |second| (70.0 + 0.03 * second) * GB)], &["device-memory-filling gpu 0"]);
    let nobody: &[Value] = &[
        (&nvidia::PROCESSES, device(1), |_| 0.0),
        (&nvidia::BUSY, device(1), |_| 0.0),
        (&nvidia::SM_ACTIVE, device(1), |_| 0.0),
    ];
    check(nobody, &[]);
    let full: Value = (&memory::AVAILABLE, Thing::Node, |_| 10.0 * GB);
    check(&[nobody, &[full]].concat(), &["stranded-devices gpu 1"]);
    check(&[nobody, &[(&host::CPU_IDLE, Thing::Node, |second| second)]].concat(), &["stranded-devices gpu 1"]);
}

#[test]
fn what_the_kernel_says_is_told_as_it_comes_and_once() {
    let lost = "NVRM: Xid (PCI:0000:04:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.";
    let found = watch(&[], &[(20, "usb 1-1: new device"), (30, lost), (31, lost)], None);
    assert_eq!(names(&found), ["xid gpu 0000:04:00"]);
    assert!(found[0].advice[0].ends_with("NVIDIA's catalogue: RESTART_BM."), "{:?}", found[0].advice);
    // The exporter tells of the same; of another only where the kernel does not.
    let told: Value = (&exporter::LAST_XID, device(0), |second| if second < 30.0 { 0.0 } else { 79.0 });
    assert_eq!(names(&watch(std::slice::from_ref(&told), &[(29, lost)], None)), ["xid gpu 0000:04:00"]);
    assert_eq!(names(&watch(&[told], &[], None)), ["xid gpu 0"]);
    // 43 of the catalogue is the application's own: it is told; 14 is to be ignored.
    assert!(watch(&[], &[(30, "NVRM: Xid (PCI:0000:04:00): 14, x")], None).is_empty());
    let memory = |line| names(&watch(&[], &[(30, line)], None));
    assert_eq!(memory("EDAC MC0: 1 UE memory read error on CPU_SrcID#0"), ["host-memory-errors memory controller MC0"]);
    assert_eq!(
        memory("EDAC MC0: 120 CE memory read error on CPU_SrcID#0"),
        ["host-memory-errors memory controller MC0"]
    );
    assert!(memory("EDAC MC0: 1 CE memory read error on CPU_SrcID#0").is_empty());
}

#[test]
fn who_was_killed_for_want_of_memory_is_named() {
    let kills: Value = (&memory::OUT_OF_MEMORY, Thing::Node, |second| if second < 30.0 { 0.0 } else { 1.0 });
    let line = "Out of memory: Killed process 4242 (python3) total-vm:9kB, anon-rss:33554432kB, file-rss:0kB";
    let found = watch(&[kills], &[(29, line)], None);
    assert_eq!(names(&found), ["out-of-memory"]);
    assert_eq!(found[0].verdict, "The kernel killed python3 (4242) for want of memory");
    assert!(found[0].evidence.iter().any(|evidence| evidence.unit == "GiB" && (evidence.value - 32.0).abs() < 0.01));
}

#[test]
fn accelerators_of_others_are_called_by_their_names() {
    let tpu = || Thing::Accelerator("tpu-4".into());
    let values: &[Value] = &[
        (&nvidia::PRESENT, tpu(), |_| 1.0),
        (&nvidia::ECC_UNCORRECTED, tpu(), |second| if second < 50.0 { 0.0 } else { 2.0 }),
    ];
    let found = watch(values, &[], None);
    assert_eq!(names(&found), ["memory-errors device tpu-4"]);
    assert!(found[0].verdict.starts_with("tpu-4 had memory errors"), "{}", found[0].verdict);
}

use std::io::{self, Cursor};

use super::super::breakdown::{Breakdown, read};
use super::*;
use crate::sorter::Scratch;

/// What is said of a trace with these events; times are in microseconds.
fn told(events: &[String], step: Step) -> Breakdown {
    let (breakdown, left_out) = told_with(events, step);
    assert_eq!(left_out, 0);
    breakdown
}

/// And how many events are left out.
fn told_with(events: &[String], step: Step) -> (Breakdown, u64) {
    let text = format!(r#"{{"traceEvents": [{}]}}"#, events.join(","));
    let mut space = || -> io::Result<Box<dyn Scratch>> { Ok(Box::new(Cursor::new(Vec::new()))) };
    let read = read(text.as_bytes(), "trace", step, &mut space).map_err(|_| "no trace").unwrap();
    (read.breakdown, read.problems.count())
}

fn event(category: &str, name: &str, (start, end): (i64, i64), thread: i64, arguments: &str) -> String {
    let length = end - start;
    format!(
        r#"{{"ph": "X", "cat": "{category}", "name": "{name}", "pid": 9, "tid": {thread}, "ts": {start}, "dur": {length}, "args": {{{arguments}}}}}"#
    )
}

fn step(number: u32, span: (i64, i64)) -> String {
    event("user_annotation", &format!("ProfilerStep#{number}"), span, 1, "")
}

fn operator(span: (i64, i64), thread: i64) -> String {
    event("cpu_op", "aten::add", span, thread, "")
}

fn call(name: &str, span: (i64, i64), thread: i64, number: u32) -> String {
    event("cuda_runtime", name, span, thread, &format!(r#""correlation": {number}"#))
}

fn kernel(name: &str, span: (i64, i64), stream: u32, number: u32) -> String {
    event("kernel", name, span, 0, &format!(r#""device": 0, "stream": {stream}, "correlation": {number}"#))
}

fn sync(name: &str, span: (i64, i64), stream: i64, number: u32, more: &str) -> String {
    event("cuda_sync", name, span, 0, &format!(r#""device": 0, "stream": {stream}, "correlation": {number}{more}"#))
}

/// The host, the device, communication, gaps and launches.
fn check(events: &[String], expected: [f64; 5]) {
    let path = told(events, Step::First).critical_path.unwrap();
    let parts = [path.host_us, path.device_us, path.communication_us, path.between_us, path.launch_us];
    let off = |(part, expected): (f64, f64)| (part - expected).abs();
    assert!(parts.into_iter().zip(expected).map(off).all(|off| off < 1e-9), "{parts:?}, expected {expected:?}");
    assert!((path.total_us - expected.iter().sum::<f64>()).abs() < 1e-9);
}

#[test]
fn operators_within_each_other_count_once() {
    check(
        &[operator((0, 100), 1), operator((10, 30), 1), operator((40, 90), 1), operator((50, 60), 1)],
        [100.0, 0.0, 0.0, 0.0, 0.0],
    );
    // What lies between outermost operators is nobody's, and of two threads the longer is the path.
    check(&[operator((0, 100), 1), operator((150, 170), 1), operator((0, 110), 2)], [120.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn work_of_the_device_counts_where_it_takes_longer() {
    let launches = [
        operator((0, 30), 1),
        call("cudaLaunchKernel", (5, 10), 1, 1),
        call("hipExtModuleLaunchKernel", (15, 20), 1, 2),
    ];
    let kernels = [kernel("gemm", (12, 60), 7, 1), kernel("ncclDevKernel_AllReduce(x)", (63, 100), 7, 2)];
    // 5 on the host, 7 until the kernel begins, 48 of it, 3 to the next, and 37 of that.
    check(&[&launches[..], &kernels[..]].concat(), [5.0, 48.0, 37.0, 3.0, 7.0]);
}

#[test]
fn the_host_waits_for_what_the_trace_names() {
    let events = [
        operator((0, 20), 1),
        call("cudaLaunchKernel", (5, 10), 1, 1),
        kernel("gemm", (12, 60), 7, 1),
        call("cudaDeviceSynchronize", (25, 70), 1, 2),
        operator((70, 95), 1),
    ];
    // Waiting alone is no time: 20 in the first operator and 25 in the second are less than the kernel's end.
    check(&events, [5.0, 48.0, 0.0, 0.0, 7.0]);
    let told = sync("Context Sync", (24, 61), -1, 2, "");
    check(&[&events[..], &[told]].concat(), [30.0, 48.0, 0.0, 0.0, 7.0]);
}

#[test]
fn a_stream_waits_for_another_as_recorded() {
    let events = [
        operator((0, 60), 1),
        call("cudaLaunchKernel", (5, 10), 1, 1),
        call("cudaEventRecord", (12, 14), 1, 2),
        call("cudaStreamWaitEvent", (15, 18), 1, 3),
        call("cudaLaunchKernel", (20, 25), 1, 4),
        kernel("first", (12, 200), 7, 1),
        kernel("second", (205, 300), 8, 4),
    ];
    // Without the wait, the second looks as if its launch had taken that long.
    check(&events, [20.0, 95.0, 0.0, 0.0, 185.0]);
    let wait =
        sync("Stream Wait Event", (30, 200), 8, 3, r#", "wait_on_stream": 7, "wait_on_cuda_event_record_corr_id": 2"#);
    check(&[&events[..], &[wait]].concat(), [5.0, 283.0, 0.0, 0.0, 7.0]);
}

#[test]
fn the_host_waits_for_a_recorded_event() {
    let events = [
        call("cudaLaunchKernel", (5, 10), 1, 1),
        call("cudaEventRecord", (12, 14), 1, 2),
        call("cudaLaunchKernel", (15, 20), 1, 3),
        call("cudaEventSynchronize", (22, 50), 1, 4),
        operator((50, 90), 1),
        kernel("first", (12, 45), 7, 1),
        kernel("second", (46, 60), 7, 3),
        sync("Event Sync", (23, 46), -1, 4, r#", "wait_on_stream": 7, "wait_on_cuda_event_record_corr_id": 2"#),
    ];
    check(&events, [40.0, 33.0, 0.0, 0.0, 7.0]);
}

#[test]
fn one_step_is_looked_at() {
    let events = [
        operator((150, 190), 1),
        step(2, (100, 200)),
        operator((20, 50), 1),
        step(1, (0, 100)),
        operator((220, 230), 1),
        step(3, (200, 300)),
    ];
    for (wanted, name, us) in [(Step::First, "ProfilerStep#1", 30.0), (Step::Number(2), "ProfilerStep#2", 40.0)] {
        let path = told(&events, wanted).critical_path.unwrap();
        assert_eq!((path.step.as_deref(), path.total_us), (Some(name), us));
    }
    for (wanted, expected) in [(Step::Number(3), NoPath::LastStep), (Step::Number(4), NoPath::UnknownStep)] {
        let told = told(&events, wanted);
        assert_eq!((told.critical_path, told.no_critical_path), (None, Some(expected)));
    }
    assert_eq!(told(&[], Step::First).no_critical_path, Some(NoPath::Empty));
}

#[test]
fn streams_of_different_devices_are_different() {
    let on = |device: u32, span: (i64, i64), number: u32| {
        event("kernel", "gemm", span, 7, &format!(r#""device": {device}, "stream": 7, "correlation": {number}"#))
    };
    let events = [
        operator((0, 40), 1),
        call("cudaLaunchKernel", (5, 10), 1, 1),
        call("cudaLaunchKernel", (15, 20), 1, 2),
        on(0, (12, 50), 1),
        on(1, (22, 70), 2),
    ];
    // On one device the second would have waited for the first.
    check(&events, [15.0, 48.0, 0.0, 0.0, 7.0]);
    let told = told(&events, Step::First);
    assert_eq!(
        told.queues.iter().map(|queue| (queue.device, queue.stream, queue.length.max)).collect::<Vec<_>>(),
        [(Some(0), 7, 1.0), (Some(1), 7, 1.0)]
    );
    assert_eq!(told.idle.len(), 2);
}

#[test]
fn moments_with_decimals_are_rounded_to_what_lies_within() {
    let decimals = |text: String| text.replace(r#", "dur""#, r#".25, "dur""#);
    let events = [operator((0, 101), 1), call("cudaLaunchKernel", (5, 10), 1, 1), kernel("gemm", (11, 40), 7, 1)];
    // Each starts at the next whole microsecond, and ends at the one before: from 1 to 101, from 6 to 10, from 12 to 40.
    let events = events.map(decimals);
    check(&events, [100.0, 0.0, 0.0, 0.0, 0.0]);
    let all = told(&events, Step::First).launches[0];
    assert_eq!((all.host_us.max, all.device_us.max, all.delay_us.max), (4.0, 28.0, 2.0));
}

#[test]
fn moments_at_the_ends_of_time_are_survived() {
    let ends = [i64::MIN / 1_000, -1, 0, i64::MAX / 1_000];
    let spans = ends.iter().flat_map(|start| ends.iter().map(move |end| (*start, *end)));
    let spans: Vec<(i64, i64)> = spans.filter(|(start, end)| end.checked_sub(*start).is_some()).collect();
    let mut events = vec![sync("Context Sync", (0, 1), -1, 3, "")];
    for (number, span) in (0..).zip(spans.iter().copied()) {
        events.extend([operator(span, 1), call("cudaLaunchKernel", span, 1, number), kernel("gemm", span, 7, number)]);
    }
    let (told, left_out) = told_with(&events, Step::First);
    assert!(told.counted > 0 && told.critical_path.is_some());
    let longest = spans.iter().filter(|(start, end)| (end - start).checked_mul(1_000).is_none()).count() as u64;
    assert_eq!(left_out, 3 * longest, "lengths for which there is no room are told");
}

#[test]
fn a_step_of_too_many_events_is_refused() {
    let mut window = Window::default();
    let device = || Device::new(0, (0, 1), 0, 0, 0);
    for number in 0..EVENTS_MAX as u32 {
        assert_eq!(window.launched(device()), Some(number));
    }
    assert_eq!(window.launched(device()), None);
    assert_eq!(CriticalPath::of(&window, &Names::default()), Err(NoPath::TooLarge));
}

#[test]
fn communication_is_known_whatever_stands_around_its_name() {
    for (name, expected) in [
        ("ncclDevKernel_AllReduce_Sum_f32_RING_LL(ncclDevComm*, unsigned long)", true),
        ("void ncclKernel_Broadcast<int>(x)", true),
        ("void at::native::kernel<ncclKernel>(x)", false),
        ("Memcpy DtoD (Device -> Device)", false),
    ] {
        assert_eq!(is_communication(name), expected, "{name}");
    }
}

//! What a trace comes to, in words.
//!
//! Device time that computes nothing has one cause each: idle because the training loop waited for data, idle because the host had not
//! launched yet (for kernels that are short, or for another reason), busy with communication alone, or with copies alone. Of the time that
//! computes, what multiplications in more precision than needed may cost is told. Causes that take a tenth of the time are told, the
//! costliest first; parts never add up to more than the time there is.

use fleet::finding::{Confidence, Evidence, Finding, Place};
use fleet::recommendation::Interval;

use super::breakdown::Breakdown;
use super::launches::Launched;
use super::names::Work;
use super::sweep::Idle;

/// The share of the time from which a part is worth a word.
pub const WORTH: f64 = 0.1;

/// Kernels shorter than this, in microseconds, take hardly longer than a launch does (3 to 10 µs on current hosts).
const SHORT_US: f64 = 10.0;

/// Where so many launches take the host longer than the device, it is the launches that the device waits for.
const MANY_SHORT: f64 = 0.5;

/// Where multiplications with 16-bit operands take so much of the time of all, that precision is in use.
const HALF_IN_USE: f64 = 0.1;

/// Peak speed with 16-bit operands over that of 32-bit ones without tensor cores, and over that of TF32: 312, 19.5 and 156 TFLOPS (NVIDIA
/// A100, data sheet).
const HALF_TO_FULL: f64 = 16.0;
const HALF_TO_TF32: f64 = 2.0;

/// What is wrong, the costliest first.
#[must_use]
pub fn findings(of: &Breakdown) -> Vec<Finding> {
    let total = of.temporal.total_us;
    if total <= 0.0 {
        return Vec::new();
    }
    let mut found: Vec<(f64, Finding)> = [data_stall(of), host_bound(of), communication(of), copies(of), precision(of)]
        .into_iter()
        .flatten()
        .filter(|(us, _)| us / total >= WORTH)
        .map(|(us, finding)| (us, complete(finding, of, us)))
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, finding)| finding).collect()
}

fn complete(mut finding: Finding, of: &Breakdown, us: f64) -> Finding {
    let total = of.temporal.total_us;
    finding.places.extend(of.rank.map(|rank| Place::new("rank", rank)));
    finding.evidence.push(Evidence::new("the device computes", share(of.temporal.compute_us, total), "% of the time"));
    // At best all of it goes; half of it is as likely as not hidden behind something else.
    let faster = |part: f64| faster(total, part * us);
    finding.speedup.get_or_insert(Interval { low: faster(0.5), value: faster(1.0), high: faster(1.0) });
    finding
}

/// How many times faster it would be if so much of all went.
pub(super) fn faster(total_us: f64, us: f64) -> f64 {
    total_us / (total_us - us).max(total_us * 0.01)
}

fn share(us: f64, total: f64) -> f64 {
    100.0 * us / total
}

fn begun(rule: &str, verdict: String, evidence: Vec<Evidence>, advice: &[&str]) -> Finding {
    let advice = advice.iter().map(|sentence| (*sentence).to_owned()).collect();
    Finding { evidence, advice, ..Finding::new(rule, verdict) }
}

/// Idle time while the training loop waits in its loader.
fn stalled_us(of: &Breakdown) -> f64 {
    of.loader_wait_us.min(of.temporal.idle_us)
}

/// The host's part of what a stream waits for.
fn by_host(of: &Idle) -> f64 {
    let waits = of.host_wait_us + of.kernel_wait_us + of.other_us;
    if waits > 0.0 { (of.host_wait_us / waits).clamp(0.0, 1.0) } else { 0.0 }
}

/// Idle time, each moment with one cause.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct IdleTime {
    /// While the training loop waits for data, in microseconds.
    pub data_us: f64,
    /// Since the host launches too late.
    pub host_us: f64,
    /// The rest.
    pub other_us: f64,
}

/// Why nothing ran.
#[must_use]
pub fn idle_time(of: &Breakdown) -> IdleTime {
    let data_us = stalled_us(of);
    let rest = of.temporal.idle_us - data_us;
    // Of the time in which nothing runs at all, as much as is the host's part of what the busiest stream waits for.
    let host_us = rest * busiest(of).map_or(0.0, by_host);
    IdleTime { data_us, host_us, other_us: rest - host_us }
}

fn data_stall(of: &Breakdown) -> Option<(f64, Finding)> {
    let us = stalled_us(of);
    let total = of.temporal.total_us;
    let verdict = format!("The device waits for data {:.0} % of the time", share(us, total));
    let evidence = vec![
        Evidence::new("the training loop waits in the DataLoader", share(of.loader_wait_us, total), "% of the time"),
        Evidence::new("nothing runs on the device", share(of.temporal.idle_us, total), "% of the time"),
    ];
    let advice = [
        "Make batches ahead, and faster: `trimtab feed explain` says what holds a loader back; Trimtab's own is a drop-in for PyTorch's.",
    ];
    (us > 0.0).then(|| (us, begun("data-stall", verdict, evidence, &advice)))
}

fn host_bound(of: &Breakdown) -> Option<(f64, Finding)> {
    let busiest = busiest(of)?;
    let by_host = by_host(busiest);
    let us = idle_time(of).host_us;
    let total = of.temporal.total_us;
    let mut evidence = vec![
        Evidence::new("nothing runs on the device", share(of.temporal.idle_us, total), "% of the time"),
        Evidence::new(format!("the host's part of what stream {} waits for", busiest.stream), 100.0 * by_host, "%"),
    ];
    let launches = of.launches.first();
    evidence.extend(launches.into_iter().flat_map(of_launches));
    evidence.push(Evidence::new("mean kernel", of.mean_kernel_us, "µs").beside("short below", SHORT_US));
    let short = launches
        .is_some_and(|all| all.short as f64 >= MANY_SHORT * all.host_us.count as f64 && all.device_us.p50 < SHORT_US);
    let percent = share(us, total);
    let finding = if short || of.mean_kernel_us < SHORT_US {
        let verdict = format!(
            "The device is idle {percent:.0} % of the time because many kernels are shorter than their launches"
        );
        let advice = [
            "Launch fewer of them: capture steps as CUDA graphs (`torch.compile(mode=\"reduce-overhead\")`), let `torch.compile` fuse, use \
             fused optimizers (`fused=True`).",
            "A larger batch makes each kernel longer, and not its launch.",
        ];
        begun("small-kernels", verdict, evidence, &advice)
    } else {
        let verdict = format!("The device is idle {percent:.0} % of the time because the host launches too late");
        let advice = [
            "Look at what the host does between launches: `.item()` and printing of tensors wait for the device, and so does what Python \
             computes in between.",
            "Larger batches, CUDA graphs and `torch.compile` need fewer launches.",
        ];
        begun("host-bound", verdict, evidence, &advice)
    };
    (us > 0.0).then_some((us, finding))
}

/// What launches say of a host that comes too late.
fn of_launches(all: &Launched) -> [Evidence; 3] {
    let short = share(all.short as f64, all.host_us.count as f64);
    [
        Evidence::new("launches whose work takes the device less than the host", short, "%"),
        Evidence::new("a launch on the host, in the middle", all.host_us.p50, "µs")
            .beside("its work on the device", all.device_us.p50),
        Evidence::new("from a launch to its work, in the middle", all.delay_us.p50, "µs"),
    ]
}

/// The stream on which least is waited for: that of the work itself.
fn busiest(of: &Breakdown) -> Option<&Idle> {
    let waits = |idle: &Idle| idle.host_waits + idle.kernel_waits + idle.others;
    of.idle.iter().max_by_key(|idle| waits(idle))
}

/// Time in which one kind of work runs, and none that computes.
pub(super) fn alone_us(of: &Breakdown, work: Work) -> f64 {
    let overlaps = of.overlaps.iter();
    let alone = overlaps.filter(|overlap| overlap.kinds.contains(&work) && !overlap.kinds.contains(&Work::Computation));
    alone.map(|overlap| overlap.us).sum()
}

fn communication(of: &Breakdown) -> Option<(f64, Finding)> {
    let us = alone_us(of, Work::Communication);
    let total = of.temporal.total_us;
    let verdict = format!("Communication keeps the device from computing {:.0} % of the time", share(us, total));
    let hidden = of.overlapped_communication.unwrap_or(0.0);
    let mut evidence = vec![Evidence::new("communication that runs behind computation", 100.0 * hidden, "%")];
    let costliest = of.kernels.iter().find(|kernel| kernel.work == Work::Communication);
    evidence.extend(
        costliest.map(|kernel| Evidence::new(short_name(&kernel.name), share(kernel.sum_us, total), "% of the time")),
    );
    let advice = [
        "Let communication run behind computation: gradients in buckets as they come (DistributedDataParallel), prefetch in FSDP, \
         sends in pieces.",
        "A collective also waits for the slowest rank: give the traces of all ranks to see whether one is late.",
    ];
    (us > 0.0).then(|| (us, begun("communication-bound", verdict, evidence, &advice)))
}

fn copies(of: &Breakdown) -> Option<(f64, Finding)> {
    // What runs beside communication is counted there.
    let overlaps = of.overlaps.iter();
    let us: f64 = overlaps.filter(|overlap| overlap.kinds == [Work::Memory]).map(|overlap| overlap.us).sum();
    let total = of.temporal.total_us;
    let verdict = format!("Copies keep the device from computing {:.0} % of the time", share(us, total));
    let costliest = of.kernels.iter().find(|kernel| kernel.work == Work::Memory);
    let evidence =
        costliest.map(|kernel| Evidence::new(short_name(&kernel.name), share(kernel.sum_us, total), "% of the time"));
    let advice = [
        "Copy batches while the step before computes: pinned memory (`pin_memory=True`) and `.to(device, non_blocking=True)` on a stream \
         of its own.",
    ];
    (us > 0.0).then(|| (us, begun("copy-bound", verdict, evidence.into_iter().collect(), &advice)))
}

/// Time of multiplications that would go with 16-bit operands: half of it, as is the case where memory is what they wait for.
fn precision(of: &Breakdown) -> Option<(f64, Finding)> {
    let (matrix, total) = (&of.matrix, of.temporal.total_us);
    let wide = matrix.full_us + matrix.tf32_us;
    if wide <= 0.0 || matrix.half_us >= HALF_IN_USE * (wide + matrix.half_us) {
        return None;
    }
    // Multiplications may run at once; none of them takes more than the time in which something computes.
    let at_most = (of.temporal.compute_us / wide).min(1.0);
    let us = at_most * wide / 2.0;
    let most = at_most * (matrix.full_us * (1.0 - 1.0 / HALF_TO_FULL) + matrix.tf32_us * (1.0 - 1.0 / HALF_TO_TF32));
    let verdict =
        format!("Matrices are multiplied in 32 bits {:.0} % of the time, and hardly any in 16", share(2.0 * us, total));
    let mut evidence = vec![
        Evidence::new("multiplications in FP32, without tensor cores", share(matrix.full_us, total), "% of the time"),
        Evidence::new("multiplications in TF32", share(matrix.tf32_us, total), "% of the time"),
        Evidence::new("multiplications in 16 bits or less", share(matrix.half_us, total), "% of the time"),
    ];
    let costliest = matrix.costliest.as_ref();
    evidence.extend(
        costliest.map(|name| Evidence::new(short_name(name), share(matrix.costliest_us, total), "% of the time")),
    );
    let mut advice = vec![
        "Where the model bears it, run forward passes in BF16: `with torch.autocast(\"cuda\", dtype=torch.bfloat16)`; on V100 and T4 in \
         FP16, with a `GradScaler`.",
    ];
    if matrix.full_us > 0.0 {
        advice.push("From A100 on, TF32 is one line: `torch.set_float32_matmul_precision(\"high\")`.");
    }
    let finding = Finding {
        confidence: Confidence::Possible,
        speedup: Some(Interval { low: 1.0, value: faster(total, us), high: faster(total, most) }),
        ..begun("precision-unused", verdict, evidence, &advice)
    };
    Some((us, finding))
}

/// Names of kernels are long; what comes before their arguments tells them apart.
fn short_name(name: &str) -> String {
    const LONGEST: usize = 48;
    let name = name.strip_prefix("void ").unwrap_or(name);
    let end = name.find(['<', '(']).filter(|end| *end > 0).unwrap_or(name.len());
    name[..end].chars().take(LONGEST).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::precision::Matrix;
    use super::super::spread::Spread;
    use super::super::sweep::{Overlap, Temporal};
    use super::*;

    /// Half of a second computes and half is idle, for the host: with so many of a hundred launches that are short.
    fn trace(short: u64, mean_kernel_us: f64, matrix: Matrix) -> Breakdown {
        let middle = |us: f64| Spread { count: 100, p50: us, ..Spread::default() };
        Breakdown {
            temporal: Temporal { total_us: 1e6, idle_us: 5e5, compute_us: 5e5, non_compute_us: 0.0 },
            idle: vec![Idle { stream: 7, host_wait_us: 5e5, host_waits: 9, ..Idle::default() }],
            overlaps: vec![Overlap { kinds: vec![Work::Computation], us: 5e5 }],
            launches: vec![Launched { host_us: middle(8.0), device_us: middle(5.0), short, ..Launched::default() }],
            mean_kernel_us,
            matrix,
            ..Breakdown::default()
        }
    }

    fn check(of: &Breakdown, expected: &[&str]) {
        let found = findings(of);
        assert_eq!(found.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>(), expected);
        // What each would bring adds up to no more than the time there is.
        let gone: f64 =
            found.iter().filter_map(|finding| finding.speedup).map(|speedup| 1.0 - 1.0 / speedup.value).sum();
        assert!(gone <= 1.0, "{gone}");
    }

    #[test]
    fn an_idle_device_waits_for_launches_or_for_the_host() {
        check(&trace(60, 20.0, Matrix::default()), &["small-kernels"]);
        check(&trace(40, 20.0, Matrix::default()), &["host-bound"]);
        check(&trace(0, 9.0, Matrix::default()), &["small-kernels"]);
        let stalled = Breakdown { loader_wait_us: 4e5, ..trace(60, 20.0, Matrix::default()) };
        check(&stalled, &["data-stall", "small-kernels"]);
    }

    #[test]
    fn wide_multiplications_are_told_where_there_are_no_others() {
        let matrix = |full_us, tf32_us, half_us| Matrix { full_us, tf32_us, half_us, ..Matrix::default() };
        check(&trace(0, 90.0, matrix(4e5, 0.0, 0.0)), &["host-bound", "precision-unused"]);
        check(&trace(0, 90.0, matrix(1e5, 5e4, 0.0)), &["host-bound"]);
        check(&trace(0, 90.0, matrix(1e5, 2e5, 1e5)), &["host-bound"]);
        // More than there is time for: they ran at once.
        let of = trace(0, 90.0, matrix(1e6, 1e6, 0.0));
        let found = findings(&of).into_iter().find(|finding| finding.rule == "precision-unused").unwrap();
        assert_eq!(found.confidence, Confidence::Possible);
        let speedup = found.speedup.unwrap();
        assert!((speedup.value - 1.0 / 0.75).abs() < 1e-9 && speedup.low >= 1.0, "{speedup:?}");
        assert!((1.0 / speedup.high - (1.0 - 0.25 * (15.0 / 16.0 + 0.5))).abs() < 1e-9, "{speedup:?}");
    }
}

//! What a trace comes to, in words.
//!
//! Device time that computes nothing has one cause each: idle because the training loop waited for data, idle because the host had not
//! launched yet, busy with communication alone, or with copies alone. The costliest that takes a tenth of the time is told; parts never
//! add up to more than the time there is.

use fleet::finding::{Evidence, Finding, Place};
use fleet::recommendation::Interval;

use super::breakdown::Breakdown;
use super::names::Work;
use super::sweep::Idle;

/// The share of the time from which a part is worth a word.
pub const WORTH: f64 = 0.1;

/// Kernels shorter than this, in microseconds, take hardly longer than a launch does (3 to 10 µs on current hosts).
const SHORT_US: f64 = 10.0;

/// What is wrong, the costliest first.
#[must_use]
pub fn findings(of: &Breakdown) -> Vec<Finding> {
    let total = of.temporal.total_us;
    if total <= 0.0 {
        return Vec::new();
    }
    let mut found: Vec<(f64, Finding)> = [data_stall(of), host_bound(of), communication(of), copies(of)]
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
    let faster = |part: f64| total / (total - part * us).max(total * 0.01);
    finding.speedup = Some(Interval { low: faster(0.5), value: faster(1.0), high: faster(1.0) });
    finding
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
    let waits = busiest.host_wait_us + busiest.kernel_wait_us + busiest.other_us;
    // Of the time in which nothing runs at all, as much as is the host's part of what the busiest stream waits for.
    let by_host = if waits > 0.0 { (busiest.host_wait_us / waits).clamp(0.0, 1.0) } else { 0.0 };
    let us = (of.temporal.idle_us - stalled_us(of)) * by_host;
    let total = of.temporal.total_us;
    let verdict =
        format!("The device is idle {:.0} % of the time because the host launches too late", share(us, total));
    let mut evidence = vec![
        Evidence::new("nothing runs on the device", share(of.temporal.idle_us, total), "% of the time"),
        Evidence::new(format!("the host's part of what stream {} waits for", busiest.stream), 100.0 * by_host, "%"),
    ];
    let short = of.mean_kernel_us < SHORT_US;
    let kernels = Evidence::new("mean kernel", of.mean_kernel_us, "µs");
    evidence.push(kernels.beside("short below", SHORT_US));
    let advice: &[&str] = if short {
        &[
            "Kernels are short: launch fewer of them. Capture steps as CUDA graphs (`torch.compile(mode=\"reduce-overhead\")`), use fused \
             optimizers (`fused=True`) and larger batches.",
        ]
    } else {
        &[
            "Look at what the host does between launches: `.item()` and printing of tensors wait for the device, and so does what Python \
             computes in between.",
            "Larger batches, CUDA graphs and `torch.compile` need fewer launches.",
        ]
    };
    (us > 0.0).then(|| (us, begun("host-bound", verdict, evidence, advice)))
}

/// The stream on which least is waited for: that of the work itself.
fn busiest(of: &Breakdown) -> Option<&Idle> {
    let waits = |idle: &Idle| idle.host_waits + idle.kernel_waits + idle.others;
    of.idle.iter().max_by_key(|idle| waits(idle))
}

/// Time in which one kind of work runs, and none that computes.
fn alone_us(of: &Breakdown, work: Work) -> f64 {
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

/// Names of kernels are long; what comes before their arguments tells them apart.
fn short_name(name: &str) -> String {
    const LONGEST: usize = 48;
    let name = name.strip_prefix("void ").unwrap_or(name);
    let end = name.find(['<', '(']).filter(|end| *end > 0).unwrap_or(name.len());
    name[..end].chars().take(LONGEST).collect::<String>().trim_end().to_owned()
}

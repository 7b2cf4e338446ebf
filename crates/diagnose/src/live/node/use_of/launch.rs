//! The host, which cannot launch kernels as fast as the device does them.

use fleet::finding::{Confidence, Evidence};
use fleet::signal::{nvidia, process};

use super::{BUSY, Found, Rule, Use, UseRule, WORKING, percent};

pub(super) static RULE: UseRule = UseRule {
    rule: Rule {
        name: "host-bound",
        about: "a device has gaps while the host's threads that feed it have none: kernels are launched too slowly (unvalidated)",
        signals: &[&nvidia::BUSY, &nvidia::SM_ACTIVE, &process::OWN_CPU_USED],
        threshold: "for a minute: something runs 10 to 90 % of the time, multiprocessors are active less than half of it (NVIDIA, DCGM profiling metrics), and each process that tells steps takes 0.9 processors itself; the rest is ours",
    },
    check,
};

/// Less than this is a device that rests.
const RUNS: f64 = 0.1;
/// How much of a processor each process takes at least.
const HOST: f64 = 0.9;

fn check(device: &Use<'_>) -> Option<Found> {
    // A device that is busy all the time, and works little, waits for others or for memory: a host that waits for it spins as well.
    let busy = device.mean(&nvidia::BUSY).filter(|busy| (RUNS..BUSY).contains(busy))?;
    let working = device.mean(&nvidia::SM_ACTIVE).filter(|working| *working < WORKING)?;
    let host = device.host_threads().filter(|host| *host >= HOST)?;
    Some(Found {
        verdict: format!(
            "runs something {:.0} % of the time, and waits for the host, whose threads have no pause",
            100.0 * busy
        ),
        confidence: Confidence::Likely,
        evidence: vec![
            percent("something runs on it", busy),
            percent("multiprocessors are active", working),
            Evidence::new("processors that each process takes itself, at least", host, ""),
        ],
        advice: "Launch fewer and larger kernels: torch.compile or CUDA graphs, fused optimisers, larger batches; a trace (torch.profiler, `trimtab diagnose`) says which launches cost most.",
    })
}

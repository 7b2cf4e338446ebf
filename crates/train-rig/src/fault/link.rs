//! A slow link: a token bucket on the loopback of the run's own network, for all that goes over it or for what goes to one rank.
//!
//! For all it is the kernel's `tbf`; for one rank a class of `htb`, which is a token bucket for what a filter picks. Not `netem`, which kernels
//! may lack.

use anyhow::ensure;

use super::undo::Undo;
use super::{Done, Fault};
use crate::ground::Ground;
use crate::network::command;
use crate::pace::Pace;

/// What may pass at once: more than the loopback's packets of 64 KiB.
const BURST_BYTES: u64 = 128 << 10;
/// What may wait: more than is ever on its way, so that nothing is lost.
const QUEUE_BYTES: u64 = 32 << 20;

/// Makes the link so slow that the all-reduce takes what a step is to take longer.
///
/// Where one link is slow, the rank before it does not wait for what it has sent: it goes on as long as it receives, which it does until what
/// the slow one lacks has been missed all around the ring. So half of the chunks pass while the rank before computes its next step already,
/// and a step takes half of the transfer and the longer of the other half and a healthy step (as measured with two and four ranks).
pub(super) fn slow(fault: &Fault, ground: &Ground, healthy: &Pace) -> anyhow::Result<Done> {
    ground.network.check_own()?;
    let ranks = f64::from(ground.shape.ranks);
    ensure!(ground.shape.ranks > 1, "a single rank has no link");
    // Of each rank's gradients all but one part go over a link twice.
    let one_link = 2.0 * (ranks - 1.0) / ranks * f64::from(ground.shape.parameters) * 4.0;
    let longer_s = (fault.slowdown - 1.0) * healthy.step_s;
    let (bytes, took_s) = match fault.rank {
        Some(_) => (one_link, longer_s.min(fault.slowdown * healthy.step_s / 2.0) * 2.0),
        None => (one_link * ranks, longer_s),
    };
    let rate = ((bytes - BURST_BYTES as f64).max(bytes / 2.0) / took_s) as u64;
    let orders = match fault.rank {
        Some(rank) => one(rank, rate),
        None => vec![all(rate)],
    };
    ground.network.within(move || {
        for order in &orders {
            command("tc", &order.split(' ').collect::<Vec<_>>()).inspect_err(|_| {
                drop(clear());
            })?;
        }
        Ok(())
    })?;
    Ok(Done { knob: format!("{:.1} MB/s", rate as f64 / 1e6), undo: Undo::Link })
}

fn all(rate: u64) -> String {
    format!("qdisc add dev lo root tbf rate {rate}bps burst {BURST_BYTES}b limit {QUEUE_BYTES}b")
}

/// What goes to this rank's address has a class of its own; all else passes as before.
fn one(rank: u32, rate: u64) -> Vec<String> {
    let address = rank + 1;
    vec![
        "qdisc add dev lo root handle 1: htb default 0".to_owned(),
        format!(
            "class add dev lo parent 1: classid 1:2 htb rate {rate}bps burst {BURST_BYTES}b cburst {BURST_BYTES}b quantum 65536"
        ),
        format!("qdisc add dev lo parent 1:2 bfifo limit {QUEUE_BYTES}"),
        format!("filter add dev lo parent 1: protocol ip u32 match ip dst 127.0.0.{address}/32 flowid 1:2"),
    ]
}

/// Makes the link as fast as it was. For the thread of the network.
pub(super) fn clear() -> anyhow::Result<()> {
    command("tc", &["qdisc", "del", "dev", "lo", "root"])
}

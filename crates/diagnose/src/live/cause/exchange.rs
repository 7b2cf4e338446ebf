//! The exchange of gradients itself.

use fleet::finding::{Confidence, Evidence};
use fleet::series::Thing;
use fleet::signal::network;

use super::{Case, Cause, Found, Rule};
use crate::live::excess::Part;

pub(super) static CAUSE: Cause = Cause {
    rule: Rule {
        name: "slow-link",
        about: "the exchange between ranks takes longer, though nobody comes late to it",
        signals: &[&network::TCP_SENT, &network::TCP_RETRANSMITTED, &network::RDMA_WAIT, &network::RDMA_SYMBOL_ERRORS],
        threshold: "what the exchange takes who comes last to it is half of the excess or more; ours",
    },
    find,
};

fn find(case: &Case<'_>) -> Option<Found> {
    let (now, usual) = case.excess.exchange_beside();
    let mut evidence =
        vec![Evidence::new("the exchange itself", now / 1e3, "ms a step").beside("usually", usual / 1e3)];
    for (signal, what) in [
        (&network::TCP_RETRANSMITTED, "TCP segments sent again"),
        (&network::RDMA_WAIT, "ticks in which a port had something to send and was not let"),
        (&network::RDMA_SYMBOL_ERRORS, "faults on the wire"),
    ] {
        let rates =
            case.signals.things(signal).filter_map(|of| case.rate_of(signal, of)).filter(|rate| rate.risen() > 1.0);
        evidence.extend(rates.map(|rate| rate.evidence(what, 1.0, "a second")));
    }
    let sent = case.rate_of(&network::TCP_SENT, &Thing::Node).filter(|rate| rate.risen() > 0.0);
    evidence.extend(sent.map(|rate| rate.evidence("TCP segments sent", 1.0, "a second")));
    (now > usual).then(|| Found {
        explains_us: case.excess.lost_us(Part::Exchange),
        verdict: format!("The exchange between ranks of {} is slow, and nobody comes late to it", case.job),
        confidence: Confidence::Likely,
        evidence,
        advice: vec![
            "Look at the link: its speed and errors (ethtool, ibstat), what else sends over it, and whether traffic takes the path that it should (NCCL_DEBUG=INFO).".to_owned(),
            "Send less: gradients in 16 bits, larger buckets, several steps before an exchange.".to_owned(),
        ],
        ranks: case.all(),
    })
}

//! Networks of a Linux machine: interfaces, TCP, and adapters for RDMA.

use super::Unit::{Bytes, Count, Flag};
use super::{Signal, Source};

/// `/proc/net/dev` and `/sys/class/net`; of a process in a network of its own, that network's.
pub static INTERFACES: Source = Source {
    name: "/proc/net/dev",
    of: "each interface",
    unknown: "the interface is not listed: it is gone",
    cost: "one read, its length grows with interfaces",
    signals: &[&RECEIVED, &SENT, &RECEIVE_ERRORS, &SEND_ERRORS, &RECEIVE_DROPPED, &SEND_DROPPED],
};

/// Bytes received.
pub static RECEIVED: Signal = Signal::counter("network_received_bytes_total", Bytes, "bytes received");
/// Bytes sent.
pub static SENT: Signal = Signal::counter("network_sent_bytes_total", Bytes, "bytes sent");
/// Faulty packets received.
pub static RECEIVE_ERRORS: Signal =
    Signal::counter("network_receive_errors_total", Count, "packets that arrived and were faulty");
/// Packets that could not be sent.
pub static SEND_ERRORS: Signal = Signal::counter("network_send_errors_total", Count, "packets that could not be sent");
/// Packets received for which there was no room.
pub static RECEIVE_DROPPED: Signal =
    Signal::counter("network_receive_dropped_total", Count, "packets that arrived and for which there was no room");
/// Packets to send for which there was no room.
pub static SEND_DROPPED: Signal = Signal::counter(
    "network_send_dropped_total",
    Count,
    "packets that were to be sent and for which there was no room",
);

/// `/proc/net/snmp`.
pub static TCP: Source = Source {
    name: "/proc/net/snmp",
    of: "the node",
    unknown: "the file is absent",
    cost: "one read",
    signals: &[&TCP_SENT, &TCP_RETRANSMITTED],
};

/// TCP segments sent.
pub static TCP_SENT: Signal = Signal::counter("tcp_sent_segments_total", Count, "TCP segments sent");
/// TCP segments sent again.
pub static TCP_RETRANSMITTED: Signal = Signal::counter(
    "tcp_retransmitted_segments_total",
    Count,
    "TCP segments sent again, since nothing said that they arrived",
);

/// `/sys/class/infiniband/*/ports/*`: InfiniBand and RoCE.
pub static RDMA: Source = Source {
    name: "/sys/class/infiniband/*/ports/*/counters",
    of: "each port of each RDMA adapter",
    unknown: "the file is absent: this driver does not count it",
    cost: "nine short reads a port",
    signals: &[
        &RDMA_RECEIVED,
        &RDMA_SENT,
        &RDMA_WAIT,
        &RDMA_SYMBOL_ERRORS,
        &RDMA_RECEIVE_ERRORS,
        &RDMA_RECOVERED,
        &RDMA_DOWNED,
        &RDMA_UP,
        &RDMA_RATE,
    ],
};

/// Bytes received. The counter is in units of four bytes.
pub static RDMA_RECEIVED: Signal = Signal::counter("rdma_received_bytes_total", Bytes, "bytes received");
/// Bytes sent. The counter is in units of four bytes.
pub static RDMA_SENT: Signal = Signal::counter("rdma_sent_bytes_total", Bytes, "bytes sent");
/// Time in which there was something to send and the other side had no room for it, in units of the port.
pub static RDMA_WAIT: Signal = Signal::counter(
    "rdma_transmit_wait_ticks_total",
    Count,
    "ticks in which the port had something to send and was not let",
);
/// Faults on the wire.
pub static RDMA_SYMBOL_ERRORS: Signal = Signal::counter("rdma_symbol_errors_total", Count, "faults on the wire");
/// Faulty packets received.
pub static RDMA_RECEIVE_ERRORS: Signal =
    Signal::counter("rdma_receive_errors_total", Count, "packets that arrived and were faulty");
/// Recoveries of the link.
pub static RDMA_RECOVERED: Signal =
    Signal::counter("rdma_link_recoveries_total", Count, "times that the link failed and recovered by itself");
/// Losses of the link.
pub static RDMA_DOWNED: Signal =
    Signal::counter("rdma_link_downed_total", Count, "times that the link failed and did not recover");
/// Whether the link is up.
pub static RDMA_UP: Signal = Signal::gauge("rdma_link_up", Flag, "whether the port is active");
/// The speed of the link.
pub static RDMA_RATE: Signal =
    Signal::gauge("rdma_link_gbit_per_second", Count, "speed of the link, in 10⁹ bits a second");

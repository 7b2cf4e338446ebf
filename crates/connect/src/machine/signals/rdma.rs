//! Adapters for RDMA: InfiniBand and RoCE.

use std::fs;
use std::path::{Path, PathBuf};

use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, network};

/// So many ports are read; a machine with eight devices has eight to sixteen.
const PORTS_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Rdma {
    ports: Vec<(Thing, PathBuf)>,
}

/// Counters of data are in units of four bytes (InfiniBand Architecture Specification, PortXmitData).
static COUNTERS: &[(&Signal, &str, f64)] = &[
    (&network::RDMA_RECEIVED, "port_rcv_data", 4.0),
    (&network::RDMA_SENT, "port_xmit_data", 4.0),
    (&network::RDMA_WAIT, "port_xmit_wait", 1.0),
    (&network::RDMA_SYMBOL_ERRORS, "symbol_error", 1.0),
    (&network::RDMA_RECEIVE_ERRORS, "port_rcv_errors", 1.0),
    (&network::RDMA_RECOVERED, "link_error_recovery", 1.0),
    (&network::RDMA_DOWNED, "link_downed", 1.0),
];

impl Rdma {
    pub(super) fn new(root: &Path) -> Self {
        let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten();
        let mut ports = Vec::new();
        for adapter in entries(&root.join("sys/class/infiniband")) {
            for port in entries(&adapter.path().join("ports")) {
                let name = format!("{}/{}", adapter.file_name().display(), port.file_name().display());
                ports.push((Thing::Port(name.into()), port.path()));
            }
        }
        ports.sort();
        ports.truncate(PORTS_MAX);
        Self { ports }
    }

    pub(super) fn scrape(&self, scrape: &mut Scrape) {
        for (of, folder) in &self.ports {
            let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
            for (signal, name, unit) in COUNTERS {
                let count = read(&format!("counters/{name}")).and_then(|text| text.trim().parse::<u64>().ok());
                scrape.add(signal, of, count.map(|count| count as f64 * unit));
            }
            let up = read("state").map(|state| f64::from(u8::from(state.contains("ACTIVE"))));
            scrape.add(&network::RDMA_UP, of, up);
            // "400 Gb/sec (4X NDR)".
            let rate = read("rate").and_then(|rate| rate.split_ascii_whitespace().next()?.parse().ok());
            scrape.add(&network::RDMA_RATE, of, rate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read() {
        let root = tempfile::TempDir::new().unwrap();
        let port = root.path().join("sys/class/infiniband/mlx5_0/ports/1");
        fs::create_dir_all(port.join("counters")).unwrap();
        for (name, text) in
            [("counters/port_rcv_data", "10\n"), ("state", "4: ACTIVE\n"), ("rate", "400 Gb/sec (4X NDR)\n")]
        {
            fs::write(port.join(name), text).unwrap();
        }
        let mut scrape = Scrape::default();
        Rdma::new(root.path()).scrape(&mut scrape);
        let got = |signal: &Signal| scrape.values.iter().find(|value| value.signal == signal).unwrap().value;
        assert_eq!(got(&network::RDMA_RECEIVED), Some(40.0));
        assert_eq!(got(&network::RDMA_SENT), None);
        assert_eq!(got(&network::RDMA_UP), Some(1.0));
        assert_eq!(got(&network::RDMA_RATE), Some(400.0));
        assert_eq!(scrape.values[0].of, Thing::Port("mlx5_0/1".into()));
    }
}

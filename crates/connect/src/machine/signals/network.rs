//! Interfaces and TCP.

use std::path::Path;
use std::sync::Arc;

use fleet::series::{Scrape, Thing};
use fleet::signal::{Signal, network};

use super::kept::Kept;

#[derive(Debug)]
pub(super) struct Network {
    interfaces: Kept,
    tcp: Kept,
    known: Vec<Arc<str>>,
}

impl Network {
    pub(super) fn new(root: &Path) -> Self {
        let file = |name: &str| Kept::new(root.join("proc/net").join(name));
        Self { interfaces: file("dev"), tcp: file("snmp"), known: Vec::new() }
    }

    pub(super) fn scrape(&mut self, text: &mut Vec<u8>, scrape: &mut Scrape) {
        for line in self.interfaces.read(text).unwrap_or("").lines() {
            let Some((name, values)) = interface(line) else { continue };
            let name = match self.known.iter().find(|known| ***known == *name) {
                Some(known) => known.clone(),
                None => {
                    self.known.push(name.into());
                    name.into()
                }
            };
            let of = Thing::Interface(name);
            for (signal, value) in values {
                scrape.add(signal, &of, Some(value as f64));
            }
        }
        let text = self.tcp.read(text).unwrap_or("");
        for (signal, key) in [(&network::TCP_SENT, "OutSegs"), (&network::TCP_RETRANSMITTED, "RetransSegs")] {
            scrape.add(signal, &Thing::Node, tcp(text, key).map(|value| value as f64));
        }
    }
}

/// "  eth0: 1 2 …": received bytes, packets, errors, dropped and four more; sent likewise.
fn interface(line: &str) -> Option<(&str, [(&'static Signal, u64); 6])> {
    let (name, rest) = line.split_once(':')?;
    let mut numbers = [0; 12];
    let mut fields = rest.split_ascii_whitespace();
    for number in &mut numbers {
        *number = fields.next()?.parse::<u64>().ok()?;
    }
    let [received, _, receive_errors, receive_dropped, _, _, _, _, sent, _, send_errors, send_dropped] = numbers;
    Some((
        name.trim(),
        [
            (&network::RECEIVED, received),
            (&network::SENT, sent),
            (&network::RECEIVE_ERRORS, receive_errors),
            (&network::SEND_ERRORS, send_errors),
            (&network::RECEIVE_DROPPED, receive_dropped),
            (&network::SEND_DROPPED, send_dropped),
        ],
    ))
}

/// A line of names and a line of numbers, both beginning with "Tcp:".
fn tcp(text: &str, key: &str) -> Option<u64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp:"));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let place = names.split_ascii_whitespace().position(|name| name == key)?;
    numbers.split_ascii_whitespace().nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        let (name, values) = interface("  eth0: 10 1 2 3 0 0 0 0 20 2 4 5 0 0 0 0").unwrap();
        assert_eq!((name, values.map(|(_, value)| value)), ("eth0", [10, 20, 2, 4, 3, 5]));
        assert!(interface(" face |bytes    packets errs").is_none());
        let text = "Ip: a\nIp: 1\nTcp: RtoMin OutSegs RetransSegs\nTcp: -1 50 7\nUdp: x\n";
        assert_eq!((tcp(text, "OutSegs"), tcp(text, "RetransSegs"), tcp(text, "Other")), (Some(50), Some(7), None));
    }
}

//! Bar 6: a server that takes 40 ms for each request: how fast bytes come, beside plain requests for whole files at the same time; when
//! the first batch is there; and how often the server was asked for a list. Once more where the server sends each answer no faster than
//! a store does.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use object_rig::{Behaviour, Behind, Server};
use serde::Deserialize;

use super::super::row::{Row, Target};
use super::super::session::Session;
use super::peers::{Own, ROUNDS, median};
use super::shards::{self, Shape};
use crate::workspace;

const SHAPE: Shape = Shape { shards: 8, samples: 1024, bytes: 256 << 10 };
const LATENCY: Duration = Duration::from_millis(40);
/// How often all is read, by both: to open a loader counts, and is not most of what is measured.
const EPOCHS: usize = 4;
/// Bytes a second of a request to S3: 85 to 90 MB (docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-design-patterns.html).
const STORE_RATE: u64 = 90_000_000;

/// What the program printed.
#[derive(Debug, Deserialize)]
pub(super) struct Arrived {
    pub(super) first_ms: f64,
    /// Of each epoch; to open is of the first.
    pub(super) seconds: Vec<f64>,
    pub(super) bytes: u64,
    pub(super) once: bool,
    pub(super) digest: String,
    pub(super) order: String,
}

pub(super) fn run(session: &mut Session) -> anyhow::Result<()> {
    let folder = workspace::target_folder().join("bench/feed/bytes");
    shards::write(&folder, SHAPE)?;
    shards::index(&folder, SHAPE)?;
    let own = Own::install()?;
    let behaviour = Behaviour { latency: LATENCY, ..Behaviour::default() };
    let server = Server::start(Behind::Folder(folder), behaviour.clone())?;
    let at_least = Target::AtLeast(0.8);
    for (order, bar) in [("in-order", at_least), ("windowed", at_least), ("global", Target::Stated)] {
        compare(session, (&own, &server), order, (EPOCHS, bar))?;
    }
    server.behave(Behaviour { bytes_per_second: Some(STORE_RATE), ..behaviour });
    compare(session, (&own, &server), "in-order", (1, Target::Stated))
}

/// Rows for an order, read for some epochs.
fn compare(
    session: &mut Session,
    (own, server): (&Own, &Server),
    order: &str,
    (epochs, bar): (usize, Target),
) -> anyhow::Result<()> {
    let (mut ratios, mut rates, mut firsts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut trips, mut lists) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let plain = plain(server.address(), epochs)?;
        let lists_before = server.requests_of("PROPFIND");
        let printed = own.run("objects_trimtab.py", &[order, &epochs.to_string(), &server.url("*.tar")])?;
        let read: Arrived = serde_json::from_str(&printed).with_context(|| printed)?;
        ensure!(read.once, "each sample comes once an epoch");
        let rate = read.bytes as f64 / read.seconds.iter().sum::<f64>();
        ratios.push(rate / plain);
        rates.push(rate / 1e6);
        firsts.push(read.bytes as f64 / epochs as f64 / read.seconds[0] / plain);
        trips.push((read.first_ms / LATENCY.as_secs_f64() / 1e3).floor());
        lists.push((server.requests_of("PROPFIND") - lists_before) as f64);
    }
    let case = if epochs == 1 { format!("{order}, each answer at 90 MB/s") } else { order.to_owned() };
    session.add(Row::new(6, format!("{case}, to 8 plain requests at once"), median(ratios), bar, "x"));
    if epochs > 1 {
        session.add(Row::new(6, format!("{case}, the first epoch alone"), median(firsts), Target::Stated, "x"));
    }
    session.add(Row::new(6, format!("{case}, bytes"), median(rates), Target::Stated, "MB/s"));
    let trips_max = if epochs > 1 { Target::AtMost(3.0) } else { Target::Stated };
    session.add(Row::new(6, format!("{case}, whole round trips until the first batch"), median(trips), trips_max, ""));
    session.add(Row::new(6, format!("{case}, lists"), median(lists), Target::AtMost(1.0), ""));
    Ok(())
}

/// Bytes a second of as many requests at once as there are shards, each for a whole one, so many times.
fn plain(address: SocketAddr, times: usize) -> anyhow::Result<f64> {
    let start = Instant::now();
    let mut bytes = 0;
    for _ in 0..times {
        bytes += thread::scope(|scope| {
            let gets: Vec<_> = (0..SHAPE.shards).map(|shard| scope.spawn(move || get(address, shard))).collect();
            gets.into_iter().map(|get| get.join().expect("it does not panic")).sum::<anyhow::Result<u64>>()
        })?;
    }
    Ok(bytes as f64 / start.elapsed().as_secs_f64())
}

/// Reads a shard, and throws it away.
fn get(address: SocketAddr, shard: usize) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /{shard}.tar HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
    let mut buffer = vec![0; 1 << 20];
    let (mut bytes, mut expected) = (0_u64, None);
    while expected.is_none_or(|expected| bytes < expected) {
        let read = stream.read(&mut buffer)?;
        ensure!(read > 0, "the server ended early");
        if expected.is_none() {
            let head = String::from_utf8_lossy(&buffer[..read]);
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let end = head.find("\r\n\r\n").context("the head comes at once")? as u64 + 4;
            expected = Some(end + length.context("the server tells the length")?.trim().parse::<u64>()?);
        }
        bytes += read as u64;
    }
    Ok(bytes)
}

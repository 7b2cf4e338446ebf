//! The all-reduce of gradients: a ring over TCP, in which every rank sends to the next and receives from the one before
//! (reduce-scatter, then all-gather; Patarasuk and Yuan 2009).
//!
//! A thread sends while another receives: were it one, all ranks could fill their sockets and wait for each other.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Context;

/// How long to wait for the next rank's door to be open.
const PATIENCE: Duration = Duration::from_secs(30);
/// Chunks that wait to be sent.
const WAITING: usize = 2;

/// A rank's place in the ring. With a single rank there is none.
#[derive(Debug)]
pub(super) struct Ring {
    rank: usize,
    ranks: usize,
    /// What goes to the next rank.
    next: SyncSender<Vec<u8>>,
    sender: JoinHandle<()>,
    /// What comes from the one before.
    previous: TcpStream,
    received: Vec<u8>,
}

impl Ring {
    /// Joins: connects to the next rank, and lets the one before connect.
    pub(super) fn join(rank: usize, addresses: &[SocketAddr], door: &TcpListener) -> anyhow::Result<Self> {
        let ranks = addresses.len();
        let address = addresses[(rank + 1) % ranks];
        let mut to = TcpStream::connect_timeout(&address, PATIENCE)
            .with_context(|| format!("rank {} is not reached at {address}", (rank + 1) % ranks))?;
        to.set_nodelay(true)?;
        let (previous, _) = door.accept().context("the rank before did not come")?;
        let (next, chunks) = sync_channel::<Vec<u8>>(WAITING);
        let sender = thread::Builder::new().name("sender".to_owned()).spawn(move || {
            // A peer that has gone is noticed where its data are missing; until then nobody needs to know.
            while let Ok(chunk) = chunks.recv() {
                if to.write_all(&chunk).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { rank, ranks, next, sender, previous, received: Vec::new() })
    }

    /// Makes every rank's values the sum over all ranks.
    pub(super) fn all_reduce(&mut self, values: &mut [f32]) -> anyhow::Result<()> {
        let (ranks, rank) = (self.ranks, self.rank);
        for turn in 0..ranks - 1 {
            self.send(&values[chunk(values.len(), ranks, rank + ranks - turn)])?;
            let range = chunk(values.len(), ranks, rank + 2 * ranks - turn - 1);
            self.receive(range.len())?;
            for (value, bytes) in values[range].iter_mut().zip(self.received.as_chunks::<4>().0) {
                *value += f32::from_le_bytes(*bytes);
            }
        }
        for turn in 0..ranks - 1 {
            self.send(&values[chunk(values.len(), ranks, rank + 1 + ranks - turn)])?;
            let range = chunk(values.len(), ranks, rank + ranks - turn);
            self.receive(range.len())?;
            for (value, bytes) in values[range].iter_mut().zip(self.received.as_chunks::<4>().0) {
                *value = f32::from_le_bytes(*bytes);
            }
        }
        Ok(())
    }

    /// Leaves in peace: the next rank may not have everything yet when this one has.
    pub(super) fn leave(self) {
        drop(self.next);
        drop(self.sender.join());
    }

    fn send(&self, values: &[f32]) -> anyhow::Result<()> {
        let mut bytes = vec![0; values.len() * 4];
        for (to, value) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(values) {
            *to = value.to_le_bytes();
        }
        self.next.send(bytes).ok().context("the next rank has gone")
    }

    fn receive(&mut self, values: usize) -> anyhow::Result<()> {
        self.received.resize(values * 4, 0);
        self.previous.read_exact(&mut self.received).context("the rank before has gone")
    }
}

/// The values of a chunk; its number is taken modulo the ranks.
fn chunk(values: usize, ranks: usize, number: usize) -> Range<usize> {
    let number = number % ranks;
    number * values / ranks..(number + 1) * values / ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_gets_the_sum() {
        for ranks in 2..6_usize {
            let doors: Vec<_> = (0..ranks).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
            let addresses: Vec<_> = doors.iter().map(|door| door.local_addr().unwrap()).collect();
            thread::scope(|scope| {
                for (rank, door) in doors.iter().enumerate() {
                    let addresses = &addresses;
                    scope.spawn(move || {
                        let mut ring = Ring::join(rank, addresses, door).unwrap();
                        for round in 0..3_usize {
                            let mut values: Vec<f32> =
                                (0..1_003).map(|value| (value * (rank + 1) + round) as f32).collect();
                            ring.all_reduce(&mut values).unwrap();
                            let ranks_sum = ranks * (ranks + 1) / 2;
                            let expected = (0..1_003).map(|value| (value * ranks_sum + ranks * round) as f32);
                            assert!(values.iter().copied().eq(expected), "rank {rank} of {ranks}");
                        }
                    });
                }
            });
        }
    }

    #[test]
    fn who_loses_a_rank_is_told() {
        let doors: Vec<_> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let addresses: Vec<_> = doors.iter().map(|door| door.local_addr().unwrap()).collect();
        thread::scope(|scope| {
            scope.spawn(|| drop(Ring::join(1, &addresses, &doors[1]).unwrap()));
            let mut ring = Ring::join(0, &addresses, &doors[0]).unwrap();
            assert!(ring.all_reduce(&mut [1.0; 100]).is_err());
        });
    }
}

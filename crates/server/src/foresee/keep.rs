//! Looks ahead again and again, and learns from what becomes of what was said.

use std::time::{Duration, Instant};

use fleet::live::{Entry, Logged};
use store::Reader;

use super::{Foreseen, see};
use crate::api::reading;
use crate::failure::Failure;
use crate::plane::{Plane, Standing};

/// No look comes sooner after the one before,
const EVERY: Duration = Duration::from_secs(2);
/// nor sooner than so many times as long as that took: looking takes no more than a twentieth of a core.
const REST: u32 = 20;
/// So much of the log is read at once.
const ENTRIES_MAX: usize = 1_000;

/// Looks ahead while anybody waits. Whatever fails is tried again: nothing hangs on it but what is said of starts to come.
pub(crate) async fn keep(foreseen: Foreseen, plane: Plane, reader: Reader) {
    let mut keeper = Keeper { foreseen, plane, reader, seq: 0, looks: 0 };
    loop {
        let begun = Instant::now();
        let _failed = keeper.turn().await;
        tokio::time::sleep(EVERY.max(begun.elapsed() * REST)).await;
    }
}

struct Keeper {
    foreseen: Foreseen,
    plane: Plane,
    reader: Reader,
    /// How far the log was read.
    seq: u64,
    looks: u64,
}

impl Keeper {
    async fn turn(&mut self) -> Result<(), Failure> {
        let Some(Standing { ahead, stored }) = self.plane.ahead().await? else { return Ok(()) };
        // Whoever started before was told of before this look.
        self.read_to(stored).await?;
        self.looks += 1;
        let seed = self.looks;
        let seen = reading(move || Ok(see(&ahead, None, seed))).await?;
        self.foreseen.saw(seen);
        Ok(())
    }

    /// Reads the log on, up to a place.
    async fn read_to(&mut self, end: u64) -> Result<(), Failure> {
        if !self.foreseen.lock().foresight.awaits() {
            // What became of others needs not be read.
            self.seq = end;
        }
        while self.seq < end {
            let (reader, seq) = (self.reader.clone(), self.seq);
            let limit = ENTRIES_MAX.min((end - seq) as usize);
            let entries = reading(move || Ok(reader.entries_since(seq, limit)?)).await?;
            let Some(last) = entries.last() else { return Ok(()) };
            self.seq = last.seq;
            self.learn(&entries);
        }
        Ok(())
    }

    fn learn(&self, entries: &[Logged]) {
        let foresight = &mut self.foreseen.lock().foresight;
        for Logged { at, entry, .. } in entries {
            match entry {
                Entry::Decided { workload, .. } => foresight.started(*workload, *at),
                Entry::Finished { workload, .. } => foresight.withdrawn(*workload),
                _ => {}
            }
        }
    }
}

//! The loader of a rank: a thread that reads and prepares the samples of steps to come, two ahead at most.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, sleep};
use std::time::Duration;

use anyhow::Context;

use crate::random::Random;
use crate::samples;
use crate::shape::{Shape, Storage};

/// Batches that wait; one more is in the loader's hands, which makes two ahead.
const WAITING: usize = 1;

/// The samples of a step, prepared.
pub(super) type Batch = Vec<f32>;

/// A loader at work.
#[derive(Debug)]
pub(super) struct Loader {
    batches: Receiver<anyhow::Result<Batch>>,
    /// Buffers that were used go back: what a rank holds in memory is steady, as where buffers are pinned for a device.
    used: Sender<Batch>,
}

impl Loader {
    /// Reads the whole shard once, so that what is cached is cached and charged to this process, and begins.
    pub(super) fn start(folder: PathBuf, shape: Shape, seed: u64) -> anyhow::Result<Self> {
        let streamed = shape.storage == Storage::Streamed;
        for number in 0..shape.shard_samples {
            samples::read(&samples::path(&folder, number), streamed)?;
        }
        let (sender, batches) = sync_channel(WAITING);
        let (used, empty) = channel();
        let name = "loader".to_owned();
        thread::Builder::new().name(name).spawn(move || {
            // Whoever trains has gone when nobody takes a batch any more.
            if let Err(error) = load(&folder, &shape, seed, &sender, &empty) {
                drop(sender.send(Err(error)));
            }
        })?;
        Ok(Self { batches, used })
    }

    /// Waits for the next batch.
    pub(super) fn next(&self) -> anyhow::Result<Batch> {
        self.batches.recv().context("the loader has ended")?
    }

    /// Gives a batch back that was used.
    pub(super) fn give_back(&self, batch: Batch) {
        drop(self.used.send(batch));
    }
}

fn load(
    folder: &Path,
    shape: &Shape,
    seed: u64,
    sender: &SyncSender<anyhow::Result<Batch>>,
    empty: &Receiver<Batch>,
) -> anyhow::Result<()> {
    let mut random = Random::new(seed, 3);
    let mut order: Vec<u32> = (0..shape.shard_samples).collect();
    loop {
        random.shuffle(&mut order);
        sleep(Duration::from_secs_f64(shape.benign.epoch_pause_ms / 1e3));
        for numbers in order.chunks(shape.batch_samples as usize) {
            let mut batch = empty.try_recv().unwrap_or_default();
            batch.clear();
            // A sample's last bytes may be a few more than it was to have.
            batch.reserve(numbers.len() * (shape.sample_bytes as usize + 8));
            for number in numbers {
                let path = samples::path(folder, *number);
                let bytes = samples::read(&path, shape.storage == Storage::Streamed)?;
                samples::prepare(bytes, &mut batch).with_context(|| path.display().to_string())?;
            }
            if sender.send(Ok(batch)).is_err() {
                return Ok(());
            }
        }
    }
}

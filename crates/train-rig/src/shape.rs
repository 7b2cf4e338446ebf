//! What a run is like: how many ranks, what they compute, read, send and keep, and how unsteady all that is while nothing is wrong.
//!
//! [`Shape::draw`] gives the variety of healthy runs. Everything that looks like a fault and is none (a slow start, a step that
//! takes thrice as long once, a checkpoint longer than a step) is drawn there too.

use anyhow::ensure;
use serde::{Deserialize, Serialize};

use crate::random::Random;

/// The most ranks: each needs an address, a group and a process.
const RANKS_MAX: u32 = 8;
/// The longest time of a part of a step, ms.
const TIME_MAX_MS: f64 = 60_000.0;

/// What a run is like. Processor times are those of an optimised build on this machine, which [`crate::Run`] measures first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Processes, from 1 to 8.
    pub ranks: u32,
    /// How long the device takes for a forward pass, ms. A device is a clock that ends this long after its launch: the host
    /// waits for it without computing, as it waits for a GPU.
    pub device_forward_ms: f64,
    /// The same for a backward pass, ms.
    pub device_backward_ms: f64,
    /// Matrix products on the host before the device is waited for in the forward pass, ms of one core.
    pub host_forward_ms: f64,
    /// The same in the backward pass, ms of one core.
    pub host_backward_ms: f64,
    /// What the samples of one step take to be prepared, ms of one core.
    pub prepare_ms: f64,
    /// Samples of one rank in one step.
    pub batch_samples: u32,
    /// Bytes of a sample.
    pub sample_bytes: u32,
    /// Samples that a rank has; it reads them in another order in every epoch.
    pub shard_samples: u32,
    /// How samples are read.
    pub storage: Storage,
    /// What a rank's disk gives, bytes each second. Held by the kernel (block controller), where that can be had.
    pub read_bytes_per_s: u64,
    /// What a rank's disk takes, bytes each second.
    pub write_bytes_per_s: u64,
    /// Weights of the model, of four bytes each; gradients are as many.
    pub parameters: u32,
    /// Steps from checkpoint to checkpoint.
    pub checkpoint_every: u64,
    /// Bytes of a checkpoint.
    pub checkpoint_bytes: u64,
    /// Who writes checkpoints.
    pub checkpoint_by: Writers,
    /// How far a device's time strays in a healthy step, as a share of it.
    pub jitter: f64,
    /// How much slower the slowest healthy device is than the fastest, as a share.
    pub imbalance: f64,
    /// What is unusual and no fault.
    pub benign: Benign,
    /// What a rank does that has lost another.
    pub on_loss: Loss,
}

/// How samples are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Storage {
    /// The shard fits into memory: once read, it comes from the page cache.
    Cached,
    /// The page cache is dropped after every read, as of a dataset that is larger than memory: every sample comes from the disk.
    Streamed,
}

/// Who writes checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Writers {
    /// Rank 0, for all.
    First,
    /// Every rank its part.
    All,
}

/// What a rank does that has lost another. Both happen: the first where the library tells, the second where it waits for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Loss {
    /// It ends with an error.
    Leave,
    /// It waits until somebody ends it.
    Wait,
}

/// What is unusual and no fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benign {
    /// Steps at the start during which the device is slow (compilation, caches).
    pub start_steps: u64,
    /// How much slower it is then.
    pub start_factor: f64,
    /// Chance that a rank's device is slow in a step.
    pub slow_step_chance: f64,
    /// How much slower it is then.
    pub slow_step_factor: f64,
    /// What the loader takes to begin an epoch, ms.
    pub epoch_pause_ms: f64,
}

impl Default for Shape {
    /// A run without surprises: four ranks, about 130 ms a step, cached samples.
    fn default() -> Self {
        Self {
            ranks: 4,
            device_forward_ms: 30.0,
            device_backward_ms: 60.0,
            host_forward_ms: 2.0,
            host_backward_ms: 3.0,
            prepare_ms: 5.0,
            batch_samples: 4,
            sample_bytes: 384 << 10,
            shard_samples: 32,
            storage: Storage::Cached,
            read_bytes_per_s: 3 << 20,
            write_bytes_per_s: 60 << 20,
            parameters: 400_000,
            checkpoint_every: 20,
            checkpoint_bytes: 3_200_000,
            checkpoint_by: Writers::First,
            jitter: 0.03,
            imbalance: 0.0,
            benign: Benign {
                start_steps: 0,
                start_factor: 1.0,
                slow_step_chance: 0.0,
                slow_step_factor: 1.0,
                epoch_pause_ms: 0.0,
            },
            on_loss: Loss::Leave,
        }
    }
}

impl Shape {
    /// A healthy run of a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let storage = if random.happens(0.6) { Storage::Cached } else { Storage::Streamed };
        Self::draw_reading(storage, &mut random)
    }

    /// A healthy run of a seed whose samples are read like this.
    #[must_use]
    pub fn draw_with(storage: Storage, seed: u64) -> Self {
        Self::draw_reading(storage, &mut Random::new(seed, 1))
    }

    fn draw_reading(storage: Storage, random: &mut Random) -> Self {
        let device_ms = random.between(55.0, 110.0);
        let forward = random.between(0.28, 0.42);
        let batch_samples = 3 + random.below(3) as u32;
        let parameters = 200_000 + random.below(400_000) as u32;
        let checkpoint_bytes = u64::from(parameters) * 8;
        let mut shape = Self {
            ranks: random.one_of(&[2, 3, 4, 4, 4]),
            device_forward_ms: device_ms * forward,
            device_backward_ms: device_ms * (1.0 - forward),
            host_forward_ms: random.between(1.0, 3.0),
            host_backward_ms: random.between(2.0, 4.0),
            prepare_ms: random.between(3.0, 7.0),
            batch_samples,
            sample_bytes: (256 + 4 * random.below(49) as u32) << 10,
            shard_samples: batch_samples * (7 + random.below(4) as u32),
            storage,
            read_bytes_per_s: 0,
            write_bytes_per_s: 0,
            parameters,
            checkpoint_every: 12 + random.below(20),
            checkpoint_bytes,
            checkpoint_by: random.one_of(&[Writers::First, Writers::All]),
            jitter: random.between(0.005, 0.06),
            imbalance: random.between(0.0, 0.06),
            benign: Benign {
                start_steps: random.below(6),
                start_factor: random.between(1.5, 4.0),
                slow_step_chance: random.one_of(&[0.0, 0.002, 0.005]),
                slow_step_factor: random.between(1.5, 3.0),
                epoch_pause_ms: random.one_of(&[0.0, 0.0, 20.0, 60.0]),
            },
            on_loss: random.one_of(&[Loss::Leave, Loss::Wait]),
        };
        let step_s = shape.rough_step_s();
        // What is cached comes from a disk that would not keep up by far; what is streamed from one that keeps up well.
        let cold_steps = match storage {
            Storage::Cached => random.between(3.8, 4.5),
            Storage::Streamed => random.between(0.25, 0.45),
        };
        shape.read_bytes_per_s = (shape.batch_bytes() as f64 / (cold_steps * step_s)) as u64;
        // From a third of a step to one and a half.
        shape.write_bytes_per_s = (checkpoint_bytes as f64 / (random.between(0.3, 1.5) * step_s)) as u64;
        shape
    }

    /// That a run can be like this.
    ///
    /// # Errors
    /// Names the first field that cannot be so.
    pub fn check(&self) -> anyhow::Result<()> {
        let benign = &self.benign;
        ensure!((1..=RANKS_MAX).contains(&self.ranks), "ranks: {}, and not from 1 to {RANKS_MAX}", self.ranks);
        let times = [
            ("device_forward_ms", self.device_forward_ms),
            ("device_backward_ms", self.device_backward_ms),
            ("host_forward_ms", self.host_forward_ms),
            ("host_backward_ms", self.host_backward_ms),
            ("prepare_ms", self.prepare_ms),
            ("benign.epoch_pause_ms", benign.epoch_pause_ms),
            ("benign.start_factor", benign.start_factor),
            ("benign.slow_step_factor", benign.slow_step_factor),
            ("imbalance", self.imbalance),
        ];
        for (field, value) in times {
            ensure!((0.0..=TIME_MAX_MS).contains(&value), "{field}: {value}, and not from 0 to {TIME_MAX_MS}");
        }
        for (field, value) in [("jitter", self.jitter), ("benign.slow_step_chance", benign.slow_step_chance)] {
            ensure!((0.0..=1.0).contains(&value), "{field}: {value}, and not from 0 to 1");
        }
        let counts = [
            ("batch_samples", self.batch_samples.into()),
            ("sample_bytes", self.sample_bytes.into()),
            ("read_bytes_per_s", self.read_bytes_per_s),
            ("write_bytes_per_s", self.write_bytes_per_s),
            ("checkpoint_every", self.checkpoint_every),
        ];
        for (field, value) in counts {
            ensure!(value > 0, "{field}: it cannot be zero");
        }
        ensure!(self.shard_samples >= self.batch_samples, "shard_samples: fewer than batch_samples");
        ensure!(self.parameters >= self.ranks, "parameters: fewer than ranks");
        Ok(())
    }

    /// Bytes that a rank reads for one step.
    #[must_use]
    pub fn batch_bytes(&self) -> u64 {
        u64::from(self.batch_samples) * u64::from(self.sample_bytes)
    }

    /// What a healthy step is likely to take, in seconds; the run itself says what it did take.
    #[must_use]
    pub fn rough_step_s(&self) -> f64 {
        let host_ms = self.host_forward_ms + self.host_backward_ms;
        let passes_ms = f64::from(self.parameters) * f64::from(self.ranks) * 10e-6;
        (self.device_forward_ms + self.device_backward_ms + host_ms + passes_ms) / 1e3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn healthy_runs_differ_and_leave_room() {
        let mut steps = Vec::new();
        for seed in 0..200 {
            let shape = Shape::draw(seed);
            assert_eq!(shape, Shape::draw(seed));
            shape.check().unwrap();
            steps.push(shape.rough_step_s());
            let host_ms = shape.host_forward_ms + shape.host_backward_ms + shape.prepare_ms;
            let cores = f64::from(shape.ranks) * host_ms / 1e3 / shape.rough_step_s();
            assert!(cores < 0.8, "seed {seed}: {cores} cores are busy besides copies");
            assert_eq!(shape.shard_samples % shape.batch_samples, 0, "an epoch is whole batches");
        }
        steps.sort_by(f64::total_cmp);
        assert!(steps[10] > 0.05 && steps[190] < 0.2 && steps[190] > 1.5 * steps[10], "{steps:?}");
    }

    #[test]
    fn what_cannot_be_is_named() {
        let check = |shape: &Shape, field: &str| {
            let error = shape.check().unwrap_err().to_string();
            assert!(error.starts_with(field), "{error}");
        };
        check(&Shape { ranks: 0, ..Shape::default() }, "ranks: 0");
        check(&Shape { ranks: 9, ..Shape::default() }, "ranks: 9");
        check(&Shape { prepare_ms: f64::NAN, ..Shape::default() }, "prepare_ms: NaN");
        check(&Shape { jitter: 1.5, ..Shape::default() }, "jitter");
        check(&Shape { checkpoint_every: 0, ..Shape::default() }, "checkpoint_every");
        check(&Shape { shard_samples: 3, ..Shape::default() }, "shard_samples");
        Shape::default().check().unwrap();
    }

    #[test]
    fn a_shape_goes_through_json() {
        let shape = Shape::draw(5);
        let text = serde_json::to_string(&shape).unwrap();
        let read: Shape = serde_json::from_str(&text).unwrap();
        // Serde's floats may differ in their last digit.
        assert_eq!(
            (read.ranks, read.storage, read.benign.start_steps),
            (shape.ranks, shape.storage, shape.benign.start_steps)
        );
    }
}

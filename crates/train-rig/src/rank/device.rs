//! The device of a rank, as its host sees it: what is launched ends some time later, and the host waits.
//!
//! This is the one part that is a model. It is a clock that ends so long after a launch, because there need be no GPU here, and
//! because a host that waits for one computes nothing either. That its clock goes on while the process is stopped is as on a GPU.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::random::Random;
use crate::shape::Shape;

/// A device.
#[derive(Debug)]
pub(super) struct Device {
    random: Random,
    /// How much slower this one is than others while all is well.
    own_factor: f64,
    /// What slows it in the present step.
    step_factor: f64,
    jitter: f64,
    memory: Vec<f32>,
}

/// What was launched.
#[derive(Debug)]
pub(super) struct Launched {
    ends: Instant,
}

impl Device {
    pub(super) fn new(shape: &Shape, rank: u32, seed: u64) -> Self {
        let mut random = Random::new(seed, 100 + u64::from(rank));
        let own_factor = 1.0 + random.between(0.0, shape.imbalance);
        Self { random, own_factor, step_factor: 1.0, jitter: shape.jitter, memory: Vec::new() }
    }

    /// A step begins, with a factor from outside.
    pub(super) fn begin_step(&mut self, number: u64, shape: &Shape, factor: f64) {
        let benign = &shape.benign;
        self.step_factor = factor;
        if number < benign.start_steps {
            self.step_factor *= benign.start_factor;
        }
        if self.random.happens(benign.slow_step_chance) {
            self.step_factor *= benign.slow_step_factor;
        }
    }

    /// Copies a batch to the device.
    pub(super) fn copy(&mut self, batch: &[f32]) {
        self.memory.clear();
        self.memory.extend_from_slice(batch);
    }

    /// What was copied.
    pub(super) fn memory(&self) -> &[f32] {
        &self.memory
    }

    /// Launches what takes so long when all is well.
    pub(super) fn launch(&mut self, ms: f64) -> Launched {
        let stray = 1.0 + self.random.between(-self.jitter, self.jitter);
        let ms = ms * self.own_factor * self.step_factor * stray;
        Launched { ends: Instant::now() + Duration::from_secs_f64(ms / 1e3) }
    }
}

impl Launched {
    /// Waits until it has ended.
    pub(super) fn wait(self) {
        sleep(self.ends.saturating_duration_since(Instant::now()));
    }
}

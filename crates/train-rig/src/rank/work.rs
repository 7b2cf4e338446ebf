//! The arithmetic of the host, and how much of it fills a millisecond of a core here.
//!
//! It is measured in processor time, not by the clock on the wall, so that a machine which is busy gets the same work as an idle one.

use std::hint::black_box;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::samples;
use crate::shape::Shape;

/// The side of the square blocks that are multiplied: three of them fit into a first-level cache.
const SIDE: usize = 48;

/// How often a rank does what in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Products of blocks in the forward pass.
    pub forward_products: u32,
    /// Products of blocks in the backward pass.
    pub backward_products: u32,
    /// Passes over each sample.
    pub passes: u32,
    /// What one pass over the samples of a step takes, ns of a core.
    pub pass_ns: u64,
}

impl Work {
    /// What fills the times of a shape on this machine.
    pub(crate) fn measured(shape: &Shape) -> Self {
        let mut blocks = Blocks::new();
        let product_ms = fastest_ms(|| blocks.multiply(20)) / 20.0;
        let samples = f64::from(shape.batch_samples);
        let mut values = Vec::with_capacity(shape.sample_bytes as usize + 8);
        let mut prepare_ms = |passes| {
            let specimen = samples::specimen(shape.sample_bytes, passes);
            fastest_ms(|| {
                values.clear();
                drop(black_box(samples::prepare(specimen.clone(), &mut values)));
            })
        };
        let plain_ms = prepare_ms(0) * samples;
        let pass_ms = (prepare_ms(20) * samples - plain_ms).max(1e-3) / 20.0;
        let times = |wanted_ms: f64, each_ms: f64| (wanted_ms / each_ms).max(0.0).round() as u32;
        Self {
            forward_products: times(shape.host_forward_ms, product_ms),
            backward_products: times(shape.host_backward_ms, product_ms),
            passes: times(shape.prepare_ms - plain_ms, pass_ms),
            pass_ns: (pass_ms * 1e6) as u64,
        }
    }
}

/// Three blocks, of which the third becomes the product of the others.
#[derive(Debug)]
pub(crate) struct Blocks {
    left: Vec<f32>,
    right: Vec<f32>,
    product: Vec<f32>,
}

impl Blocks {
    pub(crate) fn new() -> Self {
        let block = |step: f32| (0..SIDE * SIDE).map(|index| (index as f32 * step).sin()).collect();
        Self { left: block(0.37), right: block(0.91), product: vec![0.0; SIDE * SIDE] }
    }

    /// Takes values into the left block, as many as there are.
    pub(crate) fn load(&mut self, values: &[f32]) {
        for (to, from) in self.left.iter_mut().zip(values) {
            *to = *from;
        }
    }

    /// Multiplies so many times; returns an entry of the product, which depends on everything that was loaded.
    pub(crate) fn multiply(&mut self, times: u32) -> f32 {
        for _ in 0..times {
            self.product.fill(0.0);
            for (row, sums) in self.left.chunks_exact(SIDE).zip(self.product.chunks_exact_mut(SIDE)) {
                for (by, column) in row.iter().zip(self.right.chunks_exact(SIDE)) {
                    for (sum, entry) in sums.iter_mut().zip(column) {
                        *sum += by * entry;
                    }
                }
            }
            black_box(&mut self.product);
        }
        self.product.iter().sum::<f32>() / (SIDE * SIDE) as f32
    }
}

/// The least processor time of several tries, ms.
fn fastest_ms<T>(mut run: impl FnMut() -> T) -> f64 {
    const TRIES: usize = 9;
    let mut fastest = Duration::MAX;
    for _ in 0..TRIES {
        let before = processor_time(ClockId::CLOCK_THREAD_CPUTIME_ID);
        black_box(run());
        fastest = fastest.min(processor_time(ClockId::CLOCK_THREAD_CPUTIME_ID).saturating_sub(before));
    }
    (fastest.as_secs_f64() * 1e3).max(1e-4)
}

/// What a clock of processor time shows; nothing where there is no such clock.
pub(crate) fn processor_time(clock: ClockId) -> Duration {
    clock_gettime(clock).map_or(Duration::ZERO, Duration::from)
}

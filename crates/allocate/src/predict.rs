//! How long workloads run, learnt online from those that ended: histograms over logarithmic bins, by queue, user and devices.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of a workload before it runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Features {
    /// The queue.
    pub queue: u32,
    /// The user, if known.
    pub user: Option<u32>,
    /// The workload's name, if known.
    pub name: Option<u32>,
    /// Devices asked for by the whole gang, in thousandths.
    pub devices_milli: u64,
    /// Cores asked for by the whole gang, in thousandths.
    pub cpu_milli: u64,
    /// The time limit asked for.
    pub time_limit_ms: Option<u64>,
}

/// Four bins an octave of seconds.
const BINS: usize = 160;
/// The weight of one end.
const ONE: u32 = 256;
/// At this many ends all weights are halved, so that what is new counts more.
const HALVE_AT: u32 = 200 * ONE;

/// Weights by bin, and their sum.
#[derive(Debug)]
struct Histogram {
    bins: [u32; BINS],
    sum: u32,
}

impl Clone for Histogram {
    fn clone(&self) -> Self {
        Self { bins: self.bins, sum: self.sum }
    }
}

/// A forecast.
#[derive(Clone, Debug)]
pub struct Distribution {
    histogram: Option<Arc<Histogram>>,
}

/// Learns from ends.
#[derive(Clone, Debug, Default)]
pub struct Predictor {
    classes: BTreeMap<(u32, Option<u32>, u64), Arc<Histogram>>,
    all: Option<Arc<Histogram>>,
}

impl Predictor {
    /// A class speaks for itself from so many ends on.
    const ENOUGH: u32 = 5 * ONE;

    /// Learns that a workload ran so long.
    pub fn learn(&mut self, features: &Features, ran_ms: u64) {
        let empty = || Arc::new(Histogram { bins: [0; BINS], sum: 0 });
        let class = self.classes.entry(class_of(features)).or_insert_with(empty);
        Arc::make_mut(class).add(ran_ms);
        Arc::make_mut(self.all.get_or_insert_with(empty)).add(ran_ms);
    }

    /// Forecasts how long a workload will run.
    #[must_use]
    pub fn predict(&self, features: &Features) -> Distribution {
        let class = self.classes.get(&class_of(features)).filter(|class| class.sum >= Self::ENOUGH);
        Distribution { histogram: class.or(self.all.as_ref()).cloned() }
    }
}

impl Distribution {
    /// What is said before anything has ended.
    const UNKNOWN_MS: u64 = 3_600_000;

    /// The run time in milliseconds that so many thousandths of like workloads do not pass.
    #[must_use]
    pub fn quantile(&self, permille: u16) -> u64 {
        self.remaining_quantile(0, permille)
    }

    /// The same for what remains after `age_ms`.
    #[must_use]
    pub fn remaining_quantile(&self, age_ms: u64, permille: u16) -> u64 {
        let Some(histogram) = &self.histogram else { return Self::UNKNOWN_MS };
        let from = if age_ms == 0 { 0 } else { bin(age_ms) };
        let total: u64 = histogram.bins[from..].iter().map(|&weight| u64::from(weight)).sum();
        if total < u64::from(ONE) {
            return (age_ms / 2).max(60_000);
        }
        let mut left = total * u64::from(permille) / 1_000;
        for (index, &weight) in histogram.bins.iter().enumerate().skip(from) {
            if u64::from(weight) > left {
                return middle_ms(index).saturating_sub(age_ms).max(1_000);
            }
            left -= u64::from(weight);
        }
        middle_ms(BINS - 1)
    }
}

impl Histogram {
    fn add(&mut self, ran_ms: u64) {
        self.bins[bin(ran_ms)] += ONE;
        self.sum += ONE;
        if self.sum > HALVE_AT {
            for weight in &mut self.bins {
                *weight -= *weight / 2;
            }
            self.sum = self.bins.iter().sum();
        }
    }
}

fn class_of(features: &Features) -> (u32, Option<u32>, u64) {
    (features.queue, features.user, features.devices_milli)
}

fn bin(ms: u64) -> usize {
    let seconds = ms / 1_000 + 1;
    let octave = u64::from(seconds.ilog2());
    let quarter = if octave >= 2 { (seconds >> (octave - 2)) & 3 } else { 0 };
    ((octave * 4 + quarter) as usize).min(BINS - 1)
}

fn middle_ms(bin: usize) -> u64 {
    let (octave, quarter) = (bin / 4, (bin % 4) as u64);
    let seconds = (1_u64 << octave) + (((quarter * 2 + 1) << octave) / 8);
    seconds.saturating_sub(1).max(1) * 1_000
}

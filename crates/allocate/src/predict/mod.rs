//! How long workloads run, learnt online.
//!
//! A [`Forecast`] is made when a workload is submitted; it holds a [`Distribution`], and what is needed to learn from it once
//! the workload has ended. Classes at several grains (`context`) each keep a life table (`life_table`) that falls back on the
//! next coarser one; their distributions are mixed with learnt weights (`mixture`) and read at learnt levels (`calibration`).
//! Runs that go on count as such (`running`): that is not an end, but it is known by then, and without it the first, short
//! ends of a batch would speak for all of it.
//!
//! Whoever wants an interval to show or to judge, rather than a distribution to decide by, asks `intervals`, a learner of its
//! own.
//!
//! Nothing here knows how long something that still runs will run, and everything is integer: the same events give the same
//! forecasts on every machine. Start reading at [`Predictor::forecast`].

use std::ops::Deref;
use std::sync::Arc;

use arrayvec::ArrayVec;
use fleet::ids::WorkloadId;
use fleet::time::Timestamp;
use fleet::workload::Workload;

mod bins;
mod bounded;
mod calibration;
mod context;
mod distribution;
mod fixed;
mod intervals;
mod life_table;
mod limits;
mod mixture;
mod running;

pub use distribution::Distribution;
pub use intervals::{Interval, Intervals, Promise};

use bins::{BINS, QUARTERS, bin_of};
use bounded::Bounded;
use calibration::Calibration;
use context::{Contexts, Groups, MAX_CONTEXTS, Pace};
use life_table::LifeTable;
use limits::Limits;
use mixture::{Mixture, Voice, Voices};
use running::Running;

/// Sets of classes, of eight each: at most 32,768 classes of some 530 bytes are remembered, 17 MB. Of those whose keys fall
/// into one set the longest unused is forgotten.
const CLASS_SETS: usize = 1 << 12;
/// What a class's parent counts for, in ends.
const PARENT_ENDS: u64 = 4;

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

impl Features {
    /// What may be known of a workload.
    #[must_use]
    pub fn of(workload: &Workload) -> Self {
        let total = workload.total();
        Self {
            queue: workload.queue.0,
            user: workload.user.map(|user| user.0),
            name: workload.name.map(|name| name.0),
            devices_milli: total.devices.0,
            cpu_milli: total.cpu.0,
            time_limit_ms: workload.time_limit.map(|limit| limit.0.max(0) as u64),
        }
    }
}

/// What was expected of a workload when it was submitted.
#[derive(Clone, Debug)]
pub struct Forecast {
    details: Arc<Details>,
}

#[derive(Clone, Debug)]
struct Details {
    distribution: Distribution,
    contexts: Contexts,
    voices: Voices,
    features: Features,
    pace: Pace,
}

/// A forecast reads as the distribution it is.
impl Deref for Forecast {
    type Target = Distribution;
    fn deref(&self) -> &Distribution {
        &self.details.distribution
    }
}

/// Learns from ends.
#[derive(Clone, Debug, Default)]
pub struct Predictor {
    classes: Bounded<LifeTable, CLASS_SETS>,
    groups: Groups,
    mixture: Mixture,
    calibration: Calibration,
    limits: Limits,
    running: Running,
}

impl Predictor {
    /// Forecasts how long a workload will run that is submitted now.
    pub fn forecast(&mut self, features: &Features, now: Timestamp) -> Forecast {
        self.advance(now);
        let pace = context::submitted(features, now.0, &mut self.groups);
        self.forecast_at(features.clone(), pace)
    }

    /// Forecasts a workload again that has waited until now: others like it have ended meanwhile. It counts as submitted once.
    pub fn forecast_again(&mut self, forecast: &Forecast, now: Timestamp) -> Forecast {
        self.advance(now);
        self.forecast_at(forecast.details.features.clone(), forecast.details.pace)
    }

    /// The same without learning even that it was submitted: what is foreseen of one that may never come.
    #[must_use]
    pub fn foresee(&self, features: &Features, now: Timestamp) -> Forecast {
        self.forecast_at(features.clone(), context::would_be_submitted(features, now.0, &self.groups))
    }

    /// Forecasts a workload again from what is known, learning nothing.
    #[must_use]
    pub fn foresee_again(&self, forecast: &Forecast) -> Forecast {
        self.forecast_at(forecast.details.features.clone(), forecast.details.pace)
    }

    fn forecast_at(&self, features: Features, pace: Pace) -> Forecast {
        let contexts = context::contexts(&features, pace, &self.groups);
        let mut hazards = ArrayVec::<_, MAX_CONTEXTS>::new();
        let mut voices = Voices::new();
        let mut masses = ArrayVec::<_, MAX_CONTEXTS>::new();
        let mut fallback = None;
        for (index, context) in contexts.iter().enumerate() {
            let class = self.classes.get(context.key);
            let parent = usize::from(context.parent);
            let mut own = if parent < index { hazards[parent] } else { life_table::prior_hazards() };
            if let Some(class) = class {
                class.draw_towards(&mut own, PARENT_ENDS);
            }
            hazards.push(own);
            let ends = class.map_or(0, LifeTable::ends);
            if context.kind.only_backs() {
                fallback = Some(index);
            } else if ends > 0 {
                let own = life_table::masses(&hazards[index]);
                voices.extend(Voice::new(context.kind, ends, &own));
                masses.push(own);
            }
        }
        let mut mixed = [0_u64; BINS];
        for (weight, masses) in self.mixture.weights(&voices).into_iter().zip(&masses) {
            for (mixed, &mass) in mixed.iter_mut().zip(masses) {
                *mixed += weight * u64::from(mass);
            }
        }
        if masses.is_empty() {
            let index = fallback.expect("every workload is in some queue");
            mixed = life_table::masses(&hazards[index]).map(u64::from);
        }
        let most_ms = self.limits.most_ms(features.time_limit_ms);
        let distribution = Distribution::new(&mixed, self.calibration.levels(), most_ms);
        let details = Details { distribution, contexts, voices, features, pace };
        Forecast { details: Arc::new(details) }
    }

    /// Notes that a workload runs from now on.
    pub fn started(&mut self, workload: WorkloadId, forecast: &Forecast, now: Timestamp) {
        self.advance(now);
        let classes = forecast.details.contexts.iter().map(|context| context.key).collect();
        self.running.start(workload, now.0, classes);
    }

    /// Notes that a workload stopped before its end, and will run again or was lost: how long it takes stays unknown, but
    /// that it took at least so long is learnt already.
    pub fn interrupted(&mut self, workload: WorkloadId, now: Timestamp) {
        self.advance(now);
        self.running.stop(workload);
    }

    /// Learns that a workload has ended after so long, for whatever reason: what counts is how long it held what it used.
    pub fn ended(&mut self, workload: WorkloadId, forecast: &Forecast, ran_ms: u64, now: Timestamp) {
        self.advance(now);
        let told = self.running.stop(workload);
        let details = &forecast.details;
        let bin = bin_of(ran_ms);
        self.calibration.learn(&details.distribution, ran_ms);
        self.mixture.learn(&details.voices, bin);
        self.limits.learn(details.features.time_limit_ms, ran_ms);
        for context in &details.contexts {
            let class = self.classes.entry(context.key);
            class.passed(told.min(bin / QUARTERS)..bin / QUARTERS);
            class.ended(bin, context.kind.memory());
        }
        for key in context::group_keys(&details.features) {
            self.groups.entry(key).ended(bin);
        }
    }

    /// Lets what runs tell how long it has lived.
    fn advance(&mut self, now: Timestamp) {
        while let Some((octaves, classes)) = self.running.next(now.0) {
            for &key in classes {
                self.classes.entry(key).passed(octaves.clone());
            }
        }
    }

    /// How many classes are remembered.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes.len()
    }
}

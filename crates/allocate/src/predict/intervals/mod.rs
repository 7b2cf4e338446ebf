//! How long workloads run, as an interval that holds four of five: learnt online, and for its own sake.
//!
//! A [`Distribution`](super::Distribution) is learnt by likelihood, which asks for the right order of magnitude everywhere.
//! The ends of an interval are judged in seconds (Gneiting and Raftery, JASA 102, 2007, equation 43), and there a few long
//! runs decide. So each end is learnt by itself: classes (`chain`) and windows of recent ends (`window`) give
//! opinions of where it lies, and `blend` weighs them by how the end fared. Whether a run outlasts an end is known when it
//! reaches it, not only when it is over: `reached` tells then, so that long runs teach in time.
//!
//! Whoever does not ask for intervals need not keep an [`Intervals`], and pays nothing. Nothing here knows how long something
//! that still runs will run, and everything is integer. Start reading at [`Intervals::promise`].

use std::ops::Range;
use std::sync::Arc;

use fleet::ids::WorkloadId;
use fleet::time::Timestamp;

mod blend;
mod chain;
mod position;
mod reached;
mod window;

use super::Features;
use super::bins::{BINS, QUARTERS, bin_of};
use super::bounded::{Bounded, Key};
use super::context::{self, Groups};
use super::life_table::{self, Hazards, LifeTable};
use super::limits::Limits;
use super::running::Running;
use blend::{Blend, Opinion, Wanted};
use chain::{Kind, Link};
use reached::{Edge, Reached};
use window::Window;

/// Sets of classes, of eight each: at most 32,768 classes of some 530 bytes, 17 MB.
const CLASS_SETS: usize = 1 << 12;
/// Sets of windows: at most 8,192 windows of some 90 bytes.
const WINDOW_SETS: usize = 1 << 10;
/// What a class's parent counts for, in ends. More than for distributions, since an interval's ends are read far from the
/// middle, where a class has seen least.
const PARENT_ENDS: u64 = 6;

/// An interval of run time that should hold 80 of 100 workloads, with 10 below and 10 above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// One of ten is expected to end before this, in milliseconds.
    pub low_ms: u64,
    /// One of ten is expected to run longer than this, in milliseconds.
    pub high_ms: u64,
}

/// An interval, and what is needed to learn from it.
#[derive(Clone, Debug)]
pub struct Promise {
    details: Arc<Details>,
}

#[derive(Debug)]
struct Details {
    low: End,
    high: End,
    links: Box<[Link]>,
    windows: [Key; 2],
    limit_ms: Option<u64>,
}

/// One end of an interval, and who said what of it.
#[derive(Debug)]
struct End {
    at_ms: u64,
    position: u64,
    opinions: Box<[Opinion]>,
}

impl Promise {
    /// The interval.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let Details { low, high, .. } = &*self.details;
        Interval { low_ms: low.at_ms.min(high.at_ms), high_ms: high.at_ms }
    }
}

/// Learns intervals from starts and ends.
#[derive(Clone, Debug)]
pub struct Intervals {
    classes: Bounded<LifeTable, CLASS_SETS>,
    groups: Groups,
    windows: Bounded<Window, WINDOW_SETS>,
    running: Running,
    reached: Reached,
    limits: Limits,
    low: Blend,
    high: Blend,
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            classes: Bounded::default(),
            groups: Groups::default(),
            windows: Bounded::default(),
            running: Running::default(),
            reached: Reached::default(),
            limits: Limits::default(),
            // The high end is shifted more slowly: long runs come in batches, and in seconds it costs more to follow them.
            low: Blend::new(Wanted { tenths: 1, shift_rate: 100 }),
            high: Blend::new(Wanted { tenths: 9, shift_rate: 30 }),
        }
    }
}

/// The shares of a class's distribution that are opinions of the low end, in thousandths,
const LOW_PERMILLE: [u64; 4] = [50, 100, 150, 200];
/// and of the high end. These go higher than 900 because ends are heard of late: what a class knows lags behind what it is.
const HIGH_PERMILLE: [u64; 3] = [850, 900, 960];
/// After the levels of classes come those of windows.
const WINDOW_LEVELS: Range<usize> = HIGH_PERMILLE.len()..HIGH_PERMILLE.len() + 2;

impl Intervals {
    /// Promises an interval for a workload that is submitted now.
    pub fn promise(&mut self, features: &Features, now: Timestamp) -> Promise {
        self.advance(now);
        let links = chain::links(features, now.0, &mut self.groups);
        let windows = context::group_keys(features);
        let most_ms = self.limits.most_ms(features.time_limit_ms);
        let (low, mut high) = self.opinions(&links);
        for (rank, key) in windows.into_iter().enumerate() {
            let Some(summary) = self.windows.get(key).and_then(Window::summary) else { continue };
            for (level, position) in WINDOW_LEVELS.zip(summary) {
                high.push(Opinion::new(Kind::window(rank), 0, level, position));
            }
        }
        let end = |blend: &Blend, mut opinions: Vec<Opinion>| {
            for opinion in &mut opinions {
                opinion.cut(position::of(most_ms));
            }
            let position = blend.read(&mut opinions).min(position::of(most_ms));
            End { at_ms: position::ms(position).min(most_ms), position, opinions: opinions.into_boxed_slice() }
        };
        let (low, high) = (end(&self.low, low), end(&self.high, high));
        let limit_ms = features.time_limit_ms;
        Promise { details: Arc::new(Details { low, high, links: links.into_boxed_slice(), windows, limit_ms }) }
    }

    /// What the classes say of the low and of the high end.
    fn opinions(&self, links: &[Link]) -> (Vec<Opinion>, Vec<Opinion>) {
        let mut hazards: Vec<Hazards> = Vec::with_capacity(links.len());
        let mut low = Vec::with_capacity(links.len() * LOW_PERMILLE.len());
        let mut high = Vec::with_capacity(links.len() * HIGH_PERMILLE.len());
        for (index, link) in links.iter().enumerate() {
            let class = self.classes.get(link.key);
            let parent = hazards.get(usize::from(link.parent));
            debug_assert_eq!(parent.is_none(), index == 0, "only the first has no parent");
            let mut own = parent.copied().unwrap_or_else(life_table::prior_hazards);
            if let Some(class) = class {
                class.draw_towards(&mut own, PARENT_ENDS);
            }
            let ends = class.map_or(0, LifeTable::ends);
            if link.kind.is_broad() {
                let positions = position::quantiles(&own, LOW_PERMILLE);
                low.extend(
                    positions.into_iter().enumerate().map(|(level, at)| Opinion::new(link.kind, ends, level, at)),
                );
            } else if link.kind.is_fine() {
                let positions = position::quantiles(&own, HIGH_PERMILLE);
                high.extend(
                    positions.into_iter().enumerate().map(|(level, at)| Opinion::new(link.kind, ends, level, at)),
                );
            }
            hazards.push(own);
        }
        (low, high)
    }

    /// Notes that a workload runs from now on.
    pub fn started(&mut self, workload: WorkloadId, promise: &Promise, now: Timestamp) {
        self.advance(now);
        let details = &promise.details;
        self.running.start(workload, now.0, details.links.iter().map(|link| link.key).collect());
        self.reached.start(workload, now.0, Arc::clone(details));
    }

    /// Notes that a workload stopped before its end, and will run again or was lost.
    pub fn interrupted(&mut self, workload: WorkloadId, now: Timestamp) {
        self.advance(now);
        self.running.stop(workload);
        self.reached.stop(workload);
    }

    /// Learns that a workload has ended after so long, for whatever reason.
    pub fn ended(&mut self, workload: WorkloadId, promise: &Promise, ran_ms: u64, now: Timestamp) {
        self.advance(now);
        let details = &promise.details;
        let told = self.running.stop(workload);
        for edge in self.reached.stop(workload).into_iter().flatten() {
            self.learn(edge, details, ran_ms);
        }
        self.limits.learn(details.limit_ms, ran_ms);
        let bin = bin_of(ran_ms);
        for link in &details.links {
            let class = self.classes.entry(link.key);
            class.passed(told.min(bin / QUARTERS)..bin / QUARTERS);
            class.ended(bin, link.kind.memory());
        }
        for key in details.windows {
            self.groups.entry(key).ended(bin);
            self.windows.entry(key).ended(position::of(ran_ms));
        }
    }

    /// Lets what runs tell how long it has lived.
    fn advance(&mut self, now: Timestamp) {
        while let Some((octaves, classes)) = self.running.next(now.0) {
            for &key in classes {
                self.classes.entry(key).passed(octaves.clone());
            }
        }
        while let Some((edge, details)) = self.reached.next(now.0) {
            self.learn(edge, &details, u64::MAX);
        }
    }

    /// Learns how an end fared with something that ran at least so long.
    fn learn(&mut self, edge: Edge, details: &Details, ran_ms: u64) {
        let (blend, end) = match edge {
            Edge::Low => (&mut self.low, &details.low),
            Edge::High => (&mut self.high, &details.high),
        };
        blend.learn(&end.opinions, end.position, ran_ms < end.at_ms);
    }

    /// How many classes are remembered.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes.len()
    }
}

const _: () = assert!(BINS < 256, "a position fits 16 bits");

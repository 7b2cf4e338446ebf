//! A log lived through: every workload is forecast when it is submitted, and learnt from when it has ended.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use allocate::predict::{Features, Forecast, Intervals, Predictor, Promise};
use fleet::ids::WorkloadId;
use fleet::time::Timestamp;

use super::Lived;
use super::judge::Interval;

/// What forecasts and learns.
trait Learner {
    type Said;
    fn submitted(&mut self, features: &Features, now: Timestamp) -> Self::Said;
    fn started(&mut self, id: WorkloadId, said: &Self::Said, now: Timestamp);
    fn ended(&mut self, id: WorkloadId, said: &Self::Said, ran_ms: u64, now: Timestamp);
    fn interval(said: &Self::Said) -> Interval;
}

impl Learner for Predictor {
    type Said = Forecast;
    fn submitted(&mut self, features: &Features, now: Timestamp) -> Forecast {
        self.forecast(features, now)
    }
    fn started(&mut self, id: WorkloadId, said: &Forecast, now: Timestamp) {
        self.started(id, said, now);
    }
    fn ended(&mut self, id: WorkloadId, said: &Forecast, ran_ms: u64, now: Timestamp) {
        self.ended(id, said, ran_ms, now);
    }
    fn interval(said: &Forecast) -> Interval {
        let [low_ms, middle_ms, high_ms] = [100, 500, 900].map(|permille| said.quantile(permille));
        Interval { low_ms, middle_ms, high_ms }
    }
}

impl Learner for Intervals {
    type Said = Promise;
    fn submitted(&mut self, features: &Features, now: Timestamp) -> Promise {
        self.promise(features, now)
    }
    fn started(&mut self, id: WorkloadId, said: &Promise, now: Timestamp) {
        self.started(id, said, now);
    }
    fn ended(&mut self, id: WorkloadId, said: &Promise, ran_ms: u64, now: Timestamp) {
        self.ended(id, said, ran_ms, now);
    }
    fn interval(said: &Promise) -> Interval {
        let said = said.interval();
        // Intervals promise no middle; whoever asks for one reads the distribution's.
        Interval { low_ms: said.low_ms, middle_ms: 0, high_ms: said.high_ms }
    }
}

/// The promised intervals, with the medians of the forecast distributions.
pub(super) fn promised(lived: &[Lived]) -> Vec<Interval> {
    let mut intervals = live(Intervals::default(), lived);
    for (interval, forecast) in intervals.iter_mut().zip(live(Predictor::default(), lived)) {
        interval.middle_ms = forecast.middle_ms;
    }
    intervals
}

/// What the forecast distributions say.
pub(super) fn read_from_distributions(lived: &[Lived]) -> Vec<Interval> {
    live(Predictor::default(), lived)
}

/// The promised intervals if each workload's length were told right after its own is promised.
pub(super) fn told_at_once(lived: &[Lived]) -> Vec<Interval> {
    let mut learner = Intervals::default();
    let mut intervals = Vec::with_capacity(lived.len());
    for (index, one) in lived.iter().enumerate() {
        let id = WorkloadId(index as u32);
        let said = learner.promise(&one.features, one.submit);
        intervals.push(Intervals::interval(&said));
        learner.started(id, &said, one.submit);
        learner.ended(id, &said, one.ran_ms, one.submit);
    }
    intervals
}

fn live<L: Learner>(mut learner: L, lived: &[Lived]) -> Vec<Interval> {
    let mut said: Vec<Option<L::Said>> = Vec::with_capacity(lived.len());
    let mut intervals = Vec::with_capacity(lived.len());
    // Starts before ends, so that what takes no time at all starts before it ends.
    let mut starts: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
    let mut ends: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
    for (index, one) in lived.iter().enumerate() {
        loop {
            let start = starts.peek().map(|next| next.0).filter(|next| next.0 <= one.submit);
            let end = ends.peek().map(|next| next.0).filter(|next| next.0 <= one.submit);
            match (start, end) {
                (None, None) => break,
                (Some((at, id)), end) if end.is_none_or(|(end, _)| at <= end) => {
                    starts.pop();
                    let said = said[id].as_ref().expect("what starts has not ended");
                    learner.started(WorkloadId(id as u32), said, at);
                    ends.push(Reverse((lived[id].end(), id)));
                }
                (_, Some((at, id))) => {
                    ends.pop();
                    let said = said[id].take().expect("everything ends once");
                    learner.ended(WorkloadId(id as u32), &said, lived[id].ran_ms, at);
                }
                (Some(_), None) => unreachable!("a start without an end before it goes first"),
            }
        }
        let promise = learner.submitted(&one.features, one.submit);
        intervals.push(L::interval(&promise));
        said.push(Some(promise));
        starts.push(Reverse((one.start, index)));
    }
    intervals
}

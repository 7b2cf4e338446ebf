//! The last minutes of every series, and what they say of a span of time. Unknown values say nothing.

use std::collections::{BTreeMap, VecDeque};

use fleet::quantity::Millis;
use fleet::series::{Scrape, Thing};
use fleet::signal::Signal;
use fleet::time::Timestamp;

/// So many values of each series are kept: four minutes of one a second.
const VALUES_MAX: usize = 240;
/// So many series are kept; those that come after are not.
const SERIES_MAX: usize = 20_000;
/// A series that has told nothing for so long is forgotten.
const FORGOTTEN_AFTER: Millis = Millis(600_000);

/// Series of one node.
#[derive(Debug, Default)]
pub(super) struct Signals {
    series: BTreeMap<(Thing, &'static Signal), VecDeque<(Timestamp, f64)>>,
    swept: Timestamp,
}

/// From a moment to another, both within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

impl Signals {
    /// Takes in what was measured. What is earlier than what is known of a series, by a clock that was set back, takes its place.
    pub(super) fn take(&mut self, scrape: &Scrape) {
        for measured in &scrape.values {
            let Some(value) = measured.value else { continue };
            let key = (measured.of.clone(), measured.signal);
            if self.series.len() >= SERIES_MAX && !self.series.contains_key(&key) {
                continue;
            }
            let values = self.series.entry(key).or_default();
            while values.back().is_some_and(|(at, _)| *at >= scrape.at) {
                values.pop_back();
            }
            if values.len() == VALUES_MAX {
                values.pop_front();
            }
            values.push_back((scrape.at, value));
        }
        if scrape.at.since(self.swept) > FORGOTTEN_AFTER || scrape.at < self.swept {
            let is_young = |values: &VecDeque<(Timestamp, f64)>| {
                values.back().is_some_and(|(at, _)| scrape.at.since(*at) <= FORGOTTEN_AFTER)
            };
            self.series.retain(|_, values| is_young(values));
            self.swept = scrape.at;
        }
    }

    fn within(&self, signal: &'static Signal, of: &Thing, span: Span) -> impl Iterator<Item = (Timestamp, f64)> {
        let values = self.series.get(&(of.clone(), signal));
        let values = values.into_iter().flatten().copied();
        values.skip_while(move |(at, _)| *at < span.from).take_while(move |(at, _)| *at <= span.until)
    }

    /// The mean of a gauge.
    pub(super) fn mean(&self, signal: &'static Signal, of: &Thing, span: Span) -> Option<f64> {
        let (count, sum) =
            self.within(signal, of, span).fold((0, 0.0), |(count, sum), (_, value)| (count + 1, sum + value));
        (count > 0).then(|| sum / f64::from(count))
    }

    /// How many values are known.
    pub(super) fn count(&self, signal: &'static Signal, of: &Thing, span: Span) -> usize {
        self.within(signal, of, span).count()
    }

    /// The highest value of a gauge.
    pub(super) fn highest(&self, signal: &'static Signal, of: &Thing, span: Span) -> Option<f64> {
        self.within(signal, of, span).map(|(_, value)| value).reduce(f64::max)
    }

    /// When a gauge last took another value, and which; nothing where it did not.
    pub(super) fn changed(&self, signal: &'static Signal, of: &Thing, span: Span) -> Option<(Timestamp, f64)> {
        let mut values = self.within(signal, of, span);
        let (_, mut before) = values.next()?;
        let mut changed = None;
        for (at, value) in values {
            if value.total_cmp(&before).is_ne() {
                changed = Some((at, value));
            }
            before = value;
        }
        changed
    }

    /// How fast a counter grows, by the second. One that begins anew has grown by what it counts since.
    pub(super) fn rate(&self, signal: &'static Signal, of: &Thing, span: Span) -> Option<f64> {
        let (grown, seconds) = self.growth(signal, of, span)?;
        (seconds > 0.0).then(|| grown / seconds)
    }

    /// By how much a counter has grown.
    pub(super) fn grown(&self, signal: &'static Signal, of: &Thing, span: Span) -> Option<f64> {
        self.growth(signal, of, span).map(|(grown, _)| grown)
    }

    fn growth(&self, signal: &'static Signal, of: &Thing, span: Span) -> Option<(f64, f64)> {
        let mut values = self.within(signal, of, span);
        let (first, mut before) = values.next()?;
        let (mut last, mut grown) = (first, 0.0);
        for (at, value) in values {
            grown += if value >= before { value - before } else { value };
            (before, last) = (value, at);
        }
        Some((grown, last.since(first).0 as f64 / 1_000.0))
    }

    /// The things of which a signal is known in a span.
    pub(super) fn things(&self, signal: &'static Signal) -> impl Iterator<Item = &Thing> {
        self.series.keys().filter(move |(_, found)| *found == signal).map(|(of, _)| of)
    }
}

#[cfg(test)]
mod tests {
    use fleet::signal::{host, memory};

    use super::*;

    #[test]
    fn spans_are_what_lies_within_and_counters_may_begin_anew() {
        let mut signals = Signals::default();
        for (at, counted, gauge) in
            [(0, 5.0, Some(1.0)), (1_000, 7.0, None), (2_000, 1.0, Some(4.0)), (3_000, 2.0, Some(9.0))]
        {
            let mut scrape = Scrape { at: Timestamp(at), values: Vec::new() };
            scrape.add(&host::CPU_USER, &Thing::Node, Some(counted));
            scrape.add(&memory::AVAILABLE, &Thing::Node, gauge);
            signals.take(&scrape);
        }
        let span = |from, until| Span { from: Timestamp(from), until: Timestamp(until) };
        assert_eq!(signals.rate(&host::CPU_USER, &Thing::Node, span(0, 2_000)), Some(1.5));
        assert_eq!(signals.rate(&host::CPU_USER, &Thing::Node, span(0, 500)), None);
        assert_eq!(signals.mean(&memory::AVAILABLE, &Thing::Node, span(0, 2_000)), Some(2.5));
        assert_eq!(signals.mean(&memory::AVAILABLE, &Thing::Node, span(500, 1_500)), None, "unknown is not zero");
        assert_eq!(signals.things(&host::CPU_USER).count(), 1);
    }

    #[test]
    fn room_is_bounded_and_a_clock_may_be_set_back() {
        let mut signals = Signals::default();
        for at in (0..1_000).chain(500..600) {
            let mut scrape = Scrape { at: Timestamp(at * 1_000), values: Vec::new() };
            scrape.add(&host::CPU_USER, &Thing::Node, Some(at as f64));
            signals.take(&scrape);
        }
        let values = signals.series.values().next().unwrap();
        assert!(values.len() <= VALUES_MAX && values.iter().is_sorted());
        assert_eq!(values.back().unwrap().0, Timestamp(599_000));
        let mut later = Scrape { at: Timestamp(3_000_000), values: Vec::new() };
        later.add(&memory::AVAILABLE, &Thing::Node, Some(1.0));
        signals.take(&later);
        assert_eq!(signals.series.len(), 1, "what tells no more is forgotten");
    }
}

//! What holds a loader back, and what it would do if that were not so. Pure functions of what was measured.

use serde::{Deserialize, Serialize};

use super::Totals;
use crate::cores;

/// What holds a loader back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bottleneck {
    /// Nothing was delivered yet.
    Unknown,
    /// The consumer: batches wait for it.
    Consumer,
    /// The stage behind the loader: batches wait for it, and the consumer waits for its own.
    Transform,
    /// What is asked of stores: threads wait for it.
    Network,
    /// Getting bytes from files.
    Disk,
    /// Making of them what comes out.
    Decode,
}

impl Bottleneck {
    /// All of them.
    pub const ALL: [Bottleneck; 6] = [
        Bottleneck::Unknown,
        Bottleneck::Consumer,
        Bottleneck::Transform,
        Bottleneck::Network,
        Bottleneck::Disk,
        Bottleneck::Decode,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Bottleneck::Unknown => "unknown",
            Bottleneck::Consumer => "consumer",
            Bottleneck::Transform => "transform",
            Bottleneck::Network => "network",
            Bottleneck::Disk => "disk",
            Bottleneck::Decode => "decode",
        }
    }
}

/// What would be delivered in a second, each where one thing were different and all else as it is. None where that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// If what holds the loader back took no time.
    pub without_bottleneck: Option<f64>,
    /// With one more core.
    pub another_core: Option<f64>,
    /// With so much memory that threads never wait for any; none where they do not.
    #[serde(default)]
    pub more_memory: Option<f64>,
    /// With all images kept decoded; in `decoded_bytes`.
    pub decoded_cache: Option<f64>,
    /// Bytes that all images of an epoch take decoded.
    pub decoded_bytes: Option<f64>,
}

/// What happened in some seconds, on how many cores, with how many threads, of how many samples an epoch has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) seconds: f64,
    pub(super) totals: Totals,
    pub(super) cores: usize,
    pub(super) threads: usize,
    pub(super) epoch: u64,
    /// Whether the loader's consumer is a stage, which has one of its own.
    pub(super) has_stage: bool,
}

/// A consumer that waits for less than this of its time is not held back.
const STARVED_MIN: f64 = 0.02;
/// What is asked of a store is there before it is needed, unless the store is what holds the loader back: threads that wait for it for
/// this part of their time would not, if the store were faster.
const FETCH_MIN: f64 = 0.2;
/// Threads that wait for memory for less than this part of their time lack none.
const LACKING_MIN: f64 = 0.02;
/// What a core takes longer for the same work when it is idle most of the time, where its caches and its clock are colder: from 5 % (a store
/// at 45 % of two cores) to 20 % (a disk at 40 %) more were measured, and this is between them.
const IDLE_COST: f64 = 0.2;
/// Less than this takes no time worth a name.
const NOTHING: f64 = 1e-9;

impl Measured {
    /// Samples in a second.
    pub(super) fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.totals.samples / self.seconds } else { 0.0 }
    }

    /// What holds the loader back.
    pub(super) fn bottleneck(&self) -> Bottleneck {
        let Totals { batches, starved, ahead, memory, fetch, read, make, .. } = self.totals;
        if batches < 1.0 {
            return Bottleneck::Unknown;
        }
        // Threads that wait for the consumer for more of their time than it waits for them were late once, with the first batch.
        let is_ahead = (ahead + memory) / self.threads as f64 > starved;
        if starved < STARVED_MIN * self.seconds || is_ahead {
            let is_stage_late = self.has_stage && self.totals.stage_starved > STARVED_MIN * self.seconds;
            if is_stage_late { Bottleneck::Transform } else { Bottleneck::Consumer }
        } else if self.busy() > cores::BUSY {
            // Whatever else threads wait for, there would be no core to go on with.
            Bottleneck::Decode
        } else if fetch > FETCH_MIN * (fetch + read + make) {
            Bottleneck::Network
        } else if read > make {
            Bottleneck::Disk
        } else {
            Bottleneck::Decode
        }
    }

    /// Seconds that whoever takes batches in the end waited for one.
    pub(super) fn starved(&self) -> f64 {
        if self.has_stage { self.totals.stage_starved } else { self.totals.starved }
    }

    /// What would be if something were different.
    pub(super) fn prediction(&self) -> Prediction {
        let Totals { samples, make, decode, decoded, decoded_bytes, seen_bytes, .. } = self.totals;
        if samples < 1.0 {
            return Prediction::default();
        }
        let bottleneck = self.bottleneck();
        let consumer = self.consumer_rate();
        let making = |seconds_each: f64| {
            if seconds_each > NOTHING { self.warmed_up() * self.cores_in_use() / seconds_each } else { f64::INFINITY }
        };
        let (each, each_made) = (self.core_seconds_each(), self.core_seconds_made());
        let known = |rate: f64| rate.is_finite().then_some(rate);
        let without_bottleneck = match bottleneck {
            Bottleneck::Unknown => None,
            Bottleneck::Consumer => known(self.threads_rate().min(making(each))),
            // The stage takes no time then, and the loader does.
            Bottleneck::Transform => known(self.threads_rate().min(making(each)).min(self.stage_consumer_rate())),
            Bottleneck::Network | Bottleneck::Disk => known(making(each_made).min(consumer)),
            Bottleneck::Decode => known(consumer),
        };
        let more = (self.cores + 1) as f64 / self.cores as f64;
        let another_core = match bottleneck {
            Bottleneck::Unknown => None,
            Bottleneck::Decode => known((self.rate() * more).min(consumer)),
            _ => Some(self.rate()),
        };
        let is_of_images = decoded >= 1.0;
        let decoded_cache = is_of_images.then(|| match bottleneck {
            Bottleneck::Consumer | Bottleneck::Transform | Bottleneck::Unknown => self.rate(),
            _ => {
                // Nothing is read, then, and what is drawn takes time, and to get it from memory.
                let drawn = each_made * ((make - decode) / make.max(NOTHING)).max(0.0);
                let seen = self.core_seconds_a_byte() * seen_bytes / decoded;
                making(drawn + seen).min(consumer).max(self.rate())
            }
        });
        Prediction {
            without_bottleneck,
            another_core,
            more_memory: self.more_memory().and_then(known),
            decoded_cache: decoded_cache.and_then(known),
            decoded_bytes: is_of_images.then(|| decoded_bytes / decoded * self.epoch as f64),
        }
    }

    /// Samples a second that the consumer would take if it never waited.
    fn consumer_rate(&self) -> f64 {
        let own = self.seconds - self.totals.starved;
        if own > NOTHING { self.totals.samples / own } else { f64::INFINITY }
    }

    /// The same of whoever takes the stage's batches.
    fn stage_consumer_rate(&self) -> f64 {
        let own = self.seconds - self.totals.stage_starved;
        if own > NOTHING { self.totals.samples / own } else { f64::INFINITY }
    }

    /// Samples a second if threads never waited for memory: what they make, unless the consumer takes less.
    fn more_memory(&self) -> Option<f64> {
        let is_lacking = self.totals.memory > LACKING_MIN * self.threads as f64 * self.seconds;
        is_lacking.then(|| self.threads_rate().min(self.consumer_rate()).max(self.rate()))
    }

    /// Samples a second that threads would make if they never waited for the consumer, nor for memory that it has.
    fn threads_rate(&self) -> f64 {
        let busy = self.threads as f64 * self.seconds - self.totals.ahead - self.totals.memory;
        if busy > NOTHING { self.warmed_up() * self.totals.samples * self.threads as f64 / busy } else { f64::INFINITY }
    }

    /// Seconds of a core that a sample takes; of a thread, where only those are known.
    fn core_seconds_each(&self) -> f64 {
        let Totals { samples, make, cores, cores_samples, .. } = self.totals;
        if cores_samples >= 1.0 { cores / cores_samples } else { make / samples }
    }

    /// The same without reading it.
    fn core_seconds_made(&self) -> f64 {
        let Totals { samples, make, cores, cores_reading, cores_samples, .. } = self.totals;
        if cores_samples >= 1.0 { (cores - cores_reading) / cores_samples } else { make / samples }
    }

    /// Seconds of a core that it takes to get a byte from memory: as long as to read one, which comes from there or ends there.
    fn core_seconds_a_byte(&self) -> f64 {
        let Totals { samples, bytes, cores_reading, cores_samples, .. } = self.totals;
        if cores_samples >= 1.0 && bytes >= 1.0 { cores_reading / cores_samples * samples / bytes } else { 0.0 }
    }

    /// How much faster cores work that are busy all the time than these did.
    fn warmed_up(&self) -> f64 {
        1.0 + IDLE_COST * (1.0 - self.busy()).max(0.0)
    }

    /// The part of the time that the cores were busy which threads can keep so.
    fn busy(&self) -> f64 {
        self.totals.samples * self.core_seconds_each() / (self.cores_in_use() * self.seconds).max(NOTHING)
    }

    /// Cores that threads can keep busy.
    fn cores_in_use(&self) -> f64 {
        self.threads.min(self.cores) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten seconds of two threads on four cores, with a thousand samples.
    fn measured(read: f64, make: f64, ahead: f64, fetch: f64, starved: f64) -> Measured {
        let totals = Totals {
            read,
            make,
            ahead,
            fetch,
            starved,
            decode: 0.75 * make,
            samples: 1000.0,
            batches: 10.0,
            decoded: 1000.0,
            decoded_bytes: 2e8,
            ..Totals::default()
        };
        Measured { seconds: 10.0, totals, cores: 4, threads: 2, epoch: 5000, has_stage: false }
    }

    #[test]
    fn what_takes_longest_is_named_unless_batches_wait() {
        for (read, make, ahead, fetch, starved, expected) in [
            (15.0, 5.0, 0.0, 0.0, 8.0, Bottleneck::Disk),
            (2.0, 17.0, 1.0, 0.0, 8.0, Bottleneck::Decode),
            (1.0, 2.0, 17.0, 0.0, 0.1, Bottleneck::Consumer),
            (0.5, 4.0, 0.0, 15.0, 7.0, Bottleneck::Network),
            // Threads that work more than they wait would not wait at all if the store were faster.
            (0.5, 12.0, 0.0, 6.5, 7.0, Bottleneck::Network),
            (0.5, 17.0, 0.0, 1.5, 7.0, Bottleneck::Decode),
            // The first batch was waited for, and none after it.
            (1.0, 9.0, 10.0, 0.0, 0.5, Bottleneck::Consumer),
        ] {
            let measured = measured(read, make, ahead, fetch, starved);
            assert_eq!(measured.bottleneck(), expected, "{measured:?}");
        }
        let nothing = Measured { totals: Totals::default(), ..measured(0.0, 0.0, 0.0, 0.0, 0.0) };
        assert_eq!((nothing.bottleneck(), nothing.prediction()), (Bottleneck::Unknown, Prediction::default()));
    }

    #[test]
    fn where_all_cores_are_busy_nothing_else_holds_back() {
        // Sixteen threads wait for a disk most of their time, and yet four cores have no time left.
        let mut disk = Measured { threads: 16, ..measured(90.0, 60.0, 0.0, 0.0, 8.0) };
        disk.totals.cores_samples = 125.0;
        for (cores, expected) in [(4.8, Bottleneck::Decode), (3.0, Bottleneck::Disk)] {
            disk.totals.cores = cores;
            assert_eq!(disk.bottleneck(), expected, "{cores} s for 125 samples");
        }
    }

    #[test]
    fn threads_that_wait_for_cores_are_no_more_of_them() {
        // Eight threads share four cores: each sample takes a thread twice as long as a core.
        let shared = measured(0.0, 80.0, 0.0, 0.0, 8.0);
        let totals = Totals { cores: 5.0, cores_samples: 125.0, ..shared.totals };
        let network = Totals { fetch: 100.0, cores: 2.5, cores_reading: 0.5, ..totals };
        let rate = Measured { totals: network, threads: 8, ..shared }.prediction().without_bottleneck;
        assert!(
            (rate.expect("it is known") - 1.1 * 250.0).abs() < 1e-6,
            "{rate:?}: nothing is read, by cores half idle"
        );
        let kept = Measured { totals, threads: 8, ..shared }.prediction().decoded_cache;
        assert!((kept.expect("it is known") - 400.0).abs() < 1e-6, "{kept:?}");
        // A quarter of 32 ms is for drawing; 8 ms are for reading a kilobyte, and as long as that takes what is seen of an image.
        let read = Totals { cores_reading: 1.0, bytes: 1e6, seen_bytes: 1e6, ..totals };
        let kept = Measured { totals: read, threads: 8, ..shared }.prediction().decoded_cache;
        assert!((kept.expect("it is known") - 250.0).abs() < 1e-6, "{kept:?}");
    }

    #[test]
    fn what_would_be_follows_from_what_each_takes() {
        let near = |rate: Option<f64>, expected: f64| {
            let rate = rate.expect("it is known");
            assert!((rate - expected).abs() < 1e-6 * expected, "{rate} is not {expected}");
        };
        // Two threads decode all the time, and the consumer takes a fifth of the time for itself.
        let decode = measured(0.0, 20.0, 0.0, 0.0, 8.0).prediction();
        near(decode.without_bottleneck, 500.0);
        near(decode.another_core, 125.0);
        near(decode.decoded_cache, 400.0);
        near(decode.decoded_bytes, 1e9);
        // Threads wait for a store, and make a sample in 4 ms; cores that are idle for four fifths would warm up.
        let network = measured(0.0, 4.0, 0.0, 16.0, 9.0).prediction();
        near(network.without_bottleneck, 1.16 * 500.0);
        near(network.another_core, 100.0);
        // Threads wait for the consumer three quarters of their time.
        near(measured(1.0, 4.0, 15.0, 0.0, 0.0).prediction().without_bottleneck, 1.16 * 400.0);
    }

    #[test]
    fn memory_that_threads_wait_for_would_bring_what_they_make_then() {
        // Two threads work half of the time and wait for the consumer to let go of memory the other half; it takes half of it as well.
        let mut held = measured(2.0, 8.0, 0.0, 0.0, 5.0);
        assert_eq!(held.prediction().more_memory, None);
        held.totals.memory = 10.0;
        let rate = held.prediction().more_memory.expect("they wait for it");
        assert!((rate - 200.0).abs() < 1e-6, "{rate}");
        // What the consumer takes bounds it.
        held.totals.starved = 2.0;
        let rate = held.prediction().more_memory.expect("they wait for it");
        assert!((rate - 125.0).abs() < 1e-6, "{rate}");
    }

    #[test]
    fn a_stage_is_named_where_its_own_consumer_waits() {
        let mut staged = Measured { has_stage: true, ..measured(1.0, 2.0, 17.0, 0.0, 0.1) };
        staged.totals.stage_samples = 1000.0;
        assert_eq!((staged.bottleneck(), staged.starved() > 0.0), (Bottleneck::Consumer, false));
        staged.totals.stage_starved = 6.0;
        assert_eq!(staged.bottleneck(), Bottleneck::Transform);
        let rate = staged.prediction().without_bottleneck.expect("it is known");
        assert!((rate - 250.0).abs() < 1e-6, "{rate}: the training step takes 4 s for a thousand samples");
        // Where the loader is late, the stage is not what holds things back.
        let mut decode = Measured { has_stage: true, ..measured(0.0, 20.0, 0.0, 0.0, 8.0) };
        decode.totals.stage_starved = 8.0;
        assert_eq!(decode.bottleneck(), Bottleneck::Decode);
    }

    #[test]
    fn names_are_as_they_are_written() {
        for bottleneck in Bottleneck::ALL {
            let written = serde_json::to_value(bottleneck).expect("it is plain data");
            assert_eq!(written, bottleneck.name());
        }
    }
}

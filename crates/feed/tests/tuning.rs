//! Threads of an engine: as many more work as bring more, and those that are pinned stay.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use feed::memory::Share;
use feed::meter::Meter;
use feed::order::{Order, Shares, Shuffle, Worker};
use feed::pipeline::{
    Ahead, Arrivals, Asked, Engine, Next, Output, Place, SampleError, Seat, Settings, Turn, Type, Work,
};
use feed::tune::Tuned;

/// Samples that wait and do nothing, as those of a slow disk do.
struct Waiting {
    outputs: [Output; 1],
    meter: Meter,
}

impl Work for Waiting {
    type Scratch = ();
    type Ticket = ();

    fn scratch(&self) {}

    fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    fn bytes(&self, _turn: Turn) -> usize {
        0
    }

    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn ahead(&self) -> Ahead {
        Ahead::Nothing
    }

    fn ask(&self, _: &mut dyn Iterator<Item = (Seat, Turn)>, _: &Weak<dyn Arrivals>) -> Vec<Asked<()>> {
        Vec::new()
    }

    fn write(&self, (): &mut (), turn: Turn, places: &mut [Place<'_>]) -> Result<(), SampleError> {
        thread::sleep(Duration::from_millis(2));
        let [Place::Numbers(slot)] = places else { panic!("there is one output, of numbers") };
        slot.as_numbers::<i64>()[0] = turn.sample as i64;
        Ok(())
    }
}

/// How many threads work in the end, of an epoch of `samples` that are taken as they come.
fn settled(threads: Tuned, samples: u64) -> usize {
    let work = Arc::new(Waiting { outputs: [Output::numbers("number", Type::I64, &[])], meter: Meter::default() });
    let settings = Settings {
        course: Order { samples, shuffle: Shuffle::Global, seed: 1 }.into(),
        shares: Shares { samples, world: 1, rank: 0, batch: 50, drop_last: false, worker: Worker::ALONE },
        threads,
        ahead: Tuned::pinned(8),
        epoch: 0,
        consumed: 0,
    };
    let engine = Engine::start(work, settings, Share::new(1 << 20));
    let mut seen = 0;
    loop {
        match engine.next(Duration::from_secs(60)) {
            Next::Batch(batch) => seen += batch.samples as u64,
            Next::EndOfEpoch(_) => break,
            Next::NotYet | Next::NoRoom { .. } => panic!("nothing came for a minute"),
        }
    }
    assert_eq!(seen, samples, "each sample comes, whoever works");
    engine.numbers().threads
}

#[test]
fn more_threads_work_where_samples_wait() {
    let threads = settled(Tuned { start: 1, max: 32 }, 6000);
    assert!((4..=32).contains(&threads), "{threads}");
}

#[test]
fn pinned_threads_stay() {
    assert_eq!(settled(Tuned::pinned(3), 600), 3);
}

//! Batches of real photographs: the same for any number of threads, ranks and stops, each sample once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use feed::dataset::{Dataset, Format};
use feed::image::Normalise;
use feed::image::crop::{Crop, RandomCrop};
use feed::memory::Share;
use feed::order::{Order, Shares, Shuffle, Worker};
use feed::pipeline::{Batch, Engine, Next, Settings};
use feed::source::Location;
use feed::tune::Tuned;
use feed::work::{Column, Columns, Kind, Photograph, Pixels, Rooms};

/// Photographs drawn small, and their classes.
fn columns(dataset: &Arc<Dataset>, decoded_bytes_max: usize) -> Arc<Columns> {
    let photograph = Photograph {
        crop: Crop::Random(RandomCrop { area: (0.08, 1.0), ratio: (0.75, 4.0 / 3.0) }),
        width: 21,
        height: 17,
        mirror: 0.5,
        dct_scaling: false,
        jitter: None,
        pixels: Pixels::Normalised(Normalise::new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])),
        seed: 5,
    };
    let columns = vec![
        Column { name: "image".into(), fields: vec!["jpg".into()], kind: Kind::Photograph(photograph) },
        Column { name: "label".into(), fields: vec!["cls".into()], kind: Kind::Integer },
    ];
    Arc::new(Columns::new(
        Arc::clone(dataset),
        columns,
        Rooms { each: 1 << 20, large: 1 << 24 },
        decoded_bytes_max,
        1 << 24,
    ))
}

fn settings(dataset: &Dataset, threads: usize, world: u64, rank: u64, batch: u64) -> Settings {
    let samples = dataset.samples();
    Settings {
        course: Order { samples, shuffle: Shuffle::Global, seed: 9 }.into(),
        shares: Shares { samples, world, rank, batch, drop_last: false, worker: Worker::ALONE },
        threads: Tuned::pinned(threads),
        ahead: Tuned::pinned(3),
        epoch: 0,
        consumed: 0,
    }
}

/// The bytes of each sample of a batch, all columns together.
fn samples(batch: &Batch) -> Vec<Vec<u8>> {
    let mut samples = vec![Vec::new(); batch.samples];
    for column in batch.columns() {
        let numbers = column.made.numbers().expect("all columns are numbers");
        for (sample, slot) in samples.iter_mut().zip(numbers.chunks_exact(numbers.slot_bytes())) {
            sample.extend_from_slice(slot);
        }
    }
    samples
}

/// Whole epochs of one rank; or its first `batches` batches, and what is consumed then.
fn run(columns: &Arc<Columns>, settings: Settings, epochs: u64, batches: usize) -> (Vec<Vec<u8>>, u64) {
    let engine = Engine::start(Arc::clone(columns), settings.clone(), Share::new(1 << 24));
    let (mut all, mut consumed, mut left) = (Vec::new(), settings.consumed, batches);
    while left > 0 {
        match engine.next(Duration::from_secs(60)) {
            Next::Batch(batch) => {
                assert!(batch.failed.is_empty(), "{:?}", batch.failed);
                consumed = batch.consumed;
                all.extend(samples(&batch));
                left -= 1;
            }
            Next::EndOfEpoch(epoch) if epoch + 1 == settings.epoch + epochs => break,
            Next::EndOfEpoch(_) => {}
            Next::NotYet | Next::NoRoom { .. } => panic!("nothing came for a minute"),
        }
    }
    (all, consumed)
}

fn dataset(folder: &Path) -> Arc<Dataset> {
    let shard = |shard: usize| Location::Path(folder.join(format!("shard-{shard:04}.tar")));
    let paths: Vec<_> = (0..4).map(shard).collect();
    Arc::new(Dataset::open(&paths, Format::ByName).expect("the shards are well formed"))
}

#[test]
fn threads_and_what_is_kept_change_nothing() {
    let dataset = dataset(&testkit::shared_data!("images"));
    let plain = columns(&dataset, 0);
    let (expected, _) = run(&plain, settings(&dataset, 1, 1, 0, 64), 2, usize::MAX);
    assert_eq!(expected.len(), 800);
    let (half, last) = expected.split_at(400);
    assert!(
        half.iter().zip(last).filter(|(one, other)| one == other).count() < 4,
        "each epoch has its own order and parts"
    );
    for threads in [2, 5] {
        assert!(run(&plain, settings(&dataset, threads, 1, 0, 64), 2, usize::MAX).0 == expected, "{threads} threads");
    }
    // Room for some of the images, and for all.
    for bytes in [20 << 20, 1 << 30] {
        let keeps = columns(&dataset, bytes);
        assert!(run(&keeps, settings(&dataset, 2, 1, 0, 64), 2, usize::MAX).0 == expected, "{bytes} bytes are kept");
    }
}

#[test]
fn ranks_share_an_epoch_and_any_number_goes_on_where_others_stopped() {
    let dataset = dataset(&testkit::shared_data!("images"));
    let plain = columns(&dataset, 0);
    let (whole, _) = run(&plain, settings(&dataset, 2, 1, 0, 50), 1, usize::MAX);
    let mut expected: BTreeMap<&[u8], usize> = BTreeMap::new();
    whole.iter().for_each(|sample| *expected.entry(sample).or_default() += 1);
    // Three ranks take four batches of nine each, then two take the rest.
    let (mut seen, mut consumed) = (Vec::new(), 0);
    for rank in 0..3 {
        let (samples, after) = run(&plain, settings(&dataset, 2, 3, rank, 9), 1, 4);
        seen.extend(samples);
        consumed = after;
    }
    assert_eq!(consumed, 108);
    for rank in 0..2 {
        let resumed = Settings { consumed, ..settings(&dataset, 1, 2, rank, 31) };
        seen.extend(run(&plain, resumed, 1, usize::MAX).0);
    }
    let mut found: BTreeMap<&[u8], usize> = BTreeMap::new();
    seen.iter().for_each(|sample| *found.entry(sample).or_default() += 1);
    assert!(found == expected, "each sample of the epoch comes once, and as it was");
}

"""Where the time goes."""

from __future__ import annotations

import time

import trimtab as tt


def test_a_slow_consumer_is_named(tokens):
    loader = tt.Loader(tokens, batch_size=50, columns={"tokens": tt.Tokens(8)}, threads=2)
    assert loader.report().bottleneck == "unknown" and "no batch" in str(loader.report())
    for _ in loader:
        time.sleep(0.02)
    report = loader.report()
    assert (report.batches, report.samples, report.bytes_read >= 16_000) == (20, 1000, True)
    assert report.bottleneck == "consumer", report
    assert report.ahead_seconds > report.starved_seconds
    assert "The consumer is what takes time" in str(report)


def test_decoding_is_named_where_it_takes_the_time(images):
    columns = {"image": tt.Image("jpg", size=224, crop=tt.RandomCrop())}
    loader = tt.Loader(images, batch_size=20, columns=columns, threads=1)
    assert sum(len(batch["image"]) for batch in loader) == 400
    report = loader.report()
    assert report.bottleneck == "decode", report
    assert report.make_seconds > 5 * report.read_seconds and report.make_seconds > report.decode_seconds > 0
    assert "making of bytes what comes out" in str(report) and "decoded_cache=" in str(report)
    prediction = report.recent.prediction
    assert prediction.decoded_cache > report.recent.samples_per_second
    # A decoded photograph of 500 x 375 takes about 280 kB.
    assert 50e6 < prediction.decoded_bytes < 300e6


def test_numbers_that_are_told_stay_and_others_begin_where_they_should(images):
    columns = {"image": tt.Image("jpg", size=64)}
    pinned = tt.Loader(images, batch_size=20, columns=columns, threads=1, prefetch=3)
    tuned = tt.Loader(images, batch_size=20, columns=columns)
    next(iter(pinned)), next(iter(tuned))
    assert (pinned.report().threads, pinned.report().prefetch) == (1, 3)
    assert tuned.report().threads >= tuned.report().cores and tuned.report().prefetch >= 4
    memory = tuned.report().memory
    assert 0 < memory.batches <= memory.batches_limit < memory.limit
    assert tuned.report().store is None

"""Functions of Python as a stage."""

from __future__ import annotations

import gc
import os
import pickle
import threading
import time

import numpy as np
import pytest
import trimtab as tt


def _doubled(sample):
    """At the module's top, so that processes can be told it."""
    return {"tokens": sample["tokens"] * 2, "name": f"sample {sample['number']}", "number": int(sample["number"])}


def _loader(tokens, transform, **options):
    columns = {"tokens": tt.Tokens(8), "number": tt.Number()}
    return tt.Loader(tokens, batch_size=30, columns=columns, seed=3, transform=transform, **options)


def _plain(tokens):
    columns = {"tokens": tt.Tokens(8), "number": tt.Number()}
    return list(tt.Loader(tokens, batch_size=30, columns=columns, seed=3))


@pytest.mark.parametrize("within", ["threads", "processes"])
def test_samples_come_in_the_order_of_the_loader(tokens, within):
    plain = _plain(tokens)
    made = list(_loader(tokens, tt.Transform(_doubled, workers=3, within=within)))
    assert len(made) == len(plain) == 34
    for before, after in zip(plain, made):
        assert np.array_equal(after["tokens"], 2 * before["tokens"]) and after["tokens"].dtype == np.int64
        assert after["number"].tolist() == before["number"].tolist()
        assert after["name"] == [f"sample {number}" for number in before["number"]]


def test_a_state_counts_what_was_taken_and_not_what_was_made(tokens):
    loader = _loader(tokens, _doubled)
    whole = [batch["number"].tolist() for _ in range(2) for batch in loader]
    for stop in (1, 20, 34, 40):
        first = _loader(tokens, _doubled)
        taken = []
        while len(taken) < stop:
            for batch in first:
                taken.append(batch["number"].tolist())
                if len(taken) == stop:
                    break
        rest = _loader(tokens, _doubled, threads=1)
        rest.load_state_dict(first.state_dict())
        again = pickle.loads(pickle.dumps(first))
        for other in (rest, again):
            following = [batch["number"].tolist() for batch in other]
            # What is left of the epoch: none of it where the last batch was taken, and the epoch's end was not.
            end = 34 * -(-stop // 34)
            assert taken == whole[:stop] and following == whole[stop:end]
        # And the same loader, sent back.
        first.load_state_dict(_loader(tokens, _doubled).state_dict())
        assert next(iter(first))["number"].tolist() == whole[0]


def test_an_exception_arrives_with_the_name_of_its_sample(tokens):
    def refuse(sample):
        if sample["number"] == 77:
            raise KeyError("boxes")
        return dict(sample)

    with pytest.raises(tt.DataError, match=r"tokens.bin: sample 77: the transform raised KeyError: 'boxes'"):
        list(_loader(tokens, refuse))
    skipping = _loader(tokens, refuse, on_error="skip")
    with pytest.warns(RuntimeWarning, match="sample 77"):
        numbers = [number for batch in skipping for number in batch["number"].tolist()]
    assert sorted(numbers) == [number for number in range(1000) if number != 77] and skipping.skipped == 1


def test_a_slow_function_gets_more_workers_and_is_named(tokens):
    def wait(sample):
        time.sleep(0.004)
        return dict(sample)

    one = _loader(tokens, tt.Transform(wait, workers=1))
    next(iter(one))
    loader = _loader(tokens, wait)
    for _ in range(3):
        assert sum(len(batch["number"]) for batch in loader) == 1000
    report = loader.report()
    assert report.bottleneck == "transform", report
    # They begin with as many as there are cores.
    assert report.transform.workers > (os.cpu_count() or 1) and one.report().transform.workers == 1
    assert report.transform.samples == 3000 and report.transform.busy_seconds > 3000 * 0.004
    assert "What takes time is the transform" in str(report)


def test_what_makes_no_sense_is_refused(tokens):
    with pytest.raises(ValueError, match="'threads' or 'processes'"):
        tt.Transform(dict, within="coroutines")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        tt.Transform(dict, workers=0)
    with pytest.raises(ValueError, match="the columns"):
        list(_loader(tokens, lambda sample: {f"n{sample['number'] % 2}": 1}))


def test_a_loader_that_nobody_has_any_more_makes_nothing(tokens):
    loader = _loader(tokens, _doubled)
    next(iter(loader))
    feeder = loader._stage._feeder
    del loader
    gc.collect()
    feeder.join(timeout=60)
    assert not feeder.is_alive() and feeder not in threading.enumerate()

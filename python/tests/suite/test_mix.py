"""Several sources mixed by their weights."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import trimtab as tt

SIZES = {"web": 700, "books": 90, "code": 30}


@pytest.fixture()
def sources(tmp_path: Path) -> dict[str, tt.Source]:
    """Three sources, two of them of several files; each sample's line says what it is."""
    for name, size in SIZES.items():
        lines = [f"{name} {number}\n" for number in range(size)]
        half = size // 2
        (tmp_path / f"{name}-0.txt").write_text("".join(lines[:half]))
        (tmp_path / f"{name}-1.txt").write_text("".join(lines[half:]))
    weights = {"web": 6, "books": 3, "code": 1}
    return {name: tt.Source(tmp_path / f"{name}-*.txt", weight) for name, weight in weights.items()}


def loader(data, **options) -> tt.Loader:
    options = {"batch_size": 16, "threads": 2, "world_size": 1, "rank": 0} | options
    columns: dict[str, tt.columns.Column] = {"text": tt.Text(), "number": tt.Number()}
    if isinstance(data, (tt.Mix, dict)):
        columns |= {"name": tt.SourceName(), "source": tt.SourceNumber()}
    return tt.Loader(data, columns=columns, **options)


def texts(batches) -> list[str]:
    return [text for batch in batches for text in batch["text"]]


def test_samples_tell_their_source_and_come_as_often_as_it_weighs(sources):
    loaded = loader(tt.Mix(sources, epoch_samples=1000), seed=4)
    assert loaded.samples == 1000 and len(loaded) == 63
    counts, place = dict.fromkeys(SIZES, 0), 0
    starts = {"web": 0, "books": 700, "code": 790}
    for batch in loaded:
        assert batch["source"].dtype == np.int64
        for text, name, source, number in zip(batch["text"], batch["name"], batch["source"], batch["number"]):
            assert text.split()[0] == name == list(SIZES)[source]
            assert int(text.split()[1]) == number - starts[name]
            counts[name] += 1
            place += 1
            for one, share in (("web", 0.6), ("books", 0.3), ("code", 0.1)):
                assert abs(counts[one] - share * place) < 1 + 256 * share * (1 - share)
    assert {name: round(count, -1) for name, count in counts.items()} == {"web": 600, "books": 300, "code": 100}
    report = loaded.report()
    assert [(source.name, source.samples) for source in report.sources] == list(counts.items())
    assert [round(source.share, 9) for source in report.sources] == [0.6, 0.3, 0.1]
    assert [source.passes for source in report.sources] == [counts[name] / SIZES[name] for name in SIZES]
    assert "source books: " in str(report) and "30.0% in the long run" in str(report)


def test_nothing_of_a_source_comes_again_before_all_of_it_came(sources):
    # Epochs of the mixture end anywhere in those of its sources.
    loaded = loader(tt.Mix(sources, epoch_samples=333), seed=1, shuffle=tt.Window(block=10, blocks=3))
    came: dict[str, list[int]] = {name: [] for name in SIZES}
    for _ in range(9):
        for text in texts(loaded):
            name, number = text.split()
            came[name].append(int(number))
    for name, size in SIZES.items():
        epochs = [came[name][start : start + size] for start in range(0, len(came[name]) - size + 1, size)]
        assert len(epochs) == len(came[name]) // size >= 2
        assert all(sorted(epoch) == list(range(size)) for epoch in epochs)
        assert epochs[0] != epochs[1]


def test_an_epoch_is_the_source_that_lasts_longest_unless_it_is_told(sources):
    # 700 samples of 60 %.
    assert loader(sources).samples == 1167
    alone = {name: tt.Source(source.data, float(name == "books")) for name, source in sources.items()}
    loaded = loader(alone)
    assert loaded.samples == 90
    assert sorted(texts(loaded)) == sorted(f"books {number}" for number in range(90))
    same = [loader({"books": sources["books"]}, shuffle=shuffle) for shuffle in (False, True)]
    assert texts(same[0]) == [f"books {number}" for number in range(90)] != texts(same[1])


@pytest.mark.parametrize("shuffle", [True, tt.Window(block=7, blocks=4), tt.Buckets(group=24, groups=3)])
def test_any_ranks_go_on_where_others_stopped(sources, shuffle):
    data = tt.Mix(sources, epoch_samples=500)
    options = {"seed": 3, "shuffle": shuffle}
    loaded = loader(data, **options)
    whole, after = texts(loaded), texts(loaded)
    assert after != whole
    assert texts(loader(data, threads=1, batch_size=23, **options)) == whole
    # Three ranks take four batches each, and two take the rest of the epoch and the next.
    ranks = [loader(data, world_size=3, rank=rank, batch_size=9, **options) for rank in range(3)]
    taken = [[texts([batch]) for _, batch in zip(range(4), rank)] for rank in ranks]
    seen = [text for step in zip(*taken) for batch in step for text in batch]
    assert seen == whole[:108]
    state = json.loads(json.dumps(ranks[0].state_dict()))
    assert (state["version"], state["consumed"]) == (2, 108)
    others = [loader(data, world_size=2, rank=rank, batch_size=31, threads=1, **options) for rank in range(2)]
    for rank in others:
        rank.load_state_dict(state)
    for expected in (whole[108:], after):
        steps = [[texts([batch]) for batch in rank] for rank in others]
        assert [text for step in zip(*steps) for batch in step for text in batch] == expected
    pickled = loader(data, **options)
    begun = texts([next(iter(pickled))])
    assert begun + texts(pickle.loads(pickle.dumps(pickled))) == whole


def test_what_makes_no_whole_step_is_left_out_if_that_is_asked_for(sources):
    data = tt.Mix(sources, epoch_samples=500)
    loaded = loader(data, batch_size=32, drop_last=True)
    first = texts(loaded)
    assert len(first) == 480 == 32 * len(loaded)
    assert first == texts(loader(data, batch_size=32))[:480]
    # The next epoch begins behind what was left out.
    whole = loader(data, batch_size=32)
    texts(whole)
    assert texts(loaded) == texts(whole)[:480]


def test_a_state_of_another_mixture_is_refused(sources):
    def refused(data, match):
        with pytest.raises(ValueError, match=match):
            loader(data).load_state_dict(state)

    state = loader(tt.Mix(sources, epoch_samples=500)).state_dict()
    loader(tt.Mix({**sources, "web": tt.Source(sources["web"].data, 6.0)}, 500)).load_state_dict(state)
    heavier = {**sources, "code": tt.Source(sources["code"].data, 2)}
    refused(tt.Mix(heavier, 500), r'mixture of sources was "web" \(60.0000 % of 700 samples\).*and is "web" \(54.5')
    refused(tt.Mix(dict(reversed(sources.items())), 500), "mixture of sources was")
    refused(sources, "number of samples was 500 and is 1167")
    refused(sources["web"].data, "and is none")


def test_what_makes_no_mixture_is_refused(sources, tmp_path):
    data = sources["web"].data

    def refused(told, match, error=ValueError):
        with pytest.raises(error, match=match):
            loader(told)

    with pytest.raises(ValueError, match="source 'a': its weight is nan"):
        tt.Mix({"a": tt.Source(data, float("nan"))})
    refused({"a": tt.Source(data, -1)}, 'source "a": its weight is -1; a weight is a number from 0 on')
    refused({"a": tt.Source(data, 0), "b": tt.Source(data, 0.0)}, "all weights are 0")
    refused({"a": tt.Source(data, 1), "b": tt.Source(data, 1e-9)}, 'source "b": its weight of 0.000000001 is less than')
    refused({}, "mix: there are 0 sources")
    refused({"a": tt.Source([])}, 'source "a": no file is named')
    refused({"a": data}, "it is a Source", TypeError)
    refused(tt.Mix(sources, epoch_samples=0), "epoch_samples: an epoch has between 1")
    refused({"a": tt.Source(tmp_path / "none.txt")}, "there is no such file", tt.DataError)
    (tmp_path / "empty.txt").write_text("\n\n")
    empty = {**sources, "none": tt.Source(tmp_path / "empty.txt")}
    refused(empty, 'source "none": there is no sample in its data')
    with pytest.raises(ValueError, match="name: there is one source"):
        tt.Loader(data, batch_size=1, columns={"name": tt.SourceName()})


def test_what_cannot_be_read_is_not_counted_and_is_named(tmp_path):
    (tmp_path / "good.jsonl").write_text("".join(f'{{"n": {number}}}\n' for number in range(50)))
    (tmp_path / "bad.jsonl").write_text('{"n": "no number"}\n')
    data = {"good": tt.Source(tmp_path / "good.jsonl", 9), "bad": tt.Source(tmp_path / "bad.jsonl", 1)}
    columns = {"n": tt.Integer("n"), "source": tt.SourceNumber()}
    loaded = tt.Loader(tt.Mix(data, epoch_samples=300), batch_size=30, columns=columns, on_error="skip")
    with pytest.warns(RuntimeWarning, match="bad.jsonl: the line at byte 0"):
        batches = list(loaded)
    good, bad = loaded.report().sources
    assert (good.samples, bad.samples) == (300 - loaded.skipped, 0)
    assert bad.passes == loaded.skipped > 20
    assert all(set(batch["source"].tolist()) == {0} for batch in batches)

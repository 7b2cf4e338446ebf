"""Samples of similar size together."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimtab as tt
from conftest import write_tar


@pytest.fixture()
def texts(tmp_path: Path) -> Path:
    """A WebDataset of a thousand texts of 10 to 2000 bytes, beside which a field lies whose size says nothing."""
    draws = np.random.default_rng(1)
    members = {}
    for number, size in enumerate(draws.integers(10, 2000, 1000)):
        members[f"{number:04}.txt"] = b"x" * int(size)
        members[f"{number:04}.bin"] = b"y" * int(draws.integers(1, 500_000) if number % 50 == 0 else 7)
    return write_tar(tmp_path / "texts.tar", members)


def loader(texts, shuffle, **options) -> tt.Loader:
    options = {"batch_size": 8, "threads": 2, "world_size": 1, "rank": 0} | options
    columns = {"text": tt.Text("txt"), "number": tt.Number()}
    return tt.Loader(texts, columns=columns, shuffle=shuffle, **options)


def numbers(batches) -> list[int]:
    return [int(number) for batch in batches for number in batch["number"]]


def padding(batches) -> float:
    """The part of arrays that would be padding."""
    lengths = [[len(text) for text in batch["text"]] for batch in batches]
    full = sum(max(of) * len(of) for of in lengths)
    return 1 - sum(map(sum, lengths)) / full


def test_similar_sizes_come_together_and_each_sample_once(texts):
    bucketed = loader(texts, tt.Buckets(group=8, groups=25), seed=2)
    first, second = list(bucketed), list(bucketed)
    assert sorted(numbers(first)) == sorted(numbers(second)) == list(range(1000))
    assert numbers(first) != numbers(second)
    assert numbers(loader(texts, tt.Buckets(group=8, groups=25), seed=2, batch_size=40, threads=1)) == numbers(first)
    plain = padding(loader(texts, True, seed=2))
    # Of eight sizes that are spread evenly, the mean is nine sixteenths of the largest.
    assert plain > 0.35 and padding(first) < 0.07 and padding(second) < 0.07
    # Groups come in no order of size.
    largest = [max(map(len, batch["text"])) for batch in first]
    rises = sum(one < other for one, other in zip(largest, largest[1:]))
    assert 40 < rises < 85, rises


def test_a_field_and_what_is_shuffled_before_can_be_told(texts):
    by_text = padding(loader(texts, tt.Buckets(group=8, groups=125, field=["text", "txt"])))
    by_other = padding(loader(texts, tt.Buckets(group=8, groups=125, field="bin")))
    assert by_text < 0.02 < 0.35 < by_other
    unshuffled = numbers(loader(texts, tt.Buckets(group=8, groups=5, shuffle=False)))
    windowed = numbers(loader(texts, tt.Buckets(group=8, groups=5, shuffle=tt.Window(block=40, blocks=1))))
    for start in range(0, 1000, 40):
        assert sorted(unshuffled[start : start + 40]) == list(range(start, start + 40))
        assert len({number // 40 for number in windowed[start : start + 40]}) == 1
    assert unshuffled != sorted(unshuffled) and windowed[:40] != unshuffled[:40]


def test_sizes_of_lines_are_those_of_the_index_and_those_of_columns_add_up(tmp_path):
    draws = np.random.default_rng(3)
    lines = [json.dumps({"text": "x" * int(size), "n": int(size)}) for size in draws.integers(10, 2000, 640)]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines))
    columns = {"text": tt.Text("text"), "n": tt.Integer("n")}
    shuffle = tt.Buckets(group=16, groups=40)
    batches = list(tt.Loader(tmp_path / "lines.jsonl", batch_size=16, columns=columns, shuffle=shuffle))
    # All are one window, of which each group is a run in the order of sizes.
    groups = sorted(sorted(batch["n"].tolist()) for batch in batches)
    assert sum(groups, []) == sorted(json.loads(line)["n"] for line in lines)


def test_any_ranks_go_on_where_others_stopped(texts):
    buckets = tt.Buckets(group=24, groups=4)
    whole = numbers(loader(texts, buckets, seed=5))
    ranks = [loader(texts, buckets, seed=5, world_size=3, rank=rank) for rank in range(3)]
    taken = [[numbers([batch]) for _, batch in zip(range(7), rank)] for rank in ranks]
    seen = [number for step in zip(*taken) for batch in step for number in batch]
    assert seen == whole[:168]
    rest = loader(texts, buckets, seed=5, batch_size=50)
    rest.load_state_dict(json.loads(json.dumps(ranks[1].state_dict())))
    assert numbers(rest) == whole[168:]
    state = ranks[1].state_dict()
    assert state["buckets"] == {"group": 24, "groups": 4, "fields": [["txt"]]}
    with pytest.raises(ValueError, match=r"was 4 groups of 24 samples by the size of \[txt\] and is 4 groups of 16"):
        loader(texts, tt.Buckets(group=16, groups=4), seed=5).load_state_dict(state)
    with pytest.raises(ValueError, match=r"by the size of \[txt\] and is none"):
        loader(texts, True, seed=5).load_state_dict(state)


def test_ranks_of_a_step_have_the_same_sizes(texts):
    ranks = [loader(texts, tt.Buckets(group=32, groups=10), world_size=4, rank=rank, batch_size=8) for rank in range(4)]
    bytes_of = [sum(len(text) for batch in rank for text in batch["text"]) for rank in ranks]
    assert max(bytes_of) < 1.05 * min(bytes_of)


def test_what_makes_no_buckets_is_refused(texts, tokens):
    def refused(buckets, match):
        with pytest.raises(ValueError, match=match):
            loader(texts, buckets)

    refused(tt.Buckets(group=0), "shuffle: a group has at least one sample")
    refused(tt.Buckets(group=8, groups=0), "shuffle: a group has at least one sample")
    refused(tt.Buckets(group=1 << 15, groups=64), "at most 1,048,576")
    refused(tt.Buckets(group=8, field="text"), r"none has bytes of a field \[text\]: name another")
    (tokens.parent / "many.bin").write_bytes(bytes(2 << 20))
    many = {"columns": {"token": tt.Tokens(1)}, "batch_size": 16, "threads": 2, "memory_limit": 32 << 20}
    tt.Loader(tokens.parent / "many.bin", **many, shuffle=tt.Buckets(group=16, groups=64))
    with pytest.raises(ValueError, match="memory_limit: 32 MiB are too few"):
        tt.Loader(tokens.parent / "many.bin", **many, shuffle=tt.Buckets(group=16, groups=1 << 16))
    # Where all are of one size, nothing is to be gained, and nothing goes wrong.
    loaded = tt.Loader(tokens, batch_size=16, columns={"tokens": tt.Tokens(8)}, shuffle=tt.Buckets(group=16))
    assert sorted(int(sample[0]) for batch in loaded for sample in batch["tokens"]) == list(range(1000))

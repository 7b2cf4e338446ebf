"""What the adapters to other libraries do that needs none of them."""

from __future__ import annotations

import itertools
import sys
from types import SimpleNamespace

import pytest
import trimtab as tt
from trimtab import ranks, samples


def loader(tokens, **options) -> tt.Loader:
    options = {"batch_size": 16, "threads": 1, "world_size": 1, "rank": 0} | options
    return tt.Loader(tokens, columns={"tokens": tt.Tokens(8)}, **options)


def numbers(batches) -> list[int]:
    return [int(sample[0]) for batch in batches for sample in batch["tokens"]]


@pytest.mark.parametrize("transform", [None, lambda sample: sample])
def test_who_takes_all_batches_and_looks_no_further_gets_the_next_epoch(tokens, transform):
    whole = loader(tokens)
    expected = [numbers(whole) for _ in range(3)]
    loaded = loader(tokens, transform=transform)
    for epoch in expected[:2]:
        assert numbers(itertools.islice(loaded, len(loaded))) == epoch
    # One that was not taken whole goes on.
    first = numbers(itertools.islice(loaded, 5))
    assert first + numbers(loaded) == expected[2]
    # Of an epoch that was taken before it was gone on with, nothing is left.
    state = loader(tokens).state_dict()
    loaded.load_state_dict({**state, "consumed": 1000})
    assert numbers(loaded) == []
    assert numbers(loaded) == expected[1]


def test_an_epoch_is_begun_unless_it_is_the_one(tokens):
    whole = loader(tokens)
    expected = [numbers(whole) for _ in range(3)]
    loaded = loader(tokens)
    loaded.set_epoch(2)
    assert numbers(loaded) == expected[2]
    loaded.set_epoch(0)
    first = numbers(itertools.islice(loaded, 3))
    loaded.set_epoch(0)
    assert first + numbers(loaded) == expected[0]
    with pytest.raises(ValueError, match="-1"):
        loaded.set_epoch(-1)


def test_a_process_group_of_torch_tells_the_rank(monkeypatch):
    group = SimpleNamespace(
        is_available=lambda: True, is_initialized=lambda: True, get_rank=lambda: 3, get_world_size=lambda: 8
    )
    monkeypatch.setitem(sys.modules, "torch.distributed", group)
    assert ranks.detect({}) == (3, 8)
    assert ranks.detect({"RANK": "1", "WORLD_SIZE": "2"}) == (1, 2)
    monkeypatch.setattr(group, "is_initialized", lambda: False)
    assert ranks.detect({}) == (0, 1)


def test_the_samples_of_a_rank_are_counted_as_they_are_dealt(tokens):
    for world, batch, drop_last in itertools.product([1, 3, 7], [1, 16, 400], [False, True]):
        told = [
            samples.share_of(1000, batch_size=batch, world_size=world, rank=rank, drop_last=drop_last)
            for rank in range(world)
        ]
        dealt = [
            len(numbers(loader(tokens, batch_size=batch, world_size=world, rank=rank, drop_last=drop_last)))
            for rank in range(world)
        ]
        assert told == dealt, (world, batch, drop_last)


def test_what_makes_no_sense_is_said(tokens):
    with pytest.raises(ValueError, match="pin_memory is for tensors, and output is 'numpy'"):
        loader(tokens, pin_memory=True)
    with pytest.raises(ValueError, match="tensors of torch are asked for, and output is 'dlpack'"):
        loader(tokens, output="dlpack").torch()
    with pytest.raises(ValueError, match="shards is 0; there is at least one"):
        loader(tokens).hugging_face(shards=0)

"""The order of samples: the same for any ranks and threads, and gone on with from any place."""

from __future__ import annotations

import json
import os
import pickle
import random

import pytest
import trimtab as tt


def loader(tokens, **options) -> tt.Loader:
    options = {"batch_size": 16, "threads": 2, "world_size": 1, "rank": 0} | options
    return tt.Loader(tokens, columns={"tokens": tt.Tokens(8)}, **options)


def numbers(batches) -> list[int]:
    return [int(sample[0]) for batch in batches for sample in batch["tokens"]]


def test_an_epoch_has_each_sample_once_and_the_next_another_order(tokens):
    loaded = loader(tokens, seed=7)
    first, second = numbers(loaded), numbers(loaded)
    assert sorted(first) == sorted(second) == list(range(1000))
    assert first != second
    assert numbers(loader(tokens, seed=7, threads=1, batch_size=9)) == first
    assert numbers(loader(tokens, shuffle=False)) == list(range(1000))
    assert len(loaded) == 63 and loaded.samples == 1000


def test_a_window_keeps_neighbours_near_each_other(tokens):
    window = tt.Window(block=50, blocks=4)
    whole = numbers(loader(tokens, shuffle=window))
    assert sorted(whole) == list(range(1000))
    assert whole != sorted(whole)
    for start in range(0, 1000, 200):
        assert len({number // 50 for number in whole[start : start + 200]}) == 4
    first = loader(tokens, shuffle=window, world_size=2, rank=0)
    next(iter(first))
    rest = loader(tokens, shuffle=window, batch_size=7)
    rest.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert numbers(rest) == whole[32:]
    with pytest.raises(ValueError, match="the shuffle was"):
        loader(tokens).load_state_dict(first.state_dict())
    with pytest.raises(ValueError, match="shuffle: a block has"):
        loader(tokens, shuffle=tt.Window(block=0))


def test_any_ranks_go_on_where_others_stopped(tokens):
    whole = numbers(loader(tokens, seed=3))
    draws = random.Random(5)
    for _ in range(40):
        state, seen = None, []
        while state is None or state["epoch"] == 0:
            world, batch = draws.choice([1, 2, 3, 8]), draws.randint(1, 30)
            ranks = [loader(tokens, seed=3, world_size=world, rank=rank, batch_size=batch) for rank in range(world)]
            for rank in ranks:
                if state is not None:
                    rank.load_state_dict(json.loads(json.dumps(state)))
            iterators = [iter(rank) for rank in ranks]
            for _ in range(draws.randint(1, 12)):
                step = [next(iterator, None) for iterator in iterators]
                for batch_of_rank in step:
                    if batch_of_rank is not None:
                        seen += numbers([batch_of_rank])
            states = [rank.state_dict() for rank in ranks]
            # A rank without a share in the last step is told of the epoch's end one step before the others.
            state = max(states, key=lambda one: (one["epoch"], one["consumed"]))
        assert seen == whole


def test_what_was_made_ahead_is_not_counted(tokens):
    loaded = loader(tokens, prefetch=8)
    iterator = iter(loaded)
    seen = numbers([next(iterator), next(iterator)])
    assert loaded.state_dict()["consumed"] == 32
    rest = loader(tokens, threads=1)
    rest.load_state_dict(loaded.state_dict())
    assert sorted(seen + numbers(rest)) == list(range(1000))


def test_a_state_of_other_data_is_refused(tokens, tmp_path):
    state = loader(tokens).state_dict()
    other = tmp_path / "other.bin"
    other.write_bytes(tokens.read_bytes() + bytes(16))
    with pytest.raises(ValueError, match="number of samples was 1000 and is 1001"):
        loader(other).load_state_dict(state)
    with pytest.raises(ValueError, match="seed was 0 and is 1"):
        loader(tokens, seed=1).load_state_dict(state)
    with pytest.raises(ValueError, match="version 9"):
        loader(tokens).load_state_dict(state | {"version": 9})
    with pytest.raises(ValueError, match="missing field"):
        loader(tokens).load_state_dict({"version": 1})


def test_a_pickled_loader_goes_on_where_it_was(tokens):
    whole = numbers(loader(tokens))
    loaded = loader(tokens)
    iterator = iter(loaded)
    seen = numbers([next(iterator) for _ in range(5)])
    assert seen + numbers(pickle.loads(pickle.dumps(loaded))) == whole


def test_a_forked_process_goes_on_by_itself(tokens):
    whole = numbers(loader(tokens))
    loaded = loader(tokens)
    iterator = iter(loaded)
    seen = numbers([next(iterator) for _ in range(5)])
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        with os.fdopen(writes, "w") as pipe:
            json.dump(numbers(iterator), pipe)
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as pipe:
        in_child = json.load(pipe)
    assert os.waitpid(child, 0)[1] == 0
    assert seen + in_child == whole
    assert seen + numbers(iterator) == whole


def test_the_rank_is_what_whoever_started_it_tells():
    from trimtab.ranks import detect

    assert detect({}) == (0, 1)
    assert detect({"RANK": "3", "WORLD_SIZE": "8"}) == (3, 8)
    assert detect({"SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "4", "SLURM_NTASKS": "16"}) == (2, 4)
    # A batch script: one process, whatever it will start.
    assert detect({"SLURM_PROCID": "0", "SLURM_NTASKS": "16"}) == (0, 1)
    assert detect({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}) == (1, 2)
    with pytest.raises(ValueError, match="torchrun says RANK='x'"):
        detect({"RANK": "x", "WORLD_SIZE": "8"})

"""The loader within torch's DataLoader, torchdata's, and with memory that is pinned."""

from __future__ import annotations

import itertools
import pickle
import warnings

import pytest
import trimtab as tt

torch = pytest.importorskip("torch", reason="torch is not installed")
# What more workers than cores do is not what is looked at here.
pytestmark = pytest.mark.filterwarnings("ignore:.*worker processes in total.*")


def loader(tokens, **options) -> tt.Loader:
    options = {"batch_size": 16, "threads": 1, "world_size": 1, "rank": 0} | options
    return tt.Loader(tokens, columns={"tokens": tt.Tokens(8)}, **options)


def epochs(tokens, count: int = 3, **options) -> list[list[list[int]]]:
    """What the loader itself delivers: for each epoch, the samples of each batch."""
    loaded = loader(tokens, **options)
    return [numbers(loaded) for _ in range(count)]


def numbers(batches) -> list[list[int]]:
    return [[int(sample[0]) for sample in batch["tokens"]] for batch in batches]


def data_loader(dataset, workers: int, **options):
    return torch.utils.data.DataLoader(dataset, batch_size=None, num_workers=workers, **options)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_any_number_of_workers_delivers_the_loaders_batches_in_its_order(tokens, workers):
    expected = epochs(tokens)
    dataset = loader(tokens, output="torch" if workers else "numpy").torch()
    assert isinstance(dataset, torch.utils.data.IterableDataset)
    batches = data_loader(dataset, workers)
    assert len(batches) == 63
    with warnings.catch_warnings():
        # torch warns where there are more batches than were told.
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*worker processes in total.*")
        for epoch in expected:
            assert numbers(batches) == epoch
    assert all(isinstance(batch["tokens"], torch.Tensor) for batch in itertools.islice(batches, 2))
    assert dataset.state_dict()["epoch"] == 3
    assert numbers(data_loader(loader(tokens).torch(), 0)) == expected[0]


def test_workers_that_stay_go_on_and_those_that_are_spawned_find_the_epoch(tokens):
    expected = epochs(tokens)
    staying = data_loader(loader(tokens).torch(), 2, persistent_workers=True)
    assert [numbers(staying) for _ in expected] == expected
    spawned = data_loader(loader(tokens).torch(), 1, multiprocessing_context="spawn")
    assert [numbers(spawned) for _ in expected[:2]] == expected[:2]


@pytest.mark.parametrize("drop_last", [False, True])
def test_the_workers_of_several_ranks_share_an_epoch(tokens, drop_last):
    options = {"world_size": 3, "drop_last": drop_last, "batch_size": 15}
    for rank in range(3):
        expected = epochs(tokens, 2, rank=rank, **options)
        batches = data_loader(loader(tokens, rank=rank, **options).torch(), 2)
        assert [numbers(batches) for _ in expected] == expected


def test_who_takes_the_last_batch_and_looks_no_further_gets_the_next_epoch(tokens):
    expected = epochs(tokens)
    for workers in [0, 2]:
        batches = data_loader(loader(tokens).torch(), workers)
        for epoch in expected:
            assert numbers(itertools.islice(batches, len(batches))) == epoch, workers


def test_an_epoch_is_chosen_and_gone_on_with(tokens):
    expected = epochs(tokens)
    dataset = loader(tokens).torch()
    iterator = iter(dataset)
    seen = numbers([next(iterator) for _ in range(7)])
    other = pickle.loads(pickle.dumps(dataset))
    assert seen + numbers(other) == expected[0]
    resumed = loader(tokens).torch()
    resumed.load_state_dict(dataset.state_dict())
    assert seen + numbers(data_loader(resumed, 2)) == expected[0]
    batches = data_loader(resumed, 2)
    for epoch in [2, 0, 1]:
        resumed.set_epoch(epoch)
        assert numbers(batches) == expected[epoch]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_torchdata_goes_on_from_any_batch(tokens, workers):
    stateful = pytest.importorskip("torchdata.stateful_dataloader", reason="torchdata is not installed")
    expected = epochs(tokens)

    def fresh():
        return stateful.StatefulDataLoader(loader(tokens).torch(), batch_size=None, num_workers=workers)

    for steps in [1, 20, 61, 62, 63]:
        first = fresh()
        iterator = iter(first)
        seen = numbers([next(iterator) for _ in range(steps)])
        state = pickle.loads(pickle.dumps(first.state_dict()))
        del iterator
        then = fresh()
        if steps == 20:
            # What it did before does not matter.
            assert numbers(then) == expected[0]
        then.load_state_dict(state)
        assert seen + numbers(then) == expected[0], steps
        assert numbers(then) == expected[1], steps


def test_what_a_function_returns_is_of_tensors_too(tokens):
    doubled = {"transform": lambda sample: {"tokens": sample["tokens"] * 2}}
    batches = list(loader(tokens, **doubled).torch())
    assert all(isinstance(batch["tokens"], torch.Tensor) for batch in batches)
    assert sorted(number for batch in numbers(batches) for number in batch) == list(range(0, 2000, 2))


def test_without_a_device_nothing_is_pinned_and_that_is_said(tokens, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(RuntimeWarning, match="torch finds no CUDA device here: batches are not pinned") as said:
        batches = list(loader(tokens, output="torch", pin_memory=True))
    assert len(batches) == 63 and len(said) == 1


def test_with_a_device_each_tensor_is_pinned_and_none_in_workers(tokens, monkeypatch):
    pinned = []

    def pin(tensor):
        pinned.append(tensor)
        return tensor.clone()

    # There is no device here: what is looked at is which tensors are handed to it.
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    expected = epochs(tokens, 1)[0]
    assert numbers(loader(tokens, output="torch", pin_memory=True)) == expected
    assert len(pinned) == 63
    pinned.clear()
    made = {"transform": lambda sample: {"tokens": sample["tokens"], "text": "x"}}
    assert numbers(loader(tokens, output="torch", pin_memory=True, **made)) == expected
    assert len(pinned) == 63
    pinned.clear()
    assert numbers(loader(tokens, output="torch")) == expected and pinned == []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: 1 / 0)
    assert numbers(data_loader(loader(tokens, output="torch", pin_memory=True).torch(), 1)) == expected

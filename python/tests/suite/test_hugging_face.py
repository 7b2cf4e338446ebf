"""The loader's samples as a dataset of Hugging Face's."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import trimtab as tt

datasets = pytest.importorskip("datasets", reason="datasets is not installed")


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """Without a network, and without what earlier runs kept."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hugging face")


def loader(images, **options) -> tt.Loader:
    columns = {
        "image": tt.Image("jpg", size=(12, 16), crop=tt.RandomCrop()),
        "part": tt.Part("image"),
        "label": tt.Integer("cls"),
        "digits": tt.Text("cls"),
        "file": tt.Bytes("jpg"),
        "number": tt.Number(),
    }
    options = {"batch_size": 16, "threads": 1, "world_size": 1, "rank": 0} | options
    return tt.Loader(str(images / "*.tar"), columns=columns, **options)


def numbers(dataset) -> list[int]:
    return [int(sample["number"]) for sample in dataset]


def test_samples_and_their_features_are_the_loaders(images):
    dataset = loader(images).hugging_face()
    assert dataset.features["image"] == datasets.Array3D(shape=(3, 12, 16), dtype="float32")
    assert dataset.features["label"] == dataset.features["number"] == datasets.Value("int64")
    assert (dataset.features["digits"], dataset.features["file"]) == (datasets.Value("string"), datasets.Value("binary"))
    expected = [sample for batch in loader(images) for sample in tt.samples.rows(batch)]
    for _ in range(2):
        seen = 0
        for sample, other in zip(dataset.with_format("numpy"), expected, strict=True):
            for name in ("image", "part", "label", "number"):
                np.testing.assert_array_equal(sample[name], other[name])
            assert (sample["digits"], sample["file"]) == (other["digits"], other["file"])
            seen += 1
        assert seen == 400
    whole = numbers(dataset)
    assert numbers(pickle.loads(pickle.dumps(dataset))) == whole
    assert numbers(dataset.map(lambda sample: {"number": sample["number"] + 1})) == [number + 1 for number in whole]


def test_a_dataset_is_of_the_epoch_in_which_the_loader_is(images):
    loaded = loader(images)
    first = numbers(loaded.hugging_face())
    loaded.set_epoch(1)
    second = numbers(loaded.hugging_face())
    assert first != second and sorted(first) == sorted(second) == list(range(400))
    dataset = loader(images).hugging_face()
    iterator = iter(dataset)
    seen = [next(iterator)["number"] for _ in range(50)]
    then = loader(images).hugging_face()
    then.load_state_dict(dataset.state_dict())
    assert seen + numbers(then) == first


def test_shards_are_shared_out(images):
    dataset = loader(images).hugging_face(shards=4)
    assert sorted(numbers(dataset)) == list(range(400))
    from datasets.distributed import split_dataset_by_node

    nodes = [split_dataset_by_node(dataset, rank=rank, world_size=2) for rank in range(2)]
    parts = [numbers(node) for node in nodes]
    assert [len(part) for part in parts] == [200, 200]
    assert sorted(parts[0] + parts[1]) == list(range(400))
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for workers in [0, 2]:
        batches = torch.utils.data.DataLoader(
            dataset.select_columns(["number"]).with_format("torch"), batch_size=8, num_workers=workers
        )
        seen = [int(number) for batch in batches for number in batch["number"]]
        assert sorted(seen) == list(range(400)), workers


def test_what_a_function_makes_has_the_features_that_are_found(images):
    dataset = loader(images, transform=lambda sample: {"number": sample["number"], "text": "x"}).hugging_face()
    assert dataset.features is None
    assert sorted(numbers(dataset)) == list(range(400))

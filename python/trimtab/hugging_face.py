"""The loader as Hugging Face's ``datasets`` take it. Nothing here imports them before they are asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from . import samples

if TYPE_CHECKING:
    from .loader import Loader


def dataset(loader: Loader, shards: int) -> Any:
    """A ``datasets.IterableDataset`` of a loader's samples: `Loader.hugging_face` is what people use."""
    if shards < 1:
        raise ValueError(f"shards is {shards}; there is at least one")
    datasets = importlib.import_module("datasets")
    # Lists are what is shared out; what each is of, and all else, goes to whoever has one.
    parts = [{**loader._part(number, shards), "_output": "numpy", "_pin_memory": False} for number in range(shards)]
    return datasets.IterableDataset.from_generator(
        _samples, features=_features(loader, datasets), gen_kwargs={"parts": parts}
    )


def _samples(parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The samples of some parts of an epoch, one part after the other."""
    from .loader import Loader

    for kept in parts:
        loader = Loader.__new__(Loader)
        loader.__setstate__(kept)
        for batch in loader:
            yield from samples.rows(batch)


def _features(loader: Loader, datasets: Any) -> Any:
    """What ``datasets`` calls the columns; none where they are not known, and are then looked for in the first sample."""
    shapes = samples.shapes(loader)
    if shapes is None:
        return None
    return datasets.Features({name: _feature(datasets, *shape) for name, shape in shapes.items()})


def _feature(datasets: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    if len(shape) == 3:
        return datasets.Array3D(shape=shape, dtype=dtype)
    value = datasets.Value(dtype)
    return datasets.Sequence(value, length=shape[0]) if shape else value

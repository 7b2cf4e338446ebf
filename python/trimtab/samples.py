"""The samples of a loader one by one, and what is known of them beforehand: for those who have no use for its batches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loader import Loader


def rows(batch: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The samples of a batch, each for itself: arrays are copies, so that one that is kept does not keep the batch."""
    import numpy

    columns = {
        name: column if isinstance(column, list) else numpy.asarray(column) for name, column in batch.items()
    }
    count = max((len(column) for column in columns.values()), default=0)
    for number in range(count):
        yield {
            name: column[number] if isinstance(column, list) else numpy.array(column[number])
            for name, column in columns.items()
        }


def share_of(samples: int, *, batch_size: int, world_size: int, rank: int, drop_last: bool) -> int:
    """How many samples of an epoch a rank has: whole steps, and its part of the last one."""
    step = batch_size * world_size
    whole, rest = divmod(samples, step)
    last = 0 if drop_last else rest * (rank + 1) // world_size - rest * rank // world_size
    return whole * batch_size + last


def shapes(loader: Loader) -> dict[str, tuple[str, tuple[int, ...]]] | None:
    """The type and the shape of each column's samples, by its name: ``binary``, ``string``, or NumPy's name of the numbers; none where
    they are not known before there is a batch, as where a function of Python makes the columns."""
    spec = json.loads(loader._spec)
    told = {column["name"]: _shape(column["kind"]) for column in spec["columns"]}
    known = {name: shape for name, shape in told.items() if shape is not None}
    return known if loader._transform is None and len(known) == len(told) else None


def _shape(kind: Any) -> tuple[str, tuple[int, ...]] | None:
    if isinstance(kind, str):
        return {"bytes": ("binary", ()), "text": ("string", ()), "integer": ("int64", ()), "number": ("int64", ())}.get(kind)
    if "image" in kind:
        return kind["image"]["dtype"], (3, kind["image"]["height"], kind["image"]["width"])
    if "tokens" in kind:
        return "int64", (kind["tokens"]["length"],)
    return ("int64", (5,)) if "part" in kind else None

"""Several sources as one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Names = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A file, a folder, or a name with ``*``, ``?`` or ``{000..127}``; or a list of these."""


@dataclass(frozen=True)
class Source:
    """One of the sources of a `Mix`.

    ``data``: its files, as `Loader` has them. ``weight``: its share of all samples, beside the weights of the others; they need not
    add up to 1. Of a source whose weight is 0, nothing comes.
    """

    data: Names
    weight: float = 1.0


@dataclass(frozen=True)
class Mix:
    """Sources whose samples come mixed, each as often as its weight says.

    Each source is gone through by itself, shuffled anew each time: nothing of it comes again before all of it came, also from one
    epoch of the mixture to the next. ``sources``: by name. ``epoch_samples``: samples of an epoch of all ranks together; if it is not
    told, as many as bring the source that lasts longest at its share once.
    """

    sources: Mapping[str, Source]
    epoch_samples: int | None = None

    def __post_init__(self) -> None:
        for name, source in self.sources.items():
            if not isinstance(source, Source):
                raise TypeError(f"source {name!r} is {source!r}; it is a Source")
            # Neither has a place in what the loader is told, which is JSON.
            if not float("-inf") < source.weight < float("inf"):
                raise ValueError(f"source {name!r}: its weight is {source.weight}; a weight is a number from 0 on")

    def _spec(self) -> dict[str, Any]:
        sources = [
            {"name": name, "data": _paths(source.data), "weight": float(source.weight)}
            for name, source in self.sources.items()
        ]
        return {"sources": sources, "epoch_samples": self.epoch_samples}


def spec_of(data: Names | Mix | Mapping[str, Source]) -> dict[str, Any]:
    """What a loader is told of its data."""
    if isinstance(data, Mapping):
        data = Mix(data)
    return {"mix": data._spec()} if isinstance(data, Mix) else {"data": _paths(data)}


def _paths(data: Names) -> list[str]:
    names = [data] if isinstance(data, (str, os.PathLike)) else list(data)
    return [os.fspath(name) for name in names]

"""The loader as a source of Ray Data. Nothing here imports Ray before it is asked for."""

from __future__ import annotations

import functools
import importlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import samples
from .columns import Column
from .loader import Loader

# Of each of Ray's tasks, of which there is one for each core, unless it is told.
_THREADS = 2
_MEMORY = 512 << 20
# What the tasks tell each loader themselves.
_OWN = ("rank", "world_size", "output", "pin_memory")

# What a loader reads, the epoch, and its options.
_Told = tuple[Any, int, dict[str, Any]]


class RayDatasource:
    """One epoch as a source for ``ray.data.read_datasource``: each of Ray's read tasks makes an equal part of it, in batches.

    ``data``, ``batch_size``, ``columns`` and ``options`` are those of `Loader`, without ``rank``, ``world_size``, ``output`` and
    ``pin_memory``; ``epoch`` says which arrangement of the samples, counted from 0. Unless it is told, a task has 2 threads and 512 MiB
    of memory. In Ray Train, each worker simply makes a `Loader`, which finds its rank.
    """

    def __new__(cls, *_arguments: Any, **_options: Any) -> RayDatasource:
        # A child of Ray's class, which is there only if Ray is.
        return object.__new__(_datasource_class())

    def __init__(
        self,
        data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        batch_size: int,
        columns: Mapping[str, Column],
        epoch: int = 0,
        **options: Any,
    ) -> None:
        super().__init__()
        for name in _OWN:
            if name in options:
                raise ValueError(f"{name} is told by the tasks of Ray that read: leave it out")
        own = {"threads": _THREADS, "memory_limit": _MEMORY, "batch_size": batch_size, "columns": columns}
        self._told: _Told = (data, epoch, {**own, **options})

    def get_name(self) -> str:
        """What Ray calls it."""
        return "Trimtab"

    def estimate_inmemory_data_size(self) -> int | None:
        """Bytes of all samples; None where they have no fixed size."""
        loader = self._loader(0, 1)
        sample = _sample_bytes(loader)
        return None if sample is None else loader.samples * sample

    def get_read_tasks(self, parallelism: int, per_task_row_limit: int | None = None, data_context: Any = None) -> list[Any]:
        """Tasks that each read a part of the epoch: as many as are asked for, and no more than there are batches."""
        data = importlib.import_module("ray.data")
        block = importlib.import_module("ray.data.block")
        # Looks at the data, and at what is asked for, before any task is sent.
        loader = self._loader(0, 1)
        _, _, options = self._told
        tasks, sample = max(1, min(parallelism, len(loader))), _sample_bytes(loader)
        drop_last = bool(options.get("drop_last", False))
        made = []
        for rank in range(tasks):
            count: int | None = samples.share_of(
                loader.samples, batch_size=options["batch_size"], world_size=tasks, rank=rank, drop_last=drop_last
            )
            size = None if sample is None or count is None else count * sample
            # Of samples that are left out, put together, or made by a function, nobody knows how many rows there will be.
            if options.get("on_error") == "skip" or samples.shapes(loader) is None:
                count = None
            metadata = block.BlockMetadata(num_rows=count, size_bytes=size, input_files=None, exec_stats=None)
            read = functools.partial(_blocks, self._told, rank, tasks)
            made.append(data.ReadTask(read, metadata, per_task_row_limit=per_task_row_limit))
        return made

    def _loader(self, rank: int, world_size: int) -> Loader:
        return _loader(self._told, rank, world_size)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return _made, (self._told,)


def _made(told: _Told) -> RayDatasource:
    data, epoch, options = told
    return RayDatasource(data, epoch=epoch, **options)


def _datasource_class() -> type:
    base = importlib.import_module("ray.data").Datasource
    return type("RayDatasource", (RayDatasource, base), {"__module__": __name__})


def _loader(told: _Told, rank: int, world_size: int) -> Loader:
    data, epoch, options = told
    loader = Loader(data, rank=rank, world_size=world_size, **options)
    loader.set_epoch(epoch)
    return loader


def _blocks(told: _Told, rank: int, world_size: int) -> Iterator[Any]:
    """A part of an epoch, a block for each batch; Ray puts small ones together."""
    import numpy

    block = importlib.import_module("ray.data.block")
    for batch in _loader(told, rank, world_size):
        # Copies: Ray keeps blocks for as long as it likes, and a batch's memory is to be used again.
        columns = {
            name: _objects(column) if isinstance(column, list) else numpy.array(column) for name, column in batch.items()
        }
        yield block.BlockAccessor.batch_to_arrow_block(columns)


def _objects(column: list[Any]) -> Any:
    """A list as an array of what is in it, of whatever length each is."""
    import numpy

    array = numpy.empty(len(column), dtype=object)
    array[:] = column
    return array


def _sample_bytes(loader: Loader) -> int | None:
    """Bytes of a sample; None where not all have as many."""
    import numpy

    shapes = samples.shapes(loader)
    if shapes is None or any(dtype in ("binary", "string") for dtype, _ in shapes.values()):
        return None
    return sum(numpy.dtype(dtype).itemsize * math.prod(shape) for dtype, shape in shapes.values())

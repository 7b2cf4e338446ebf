"""The loader that people use."""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from . import _native, ranks, report
from .columns import Column
from .sequences import Packed, Sequences
from .stage import Stage, Transform, collated
from .window import Window


class Loader:
    """Batches of training data, made by threads ahead of whoever takes them.

    ``for batch in loader`` goes through what is left of an epoch; the next ``for`` goes through the next one. A batch is a
    dictionary with an array for each column, the samples along its first side. The order of samples hangs on the data, the seed
    and the epoch alone: it is the same for any number of ranks and threads.

    ``data``: a file, a folder, or a name with ``*``, ``?`` or ``{000..127}``, on this machine or in a store of objects (``s3://``, ``gs://``,
    ``az://``, ``https://``); or a list of these. ``output``: what arrays are;
    none of their bytes is copied. ``shuffle``: whether each sample comes anywhere in an epoch, or a `Window`. ``rank`` and
    ``world_size`` are found from torchrun, Slurm, MPI or Ray unless they are told.
    ``threads`` and ``prefetch`` (batches that are made ahead) are tuned while running, unless they are told.
    ``memory_limit``: bytes that this loader may use, batches that are still referred to and ``decoded_cache`` among them; unless it is
    told, a quarter of what is available to the ranks of this machine together. ``cache_dir``: a folder on a fast disk where what comes
    from a store of objects is kept, and compressed data and tables are unpacked, ``cache_limit`` bytes in all; for all loaders, of any
    process, that are told the same. ``decoded_cache``: bytes of decoded images that are kept
    for later epochs. ``storage_options``: what a store of objects is told, such as
    ``{"aws_endpoint": "https://..."}``, beside what the environment tells it. ``on_error``: whether a sample that cannot be read
    raises `DataError` or is left out and counted (`skipped`). ``transform``: a function of Python for each sample, or a `Transform`.
    """

    def __init__(
        self,
        data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        batch_size: int,
        columns: Mapping[str, Column],
        shuffle: bool | Window = True,
        seed: int = 0,
        drop_last: bool = False,
        output: Literal["numpy", "torch", "jax", "dlpack"] = "numpy",
        rank: int | None = None,
        world_size: int | None = None,
        threads: int | None = None,
        prefetch: int | None = None,
        decoded_cache: int = 0,
        memory_limit: int | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        cache_limit: int = 64 << 30,
        max_pixels: int | None = None,
        storage_options: Mapping[str, str] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        transform: Transform | Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
    ) -> None:
        if output not in _CONVERTERS:
            raise ValueError(f"output is {output!r}; it is one of {', '.join(map(repr, _CONVERTERS))}")
        if on_error not in ("raise", "skip"):
            raise ValueError(f"on_error is {on_error!r}; it is 'raise' or 'skip'")
        if (rank is None) != (world_size is None):
            raise ValueError("rank and world_size are told together or not at all")
        for name, column in columns.items():
            if transform is not None and isinstance(column, Sequences) and isinstance(column.layout, Packed):
                raise ValueError(
                    f"{name}: packed rows are of several samples, and a transform is given one:"
                    " let layout be Padded(), or leave the transform out"
                )
        if rank is None or world_size is None:
            rank, world_size = ranks.detect()
        paths = [data] if isinstance(data, (str, os.PathLike)) else list(data)
        spec = {
            "data": [os.fspath(path) for path in paths],
            "columns": [{"name": name, **column._spec()} for name, column in columns.items()],
            "batch": batch_size,
            "shuffle": shuffle._spec() if isinstance(shuffle, Window) else "global" if shuffle else "none",
            "seed": seed,
            "world": world_size,
            "rank": rank,
            "drop_last": drop_last,
            "threads": threads,
            "ahead": prefetch,
            "decoded_cache": decoded_cache,
            "memory": memory_limit,
            "cache": None if cache_dir is None else {"folder": os.fspath(cache_dir), "bytes": cache_limit},
            "loaders_here": ranks.on_this_machine(),
            "storage_options": dict(storage_options or {}),
        }
        if max_pixels is not None:
            spec["pixels_max"] = max_pixels
        self.skipped = 0
        """How many samples could not be read and were left out."""
        self._spec = json.dumps(spec)
        if transform is not None and not isinstance(transform, Transform):
            transform = Transform(transform)
        self._transform = transform
        self._stage: Stage | None = None
        self._output = output
        self._on_error = on_error
        self._worker = (0, 1)
        self._open(None, self._spec)

    def _open(self, state: str | None, spec: str) -> None:
        self._process = os.getpid()
        self._native = _native.Loader(spec)
        if state is not None:
            self._native.go_on_from(state)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self._iter_native() if self._transform is None else self._iter_stage(self._transform)

    def _iter_stage(self, transform: Transform) -> Iterator[dict[str, Any]]:
        self._settle()
        if self._stage is None:
            self._stage = Stage(transform, self._native)
        for made in self._stage:
            if made.failed:
                self._note(made.failed)
            batch = collated(made.samples)
            yield {name: self._of_numpy(column) for name, column in batch.items()}

    def _of_numpy(self, column: Any) -> Any:
        if self._output in ("numpy", "dlpack") or isinstance(column, list):
            return column
        module = {"torch": "torch", "jax": "jax.dlpack"}[self._output]
        return importlib.import_module(module).from_dlpack(column)

    def __del__(self) -> None:
        # Its threads would go on; those of the process that this one was forked from are not here.
        if getattr(self, "_stage", None) is not None and self._process == os.getpid():
            self._end_stage()

    def _end_stage(self) -> None:
        if self._stage is not None:
            self._stage.close()
        self._stage = None

    def _state(self) -> str:
        """Where whoever takes batches is: what was made ahead is not counted."""
        return self._native.state() if self._stage is None else self._stage.state

    def _iter_native(self) -> Iterator[dict[str, Any]]:
        while True:
            self._settle()
            made = self._native.next()
            if made is None:
                return
            arrays, failed = made
            if failed:
                self._note(failed)
            yield {name: self._converted(arrays.pop(name)) for name in list(arrays)}

    def _settle(self) -> None:
        """Begins anew where this is another process, or another worker of torch's DataLoader, than before."""
        worker = _torch_worker()
        if worker == self._worker and self._process == os.getpid():
            return
        # Threads do not come along into a forked process; and each worker takes its part of this rank's samples.
        state = self._state()
        self._stage = None
        self._worker = worker
        self._open(state, self._spec_of_worker())

    def _spec_of_worker(self) -> str:
        """What this loader is asked for, as one of torch's workers: a part of its rank's samples."""
        number, workers = self._worker
        spec = json.loads(self._spec)
        spec["rank"], spec["world"] = spec["rank"] * workers + number, spec["world"] * workers
        return json.dumps(spec)

    def _converted(self, made: _native.Array | list[bytes] | list[str]) -> Any:
        return _CONVERTERS[self._output](made) if isinstance(made, _native.Array) else made

    def _note(self, failed: list[tuple[str, str]]) -> None:
        sample, reason = failed[0]
        if self._on_error == "raise":
            more = f" (and {len(failed) - 1} more of this batch)" if len(failed) > 1 else ""
            raise _native.DataError(f"{sample}: {reason}{more}; with on_error='skip' it is left out and counted")
        if self.skipped == 0:
            warnings.warn(f"samples are left out, the first: {sample}: {reason}", RuntimeWarning, stacklevel=3)
        self.skipped += len(failed)

    def __len__(self) -> int:
        """Batches of a whole epoch, of this rank."""
        return self._native.batches

    @property
    def samples(self) -> int:
        """Samples of an epoch, of all ranks together."""
        return self._native.samples

    def report(self) -> report.Report:
        """Where the time went since the first batch was asked for. `print` it to read it in words."""
        told = report.of(json.loads(self._native.report()))
        return told if self._stage is None else report.with_stage(told, self._stage)

    def state_dict(self) -> dict[str, Any]:
        """Where all ranks are once each has had as many batches as this one: small, plain, the same on every rank."""
        state: dict[str, Any] = json.loads(self._state())
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state_dict` of a loader with the same data, tokenizers, seed and shuffle, and any ranks, batch size and threads."""
        # Batches that are being made are of the order before.
        had_stage = self._stage is not None
        self._end_stage()
        if had_stage:
            self._open(None, self._spec_of_worker())
        self._native.go_on_from(json.dumps(dict(state)))

    def __getstate__(self) -> dict[str, Any]:
        kept = dict(self.__dict__)
        kept["_native"] = self._state()
        kept["_stage"] = None
        return kept

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self.__dict__.update(kept)
        self._worker = (0, 1)
        self._open(kept["_native"], self._spec)


def _torch_worker() -> tuple[int, int]:
    """Which worker of torch's DataLoader this process is, and of how many; (0, 1) where it is none."""
    data = sys.modules.get("torch.utils.data")
    info = None if data is None else data.get_worker_info()
    return (0, 1) if info is None else (info.id, info.num_workers)


def _to_numpy(array: _native.Array) -> Any:
    return importlib.import_module("numpy").asarray(array)


def _to_torch(array: _native.Array) -> Any:
    return importlib.import_module("torch").from_dlpack(array)


def _to_jax(array: _native.Array) -> Any:
    return importlib.import_module("jax.dlpack").from_dlpack(array)


def _as_it_is(array: _native.Array) -> Any:
    return array


_CONVERTERS: dict[str, Callable[[_native.Array], Any]] = {
    "numpy": _to_numpy,
    "torch": _to_torch,
    "jax": _to_jax,
    "dlpack": _as_it_is,
}

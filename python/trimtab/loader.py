"""The loader that people use."""

from __future__ import annotations

import importlib
import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from . import _native, buckets, hugging_face, mix, money, ranks, report
from . import metrics as serving
from . import torch as torch_adapter
from .buckets import Buckets
from .columns import Bytes, Column
from .mix import Mix, Names, Source
from .sequences import Packed, Sequences
from .stage import Stage, Transform, collated
from .window import Window


class Loader:
    """Batches of training data, made by threads ahead of whoever takes them.

    ``for batch in loader`` goes through what is left of an epoch; the next ``for`` goes through the next one. A batch is a
    dictionary with an array for each column, the samples along its first side. The order of samples hangs on the data, the seed
    and the epoch alone: it is the same for any number of ranks and threads.

    ``data``: a file, a folder, or a name with ``*``, ``?`` or ``{000..127}``, on this machine or in a store of objects (``s3://``, ``gs://``,
    ``az://``, ``https://``); or a list of these; or several sources, a `Mix` or a dictionary with a `Source` for each name. ``output``:
    what arrays are; none of their bytes is copied. ``shuffle``: whether each sample comes anywhere in an epoch, or a `Window`, or
    `Buckets`. ``rank`` and ``world_size`` are found from torchrun, Slurm, MPI or Ray unless they are told.
    ``threads``, ``prefetch`` (batches that are made ahead) and ``requests`` (under way at once, to a store) are tuned while running,
    unless they are told; ``tune_from`` tells where tuning begins: ``{"threads": 1, "prefetch": 1, "requests": 1, "workers": 1}`` or some of
    these, of which ``workers`` are those of a transform.
    ``memory_limit``: bytes that this loader may use, batches that are still referred to and ``decoded_cache`` among them; unless it is
    told, a quarter of what is available to the ranks of this machine together. ``cache_dir``: a folder on a fast disk where what comes
    from a store of objects is kept, and compressed data and tables are unpacked, ``cache_limit`` bytes in all; for all loaders, of any
    process, that are told the same. ``decoded_cache``: bytes of decoded images that are kept
    for later epochs; unless it is told, what batches leave of the memory limit, from the end of an epoch on that shows that this is worth it.
    ``storage_options``: what a store of objects is told, such as
    ``{"aws_endpoint": "https://..."}``, beside what the environment tells it. ``on_error``: whether a sample that cannot be read
    raises `DataError` or is left out and counted (`skipped`). ``transform``: a function of Python for each sample, or a `Transform`.
    ``pin_memory``: whether tensors lie in page-locked memory, for copies to the device that nobody waits for.
    ``metrics``: where this loader answers with its report, for `trimtab feed watch` and Prometheus: a Unix socket (a name that ends in
    ``.sock``), or a folder in which each loader has its own; True is a folder of the user's own. Unless it is told, the folder that
    ``TRIMTAB_METRICS_DIR`` names in the environment, if it does. ``price_per_hour``: what an hour costs of all that waits while whoever
    takes batches does, in dollars, or with a currency, such as ``"EUR 2.50"``; the report then says what the waiting costs.
    """

    def __init__(
        self,
        data: Names | Mix | Mapping[str, Source],
        *,
        batch_size: int,
        columns: Mapping[str, Column],
        shuffle: bool | Window | Buckets = True,
        seed: int = 0,
        drop_last: bool = False,
        output: Literal["numpy", "torch", "jax", "dlpack"] = "numpy",
        rank: int | None = None,
        world_size: int | None = None,
        threads: int | None = None,
        prefetch: int | None = None,
        requests: int | None = None,
        tune_from: Mapping[str, int] | None = None,
        decoded_cache: int | None = None,
        memory_limit: int | None = None,
        cache_dir: str | os.PathLike[str] | None = None,
        cache_limit: int = 64 << 30,
        max_pixels: int | None = None,
        storage_options: Mapping[str, str] | None = None,
        on_error: Literal["raise", "skip"] = "raise",
        transform: Transform | Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
        pin_memory: bool = False,
        metrics: bool | str | os.PathLike[str] | None = None,
        price_per_hour: float | str | None = None,
    ) -> None:
        if output not in _CONVERTERS:
            raise ValueError(f"output is {output!r}; it is one of {', '.join(map(repr, _CONVERTERS))}")
        if on_error not in ("raise", "skip"):
            raise ValueError(f"on_error is {on_error!r}; it is 'raise' or 'skip'")
        if pin_memory and output != "torch":
            raise ValueError(f"pin_memory is for tensors, and output is {output!r}: let it be 'torch', or leave pin_memory out")
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
        from_where = dict(tune_from or {})
        self._workers_from = from_where.pop("workers", None)
        spec = {
            **mix.spec_of(data),
            **buckets.spec_of(shuffle),
            "columns": [{"name": name, **column._spec()} for name, column in columns.items()],
            "batch": batch_size,
            "seed": seed,
            "world": world_size,
            "rank": rank,
            "drop_last": drop_last,
            "threads": threads,
            "ahead": prefetch,
            "requests": requests,
            "tune_from": from_where,
            "decoded_cache": decoded_cache,
            "memory": memory_limit,
            "cache": None if cache_dir is None else {"folder": os.fspath(cache_dir), "bytes": cache_limit},
            "loaders_here": ranks.on_this_machine(),
            "storage_options": dict(storage_options or {}),
            "price_per_hour": money.price(price_per_hour),
        }
        if max_pixels is not None:
            spec["pixels_max"] = max_pixels
        self.skipped = 0
        """How many samples could not be read and were left out."""
        self._spec = json.dumps(spec)
        self._arrays = [name for name, column in columns.items() if isinstance(column, Bytes) and column.arrays]
        if transform is not None and not isinstance(transform, Transform):
            transform = Transform(transform)
        self._transform = transform
        self._stage: Stage | None = None
        self._output = output
        self._on_error = on_error
        self._pin_memory = pin_memory
        self._pins: bool | None = None
        self._takes_turns = True
        self._was_begun = False
        self._worker: tuple[int, int] | None = None
        self._metrics = metrics
        self._made_by: int | None = os.getpid()
        self.metrics: str | None = None
        """The socket where this loader answers with its report; None where it does not."""
        self._open(None, self._spec)

    def _open(self, state: str | None, spec: str) -> None:
        before = self.__dict__.get("_native")
        if isinstance(before, _native.Loader):
            # The one that comes may answer at the same place.
            before.stop_serving()
        self._process = os.getpid()
        self._native = _native.Loader(spec, self._arrays)
        if state is not None:
            self._native.go_on_from(state)
        self.metrics = serving.begin(self._native, self._metrics, self._made_by != self._process)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        was_begun, self._was_begun = self._was_begun, False
        # Nothing here keeps a batch that the consumer has let go of.
        yield from self._iter_native() if self._transform is None else self._iter_stage(self._transform)
        is_empty, self._was_begun = not self._was_begun, False
        # Whoever counts batches takes the last one and does not look whether there is another, as Lightning does. What it asks for next
        # is the next epoch, and not the nothing that is left of this one.
        if was_begun and is_empty:
            yield from self

    def _iter_stage(self, transform: Transform) -> Iterator[dict[str, Any]]:
        self._settle()
        if self._stage is None:
            self._stage = Stage(transform, self._native, self._workers_from)
        for made in self._stage:
            if made.failed:
                self._note(made.failed)
            batch = collated(made.samples)
            self._was_begun = True
            yield {name: self._pinned(self._of_numpy(column)) for name, column in batch.items()}

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
            # A clock of steps, where there is one, knows what it is that is waited for.
            with _native.within_step("data_wait"):
                made = self._native.next()
            if made is None:
                return
            arrays, failed = made
            if failed:
                self._note(failed)
            self._was_begun = True
            yield {name: self._pinned(self._converted(arrays.pop(name))) for name in list(arrays)}

    def _settle(self) -> None:
        """Begins anew where this is another process, or another worker of torch's DataLoader, than before."""
        worker = torch_adapter.worker() if self._takes_turns else None
        if worker == self._worker and self._process == os.getpid():
            return
        # Threads do not come along into a forked process; and workers take this rank's batches in turn.
        state = self._state()
        self._stage = None
        self._worker = worker
        self._open(state, self._spec_of_worker())

    def _spec_of_worker(self) -> str:
        """What this loader is asked for, as one of torch's workers, which take the batches in turn."""
        if self._worker is None:
            return self._spec
        spec = json.loads(self._spec)
        spec["worker"], spec["workers"] = self._worker
        # They share what this rank may use of the machine, unless it was told.
        spec["loaders_here"] *= spec["workers"]
        return json.dumps(spec)

    def _pinned(self, column: Any) -> Any:
        """A column in page-locked memory, where that is asked for and there is a device that copies from it."""
        if not self._pin_memory or isinstance(column, list):
            return column
        if self._pins is None:
            self._pins = torch_adapter.can_pin(self._worker)
        return column.pin_memory() if self._pins else column

    def _converted(self, made: _native.Array | list[_native.Array] | list[bytes] | list[str]) -> Any:
        convert = _CONVERTERS[self._output]
        if isinstance(made, _native.Array):
            return convert(made)
        return [convert(each) if isinstance(each, _native.Array) else each for each in made]

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
        if self._stage is not None:
            self._stage.tell()
        return report.of(json.loads(self._native.report()))

    def state_dict(self) -> dict[str, Any]:
        """Where all ranks are once each has had as many batches as this one: small, plain, the same on every rank."""
        state: dict[str, Any] = json.loads(self._state())
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from `state_dict` of a loader with the same data, mixture, tokenizers, seed and shuffle, and any ranks, batch size and
        threads."""
        # Batches that are being made are of the order before.
        had_stage = self._stage is not None
        self._end_stage()
        if had_stage:
            self._open(None, self._spec_of_worker())
        self._native.go_on_from(json.dumps(dict(state)))
        self._was_begun = False

    def set_epoch(self, epoch: int) -> None:
        """Begins an epoch, counted from 0, unless it is the one that the loader is in. Nobody has to: the next epoch follows by itself.
        It is what Accelerate, Lightning and Hugging Face's Trainer call."""
        state = self.state_dict()
        if state["epoch"] != epoch:
            self.load_state_dict({**state, "epoch": epoch, "consumed": 0})

    def _is_at_end(self) -> bool:
        """Whether the batch that was taken last is the last of its epoch, of all workers' together."""
        spec = json.loads(self._spec)
        left: int = self.samples - self.state_dict()["consumed"]
        step: int = spec["world"] * spec["batch"]
        return left < step if spec["drop_last"] else left <= 0

    def torch(self) -> Any:
        """The same batches as a ``torch.utils.data.IterableDataset``, for a ``DataLoader`` with ``batch_size=None`` and any number of
        workers: they come in the loader's order. Columns are tensors."""
        if self._output not in ("numpy", "torch"):
            raise ValueError(f"tensors of torch are asked for, and output is {self._output!r}: let it be 'torch'")
        return torch_adapter.dataset(self)

    def hugging_face(self, shards: int = 1) -> Any:
        """The samples of the epoch that the loader is in, from where it is, as a ``datasets.IterableDataset``, one by one.

        Each pass over it gives the same; for another epoch, `set_epoch`, and ask anew. ``shards``: parts that workers of a
        DataLoader, or ``split_dataset_by_node``, can share; with one, the samples come in the loader's order.
        """
        return hugging_face.dataset(self, shards)

    def _part(self, number: int, of: int) -> dict[str, Any]:
        """What a loader is made from that has one of several equal parts of what this one has, and leaves it to nobody."""
        kept = self.__getstate__()
        spec = json.loads(self._spec)
        spec["rank"], spec["world"] = spec["rank"] * of + number, spec["world"] * of
        return {**kept, "_spec": json.dumps(spec), "_takes_turns": False}

    def __getstate__(self) -> dict[str, Any]:
        kept = dict(self.__dict__)
        kept["_native"] = self._state()
        kept["_stage"] = None
        kept["_pins"] = None
        kept["_was_begun"] = False
        # Whoever takes it up has a copy, in whatever process.
        kept["_made_by"] = None
        return kept

    def __setstate__(self, kept: dict[str, Any]) -> None:
        self.__dict__.update(kept)
        self._worker = None
        self._open(kept["_native"], self._spec)


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

"""Functions of Python as a stage: for each sample, in threads or processes, ahead of whoever takes batches, in order."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from . import _native

Sample = Mapping[str, Any]
"""A sample: the columns by name, each an array, a number, `bytes` or `str`."""

# Pieces that a batch is cut into, so that several workers make one, and that what more of them bring is soon seen.
_PIECES = 8
# Workers at most, where their number is tuned.
_WORKERS_MAX = max(32, 4 * (os.cpu_count() or 1))
# Batches that wait for the consumer, or are being made, at most.
_AHEAD = 8
# How long a wait lasts at most before it is looked whether all is to end.
_PATIENCE = 0.05


@dataclass(frozen=True)
class Transform:
    """What is done to each sample by a function of Python.

    ``function`` is given a sample as a dictionary of its columns, and returns another, of whatever columns. ``workers``: how many work
    at once; tuned while running unless it is told. ``within``: threads, for functions that wait or let go of Python's lock, as
    NumPy's and OpenCV's large ones do; or processes, for those that compute in Python itself: the function and what it is given and
    returns are then pickled.
    """

    function: Callable[[dict[str, Any]], Sample]
    workers: int | None = None
    within: Literal["threads", "processes"] = "threads"

    def __post_init__(self) -> None:
        if self.within not in ("threads", "processes"):
            raise ValueError(f"within is {self.within!r}; it is 'threads' or 'processes'")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers is {self.workers}; there is at least one")


@dataclass(frozen=True)
class Made:
    """A batch as the stage delivers it: its samples, and those that failed with the reasons."""

    samples: list[dict[str, Any]]
    failed: list[tuple[str, str]]


@dataclass
class _Making:
    """A batch that is being made."""

    pieces: list[Future[list[tuple[Any, str | None]]]]
    numbers: list[int]
    failed: list[tuple[str, str]]
    state: str


@dataclass(frozen=True)
class _End:
    """The end of an epoch."""

    state: str


class Stage:
    """Takes batches from a loader and makes others of them, until it is closed."""

    def __init__(self, transform: Transform, native: _native.Loader, workers_from: int | None = None) -> None:
        self._transform = transform
        self._native = native
        count = transform.workers or _WORKERS_MAX
        self._pace = None if transform.workers else _native.Pace(workers_from or os.cpu_count() or 1, count)
        self._count = count
        self._pool = _pool(transform.within, count)
        self._line: queue.Queue[_Making | _End | BaseException] = queue.Queue(_AHEAD)
        self._free = threading.Condition()
        self._working = 0
        self._is_over = False
        self.state = native.state()
        """Where whoever takes batches is."""
        self.busy_seconds = 0.0
        self.starved_seconds = 0.0
        self.samples = 0
        self.tell()
        self._feeder = threading.Thread(target=self._feed, name="trimtab-stage", daemon=True)
        self._feeder.start()

    @property
    def workers(self) -> int:
        """How many may work at once, now."""
        return self._pace.window if self._pace else self._count

    def __iter__(self) -> Iterator[Made]:
        """What is left of an epoch."""
        while True:
            start = time.monotonic()
            with _native.within_step("data_wait"):
                making = self._taken()
                if isinstance(making, _End):
                    self.starved_seconds += time.monotonic() - start
                    self.state = making.state
                    return
                if isinstance(making, BaseException):
                    raise making
                outcomes = [outcome for piece in making.pieces for outcome in piece.result()]
            self.starved_seconds += time.monotonic() - start
            self.state = making.state
            yield self._made(making, outcomes)

    def tell(self) -> None:
        """Has the loader's reports tell how this stage fares."""
        self._native.note_stage(self.workers, self.samples, self.busy_seconds, self.starved_seconds)

    def close(self) -> None:
        """Ends the workers; what they are at is finished."""
        self._is_over = True
        with self._free:
            self._free.notify_all()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _made(self, making: _Making, outcomes: list[tuple[Any, str | None]]) -> Made:
        samples = [made for made, reason in outcomes if reason is None]
        failed = [
            (self._native.sample_name(number), reason)
            for number, (_, reason) in zip(making.numbers, outcomes)
            if reason is not None
        ]
        self.samples += len(samples)
        self.tell()
        return Made(samples, making.failed + failed)

    def _feed(self) -> None:
        """Takes batches and hands them to the workers."""
        try:
            while not self._is_over:
                self._put(self._next())
        except BaseException as error:  # Whatever it is, whoever takes batches is to see it.
            self._put(error)

    def _next(self) -> _Making | _End:
        while True:
            try:
                taken = self._native.next()
                break
            except MemoryError:
                # Batches that wait here have it, and will let go of it.
                if self._line.empty() and self._working == 0:
                    raise
        if taken is None:
            return _End(self._native.state())
        arrays, failed = taken
        numbers = self._native.numbers()
        state = self._native.state()
        samples = _samples(arrays, len(numbers))
        size = max(1, -(-len(samples) // _PIECES))
        pieces = [self._submit(samples[start : start + size]) for start in range(0, len(samples), size)]
        return _Making(pieces, numbers, failed, state)

    def _submit(self, samples: list[dict[str, Any]]) -> Future[list[tuple[Any, str | None]]]:
        with self._free:
            self._free.wait_for(lambda: self._working < self.workers or self._is_over)
            self._working += 1
        start = time.monotonic()
        future = self._pool.submit(_apply, self._transform.function, samples)
        future.add_done_callback(lambda _: self._note(time.monotonic() - start, len(samples)))
        return future

    def _note(self, seconds: float, samples: int) -> None:
        with self._free:
            if self._pace:
                self._pace.done(seconds, samples, self._working)
            self.busy_seconds += seconds
            self._working -= 1
            self._free.notify_all()

    def _put(self, making: _Making | _End | BaseException) -> None:
        while not self._is_over:
            try:
                return self._line.put(making, timeout=_PATIENCE)
            except queue.Full:
                continue

    def _taken(self) -> _Making | _End | BaseException:
        while True:
            try:
                return self._line.get(timeout=_PATIENCE)
            except queue.Empty:
                if not self._feeder.is_alive() and self._line.empty():
                    raise RuntimeError("the stage has ended: begin another loop") from None


def _pool(within: str, count: int) -> Executor:
    if within == "threads":
        return ThreadPoolExecutor(count, thread_name_prefix="trimtab-transform")
    # Not forked: threads of this process, and what they hold, would not come along.
    return ProcessPoolExecutor(min(count, os.cpu_count() or 1), mp_context=multiprocessing.get_context("spawn"))


def _apply(
    function: Callable[[dict[str, Any]], Sample], samples: list[dict[str, Any]]
) -> list[tuple[Any, str | None]]:
    """What the function makes of each sample, or the reason why it does not."""
    outcomes: list[tuple[Any, str | None]] = []
    for sample in samples:
        try:
            outcomes.append((dict(function(sample)), None))
        except Exception as error:  # A function may raise anything; it is told with its sample's name.
            outcomes.append((None, f"the transform raised {type(error).__name__}: {error}"))
    return outcomes


def _samples(arrays: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """The samples of a batch. Arrays are views of it, which is kept as long as any of them."""
    import numpy

    def of_numpy(column: Any) -> Any:
        if isinstance(column, _native.Array):
            return numpy.asarray(column)
        return [numpy.asarray(each) if isinstance(each, _native.Array) else each for each in column]

    columns = {name: of_numpy(column) for name, column in arrays.items()}
    return [{name: column[number] for name, column in columns.items()} for number in range(count)]


def collated(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """One batch of samples: numbers and arrays of one shape are stacked, all else is a list."""
    import numpy

    if not samples:
        return {}
    names = list(samples[0])
    for sample in samples:
        if list(sample) != names:
            raise ValueError(f"the transform returned the columns {list(sample)} for one sample and {names} for another")
    batch: dict[str, Any] = {}
    for name in names:
        values = [sample[name] for sample in samples]
        is_number = isinstance(values[0], (bool, int, float, numpy.ndarray, numpy.generic))
        is_one_shape = len({numpy.shape(value) for value in values}) == 1 if is_number else False
        batch[name] = numpy.stack([numpy.asarray(value) for value in values]) if is_one_shape else values
    return batch

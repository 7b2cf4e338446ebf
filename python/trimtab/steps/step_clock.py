"""The clock that people use."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from multiprocessing.util import Finalize
from typing import Any, Generic, TypeVar

from .. import _native, ranks
from . import hooks
from .summary import Summary

_Batch = TypeVar("_Batch")

_clocks: weakref.WeakSet[StepClock] = weakref.WeakSet()
# The clock that was made last.
_current: Callable[[], StepClock | None] = lambda: None
# The process that was told to end what is left.
_ends_with: int | None = None


class StepClock(_native.StepClock):
    """Where each step's time goes.

    ``for batch in clock.steps(loader)`` is all it takes: a step is from one batch to the next, and waiting for a batch is ``data_wait``.
    What else there is to know, a loop marks: ``with clock.forward():``, or ``clock.mark("forward")``, which switches from whatever it was
    before; or hooks do: `attach`. What is in no phase is other. Phases nest: leaving one goes back to the one around it.

    Steps go to the agent of this machine (`trimtab agent`) as they end, and once a second, what the process is doing. Where nobody
    listens, nothing is lost but that: `summary` and `write_csv` are there without an agent. A clock never waits for
    anybody, and nothing it cannot do raises; a phase of an unknown name does. In forked processes it is off; make another there.

    Phases are the time of the host: a device works on behind it. ``synchronize``: whether each mark waits until the device has done
    what it was told, so that phases are the device's; that costs what running ahead of the device would have won.

    ``job``, ``rank`` (counted from 0) of ``ranks``, ``local_rank``, ``group`` and ``node`` are found from torchrun, Slurm, MPI, Ray or torch's
    process group, unless they are told. ``path``: the agent's socket, where it is another than the environment's or the usual one.
    """

    job: str
    """What the job is called."""
    rank: int
    ranks: int
    local_rank: int | None
    group: str | None
    node: str | None

    def __new__(
        cls,
        job: str | None = None,
        *,
        rank: int | None = None,
        ranks: int | None = None,
        local_rank: int | None = None,
        group: str | None = None,
        node: str | None = None,
        path: str | os.PathLike[str] | None = None,
        synchronize: bool = False,
    ) -> StepClock:
        global _current
        if (rank is None) != (ranks is None):
            raise ValueError("rank and ranks are told together or not at all")
        place = _place()
        told: dict[str, Any] = {
            "job": place.job if job is None else job,
            "rank": place.rank if rank is None else rank,
            "ranks": place.ranks if ranks is None else ranks,
            "local_rank": place.local_rank if local_rank is None else local_rank,
            "group": place.group if group is None else group,
            "node": place.node if node is None else node,
        }
        clock = super().__new__(cls, **told, path=path, synchronize=_synchronize() if synchronize else None)
        for name, value in told.items():
            setattr(clock, name, value)
        clock._process = os.getpid()
        clock._hooks = hooks.Hooks(clock)
        clock._walk = None
        _clocks.add(clock)
        _current = weakref.ref(clock)
        _end_with_process()
        return clock

    _process: int
    _hooks: hooks.Hooks
    # Who goes through batches now.
    _walk: object | None

    def steps(self, batches: Iterable[_Batch], every: int = 1) -> Steps[_Batch]:
        """The same batches, each a step; or so many of them a step, where gradients are accumulated."""
        return Steps(self, batches, every)

    def attach(
        self, *, model: Any | None = None, optimizer: Any | Sequence[Any] | None = None, communication: bool = False
    ) -> StepClock:
        """Has torch mark phases itself, within steps: ``forward`` of a model, ``optimizer`` of one or several, ``backward`` and
        ``torch.save`` (``checkpoint``) of the process. Returns this clock.

        ``communication``: collectives of ``torch.distributed`` as well; and what the backward pass of a model in DistributedDataParallel waits
        for after its last gradient, by a communication hook of the same effect as none, of which a model can have one.
        """
        self._hooks.attach(model, optimizer, communication)
        return self

    def summary(self) -> Summary:
        """What steps took so far, and what of it went where. `print` it to read it in words."""
        return Summary._of(json.loads(self.figures()), self.rank, self.ranks)

    def close(self) -> None:
        """Tells what is left, for a second at most, and that this process is done; nothing is marked from then on. Ends of processes do it by
        themselves."""
        self._hooks.detach()
        super().close()

    def __enter__(self) -> StepClock:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()


class Steps(Generic[_Batch]):
    """Batches, each of which is a step; made by `StepClock.steps`."""

    def __init__(self, clock: StepClock, batches: Iterable[_Batch], every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"every is {every}; a step is of one batch at least")
        self._clock = clock
        self._batches = batches
        self._every = every

    def __iter__(self) -> Iterator[_Batch]:
        clock, mark = self._clock, self._clock.mark
        clock._walk = walk = object()
        try:
            mark("data_wait")
            batches = iter(self._batches)
            count = 0
            while True:
                # Nothing here keeps a batch that the consumer has let go of.
                taken = [next(batches, _NONE)]
                if taken[0] is _NONE:
                    return
                mark("other")
                yield taken.pop()
                count += 1
                if count % self._every == 0:
                    clock.end_step()
                mark("data_wait")
        finally:
            # What was waited for in vain, or was broken off, is no step. Somebody else may go through batches by now.
            if clock._walk is walk:
                clock._walk = None
                clock.pause()

    def __len__(self) -> int:
        """As many as there are batches, where that is known."""
        if not isinstance(self._batches, Sized):
            raise TypeError(f"{type(self._batches).__name__} does not know how many batches it has")
        return len(self._batches)


# What is no batch.
_NONE: Any = object()


def clock() -> StepClock:
    """The clock of this process: the one that was made last and is still in use, or a new one."""
    found = _current()
    # Of a parent, it is off.
    return StepClock() if found is None or found._process != os.getpid() else found


def _synchronize() -> Callable[[], None] | None:
    """What waits for the device; None where there is none to wait for."""
    torch = importlib.import_module("torch")
    accelerator = getattr(torch, "accelerator", torch.cuda)
    return accelerator.synchronize if accelerator.is_available() else None


def _place() -> ranks.Place:
    return ranks.place()


def _end_with_process() -> None:
    """Has clocks closed when a worker of multiprocessing, and so of torch, ends: without what is registered with atexit."""
    global _ends_with
    if _ends_with != os.getpid():
        Finalize(None, _at_end, exitpriority=0)
        _ends_with = os.getpid()


def _at_end() -> None:
    for each in list(_clocks):
        _native.StepClock.close(each)


atexit.register(_at_end)

"""Loaders that tell of steps themselves, wherever they are gone through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from . import step_clock
from .step_clock import StepClock

_Loader = TypeVar("_Loader", bound=Iterable[Any])

# How batches are gone through: given a loader's own way.
_Walk = Callable[[Iterable[Any]], Iterator[Any]]


def watch(loader: _Loader, clock: StepClock | None = None, every: int = 1) -> _Loader:
    """Has a loader, such as torch's ``DataLoader``, tell a clock of its steps: each batch that it delivers begins one, or each ``every`` of
    them. It is the same loader that is returned; without a clock that is told, the process's.

    For loaders that are trained on: one that is gone through in the middle of a step, such as for validation, would end that.
    """
    told = clock or step_clock.clock()
    instrument(loader, lambda batches: iter(told.steps(batches, every)))
    return loader


def instrument(loader: Any, walk: _Walk) -> None:
    """Has a loader gone through in another way."""
    before = type(loader)
    try:
        if not hasattr(before, "_trimtab_own"):
            # Accelerate's loaders have a property of that name, by which they pass for torch's.
            object.__dict__["__class__"].__set__(loader, _instrumented(before))
        loader._trimtab_walk = walk
    except (AttributeError, TypeError):
        raise TypeError(f"a {before.__name__} cannot be watched: go through clock.steps(...) of it") from None


def _instrumented(own: type[Any]) -> type[Any]:
    """A loader's class as a child of itself: Python looks for `__iter__` there, and nowhere else."""

    def through(self: Any) -> Iterator[Any]:
        walk: _Walk | None = self.__dict__.get("_trimtab_walk")
        # One that was made of it, as Lightning does, is not watched.
        return own.__iter__(self) if walk is None else walk(_Own(self, own))

    return type(own.__name__, (own,), {"__iter__": through, "__module__": own.__module__, "_trimtab_own": own})


class _Own:
    """A loader, gone through in its own way."""

    def __init__(self, loader: Any, own: type[Any]) -> None:
        self._loader = loader
        self._own = own

    def __iter__(self) -> Iterator[Any]:
        return self._own.__iter__(self._loader)  # type: ignore[no-any-return]

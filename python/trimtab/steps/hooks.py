"""Phases that torch marks itself. Nothing here imports torch before it is asked for."""

from __future__ import annotations

import functools
import importlib
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .. import _native

if TYPE_CHECKING:
    from .step_clock import StepClock

# Functions of torch.distributed that ranks meet in.
_COLLECTIVES = (
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "gather",
    "monitored_barrier",
    "recv",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_tensor",
    "scatter",
    "send",
)


class Hooks:
    """What a clock has attached to."""

    def __init__(self, clock: StepClock) -> None:
        # The clock has these, and not the other way round: it ends when nobody has it any more.
        self._clock = weakref.ref(clock)
        self._handles: list[Any] = []

    def attach(self, model: Any | None, optimizer: Any | Sequence[Any] | None, communication: bool) -> None:
        """As `StepClock.attach`."""
        torch = importlib.import_module("torch")
        note(torch.autograd, "backward", "backward")
        note(torch, "save", "checkpoint")
        if model is not None:
            before, after = _around("forward")
            self._handles.append(model.register_forward_pre_hook(before))
            self._handles.append(model.register_forward_hook(after, always_call=True))
        optimizers = optimizer if isinstance(optimizer, Sequence) else [optimizer]
        for each in optimizers:
            if each is not None:
                before, after = _around("optimizer")
                self._handles.append(each.register_step_pre_hook(before))
                self._handles.append(each.register_step_post_hook(after))
        if communication:
            distributed = importlib.import_module("torch.distributed")
            for name in _COLLECTIVES:
                if hasattr(distributed, name):
                    note(distributed, name, "communication")
            parallel = importlib.import_module("torch.nn.parallel").DistributedDataParallel
            if isinstance(model, parallel):
                model.register_comm_hook(None, _reducing(self._clock))

    def detach(self) -> None:
        """Takes hooks of models and optimizers away. What is noted of functions of torch goes to no clock then."""
        for handle in self._handles:
            handle.remove()
        self._handles.clear()


def _reducing(found: Callable[[], StepClock | None]) -> Callable[[Any, Any], Any]:
    """Reduces gradients as DistributedDataParallel does without a hook; when the last are on their way, what is left is waiting."""
    default = importlib.import_module("torch.distributed.algorithms.ddp_comm_hooks.default_hooks")

    def reduced(_state: Any, bucket: Any) -> Any:
        future = default.allreduce_hook(None, bucket)
        clock = found()
        if clock is not None and bucket.is_last():
            # Of a device, gradients are made by a thread of their own.
            clock.mark_anywhere("communication")
        return future

    # torch would have none but its own types there.
    reduced.__annotations__.clear()
    return reduced


def note(owner: Any, name: str, phase: str) -> None:
    """Has a function of a module note its phase, within whatever step, from now on."""
    original = getattr(owner, name)
    if getattr(original, "_trimtab_phase", None) is not None:
        return

    @functools.wraps(original)
    def noted(*arguments: Any, **options: Any) -> Any:
        with _native.within_step(phase):
            return original(*arguments, **options)

    noted._trimtab_phase = phase  # type: ignore[attr-defined]
    setattr(owner, name, noted)


def _around(phase: str) -> tuple[Callable[..., None], Callable[..., None]]:
    """What is called before and after something that is a phase of a step."""

    def before(*_told: Any) -> None:
        _native.within_step(phase).__enter__()

    def after(*_told: Any) -> None:
        _native.within_step(phase).__exit__()

    return before, after

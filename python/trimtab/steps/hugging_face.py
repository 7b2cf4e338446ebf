"""The clock in Hugging Face's Trainer. Nothing here imports transformers before it is asked for."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable, Iterator
from typing import Any

from .step_clock import StepClock
from .watch import instrument

# What is no batch.
_NONE: Any = object()


class HuggingFaceCallback:
    """``Trainer(callbacks=[tt.steps.HuggingFaceCallback()])``: each update of the weights is a step, with all its phases.

    Evaluation counts to no step. ``clock``: a clock of your own; unless it is told, one is made when training begins, and closed when that
    ends: `clock` has it then.
    """

    def __new__(cls, *_arguments: Any, **_options: Any) -> HuggingFaceCallback:
        # A child of transformers' class, which is there only if that is.
        return object.__new__(_callback_class())

    def __init__(self, clock: StepClock | None = None) -> None:
        super().__init__()
        self.clock = clock
        """The clock; None before training begins."""
        self._is_own = clock is None

    def on_train_begin(self, args: Any, state: Any, control: Any, **told: Any) -> None:
        """Makes the clock: ranks are known by now."""
        if self._is_own:
            self.clock = StepClock()
        if self.clock is not None:
            self.clock.attach(model=told.get("model"))
            batches = told.get("train_dataloader")
            if batches is not None:
                _note_waits(batches, self.clock)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **told: Any) -> None:
        """There are gradients, and the weights follow."""
        self._mark("optimizer")

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **told: Any) -> None:
        """There are new weights."""
        self._mark("other")

    def on_step_end(self, args: Any, state: Any, control: Any, **told: Any) -> None:
        """The step is over; what the Trainer is about to do counts to the next."""
        if self.clock is None:
            return
        self.clock.end_step(state.global_step)
        if control.should_evaluate:
            self.clock.pause()
        elif control.should_save:
            self.clock.mark("checkpoint")

    def on_evaluate(self, args: Any, state: Any, control: Any, **told: Any) -> None:
        """Evaluation is over."""
        if control.should_save:
            self._mark("checkpoint")

    def on_save(self, args: Any, state: Any, control: Any, **told: Any) -> None:
        """The state is kept."""
        self._mark("other")

    def on_epoch_end(self, args: Any, state: Any, control: Any, **told: Any) -> None:
        """What comes between epochs is no step."""
        if self.clock is not None:
            self.clock.pause()

    def on_train_end(self, args: Any, state: Any, control: Any, **told: Any) -> None:
        """Training is over."""
        if self.clock is not None:
            self.clock.pause()
            if self._is_own:
                self.clock.close()

    def _mark(self, phase: Any) -> None:
        if self.clock is not None:
            self.clock.mark(phase)


def _note_waits(loader: Any, clock: StepClock) -> None:
    """Has a loader mark the time in which its next batch is waited for."""

    def walk(own: Iterable[Any]) -> Iterator[Any]:
        clock.mark("data_wait")
        batches = iter(own)
        while True:
            clock.mark("data_wait")
            # Nothing here keeps a batch that the consumer has let go of.
            taken = [next(batches, _NONE)]
            clock.mark("other")
            if taken[0] is _NONE:
                return
            yield taken.pop()

    # Of a loader that cannot be told to, the waits are other time.
    with contextlib.suppress(TypeError):
        instrument(loader, walk)


def _callback_class() -> type:
    base = importlib.import_module("transformers").TrainerCallback
    return type("HuggingFaceCallback", (HuggingFaceCallback, base), {"__module__": __name__})

"""The clock in Lightning's Trainer. Nothing here imports Lightning before it is asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from .. import ranks
from .step_clock import StepClock

# What Lightning's profilers call what it does, behind the names of its classes, and the phase that this is.
_ACTIONS = {"train_dataloader_next": "data_wait", "save_checkpoint": "checkpoint"}


class LightningCallback:
    """``Trainer(callbacks=[tt.steps.LightningCallback()])``: each training batch is a step, with all its phases.

    Validation counts to no step. ``clock``: a clock of your own; unless it is told, one is made when training begins, and closed when that
    ends: `clock` has it then.
    """

    def __new__(cls, *_arguments: Any, **_options: Any) -> LightningCallback:
        # A child of Lightning's class, which is there only if Lightning is.
        return object.__new__(_callback_class())

    def __init__(self, clock: StepClock | None = None) -> None:
        super().__init__()
        self.clock = clock
        """The clock; None before training begins."""
        self._is_own = clock is None
        self._profiler: Any = None
        # The step that ended last, as all ranks count, also where training is gone on with.
        self._number = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Makes the clock: ranks are known by now."""
        if self._is_own:
            # Lightning may have been started once and have started the other ranks itself: then they have not the same parent.
            self.clock = StepClock(trainer.strategy.broadcast(ranks.place().job))
        self._number = trainer.global_step * trainer.accumulate_grad_batches
        self._listen(trainer.profiler)

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """The batch is on the device."""
        self._mark("forward")

    def on_before_zero_grad(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        """Clearing gradients is the optimizer's."""
        self._mark("optimizer")

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Any) -> None:
        """There is a loss."""
        self._mark("backward")

    def on_after_backward(self, trainer: Any, pl_module: Any) -> None:
        """There are gradients."""
        self._mark("other")

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        """Gradients are clipped, and the weights follow."""
        self._mark("optimizer")

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """The step is over."""
        self._number += 1
        if self.clock is not None:
            self.clock.end_step(self._number)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:
        """Validation is no step of training."""
        self._pause()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """What comes between epochs is no step."""
        self._pause()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Training is over."""
        self._end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Training has failed: that is told by whoever knows why."""
        self._end()

    def _mark(self, phase: Any) -> None:
        if self.clock is not None:
            self.clock.mark(phase)

    def _pause(self) -> None:
        if self.clock is not None:
            self.clock.pause()

    def _end(self) -> None:
        self._pause()
        if self._profiler is not None:
            for name in ("start", "stop"):
                self._profiler.__dict__.pop(name, None)
            self._profiler = None
        if self._is_own and self.clock is not None:
            self.clock.close()

    def _listen(self, profiler: Any) -> None:
        """Hears what Lightning tells its profiler, whichever that is: no callback is told when a batch is waited for."""
        self._profiler = profiler
        profiler.start = self._heard(profiler.start, self._begin)
        profiler.stop = self._heard(profiler.stop, self._leave)

    def _heard(self, own: Callable[[str], None], also: Callable[[str], None]) -> Callable[[str], None]:
        def heard(action_name: str) -> None:
            action = action_name.rpartition(".")[2]
            if action in _ACTIONS:
                also(_ACTIONS[action])
            own(action_name)

        return heard

    def _begin(self, phase: str) -> None:
        if phase == "data_wait":
            self._mark("data_wait")
        elif self.clock is not None:
            self.clock.checkpoint().__enter__()

    def _leave(self, phase: str) -> None:
        if phase == "data_wait":
            # From there on until `on_train_batch_start` the batch is brought to the device.
            self._mark("host_to_device")
        elif self.clock is not None:
            self.clock.checkpoint().__exit__()


def _callback_class() -> type:
    """The class above as a child of the one that the Trainer in use knows."""
    name = "pytorch_lightning" if "pytorch_lightning" in sys.modules and "lightning" not in sys.modules else "lightning.pytorch"
    base = importlib.import_module(name).Callback
    return type("LightningCallback", (LightningCallback, base), {"__module__": __name__})

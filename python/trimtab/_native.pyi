import os
from collections.abc import Callable
from typing import Any, Literal, final

from typing_extensions import Self, disjoint_base

__all__ = [
    "Array",
    "DataError",
    "Loader",
    "Pace",
    "Span",
    "StepClock",
    "__version__",
    "go_on",
    "hold_still",
    "metrics_folder",
    "within_step",
]

_Phase = Literal[
    "data_wait", "host_to_device", "forward", "backward", "optimizer", "communication", "checkpoint", "other"
]

__version__: str

class DataError(Exception): ...

def metrics_folder() -> str: ...
def hold_still() -> None: ...
def go_on() -> None: ...

@final
class Array:
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def __array_interface__(self) -> dict[str, Any]: ...
    def __dlpack_device__(self) -> tuple[int, int]: ...
    def __dlpack__(
        self,
        *,
        stream: Any = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any: ...

@final
class Loader:
    def __new__(cls, spec: str, arrays: list[str]) -> Loader: ...
    def next(self) -> tuple[dict[str, Array | list[Array] | list[bytes] | list[str]], list[tuple[str, str]]] | None: ...
    def numbers(self) -> list[int]: ...
    def sample_name(self, number: int) -> str: ...
    def state(self) -> str: ...
    def report(self) -> str: ...
    def note_stage(self, workers: int, samples: int, busy_seconds: float, starved_seconds: float) -> None: ...
    def serve(self, place: str) -> str: ...
    def stop_serving(self) -> None: ...
    def close_copy(self) -> None: ...
    def go_on_from(self, state: str) -> None: ...
    @property
    def samples(self) -> int: ...
    @property
    def batches(self) -> int: ...

@final
class Pace:
    def __new__(cls, start: int, max: int) -> Pace: ...
    @property
    def window(self) -> int: ...
    def done(self, seconds: float, amount: int, working: int) -> None: ...

@final
class Span:
    def __enter__(self) -> None: ...
    def __exit__(self, _kind: object = None, _raised: object = None, _traceback: object = None, /) -> None: ...

@disjoint_base
class StepClock:
    def __new__(
        cls,
        *,
        job: str,
        rank: int,
        ranks: int,
        local_rank: int | None,
        group: str | None,
        node: str | None,
        path: str | os.PathLike[str] | None,
        synchronize: Callable[[], None] | None,
    ) -> Self: ...
    def mark(self, phase: _Phase) -> None:
        """From here on the time goes to that phase, in place of the innermost one."""

    def mark_anywhere(self, phase: _Phase) -> None:
        """As `mark`, within a step, from whatever thread."""

    def end_step(self, number: int | None = None) -> None:
        """The step is over, and the next one begins. Steps are counted from 1, unless their number is told."""

    def pause(self) -> None:
        """No step is under way until the next mark: what comes now, such as validation, counts to none."""

    def data_wait(self) -> Span:
        """The next batch is waited for, within a `with`."""

    def host_to_device(self) -> Span:
        """A batch is brought to the device, within a `with`."""

    def forward(self) -> Span:
        """The model and the loss are computed, within a `with`."""

    def backward(self) -> Span:
        """Gradients are computed, within a `with`."""

    def optimizer(self) -> Span:
        """Weights are changed, within a `with`."""

    def communication(self) -> Span:
        """Ranks tell each other something, within a `with`."""

    def checkpoint(self) -> Span:
        """The state is kept, within a `with`."""

    @property
    def is_connected(self) -> bool:
        """Whether somebody listens."""

    def figures(self) -> str: ...
    def write_csv(self, path: str | os.PathLike[str]) -> int:
        """Writes the steps that are kept, 65,536 at most, as `trimtab diagnose` reads them; how many those are."""

    def close(self) -> None: ...

def within_step(phase: str) -> Span: ...
